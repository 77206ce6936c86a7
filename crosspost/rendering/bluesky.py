"""A post as a record of Bluesky: what it looks like in the account's repository.

Pure. It must not know calls or sessions. Facts: the lexicons of bluesky-social/atproto
(`app.bsky.feed.post` and its embeds).
"""

from __future__ import annotations

from typing import Any

from crosspost.post import Card, Facet, Image, Outgoing, Post, Receipt

COLLECTION = "app.bsky.feed.post"


def images_of(post: Post) -> tuple[Image, ...]:
    """What must be uploaded: a record shows a video, images or a card, and only one of them."""
    thumb = post.card.image if post.card and not post.videos else None
    return post.images or ((thumb,) if thumb else ())


def record_of(outgoing: Outgoing) -> dict[str, Any]:
    """The record of lexicon `app.bsky.feed.post`: the same at every attempt."""
    post, blobs = outgoing.post, outgoing.prepared.get("blobs")
    record: dict[str, Any] = {
        "$type": COLLECTION,
        "text": post.text,
        "createdAt": outgoing.handle["created_at"],
        "langs": [post.lang],
    }
    if post.facets:
        record["facets"] = [_facet(facet) for facet in post.facets]
    if embed := _embed(post, blobs if isinstance(blobs, dict) else {}):
        record["embed"] = embed
    if outgoing.parent:
        root = outgoing.root or outgoing.parent
        record["reply"] = {"root": _ref(root), "parent": _ref(outgoing.parent)}
    return record


def _facet(facet: Facet) -> dict[str, Any]:
    key = "uri" if facet.kind == "link" else "tag"
    return {
        "index": {"byteStart": facet.start, "byteEnd": facet.end},
        "features": [{"$type": f"app.bsky.richtext.facet#{facet.kind}", key: facet.value}],
    }


def _embed(post: Post, blobs: dict[str, Any]) -> dict[str, Any] | None:
    if post.videos:
        (video, *_) = post.videos
        shape = {"aspectRatio": {"width": video.width, "height": video.height}}
        film = {"video": blobs.get(video.sha256), "alt": video.alt}
        return {"$type": "app.bsky.embed.video", **film} | (shape if video.width else {})
    if post.images:
        images = [
            {
                "image": blobs.get(image.sha256),
                "alt": image.alt,
                "aspectRatio": {"width": image.width, "height": image.height},
            }
            for image in post.images
        ]
        return {"$type": "app.bsky.embed.images", "images": images}
    if post.card:
        return {"$type": "app.bsky.embed.external", "external": _external(post.card, blobs)}
    return None


def _external(card: Card, blobs: dict[str, Any]) -> dict[str, Any]:
    external = {"uri": card.url, "title": card.title, "description": card.description}
    thumb = blobs.get(card.image.sha256) if card.image else None
    return external | ({"thumb": thumb} if thumb else {})


def _ref(receipt: Receipt) -> dict[str, str]:
    return {"uri": receipt.remote_id, "cid": receipt.extra["cid"]}

"""Bluesky, and every other server of the AT Protocol (a PDS).

It must not publish under a record key that was not chosen and stored before: so a repeat cannot
make a second post. Facts: docs.bsky.app, and the reference server (bluesky-social/atproto).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr, field_validator

from crosspost.adapters.atproto import tid
from crosspost.adapters.base import HttpSettings, text_id
from crosspost.adapters.bluesky_video import BlueskyVideos
from crosspost.config import WebAddress
from crosspost.errors import AccountRestricted, DuplicateDetected, MediaProcessing
from crosspost.post import (
    Account,
    Capabilities,
    CardMaker,
    Image,
    Markup,
    Outgoing,
    Receipt,
    Reconcile,
)
from crosspost.rendering.bluesky import COLLECTION, images_of, record_of
from crosspost.rendering.measure import graphemes
from crosspost.wording import t


class BlueskySettings(HttpSettings):
    """`identifier` is the account's handle, `app_password` one that was made for crosspost;
    `video_url` is the service that makes videos ready."""

    base_url: WebAddress = "https://bsky.social"
    video_url: WebAddress = "https://video.bsky.app"
    identifier: str
    app_password: SecretStr

    @field_validator("identifier")
    @classmethod
    def _is_a_handle(cls, identifier: str) -> str:
        bare = identifier.strip().removeprefix("@")
        if not re.fullmatch(r"[^\s/]+[.:][^\s/]+", bare):
            raise ValueError(t("write the account's handle, for example office.bsky.social"))
        return bare


class BlueskyAdapter(BlueskyVideos):
    """One account."""

    platform = "bluesky"
    title = "Bluesky"
    Settings = BlueskySettings
    capabilities: Capabilities = Capabilities(
        markup=Markup.FACETS,
        max_length=300,
        max_bytes=3000,
        max_images=4,
        image_bytes=950_000,  # the server takes 2,000,000; older ones 1,000,000
        image_side=2000,
        max_alt=2000,  # what the official app takes; the protocol has no limit
        max_videos=1,
        max_video_alt=1000,
        video_seconds=180,
        threads=True,
        card=CardMaker.CLIENT,
        delete=True,
        reconcile=Reconcile.CHOSEN_ID,
    )
    measure = staticmethod(graphemes)  # grapheme clusters (`maxGraphemes` of the lexicon)

    def check(self) -> Account:
        answer = self.call_as("GET", "com.atproto.server.getSession", phase="check")
        did, handle = self.id_in(answer, "check", "did"), self.id_in(answer, "check", "handle")
        words = t(
            "The account @{handle} cannot post: {status}.",
            handle=handle,
            status=answer.at("status") or t("no reason given"),
        )
        self.insist(answer.at("active") is not False, AccountRestricted, words)
        facts = {t("server"): self.settings.base_url, t("identity"): did}
        address = f"https://bsky.app/profile/{did}"
        return Account(f"@{handle}", address, facts, tuple(self._warnings(handle)))

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:  # noqa: ARG002
        at = now.astimezone(UTC).isoformat(timespec="milliseconds")
        return {"rkey": tid(now), "created_at": at.replace("+00:00", "Z")}

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        did = self.signed_in().did
        same: Any = outgoing.prepared if outgoing.prepared.get("did") == did else {}
        blobs, jobs = dict(same.get("blobs") or {}), dict(same.get("jobs") or {})
        prepared = {"did": did, "blobs": blobs, "jobs": jobs}
        for image in images_of(outgoing.post):
            if image.sha256 not in blobs:
                blobs[image.sha256] = self._upload(image)
        for video in outgoing.post.videos:
            name = video.sha256
            if name not in jobs:
                jobs[name] = self.job_of(video, did)
            blob = blobs.get(name) or self.blob_of(jobs[name])
            if blob is None:
                words = t("The server is still working on the images or the video.")
                raise self.error(MediaProcessing, words, prepared=prepared)
            blobs[name] = blob
        return prepared

    def publish(self, outgoing: Outgoing) -> Receipt:
        where = self._where(outgoing)
        answer = self.call_as(
            "POST",
            "com.atproto.repo.putRecord",
            phase="publish",
            # no earlier record may be there, unless it is this very one (then nothing happens)
            json={**where, "record": record_of(outgoing), "swapRecord": None},
        )
        with self.reading(answer, "publish"):
            return _receipt(self.json_of(answer, "publish"), where)

    def find(self, outgoing: Outgoing) -> Receipt | None:
        where = self._where(outgoing)
        answer = self.call_as("GET", "com.atproto.repo.getRecord", phase="find", params=where)
        if answer.status != 200:
            return None
        with self.reading(answer, "find"):
            data = self.json_of(answer, "find")
            receipt, text = _receipt(data, where), data["value"]["text"]
        words = t("There is another text under the name of this post: {uri}", uri=data["uri"])
        self.insist(text == outgoing.post.text, DuplicateDetected, words)
        return receipt

    def delete(self, receipt: Receipt) -> None:
        repo, collection, rkey = receipt.remote_id.removeprefix("at://").split("/")
        where = {"repo": repo, "collection": collection, "rkey": rkey}
        self.call_as("POST", "com.atproto.repo.deleteRecord", phase="delete", json=where)

    def _where(self, outgoing: Outgoing) -> dict[str, str]:
        """The record's address: in the account that it was prepared for, whoever is configured."""
        did = outgoing.prepared.get("did") or self.signed_in().did
        return {"repo": str(did), "collection": COLLECTION, "rkey": outgoing.handle["rkey"]}

    def _upload(self, image: Image) -> dict[str, Any]:
        """The server's reference to the bytes of an image. It forgets them after some hours."""
        answer = self.call_as(
            "POST",
            "com.atproto.repo.uploadBlob",
            phase="prepare",
            headers={"Content-Type": image.mime},
            data=self.bytes_of(image),
        )
        return dict(self.json_of(answer, "prepare", "blob", "ref", "$link")["blob"])

    def _warnings(self, handle: str) -> Iterator[str]:
        if handle == "handle.invalid":
            yield t("The account's handle no longer leads to it: look at the domain's DNS record.")
        if self.session_now and self.session_now.is_main_password:
            yield t(
                "This is the account's own password. Make an app password for crosspost, "
                "and change the account's."
            )


def _receipt(data: dict[str, Any], where: dict[str, str]) -> Receipt:
    """Raises ValueError when the answer is about another record than ours."""
    uri = f"at://{where['repo']}/{where['collection']}/{where['rkey']}"
    if data["uri"] != uri:
        raise ValueError("another record")
    link = f"https://bsky.app/profile/{where['repo']}/post/{where['rkey']}"
    return Receipt(uri, link, {"cid": text_id(data["cid"])})

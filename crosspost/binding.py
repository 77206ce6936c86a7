"""What an approval binds, as one digest: the wording, its author, and for each channel the posts
(text, images, descriptions, source, link) and the time.

It only reads rows and compares; who may approve is the business of `approvals.py`. The digest is
made from the rows as they are, never copied from a column, so that a row changed behind crosspost's
back is seen: by who approves, and by the daemon before it sends.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfoNotFoundError

from sqlalchemy import bindparam
from sqlmodel import Session, SQLModel, col, select

from crosspost.ledger import book
from crosspost.ledger.canonical import canonical
from crosspost.ledger.hashing import salted_digest
from crosspost.lifecycle import Status
from crosspost.post import Content
from crosspost.prepared import Prepared, as_read
from crosspost.tables import Approval, Binding, Delivery, Image, Part, Revision, Video, table
from crosspost.times import Moment, still_due
from crosspost.wording import t

Json = dict[str, Any]


class Shown(NamedTuple):
    """An image or a video as a digest sees it."""

    sha256: str
    alt: str


def content_values(content: Content) -> Json:
    """The content of a revision as JSON values, as its salted digest covers them."""
    images = [Shown(image.sha256, image.alt) for image in content.images]
    videos = [Shown(video.sha256, video.alt) for video in content.videos]
    return _values(content, list(content.tags), dict(content.texts), images, videos)


def _values(
    wording: Content | Revision,
    tags: list[str],
    texts: dict[str, str],
    images: Sequence[Shown],
    videos: Sequence[Shown],
) -> Json:
    return {
        "title": wording.title,
        "body": wording.body,
        "source": wording.source,
        "link": wording.link,
        "lang": wording.lang,
        "urgency": wording.urgency,
        "tags": tags,
        "texts": texts,
        "images": [shown._asdict() for shown in images],
        "videos": [shown._asdict() for shown in videos],
    }


def parsed(payloads: Sequence[str]) -> list[Any]:
    """A delivery's posts as they are stored, as JSON values; none for what is no JSON of ours,
    which nobody can have approved."""
    try:
        return [json.loads(payload) for payload in payloads]
    except ValueError:
        return []


def posts_digest(salt: bytes, values: Sequence[Any]) -> str:
    """The digest of a delivery's posts, `parsed`; "" for what cannot have been approved."""
    try:
        return salted_digest(salt, list(values)) if values else ""
    except ValueError:
        return ""


@dataclass(frozen=True)
class Bound:
    """What is put up for approval: the manifest, its digest, and what in the rows is not as it was
    queued (sentences)."""

    digest: str
    manifest: Json
    changed: tuple[str, ...] = ()


def bound(session: Session, revision: Revision) -> Bound:
    """What an approval of this revision would bind now."""
    content = _content(session, revision)
    changed = [] if content == revision.digest else [_sentence("content")]
    deliveries = []
    for delivery in session.exec(_DELIVERIES, params={"its_revision": revision.id}):
        if delivery.status == Status.CANCELLED:
            continue
        payloads = session.exec(_PAYLOADS, params={"its_delivery": delivery.id}).all()
        posts = posts_digest(revision.salt, parsed(payloads))
        if posts != delivery.render_digest:
            changed.append(_sentence("posts"))
        deliveries.append(_target(delivery, posts))
    manifest = {**_heading(revision, content), "deliveries": deliveries}
    return Bound(salted_digest(revision.salt, manifest), manifest, tuple(dict.fromkeys(changed)))


def _heading(revision: Revision, content: str) -> Json:
    return {
        "announcement": revision.announcement_id,
        "revision": revision.number,
        "code": revision.code,
        "author": revision.created_by,
        "content": content,
    }


def _target(delivery: Delivery, posts: str) -> Json:
    return {
        "channel": delivery.channel,
        "act": delivery.act,
        "amends": delivery.amends or 0,
        "due": book.stamp(delivery.due_at),
        "wall": delivery.wall,
        "zone": delivery.zone,
        "posts": posts,
    }


def keep(session: Session, revision: Revision, found: Bound) -> None:
    """Store the manifest under its digest, so that the daemon can hold each delivery against it."""
    known = session.exec(select(Binding.id).where(Binding.digest == found.digest)).first()
    if known is None and revision.id is not None:
        text = canonical(found.manifest).decode()
        session.add(Binding(digest=found.digest, revision_id=revision.id, manifest=text))
        session.flush()


# --- before sending -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Basis:
    """What a claimed delivery is held against: its revision, the digest of that as it is stored
    now, and the manifest that was approved ("" when there is none)."""

    revision: Revision
    content: str
    manifest: str


def bases_of(session: Session, deliveries: Sequence[Delivery]) -> list[Basis]:
    """The basis of each of these deliveries, as it is stored now. What several of them stand on is
    read once."""
    numbers = list(dict.fromkeys(delivery.revision_id for delivery in deliveries))
    approved = list(dict.fromkeys((d.revision_id, d.approved_digest) for d in deliveries))
    revisions = dict(zip(numbers, _revisions(session, numbers), strict=True))
    its = [{"its_revision": number, "its_digest": digest} for number, digest in approved]
    manifests = {
        key: str(rows[0][0]) if rows else ""
        for key, rows in zip(approved, _MANIFEST.rows_each(session, its), strict=True)
    }
    return [
        Basis(*revisions[d.revision_id], manifests[d.revision_id, d.approved_digest])
        for d in deliveries
    ]


def _revisions(session: Session, numbers: Sequence[int]) -> list[tuple[Revision, str]]:
    """These revisions, each with the digest of its content as it is stored now."""
    its = [{"its_revision": number} for number in numbers]
    found, images, videos = (q.rows_each(session, its) for q in (_REVISION, _IMAGES, _VIDEOS))
    revisions = [as_read(Revision, row) for [row] in found]
    return [
        (revision, _digest(revision, *([Shown(*row) for row in rows] for rows in shown)))
        for revision, *shown in zip(revisions, images, videos, strict=True)
    ]


def approvals_of(session: Session, digest: str) -> list[Approval]:
    """Everybody's yes to just this, whether void by now or not: what a signature proves is not
    undone by a column."""
    return list(session.exec(select(Approval).where(Approval.digest == digest)))


def departure(basis: Basis, delivery: Delivery, values: Sequence[Any]) -> str:
    """Why what would be sent, its posts `parsed`, is not what was approved, in words; "" when it
    is, byte for byte."""
    revision = basis.revision
    posts = posts_digest(revision.salt, values)
    if posts != delivery.render_digest:
        return _sentence("posts")
    manifest = _approved(revision.salt, basis.manifest, delivery.approved_digest)
    if manifest is None:
        return _sentence("approval")
    heading = _heading(revision, basis.content)
    if {key: manifest.get(key) for key in heading} != heading:
        return _sentence("content")
    channel = delivery.channel
    targets = [target for target in manifest["deliveries"] if target["channel"] == channel]
    if not any(_is_target(delivery, posts, target) for target in targets):
        return _sentence("target")
    return ""


def _is_target(delivery: Delivery, posts: str, target: Json) -> bool:
    """Whether a delivery is this one of a manifest. Its wall time binds; where the law has moved
    the zone's clock since, that is another instant (`rezoning.py`)."""
    found = _target(delivery, posts)
    if found == target:
        return True
    if {**found, "due": target["due"]} != target:
        return False
    approved = Moment(datetime.fromisoformat(target["due"]), delivery.wall, delivery.zone)
    try:
        return still_due(approved) == delivery.due_at
    except ZoneInfoNotFoundError:
        return False


@lru_cache(maxsize=64)
def _approved(salt: bytes, manifest: str, digest: str | None) -> Json | None:
    """A manifest, if this is its digest; None for any other, and for what is none. Remembered, for
    the very same stands behind every channel of an announcement."""
    try:
        found: Json = json.loads(manifest)
        return found if salted_digest(salt, found) == digest else None
    except ValueError:
        return None


def _sentence(what: str) -> str:
    return {
        "posts": t("What would be sent is not what was approved: the post was changed."),
        "content": t("What would be sent is not what was approved: the announcement was changed."),
        "target": t(
            "What would be sent is not what was approved: the channel, its time or its post is "
            "another."
        ),
        "approval": t("What would be sent is not what was approved: there is no such approval."),
    }[what]


def _content(session: Session, revision: Revision) -> str:
    """The digest of a revision's content, from the rows as they are; "" for what is none of ours,
    which nobody can have approved."""
    return _digest(revision, *_media(session, revision))


def _digest(revision: Revision, images: Sequence[Shown], videos: Sequence[Shown]) -> str:
    try:
        return salted_digest(revision.salt, _stored(revision, images, videos))
    except ValueError:
        return ""


def stored_values(session: Session, revision: Revision) -> Json:
    """The content of a revision from the rows as they are, as `content_values` gives it. Raises
    ValueError for what is none of ours."""
    return _stored(revision, *_media(session, revision))


def _media(session: Session, revision: Revision) -> tuple[list[Shown], list[Shown]]:
    its = {"its_revision": revision.id}
    images, videos = ([Shown(*row) for row in q.rows(session, its)] for q in (_IMAGES, _VIDEOS))
    return images, videos


def _stored(revision: Revision, images: Sequence[Shown], videos: Sequence[Shown]) -> Json:
    tags, texts = json.loads(revision.tags), json.loads(revision.texts)
    return _values(revision, tags, texts, images, videos)


def _shown(model: type[SQLModel]) -> Prepared:
    columns = table(model).c
    query = select(columns.sha256, columns.alt)
    return Prepared(
        query.where(columns.revision_id == bindparam("its_revision")).order_by(columns.position)
    )


_IMAGES, _VIDEOS = _shown(Image), _shown(Video)
_DELIVERIES = (
    select(Delivery)
    .where(col(Delivery.revision_id) == bindparam("its_revision"))
    .order_by(col(Delivery.channel), col(Delivery.id))
)
_PAYLOADS = (
    select(Part.payload)
    .where(col(Part.delivery_id) == bindparam("its_delivery"))
    .order_by(col(Part.position))
)
_REVISION = Prepared(
    select(*table(Revision).c).where(table(Revision).c.id == bindparam("its_revision"))
)
_MANIFEST = Prepared(
    select(table(Binding).c.manifest).where(
        table(Binding).c.digest == bindparam("its_digest"),
        table(Binding).c.revision_id == bindparam("its_revision"),
    )
)

"""The wordings of announcements: stored once, never changed, and read back.

It must not decide whether a wording may be made (`editorial.py`) or sent (`approvals.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlmodel import Session, col, select

from crosspost.binding import content_values
from crosspost.config import Config
from crosspost.errors import NotFound
from crosspost.ledger import book
from crosspost.ledger.hashing import new_salt, salted_digest
from crosspost.post import Content
from crosspost.post import Image as PostImage
from crosspost.post import Video as PostVideo
from crosspost.queue import Doing, known
from crosspost.tables import Image, Revision, Video
from crosspost.wording import t


def store(
    session: Session, number: int, content: Content, doing: Doing, kind: str, stage: str
) -> Revision:
    """The rows of a revision, and the entry that binds its content."""
    salt = new_salt()
    revision = Revision(
        announcement_id=number,
        number=content.revision,
        code=content.code,
        title=content.title,
        body=content.body,
        source=content.source,
        link=content.link,
        lang=content.lang,
        urgency=content.urgency,
        tags=json.dumps(content.tags),
        texts=json.dumps(dict(content.texts)),
        created_at=doing.at,
        created_by=doing.by,
        salt=salt,
        stage=stage,
        digest=salted_digest(salt, content_values(content)),
    )
    session.add(revision)
    session.flush()
    _store_files(session, revision, Image, content.images, _OF_IMAGES)
    _store_files(session, revision, Video, content.videos, _OF_VIDEOS)
    session.flush()
    record(session, revision, kind, doing, digest=revision.digest)
    return revision


def record(
    session: Session,
    revision: Revision,
    kind: str,
    doing: Doing,
    *,
    digest: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """The entry of an act that concerns a whole revision."""
    book.append(
        session,
        book.Act(
            kind=kind,
            by=doing.by,
            at=doing.at,
            announcement=revision.announcement_id,
            revision=revision.number,
            code=revision.code,
            digest=digest,
            data=data or {},
            note=doing.note,
        ),
    )


def current_revision(session: Session, number: int) -> Revision:
    """The newest revision of announcement `number`. Raises NotFound."""
    found = session.exec(
        select(Revision)
        .where(Revision.announcement_id == number)
        .order_by(col(Revision.number).desc())
        .limit(1)
    ).first()
    if found is None:
        raise NotFound(
            t("There is no announcement {number}.", number=number),
            hint=t("See which there are: crosspost list"),
        )
    return found


def images_of(session: Session, config: Config, revision: Revision) -> list[PostImage]:
    """The images of a revision as they were taken in."""
    return _files_of(session, config, revision, Image, PostImage, _OF_IMAGES)


def videos_of(session: Session, config: Config, revision: Revision) -> list[PostVideo]:
    """The videos of a revision as they were taken in."""
    return _files_of(session, config, revision, Video, PostVideo, _OF_VIDEOS)


#: What a row keeps of a file, under the same names.
_OF_IMAGES = ("sha256", "mime", "alt", "width", "height", "size")
_OF_VIDEOS = (*_OF_IMAGES, "milliseconds", "codec")
Made = TypeVar("Made", PostImage, PostVideo)


def _store_files(
    session: Session,
    revision: Revision,
    row: type[Image] | type[Video],
    files: Sequence[PostImage] | Sequence[PostVideo],
    names: Sequence[str],
) -> None:
    for position, file in enumerate(files):
        kept = {name: getattr(file, name) for name in names}
        session.add(row(revision_id=known(revision.id), position=position, **kept))


def _files_of(
    session: Session,
    config: Config,
    revision: Revision,
    row: type[Image] | type[Video],
    made: type[Made],
    names: Sequence[str],
) -> list[Made]:
    rows = session.exec(
        select(row).where(row.revision_id == revision.id).order_by(col(row.position))
    )
    kept = [{name: getattr(found, name) for name in names} for found in rows]
    return [made(path=config.media / values["sha256"], **values) for values in kept]

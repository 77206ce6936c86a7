"""The wordings of announcements: stored once, never changed, and read back.

It must not decide whether a wording may be made (`editorial.py`) or sent (`approvals.py`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select

from crosspost.binding import content_values
from crosspost.config import Config
from crosspost.database import Image, Revision, Video
from crosspost.errors import NotFound
from crosspost.ledger import book
from crosspost.ledger.hashing import new_salt, salted_digest
from crosspost.post import Content
from crosspost.post import Image as PostImage
from crosspost.post import Video as PostVideo
from crosspost.queue import Doing, known
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
    for position, image in enumerate(content.images):
        session.add(
            Image(
                revision_id=known(revision.id),
                position=position,
                sha256=image.sha256,
                alt=image.alt,
                mime=image.mime,
                width=image.width,
                height=image.height,
                size=image.size,
            )
        )
    for position, video in enumerate(content.videos):
        session.add(
            Video(
                revision_id=known(revision.id),
                position=position,
                sha256=video.sha256,
                alt=video.alt,
                mime=video.mime,
                width=video.width,
                height=video.height,
                size=video.size,
                milliseconds=video.milliseconds,
                codec=video.codec,
            )
        )
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
    rows = session.exec(
        select(Image).where(Image.revision_id == revision.id).order_by(col(Image.position))
    )
    return [
        PostImage(
            path=config.media / row.sha256,
            sha256=row.sha256,
            mime=row.mime,
            alt=row.alt,
            width=row.width,
            height=row.height,
            size=row.size,
        )
        for row in rows
    ]


def videos_of(session: Session, config: Config, revision: Revision) -> list[PostVideo]:
    """The videos of a revision as they were taken in."""
    rows = session.exec(
        select(Video).where(Video.revision_id == revision.id).order_by(col(Video.position))
    )
    return [
        PostVideo(
            path=config.media / row.sha256,
            sha256=row.sha256,
            mime=row.mime,
            alt=row.alt,
            size=row.size,
            width=row.width,
            height=row.height,
            milliseconds=row.milliseconds,
            codec=row.codec,
        )
        for row in rows
    ]

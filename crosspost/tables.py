"""The tables of the queue database, and the types of their columns.

They hold what later rooms need in a row (fence, idempotency handle, not_before, not_after, render
digest, wall time and zone), so that they need no second place. This room must not decide anything:
statuses are written by `queue.py` alone, ledger entries by `ledger/book.py` alone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)
from sqlmodel import Field, SQLModel

from crosspost.lifecycle import Status


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, stored in UTC; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else _in_utc(value)

    def bind_processor(self, dialect: Dialect) -> Any:
        """SQLite's text in one step: times are what is written most."""
        return _utc_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a naive datetime cannot be stored")
    return value.astimezone(UTC)


#: So long is a time as SQLite keeps it: without the zone, which is always UTC.
TIME_TEXT = len("2026-01-31 09:30:00.000000")


def _utc_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    if value.tzinfo is not UTC:
        value = _in_utc(value)
    return written(value)


@lru_cache(maxsize=512)
def written(value: datetime) -> str:
    """A time in UTC, and in no other zone, as SQLite keeps it. What happens at one time is written
    several times."""
    return value.isoformat(" ", "microseconds")[:TIME_TEXT]


class StatusText(TypeDecorator[Status]):
    """A `lifecycle.Status`, stored as its word."""

    impl = String(20)
    cache_ok = True

    def process_bind_param(self, value: Status | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else Status(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Status | None:  # noqa: ARG002
        return None if value is None else Status(value)


class _Table(SQLModel):
    """What the tables have in common: their rows are ours already, so no validator is built for
    them before somebody asks for one."""

    model_config = {"defer_build": True}


def _id(table: str, **options: Any) -> Any:
    return Field(sa_column=Column(Integer, ForeignKey(f"{table}.id"), nullable=False, **options))


class Announcement(_Table, table=True):
    """What the office wants to say; its wordings are revisions."""

    id: int | None = Field(default=None, primary_key=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    created_by: str
    amends: int | None = Field(default=None, foreign_key="announcement.id", index=True)
    amend: str = ""  # what it does to the one that it amends: corrected, retracted
    reason: str = Field(default="", sa_type=Text)  # why, for the public
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # it is on record since
    redacted: str = ""  # the order by which its text was erased


class Revision(_Table, table=True):
    """One immutable wording. `salt` and `digest` bind it to the ledger without showing it there."""

    __table_args__ = (UniqueConstraint("announcement_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    announcement_id: int = _id("announcement", index=True)
    number: int  # 1 for the first wording
    code: str = Field(unique=True)  # short, part of the page's address
    title: str = Field(sa_type=Text)
    body: str = Field(sa_type=Text)  # Markdown
    source: str = Field(sa_type=Text)
    link: str = Field(sa_type=Text)
    lang: str
    urgency: str
    tags: str = Field(default="[]", sa_type=Text)  # JSON: words, without #
    texts: str = Field(default="{}", sa_type=Text)  # JSON: channel -> its own text, Markdown
    created_at: datetime = Field(sa_type=UtcDateTime)
    created_by: str
    salt: bytes = Field(sa_type=LargeBinary)  # 32 random bytes
    digest: str  # salted, of the content (`ledger/hashing.py`)
    stage: str = "submitted"  # draft, submitted, rejected; written by `approvals.py`


class Image(_Table, table=True):
    """An image of a revision, as taken in; the file lies in the media folder under its digest."""

    __table_args__ = (UniqueConstraint("revision_id", "position"),)

    id: int | None = Field(default=None, primary_key=True)
    revision_id: int = _id("revision", index=True)
    position: int  # 0 for the first
    sha256: str
    alt: str = Field(sa_type=Text)
    mime: str
    width: int
    height: int
    size: int  # bytes


class Video(_Table, table=True):
    """A video of a revision, in the same way; 0 or "" for what no tool could tell."""

    __table_args__ = (UniqueConstraint("revision_id", "position"),)

    id: int | None = Field(default=None, primary_key=True)
    revision_id: int = _id("revision", index=True)
    position: int  # 0 for the first
    sha256: str
    alt: str = Field(sa_type=Text)
    mime: str
    width: int
    height: int
    size: int  # bytes
    milliseconds: int
    codec: str


class Fake(_Table, table=True):
    """Something that others spread in the office's name (`fakes.py`)."""

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    by: str
    title: str = Field(sa_type=Text)
    explanation: str = Field(sa_type=Text)  # what is right, for the public
    text: str = Field(sa_type=Text)  # its words; "" when it has none
    links: str = Field(sa_type=Text)  # JSON: where it was seen
    keys: str = Field(sa_type=Text)  # JSON: the digests under which it is looked up
    salt: bytes = Field(sa_type=LargeBinary)  # 32 random bytes
    digest: str  # salted, of title, explanation, text and links
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # it was none


class Binding(_Table, table=True):
    """What was put up for approval (`binding.py`), under its digest."""

    id: int | None = Field(default=None, primary_key=True)
    revision_id: int = _id("revision", index=True)
    digest: str = Field(unique=True)  # salted, of `manifest`; what an approver signs
    manifest: str = Field(sa_type=Text)  # canonical JSON


class Approval(_Table, table=True):
    """Somebody's yes to a revision, exactly as rendered then."""

    id: int | None = Field(default=None, primary_key=True)
    revision_id: int = _id("revision", index=True)
    digest: str = Field(index=True)  # of the binding that it is a yes to
    by: str
    at: datetime = Field(sa_type=UtcDateTime)
    signature: str = Field(default="", sa_type=Text)  # SSH signature over the digest, armoured
    void_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # it does not count since
    emergency: bool = False  # break-glass: nobody else had seen it
    reviewed_by: str = ""  # who looked at an emergency afterwards; "" while nobody has
    reviewed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    objected: bool = False  # who looked at it afterwards would not have let it out


class Delivery(_Table, table=True):
    """One revision to one channel: the unit of queueing, scheduling and retry."""

    __table_args__ = (
        UniqueConstraint("revision_id", "channel", "act"),
        # Answer the daemon's questions (`agenda.py`), however long history and queue are.
        Index("delivery_status_due", "status", "due_at"),
        Index("delivery_status_channel_due", "status", "channel", "urgent", "due_at", "id"),
        Index("delivery_status_not_before", "status", "not_before"),
        Index("delivery_status_not_after", "status", "not_after"),
    )

    id: int | None = Field(default=None, primary_key=True)
    revision_id: int = _id("revision")
    channel: str
    act: str = "publish"  # `acts.py`: what is done on the channel
    amends: int | None = Field(default=None, foreign_key="delivery.id")  # what is public already
    status: Status = Field(sa_type=StatusText)  # written by `queue.py` only
    fence: int = 0  # one more at each claim; a write with an older fence changes nothing
    due_at: datetime = Field(sa_type=UtcDateTime)
    wall: str  # the due time as it was said: local, ISO, without offset
    zone: str  # the IANA zone it was said in
    urgent: bool = False  # goes before all others of its channel
    not_before: datetime | None = Field(default=None, sa_type=UtcDateTime)
    not_after: datetime = Field(sa_type=UtcDateTime)
    waits_for: int | None = Field(default=None, foreign_key="delivery.id")  # the site's delivery
    attempts: int = 0
    clean_looks: int = 0  # look-ups that clearly found nothing, since the doubt began
    unclear_looks: int = 0  # look-ups that told nothing
    render_digest: str  # salted, of all parts as rendered
    approved_digest: str | None = None  # of the binding that was approved
    claimed_by: str | None = None
    claimed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str = ""  # kind of the last outcome, `errors.py`
    reason: str = Field(default="", sa_type=Text)  # the same in words, for people


class Part(_Table, table=True):
    """One post of a delivery, as approved, with its handle before and its receipt after sending."""

    __table_args__ = (
        UniqueConstraint("delivery_id", "position"),
        UniqueConstraint("channel", "remote_id"),
        Index("part_channel_begun", "channel", "begun_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    delivery_id: int = _id("delivery")
    position: int  # 0 for the first
    channel: str
    payload: str = Field(sa_type=Text)  # JSON of `post.to_json`: what is approved and sent
    handle: str = Field(default="", sa_type=Text)  # JSON; "" before it is chosen
    prepared: str = Field(default="", sa_type=Text)  # JSON; "" before the first preparation
    begun_at: datetime | None = Field(default=None, sa_type=UtcDateTime)  # first publish call
    remote_id: str | None = None
    permalink: str = ""
    extra: str = Field(default="", sa_type=Text)  # JSON: the rest of the receipt
    published_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Attempt(_Table, table=True):
    """One try of one delivery, recorded before it begins."""

    id: int | None = Field(default=None, primary_key=True)
    delivery_id: int = _id("delivery", index=True)
    number: int  # 1 for the first
    fence: int
    by: str  # the daemon
    started_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    outcome: str = ""  # "published", or the kind of an error
    http_status: int | None = None
    message: str = Field(default="", sa_type=Text)  # the platform's own words


class LedgerEntry(_Table, table=True):
    """One act. Triggers forbid UPDATE and DELETE here; written by `ledger/book.py` only."""

    __tablename__ = "ledger_entry"

    id: int = Field(
        primary_key=True, sa_column_kwargs={"autoincrement": False}
    )  # leaf index, from 0
    entry: bytes = Field(sa_type=LargeBinary)  # canonical JSON, the very bytes that are hashed
    leaf: bytes = Field(sa_type=LargeBinary)  # 32 bytes
    # Copies from `entry`, for questions; the entry is what counts.
    kind: str
    at: datetime = Field(sa_type=UtcDateTime)
    by: str
    announcement_id: int | None = Field(default=None, index=True)
    delivery_id: int | None = Field(default=None, index=True)


class LedgerNote(_Table, table=True):
    """The words of an act (a person's reason), kept apart so that they can be erased by law."""

    __tablename__ = "ledger_note"

    id: int = Field(primary_key=True, foreign_key="ledger_entry.id")
    note: str = Field(sa_type=Text)
    salt: bytes = Field(sa_type=LargeBinary)


class ChannelState(_Table, table=True):
    """What crosspost knows of a channel besides its settings."""

    __tablename__ = "channel_state"

    channel: str = Field(primary_key=True)
    held: bool = False  # by a person
    hold_reason: str = Field(default="", sa_type=Text)  # in that person's words
    paused_until: datetime | None = Field(default=None, sa_type=UtcDateTime)  # by the platform
    reason: str = Field(default="", sa_type=Text)
    failures: int = 0  # attempts in a row that did not go through (`breaker.py`)
    account: str = ""  # its name, as the platform said last
    account_url: str = ""
    #: one of a backlog went out: none but urgent ones before then
    spaced_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    secrets: bytes | None = Field(default=None, sa_type=LargeBinary)  # a session, encrypted
    login_ends: datetime | None = Field(default=None, sa_type=UtcDateTime)  # then a person must
    renewing_until: datetime | None = Field(default=None, sa_type=UtcDateTime)  # by one program


class Erasure(_Table, table=True):
    """What was erased by law and is not gone from the disk yet (`erasures.py`); then the row goes
    too."""

    announcement_id: int = Field(
        sa_column=Column(Integer, ForeignKey("announcement.id"), primary_key=True)
    )
    files: str = Field(sa_type=Text)  # JSON: the digests of files in the media folder
    entries: int  # the site is as it should be when it covers so many of the ledger
    begun_at: datetime = Field(sa_type=UtcDateTime)
    reason: str = Field(default="", sa_type=Text)  # what hindered the last try; "" before the first


class AlarmState(_Table, table=True):
    """What is remembered of one alarm (`alarms.py`), whether it is there now or was lately."""

    __tablename__ = "alarm_state"

    key: str = Field(primary_key=True)
    words: str = Field(sa_type=Text)
    since: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)  # when it was there last
    tried_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    read_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    read_by: str = ""


class OfficeState(_Table, table=True):
    """What crosspost knows of the whole office besides its settings: one fact a name."""

    __tablename__ = "office_state"

    name: str = Field(primary_key=True)
    value: str = Field(sa_type=Text)  # JSON


class Lease(_Table, table=True):
    """Who has a channel or a duty, and until when on the server's clock (`leases.py`). Empty on
    SQLite."""

    name: str = Field(primary_key=True)
    holder: str  # a daemon; "" when it is free
    number: int  # one more at each taking: the fence of the lease
    until: datetime | None = Field(default=None, sa_type=UtcDateTime)


def table(model: type[SQLModel]) -> Table:
    """The plain table of a model, for statements that need none of the ORM's care."""
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found

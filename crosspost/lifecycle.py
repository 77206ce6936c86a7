"""How a delivery lives and ends: its statuses and the only legal moves between them.

Pure. It must not know databases, platforms or clocks; `queue.py` makes the moves, and is the only
room that writes a status.

    held ──approve──▶ scheduled ──claim──▶ preparing ──begin──▶ publishing ──publish──▶ published
     │ ▲                │  │ ▲ ▲               │ │  ▲               │ │ │
     │ │             miss  │ │ └──postpone─────┘ │  └─next part─────┘ │ └──refuse──▶ failed
     │ │                │  │ └──postpone (certainly not sent)─────────┤
     │ ├──alarm─────────┼──┼─────────────────────┘                    └──doubt──▶ unconfirmed
     │ └──return────────┼──┤                                                          │
     ▼                  ▼  ▼                                                          │
  cancelled          missed cancelled              confirm ▶ published ◀──────────────┤
                                                disprove ▶ scheduled ◀────────────────┤
                             repeat (same bytes, same key) ▶ unconfirmed ◀────────────┤
                                                   ask ▶ review ◀─────────────────────┘
   scheduled, preparing ──question──▶ review          (an old copy of the database was restored)
                     review ──resolve──▶ published | scheduled | failed   (a person, with a reason)
                     failed, missed ──retry──▶ scheduled                  (a person)
                           scheduled ──give up──▶ failed   (cancelled when a part of it is public)
"""

from __future__ import annotations

from enum import StrEnum

from crosspost.wording import t


class Status(StrEnum):
    """Where a delivery is. The comment says who moves a row in, and who takes it out."""

    HELD = "held"  # in: enqueue, an alarm before sending, return; out: approve, cancel
    SCHEDULED = "scheduled"  # in: approve, retry, postpone; out: the daemon's claim, cancel, miss
    PREPARING = "preparing"  # in: claim; out: the publisher; repeatable, nothing public happens
    PUBLISHING = (
        "publishing"  # in: begin, durable before the first byte; out: the publisher, rescue
    )
    UNCONFIRMED = "unconfirmed"  # in: doubt; out: reconcile, by evidence only
    REVIEW = "review"  # in: ask, question: no evidence can be had; out: a person's resolve
    PUBLISHED = "published"  # end: a receipt, or evidence that it is public
    FAILED = "failed"  # end: a final refusal, a person gave up, a thread broken off; retry
    MISSED = "missed"  # end: its latest time passed before it could go; a person may retry
    CANCELLED = "cancelled"  # end: a person, or a newer revision, took it back before it was sent


class Verb(StrEnum):
    """What is done to a delivery; also the `kind` of the ledger entry that records it."""

    APPROVE = "approved"
    CANCEL = "cancelled"
    RETURN = "returned"  # its approval is void: another time, or a no
    CLAIM = "claimed"
    BEGIN = "publishing"
    NEXT_PART = "part_published"
    PUBLISH = "published"
    POSTPONE = "postponed"
    REFUSE = "refused"
    DOUBT = "doubted"
    CONFIRM = "confirmed"
    DISPROVE = "disproved"
    REPEAT = "repeated"
    ASK = "review_asked"
    QUESTION = "questioned"
    RESOLVE_PUBLISHED = "resolved_published"
    RESOLVE_ABSENT = "resolved_not_published"
    GIVE_UP = "given_up"
    MISS = "missed"
    RETRY = "retried"
    ALARM = "alarmed"


_S, _V = Status, Verb

#: Every legal move. What is not here does not happen.
MOVES: dict[tuple[Status, Verb], Status] = {
    (_S.HELD, _V.APPROVE): _S.SCHEDULED,
    (_S.HELD, _V.CANCEL): _S.CANCELLED,
    (_S.SCHEDULED, _V.CANCEL): _S.CANCELLED,
    (_S.SCHEDULED, _V.RETURN): _S.HELD,
    (_S.SCHEDULED, _V.GIVE_UP): _S.FAILED,
    (_S.SCHEDULED, _V.MISS): _S.MISSED,
    (_S.SCHEDULED, _V.CLAIM): _S.PREPARING,
    (_S.PREPARING, _V.BEGIN): _S.PUBLISHING,
    (_S.PREPARING, _V.POSTPONE): _S.SCHEDULED,
    (_S.PREPARING, _V.REFUSE): _S.FAILED,
    (_S.PREPARING, _V.ALARM): _S.HELD,
    (_S.PUBLISHING, _V.NEXT_PART): _S.PREPARING,
    (_S.PUBLISHING, _V.PUBLISH): _S.PUBLISHED,
    (_S.PUBLISHING, _V.POSTPONE): _S.SCHEDULED,
    (_S.PUBLISHING, _V.REFUSE): _S.FAILED,
    (_S.PUBLISHING, _V.DOUBT): _S.UNCONFIRMED,
    (_S.UNCONFIRMED, _V.CONFIRM): _S.PUBLISHED,
    (_S.UNCONFIRMED, _V.NEXT_PART): _S.SCHEDULED,
    (_S.UNCONFIRMED, _V.DISPROVE): _S.SCHEDULED,
    (_S.UNCONFIRMED, _V.REPEAT): _S.UNCONFIRMED,
    (_S.UNCONFIRMED, _V.ASK): _S.REVIEW,
    (_S.SCHEDULED, _V.QUESTION): _S.REVIEW,
    (_S.PREPARING, _V.QUESTION): _S.REVIEW,
    (_S.REVIEW, _V.RESOLVE_PUBLISHED): _S.PUBLISHED,
    (_S.REVIEW, _V.RESOLVE_ABSENT): _S.SCHEDULED,
    (_S.REVIEW, _V.GIVE_UP): _S.FAILED,
    (_S.FAILED, _V.RETRY): _S.SCHEDULED,
    (_S.MISSED, _V.RETRY): _S.SCHEDULED,
}

#: Nothing more happens to these by itself.
ENDED = frozenset({_S.PUBLISHED, _S.FAILED, _S.MISSED, _S.CANCELLED})

#: The daemon has it in hand; after a crash `rescue` takes it over.
IN_HAND = frozenset({_S.PREPARING, _S.PUBLISHING})

#: It is public, or may be: an edit or a cancel comes too late.
MAYBE_PUBLIC = frozenset({_S.PUBLISHING, _S.UNCONFIRMED, _S.REVIEW, _S.PUBLISHED})

#: A person must do something.
NEEDS_PERSON = frozenset({_S.REVIEW, _S.FAILED, _S.MISSED})
#: The outcome of a failed delivery that a person gave up: it needs nobody any more.
GIVEN_UP = "given_up"


def target(status: Status, verb: Verb) -> Status | None:
    """Where `verb` takes a delivery in `status`; None when that is not a legal move."""
    return MOVES.get((status, verb))


def status_word(status: Status) -> str:
    """A status as an admin reads it."""
    return {
        "held": t("waiting for approval"),
        "scheduled": t("scheduled"),
        "preparing": t("being prepared"),
        "publishing": t("being published"),
        "unconfirmed": t("unconfirmed"),
        "review": t("needs a person"),
        "published": t("published"),
        "failed": t("failed"),
        "missed": t("missed"),
        "cancelled": t("cancelled"),
    }[status.value]

"""Known fakes: what others spread in the office's name, kept and recorded so that all can look.

It must not decide what is one; a person does. That the public sees it, `showing/` sees to.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from crosspost.errors import Conflict, ContentError, NotFound
from crosspost.ledger import book
from crosspost.ledger.hashing import new_salt, salted_digest
from crosspost.queue import Doing
from crosspost.site.lookup import SHORTEST, key_of, normal_link, normal_text
from crosspost.tables import Fake
from crosspost.wording import t

MOST_TITLE, MOST_EXPLANATION, MOST_TEXT, MOST_LINKS = 200, 2_000, 10_000, 20


@dataclass(frozen=True)
class Found:
    """What somebody found: its words and where it was seen ("" and () when not known), and what is
    right."""

    title: str
    explanation: str
    text: str = ""
    links: tuple[str, ...] = ()

    @property
    def keys(self) -> list[str]:
        """The digests under which it is looked up."""
        return [key for said in (self.text, *self.links) if (key := key_of(said))]

    def problems(self) -> list[str]:
        """Sentences about what is missing or too much."""
        found = []
        if not self.title.strip() or not self.explanation.strip():
            found.append(t("A fake needs a title, and what is right."))
        if not self.keys:
            found.append(
                t("A fake needs its text ({least} letters and more) or a link.", least=SHORTEST)
            )
        found += [
            t('"{link}" is no web address.', link=link)
            for link in self.links
            if normal_link(link) is None
        ]
        for words, most in (
            (self.title, MOST_TITLE),
            (self.explanation, MOST_EXPLANATION),
            (self.text, MOST_TEXT),
        ):
            if len(words) > most:
                found.append(t("At most {most} characters fit there.", most=most))
        if self.text and len(normal_text(self.text)) < SHORTEST:
            found.append(t("The text is too short to be found again."))
        if len(self.links) > MOST_LINKS:
            found.append(t("At most {most} links fit there.", most=MOST_LINKS))
        return found


@dataclass(frozen=True)
class Known:
    """A known fake: its number, who added it when, and what it is."""

    number: int
    by: str
    at: datetime
    found: Found
    keys: tuple[str, ...]  # under which it is looked up


def add(session: Session, found: Found, doing: Doing) -> int:
    """Make it known; returns its number. Raises ContentError, Conflict when it is known already."""
    if problems := found.problems():
        raise ContentError(*problems, hint=t("Nothing was changed."))
    keys = set(found.keys)
    for known in listed(session):
        if keys & set(known.keys):
            raise Conflict(
                t("That is known already: fake {number}.", number=known.number),
                hint=t("See it with: crosspost fake list"),
            )
    salt = new_salt()
    row = Fake(
        at=doing.at,
        by=doing.by,
        title=found.title,
        explanation=found.explanation,
        text=found.text,
        links=json.dumps(found.links),
        keys=json.dumps(sorted(keys)),
        salt=salt,
        digest=salted_digest(salt, _content(found)),
    )
    session.add(row)
    session.flush()
    number = _number(row)
    act = book.Act("fake_added", doing.by, doing.at, digest=row.digest, data={"fake": number})
    book.append(session, act)
    return number


def remove(session: Session, number: int, doing: Doing) -> None:
    """It was none: from now on nobody is told so. Raises NotFound."""
    row = _there(session, number)
    row.removed_at = doing.at
    session.add(row)
    session.flush()
    data = {"fake": number}
    book.append(session, book.Act("fake_removed", doing.by, doing.at, data=data, note=doing.note))


def titled(session: Session, number: int) -> str:
    """The title of a known fake. Raises NotFound."""
    return _there(session, number).title


def _there(session: Session, number: int) -> Fake:
    row = session.get(Fake, number)
    if row is None or row.removed_at is not None:
        raise NotFound(
            t("There is no known fake {number}.", number=number),
            hint=t("See which there are: crosspost fake list"),
        )
    return row


def listed(session: Session) -> list[Known]:
    """Every known fake, newest first."""
    query = select(Fake).where(col(Fake.removed_at).is_(None)).order_by(col(Fake.id).desc())
    return [_known(row) for row in session.exec(query)]


def _known(row: Fake) -> Known:
    links, keys = tuple(json.loads(row.links)), tuple(json.loads(row.keys))
    found = Found(row.title, row.explanation, row.text, links)
    return Known(_number(row), row.by, row.at, found, keys)


def _content(found: Found) -> dict[str, str | Sequence[str]]:
    return {
        "title": found.title,
        "explanation": found.explanation,
        "text": found.text,
        "links": found.links,
    }


def _number(row: Fake) -> int:
    if row.id is None:
        raise ValueError("the row has not been written yet")
    return row.id

"""How an announcement stands by the record: approved when, seen where, corrected how.

Pure data: `record.json` beside the page, for programs, and what the page shows. It must not know
where any of it comes from.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

RECORD = "record.json"
#: What a citizen may hear of an announcement.
CURRENT, CORRECTED, WITHDRAWN = "current", "corrected", "withdrawn"


@dataclass(frozen=True)
class Approved:
    """A yes: by whom, as the public may know it ("" when not at all), and when (RFC 3339, UTC);
    `alone`: in an emergency, by one person whom nobody else checked before."""

    by: str
    at: str
    alone: bool = False


@dataclass(frozen=True)
class Copy:
    """One delivery that is public.

    `posts` are the posts as approved; `digest` is SHA-256(`salt` ‖ their canonical JSON), which
    stands in the entry that `proof` (a file beside the page, "" when there is none) proves.
    """

    channel: str
    platform: str
    title: str  # of the platform, as readers know it
    at: str
    links: tuple[str, ...]
    digest: str
    salt: str  # hex
    posts: tuple[dict[str, Any], ...]
    proof: str = ""
    index: int | None = None  # of its entry


@dataclass(frozen=True)
class Change:
    """A correction or withdrawal: when, why in public words, and the page that counts now."""

    at: str
    kind: str  # CORRECTED or WITHDRAWN
    reason: str
    page: str = ""  # the code of the page that says it right


@dataclass(frozen=True)
class Standing:
    """All of it, for the page of one revision."""

    code: str
    announcement: int
    revision: int
    approvals: tuple[Approved, ...] = ()
    copies: tuple[Copy, ...] = ()
    changes: tuple[Change, ...] = ()
    erased: str = ""  # the order by which its text was erased
    erased_at: str = ""  # and when: RFC 3339, UTC
    amends: str = ""  # the code of the page that this one sets right or withdraws
    amends_as: str = ""  # CORRECTED or WITHDRAWN
    ledger: str = ""  # its name; "" when the office signs none

    @property
    def state(self) -> str:
        """The last change says it."""
        return self.changes[-1].kind if self.changes else CURRENT

    @property
    def updated(self) -> str:
        """When it was changed last, as readers see it (RFC 3339); "" when it never was."""
        moments = [at for at in (*(change.at for change in self.changes), self.erased_at) if at]
        return max(moments, key=datetime.fromisoformat, default="")


def to_json(standing: Standing) -> str:
    """The public file."""
    values = {"v": 1, "state": standing.state, **asdict(standing)}
    return json.dumps(values, ensure_ascii=False, indent=1) + "\n"


def from_json(text: str) -> Standing:
    """What `to_json` wrote. Raises ValueError, KeyError or TypeError for anything else."""
    values: dict[str, Any] = json.loads(text)
    if not isinstance(values, dict) or values.pop("v") != 1:
        raise ValueError("this is no record.json of version 1")
    state = values.pop("state")
    copies = tuple(_copy(copy) for copy in _list(values.pop("copies")))
    approvals = tuple(Approved(**approval) for approval in _list(values.pop("approvals")))
    changes = tuple(Change(**change) for change in _list(values.pop("changes")))
    standing = Standing(**values, approvals=approvals, copies=copies, changes=changes)
    if standing.state != state:
        raise ValueError("state and changes contradict each other")
    return standing


def _copy(values: dict[str, Any]) -> Copy:
    links, posts = _list(values.pop("links")), _list(values.pop("posts"))
    return Copy(**values, links=tuple(links), posts=tuple(posts))


def _list(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise TypeError("a list is wanted here")
    return value

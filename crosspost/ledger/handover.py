"""The statement by which one key of the ledger hands over to the next, signed by both.

Pure. Its second line is a word where a checkpoint has a number, so neither can ever be taken for
the other. It must not decide whom to trust: `keys.py` does.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from crosspost.errors import Refuted, Undecided
from crosspost.ledger.checkpoint import DECIMAL
from crosspost.ledger.note import Signer, Verifier, open_note, read_verifier, signed_by
from crosspost.wording import t

FORM = "crosspost key handover v1"
#: The old key was gone, so only the new one signed: no reader has a reason to follow it.
LOST_FORM = "crosspost key replaced v1"
#: The kinds of the entries that hold such a statement, by whether the old key was lost.
KINDS = {False: "key_rotated", True: "key_replaced"}


@dataclass(frozen=True)
class Handover:
    """`old` signs ledgers of at most `until` entries, `new` those of at least `since`.

    `since` counts the entry with this very statement. In a handover proper both sizes are the
    same, and the checkpoint of that size is signed by both keys.
    """

    old: Verifier
    new: Verifier
    until: int
    since: int
    lost: bool = False

    def text(self) -> str:
        """The text that is signed."""
        form = LOST_FORM if self.lost else FORM
        sizes = (f"until {self.until}", f"since {self.since}")
        lines = (self.new.name, form, *sizes, str(self.old), str(self.new))
        return "".join(f"{line}\n" for line in lines)

    def signed(self, *signers: Signer) -> str:
        """The signed note, by the old key and the new one, or by the new one alone."""
        return signed_by(self.text(), *signers).decode()


def read_handover(note: str) -> Handover:
    """The statement of a note whose signatures hold. Whether its keys are to be trusted, it does
    not say by itself. Raises Refuted, Undecided."""
    lines = note.partition("\n\n")[0].split("\n")
    if len(lines) != 6 or lines[1] not in (FORM, LOST_FORM):
        raise _none()
    until, since = _size("until ", lines[2]), _size("since ", lines[3])
    old, new = read_verifier(lines[4]), read_verifier(lines[5])
    found = Handover(old, new, until, since, lost=lines[1] == LOST_FORM)
    for key in (new,) if found.lost else (old, new):
        if open_note(note.encode(), key) != found.text():
            raise _none()
    fits = until < since if found.lost else until == since
    if old.name != new.name or old == new or not fits:
        raise Refuted(t("The handover from one key to the next contradicts itself."))
    return found


def note_in(entry: Any) -> str:
    """The signed statement in an entry that is about a change of the key; "" when there is none.
    Unbelieved."""
    try:
        values = json.loads(entry)
        note = values["data"]["handover"] if values["kind"] in KINDS.values() else ""
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return note if isinstance(note, str) else ""


def handover_in(entry: bytes, origin: str) -> str:
    """The same, of the ledger of that name only, in which older ones may have ended."""
    if b'"key_r' not in entry:  # most are about something else, and there may be a million
        return ""
    note = note_in(entry)
    return note if note.startswith(f"{origin}\n") else ""


def _size(word: str, line: str) -> int:
    number = line.removeprefix(word)
    if line != f"{word}{number}" or not DECIMAL.fullmatch(number):
        raise _none()
    return int(number)


def _none() -> Undecided:
    return Undecided(t("This is no handover from one key of a ledger to the next."))

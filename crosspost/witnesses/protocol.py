"""What a log asks of a witness, and what the witness may answer (C2SP tlog-witness).

Pure: the request and what was cosigned last go in, a verdict comes out. It must not sign or store
anything: `memory.py` does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crosspost.errors import Refuted, Undecided
from crosspost.ledger.checkpoint import DECIMAL, Checkpoint, read_checkpoint
from crosspost.ledger.note import Verifier, from_base64, parts, to_base64
from crosspost.ledger.tree import EMPTY_ROOT, HASH_BYTES, consistency_holds
from crosspost.witnesses.cosignature import signature_line

ADD = "/add-checkpoint"
#: The content type of a tree size, in the answer 409.
SIZE_TYPE = "text/x.tlog.size"
MOST_PROOF_LINES = 63
MOST_SIZE = (1 << 63) - 1

#: Origin of a log -> the keys that may sign its checkpoints.
Logs = Mapping[str, Sequence[Verifier]]


@dataclass(frozen=True)
class Request:
    """`note` is the checkpoint; `proof` leads to it from the tree of `old` entries, which the
    witness cosigned last."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    def text(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old}", *map(to_base64, self.proof), "", ""]
        return "\n".join(lines).encode() + self.note


def read_request(data: bytes) -> Request:
    """The request in a body. Raises ValueError when it is none."""
    head, blank, note = data.partition(b"\n\n")
    first, *rest = head.decode("ascii").split("\n")
    old = first.removeprefix("old ")
    proof = [from_base64(line) for line in rest]
    good = [step for step in proof if step is not None and len(step) == HASH_BYTES]
    if not blank or not first.startswith("old ") or not DECIMAL.fullmatch(old):
        raise ValueError("not a request to add a checkpoint")
    if len(good) != len(proof) or len(proof) > MOST_PROOF_LINES or int(old) > MOST_SIZE:
        raise ValueError("not a consistency proof")
    return Request(int(old), tuple(good), note)


def origin_of(note: bytes) -> str:
    """The first line of a note, not verified. Raises Undecided."""
    return parts(note)[0].partition("\n")[0]


@dataclass(frozen=True)
class Submitted:
    """A checkpoint by a known log, and its note with no signatures but those of the log that
    hold."""

    checkpoint: Checkpoint
    note: bytes
    text: str


@dataclass(frozen=True)
class Refusal:
    """Why a witness does not cosign: a status of HTTP, and a word or the size of 409. `forked`: and
    the log was just proved to tell two histories."""

    status: int
    body: str
    forked: bool = False


def submitted(note: bytes, logs: Logs) -> Submitted | Refusal:
    """The checkpoint in `note` when a trusted key of its log signed it."""
    try:
        text, signatures = parts(note)
    except Undecided:
        return Refusal(400, "not a signed note")
    origin = text.partition("\n")[0]
    if origin not in logs:
        return Refusal(404, "unknown log")
    found: Checkpoint | None = None
    lines = b""
    for key in logs[origin]:
        of_key = [raw for name, raw in signatures if (name, raw[:4]) == (key.name, key.key_id)]
        if not of_key:
            continue
        try:
            found = read_checkpoint(note, key)
        except Refuted:
            return Refusal(403, "a signature does not hold")
        except Undecided:
            return Refusal(400, "not a checkpoint")
        lines += signature_line(key.name, of_key[0])
    if found is None:
        return Refusal(403, "no signature by a trusted key of this log")
    if found.size > MOST_SIZE:
        return Refusal(400, "not a checkpoint")
    return Submitted(found, text.encode() + b"\n" + lines, text)


def refusal(request: Request, new: Checkpoint, last: Checkpoint | None) -> Refusal | None:
    """Why `new` is not cosigned after `last` (None: nothing of this log was); None when it is."""
    if request.old > new.size:
        return Refusal(400, "the old size is larger than the checkpoint")
    known = last.size if last else 0
    if request.old != known:
        return Refusal(409, str(known))
    if new.size == 0 and new.root != EMPTY_ROOT:
        return Refusal(422, "an empty tree has another root")
    if request.old == 0:
        same = last is None or last.root == EMPTY_ROOT
        return None if same and not request.proof else Refusal(422, "nothing to prove")
    assert last is not None  # noqa: S101 - its size is not zero
    if not consistency_holds(last.size, new.size, last.root, new.root, request.proof):
        return Refusal(422, "the consistency proof does not hold")
    return None


def is_fork(new: Checkpoint, last: Checkpoint | None) -> bool:
    """Whether the two together prove that their log told two histories, whatever the proof
    said."""
    return last is not None and last.size == new.size and last.root != new.root

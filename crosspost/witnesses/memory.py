"""What this office remembers as a witness: for each log the last checkpoint that it cosigned.

The one promise: a checkpoint is on the disk, durably, before its cosignature leaves this room, and
looking and storing are one act. So whatever is killed, two trees of one size of one log are never
cosigned. It must not speak HTTP, nor forget anything: what cannot be read is never taken for
nothing.
"""

from __future__ import annotations

import fcntl
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from crosspost.durable import make_durable, write_durably
from crosspost.errors import Conflict, Undecided, UserError
from crosspost.foreign import of_system
from crosspost.ledger.strongbox import read_file
from crosspost.witnesses.cosignature import (
    Witness,
    WitnessSigner,
    cosignatures,
    new_witness_signer,
    read_witness,
    read_witness_signer,
)
from crosspost.witnesses.places import Fork, fork_of, forks, origin_hash
from crosspost.witnesses.protocol import (
    Logs,
    Refusal,
    Request,
    Submitted,
    is_fork,
    refusal,
    submitted,
)
from crosspost.wording import t

#: The same checkpoint is signed anew only when the last cosignature is so old: else whoever repeats
#: a request would keep the disk busy.
ANEW = timedelta(minutes=1)


@dataclass(frozen=True)
class Cosigned:
    """A cosignature to give out, as the line of a note."""

    line: bytes


@dataclass(frozen=True)
class Memory:
    """The files of a witness in `folder`: `witness.key`, `witness.vkey`, and for each log, named by
    the hash of its origin, `.checkpoint` and, where it forked, `.fork-a` and `.fork-b`."""

    folder: Path
    _busy: threading.Lock = field(default_factory=threading.Lock, compare=False)

    @property
    def key(self) -> Path:
        """The private key."""
        return self.folder / "witness.key"

    @property
    def vkey(self) -> Path:
        """The verification key, for everybody."""
        return self.folder / "witness.vkey"

    def found(self, name: str) -> Witness:
        """Make the key. Raises Conflict when there is one or was one, Undecided for a name that no
        key can have, UserError when the disk refuses."""
        if self.key.exists() or self.vkey.exists():
            raise Conflict(
                t("The witness has its key already: {path}.", path=self.key),
                hint=t("Nothing was changed."),
            )
        try:
            signer = new_witness_signer(name)
        except ValueError as error:
            raise Undecided(
                t('"{name}" cannot name a witness.', name=name),
                hint=t("Write a web address without https://, like: office.example/witness"),
            ) from error
        try:
            self.folder.mkdir(exist_ok=True)
            write_durably(self.key, signer.secret.encode() + b"\n", mode=0o600)
            write_durably(self.vkey, f"{signer.witness}\n".encode())
            make_durable(self.folder.parent)
        except OSError as error:
            raise _unwritable(self.folder, error) from error
        return signer.witness

    def is_founded(self) -> bool:
        """Whether this office is a witness."""
        return self.key.exists() or self.vkey.exists()

    def witness(self) -> Witness:
        """The verification key. Raises Undecided."""
        return read_witness(read_file(self.vkey).decode(errors="replace"))

    def signer(self) -> WitnessSigner:
        """The private key. Raises Undecided."""
        if not self.key.exists():
            raise Undecided(
                t("The key of the witness is missing: {path}.", path=self.key),
                hint=t("Make one with: crosspost log witness init; or bring it back."),
            )
        if stat.S_IMODE(self.key.stat().st_mode) & 0o077:
            raise Undecided(
                t("Others may read the key of the witness: {path}.", path=self.key),
                hint=t("Close it with: chmod 600 {path}", path=self.key),
            )
        return read_witness_signer(read_file(self.key).decode(errors="replace"))

    # --- what was cosigned ------------------------------------------------------------------------

    def path_of(self, origin: str) -> Path:
        """Where the last checkpoint of a log is."""
        return self.folder / f"{origin_hash(origin)}.checkpoint"

    def note_of(self, origin: str) -> bytes | None:
        """The last checkpoint of a log with the log's signatures and ours; None when none was
        cosigned. Raises Undecided when it cannot be read."""
        path = self.path_of(origin)
        return read_file(path) if path.exists() else None

    def last(self, origin: str, logs: Logs) -> Submitted | None:
        """The same, verified: what does not hold any more is never taken for nothing. Raises
        Undecided."""
        note = self.note_of(origin)
        if note is None:
            return None
        known = submitted(note, logs)
        if isinstance(known, Refusal):
            raise Undecided(
                t("{path} is not the checkpoint that was cosigned.", path=self.path_of(origin)),
                hint=t("Bring it back as it was. Until then nothing of this log is cosigned."),
            )
        return known

    def forks(self, logs: Logs) -> list[Fork]:
        """The logs that were proved to have told two histories."""
        return forks(self.folder, logs)

    def add(self, request: Request, logs: Logs, now: datetime) -> Cosigned | Refusal:
        """Cosign the checkpoint of a request, or say why not. What is given out is stored.

        Raises Undecided when what is remembered cannot be read, UserError when the disk refuses;
        then nothing may be given out.
        """
        new = submitted(request.note, logs)
        if isinstance(new, Refusal):
            return new
        with self._alone():
            origin = new.checkpoint.origin
            last = self.last(origin, logs)
            forked = last is not None and self._keep_fork(last, new)
            refused = refusal(request, new.checkpoint, last.checkpoint if last else None)
            if refused is not None:
                return replace(refused, forked=forked)
            if (again := self._again(new, now)) is not None:
                return again
            line = self.signer().cosign(new.text, now)
            self._store(self.path_of(origin), new.note + line)
            return Cosigned(line)

    def _again(self, new: Submitted, now: datetime) -> Cosigned | None:
        """The cosignature of this very text that was given out a moment ago."""
        note = self.note_of(new.checkpoint.origin)
        if note is None or not note.startswith(new.text.encode() + b"\n"):
            return None
        found = cosignatures(note, [self.witness()])
        fresh = [one for one in found if timedelta() <= now - one.at < ANEW]
        return Cosigned(fresh[0].line()) if fresh else None

    def _keep_fork(self, last: Submitted, new: Submitted) -> bool:
        """Whether the two prove a fork, and none was kept of this log before: one is enough, and
        more would only fill the disk."""
        fork = fork_of(self.folder, new.checkpoint.origin)
        if not is_fork(new.checkpoint, last.checkpoint) or fork.other.exists():
            return False
        self._store(fork.one, last.note)
        self._store(fork.other, new.note)
        return True

    def _store(self, path: Path, data: bytes) -> None:
        new = path.with_name(f"{path.name}.new")
        try:
            write_durably(new, data)
            new.replace(path)
            make_durable(self.folder)
        except OSError as error:
            raise _unwritable(path, error) from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One at a time looks and stores, of all threads and processes."""
        with self._busy:
            try:
                file = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise _unwritable(self.folder, error) from error
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                yield
            finally:
                os.close(file)


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(
        t("{path} cannot be written: {reason}.", path=path, reason=of_system(error)),
        hint=t("Nothing was cosigned. Mend that; whoever asked asks again by itself."),
    )

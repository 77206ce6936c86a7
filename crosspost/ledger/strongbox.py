"""What of the ledger lies outside the database, beside crosspost.toml: key, head, leaves.

`ledger.key` (mode 0600) signs. `ledger.vkey` is its public half. `ledger.head` is the last
checkpoint. `ledger.leaves` are the leaf hashes under that checkpoint, so that a changed entry can
be named; it is believed only as far as it yields the root of the head. `ledger.keys` says which
keys there were before. This room must not decide what may be sealed, and must never write the key
anywhere else.
"""

from __future__ import annotations

import fcntl
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from crosspost.durable import make_durable, replace_durably, write_durably
from crosspost.errors import Conflict, ForkProven, Refuted, Undecided, UserError
from crosspost.foreign import of_system
from crosspost.ledger.checkpoint import Checkpoint, read_checkpoint
from crosspost.ledger.keys import Keys, handovers_in
from crosspost.ledger.note import Signer, Verifier, parts, read_signer, read_verifier
from crosspost.ledger.stored import StoredTree, put_leaves, put_nodes
from crosspost.ledger.tree import HASH_BYTES, Tree
from crosspost.wording import t

#: A note or proof that is larger than this is none of ours.
MOST_BYTES = 1 << 20


@dataclass(frozen=True)
class Strongbox:
    """The files in the office's folder. All writing is durable before a method returns."""

    folder: Path

    @property
    def key(self) -> Path:
        """The private key."""
        return self.folder / "ledger.key"

    @property
    def unfinished_key(self) -> Path:
        """A key that `log init` is still making; nothing was ever signed in public with it."""
        return self.folder / "ledger.key.new"

    @property
    def next_key(self) -> Path:
        """The private key that is about to take over (`rotating.py`)."""
        return self.folder / "ledger.key.next"

    @property
    def keys_file(self) -> Path:
        """All verification keys with their sizes, as in `identity.json`, once one was exchanged."""
        return self.folder / "ledger.keys"

    @property
    def vkey(self) -> Path:
        """The verification key, for everybody: it says which private key counts."""
        return self.folder / "ledger.vkey"

    @property
    def head(self) -> Path:
        """The last checkpoint."""
        return self.folder / "ledger.head"

    @property
    def next_head(self) -> Path:
        """A checkpoint that was signed and is on its way to be the head."""
        return self.folder / "ledger.head.new"

    @property
    def cosigned(self) -> Path:
        """A checkpoint with what witnesses signed under it: the head, or an older one."""
        return self.folder / "ledger.cosigned"

    @property
    def leaves(self) -> Path:
        """The leaf hashes."""
        return self.folder / "ledger.leaves"

    @property
    def nodes(self) -> Path:
        """Hashes of subtrees, so that not all leaves have to be read each time."""
        return self.folder / "ledger.nodes"

    def is_founded(self) -> bool:
        """Whether the ledger ever had a key here, even if all but a trace of it is gone."""
        traces = (self.vkey, self.head, self.leaves)
        left = any(path.exists() for path in traces) and not self.unfinished_key.exists()
        return self.key.exists() or left

    # --- reading ----------------------------------------------------------------------------------

    def verifier(self) -> Verifier:
        """The office's own verification key. Raises Undecided when there is none."""
        if not self.vkey.exists():
            raise Undecided(
                t("The ledger has no key here: there is no {path}.", path=self.vkey),
                hint=t("Make one with: crosspost log init; or, if there was one, bring it back."),
            )
        return read_verifier(read_file(self.vkey).decode(errors="replace"))

    def keys(self) -> Keys:
        """The key that counts, and those before it. Raises Undecided, ForkProven."""
        return self.keys_of(self.verifier())

    def keys_of(self, verifier: Verifier) -> Keys:
        """This key, and those to which the list of keys leads from it."""
        return Keys.of(verifier).linked(self.handovers())

    def handovers(self) -> list[str]:
        """The signed statements by which one key handed over to the next; unbelieved."""
        if not self.keys_file.exists():
            return []
        return handovers_in(read_file(self.keys_file).decode(errors="replace"))

    def head_note(self) -> bytes:
        """The last checkpoint as it is signed. Raises Undecided when it is gone."""
        if not self.head.exists():
            raise Undecided(
                t("The head of the ledger is missing: {path}.", path=self.head),
                hint=t(
                    "Without it nobody can tell whether the database is older than it was. "
                    "Bring it back from a backup."
                ),
            )
        return read_file(self.head)

    def shown_note(self) -> bytes:
        """The head as it is given out: with the cosignatures of witnesses, as far as there are any
        of it. Raises Undecided when it is gone."""
        note = self.head_note()
        try:
            cosigned = read_file(self.cosigned)
            parts(cosigned)
        except Undecided:
            return note
        return cosigned if cosigned.startswith(note) else note

    def tree_under(self, head: Checkpoint) -> Tree | None:
        """The tree of `head`; None when the leaves are gone or do not yield its root."""
        length = head.size * HASH_BYTES
        try:
            if self.leaves.stat().st_size < length:
                return None
            with self.leaves.open("rb") as file:
                tree = Tree(file.read(length))
        except OSError:
            return None
        return tree if (tree.size, tree.root()) == (head.size, head.root) else None

    def stored_tree(self, head: Checkpoint) -> StoredTree | None:
        """The same, read only as far as it is asked for."""
        tree = StoredTree(self.leaves, self.nodes, head.size)
        try:
            return tree if tree.root() == head.root else None
        except IndexError:
            return None

    @contextmanager
    def signer(self) -> Iterator[Signer]:
        """The private key, and the right to seal: one process at a time. Raises Undecided."""
        file = self._locked_key()
        try:
            if stat.S_IMODE(os.fstat(file).st_mode) & 0o077:
                raise Undecided(
                    t("Others may read the key of the ledger: {path}.", path=self.key),
                    hint=t("Close it with: chmod 600 {path}", path=self.key),
                )
            yield read_signer(os.read(file, MOST_BYTES).decode(errors="replace"))
        finally:
            os.close(file)

    def _locked_key(self) -> int:
        """The key's file, locked. While we waited for it another key may have taken over, or have
        been about to when its process was killed: then it is that one."""
        while True:
            try:
                file = os.open(self.key, os.O_RDONLY)
            except FileNotFoundError as error:
                with self.alone():
                    if self.key.exists() or self._taken_over():
                        continue
                raise self._no_key() from error
            except PermissionError as error:
                raise Undecided(
                    t("This account may not read the key of the ledger: {path}.", path=self.key),
                    hint=t(
                        "It belongs to the account that runs the daemon; run this as that account."
                    ),
                ) from error
            except OSError as error:
                raise _unreadable(self.key, error) from error
            fcntl.flock(file, fcntl.LOCK_EX)
            if not self._taken_over() and _is_at(file, self.key):
                return file
            os.close(file)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One process at a time, where there is no key that could be locked."""
        folder = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _no_key(self) -> Undecided:
        if not self.is_founded():
            hint = t("Make one with: crosspost log init")
        else:
            hint = t("Bring it back; if it is lost for good: crosspost log rotate --lost")
        return Undecided(t("The key of the ledger is missing: {path}.", path=self.key), hint=hint)

    def next_signer(self) -> Signer | None:
        """The key that is about to take over; None when there is none, or only half of one."""
        try:
            return read_signer(read_file(self.next_key).decode(errors="replace"))
        except Undecided:
            return None

    # --- writing ----------------------------------------------------------------------------------

    def settled_head(self, keys: Keys) -> Checkpoint:
        """The head, after what a killed process left: a checkpoint that was signed counts as given
        out, so it becomes the head; half of one is thrown away. Needs the right to seal."""
        head = keys.read(partial(read_checkpoint, self.head_note()))
        if not self.next_head.exists():
            return head
        try:
            waiting = keys.read(partial(read_checkpoint, read_file(self.next_head)))
        except (Refuted, Undecided):
            waiting = head  # torn before it was whole
        if waiting.size == head.size and waiting.root != head.root:
            raise ForkProven(
                t("{one} and {two} are signed for one size.", one=self.head, two=self.next_head),
                hint=t("Keep both files; somebody used the key for a second history."),
            )
        if waiting.size <= head.size:
            self.next_head.unlink()
            return head
        make_durable(self.next_head)
        self._move_to_head()
        return waiting

    def put_head(self, note: bytes, leaves: bytes, *, first: int = 0) -> None:
        """Make `note` the head, over `leaves` from index `first` on, and over those that are stored
        before them. Whenever this is killed, or the disk is full, the old head stands or the new
        one does. Needs the right to seal."""
        try:
            put_leaves(self.leaves, self.nodes, leaves, first)
            write_durably(self.next_head, note)
            self._move_to_head()
        except OSError as error:
            raise UserError(
                t("{path} cannot be written: {reason}.", path=self.head, reason=of_system(error)),
                hint=t("Nothing is lost: the ledger is sealed again as soon as that is mended."),
            ) from error

    def put_key(self, keys: Keys) -> None:
        """From now on the newest of `keys` counts, and its private half, which waits as the next
        one, takes the place of the old one. Whenever this is killed, what counts is one of both,
        and `signer` brings it to its end. Needs the right to seal."""
        try:
            replace_durably(self.vkey, f"{keys.newest}\n".encode())
            self._taken_over()
        except OSError as error:
            raise UserError(
                t("{path} cannot be written: {reason}.", path=self.folder, reason=of_system(error)),
                hint=t("Nothing is lost: the new key takes over as soon as that is mended."),
            ) from error

    def write_keys(self, keys: Keys) -> None:
        """Write down all keys with their sizes. Raises UserError when the disk refuses."""
        content = json.dumps({"keys": keys.values()}, indent=1) + "\n"
        try:
            replace_durably(self.keys_file, content.encode())
        except OSError as error:
            raise UserError(
                t(
                    "{path} cannot be written: {reason}.",
                    path=self.keys_file,
                    reason=of_system(error),
                )
            ) from error

    def _taken_over(self) -> bool:
        """Put the private key that counts where it belongs; False when it lies there already."""
        following = self.next_signer() if self.next_key.exists() else None
        if following is None or following.verifier != self.verifier():
            return False
        self.next_key.replace(self.key)
        make_durable(self.folder)
        return True

    def mend_nodes(self, head: Checkpoint) -> None:
        """Make the hashes of subtrees anew when they are not those under `head`."""
        if self.stored_tree(head) is None:
            with suppress(OSError, IndexError):  # only speed depends on them
                put_nodes(self.leaves, self.nodes, head.size, 0)

    def _move_to_head(self) -> None:
        self.next_head.replace(self.head)
        make_durable(self.folder)

    def found(self, signer: Signer, note: bytes, leaves: bytes) -> None:
        """Lay down a new key, its head and leaves; the key comes last and makes them count.

        Raises Conflict when there is a key, or what is left of a lost one.
        """
        self.refuse_existing()
        try:
            left = (self.vkey, self.head, self.next_head, self.leaves, self.nodes)
            for path in (*left, self.unfinished_key):
                path.unlink(missing_ok=True)
            write_durably(self.unfinished_key, signer.secret.encode() + b"\n", mode=0o600)
            write_durably(self.vkey, f"{signer.verifier}\n".encode())
            put_leaves(self.leaves, self.nodes, leaves)
            write_durably(self.head, note)
            self.unfinished_key.replace(self.key)
            make_durable(self.folder)
        except OSError as error:
            raise UserError(
                t("{path} cannot be written: {reason}.", path=self.folder, reason=of_system(error)),
                hint=t("Mend that, then run this again."),
            ) from error

    def refuse_existing(self) -> None:
        """Raises Conflict unless a new key may be made here."""
        if self.key.exists():
            raise Conflict(
                t("The ledger has its key already: {path}.", path=self.key),
                hint=t("Nothing was changed."),
            )
        if self.is_founded():
            raise Conflict(
                t("The ledger had a key here, {path}, and it is gone.", path=self.key),
                hint=t(
                    "Bring ledger.key back from a backup. If it is lost for good: "
                    "crosspost log rotate --lost"
                ),
            )


def _is_at(file: int, path: Path) -> bool:
    """Whether this open file is the one that lies there now."""
    try:
        there, ours = path.stat(), os.fstat(file)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def read_file(path: Path) -> bytes:
    """A small file. Raises Undecided when it cannot be read or is too large."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(data) > MOST_BYTES:
        raise Undecided(t("{path} is too large.", path=path))
    return data


def _unreadable(path: Path, error: OSError) -> Undecided:
    return Undecided(t("{path} cannot be read: {reason}.", path=path, reason=of_system(error)))

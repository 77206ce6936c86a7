"""SSH signatures over the digest of an approval: made by the approver's key, verified by anybody.

`ssh-keygen -Y` does the work (OpenSSH 8.1 and newer; `ssh-keygen(1)`, "sign" and "verify"; the form
of a signature is PROTOCOL.sshsig), so keys in an agent or on hardware work. No secret passes
through crosspost. This room must not know who may approve.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from crosspost.errors import ConfigError, Conflict
from crosspost.wording import t

#: What a signature is for. One cannot be taken for another.
APPROVAL = "crosspost-approval"
EMERGENCY = "crosspost-emergency"
#: Seconds: time to touch a hardware key, or to type a passphrase.
PATIENCE = 120
#: Within the file of allowed signers, which is made for one question and one person.
_WHO = "approver"


def message(digest: str) -> bytes:
    """What is signed: the digest, 64 hex digits, and a line feed."""
    return f"{digest}\n".encode()


def sign(digest: str, namespace: str, key: Path) -> str:
    """The armoured signature by `key`: a private key's file, or a public one whose private half
    lies in the agent or on hardware. Raises Conflict when it cannot be made."""
    command = ["ssh-keygen", "-Y", "sign", "-f", str(key), "-n", namespace]
    done = _run(command, message(digest), capture_errors=False)
    if done.returncode != 0 or b"BEGIN SSH SIGNATURE" not in done.stdout:
        raise Conflict(
            t("The approval was not signed with {key}.", key=key),
            hint=t("Is the key in your agent (ssh-add -l), or plugged in? Nothing was changed."),
        )
    return done.stdout.decode("ascii", "replace")


def key_file(keys: Sequence[str], home: Path, folder: Path) -> Path:
    """The file to sign with, of one whose public key is among `keys`: a private key in `home`
    (`~/.ssh`); else the first key itself, written into `folder`, for the agent to sign with. Raises
    Conflict when there is no key."""
    if not keys:
        raise Conflict(
            t("You have no ssh_keys in [people], so you cannot sign."),
            hint=t("Put the line of your .pub file there."),
        )
    for public in sorted(home.glob("*.pub")):
        try:
            words = public.read_text(encoding="utf-8").split()[:2]
        except (OSError, UnicodeDecodeError):
            continue
        if " ".join(words) in keys and public.with_suffix("").is_file():
            return public.with_suffix("")
    chosen = folder / "key.pub"
    chosen.write_text(f"{keys[0]}\n", encoding="ascii")
    return chosen


def verifies(digest: str, namespace: str, signature: str, keys: Sequence[str]) -> bool:
    """Whether `signature` is one over this digest by one of these public keys. Raises ConfigError
    when it cannot be found out."""
    if not signature or not keys:
        return False
    with TemporaryDirectory() as folder:
        allowed, signed = Path(folder) / "allowed", Path(folder) / "signature"
        lines = [f'{_WHO} namespaces="{namespace}" {key}\n' for key in keys]
        allowed.write_text("".join(lines), encoding="ascii")
        signed.write_text(signature, encoding="utf-8", errors="replace")
        files = ["-f", str(allowed), "-s", str(signed)]
        command = ["ssh-keygen", "-Y", "verify", *files, "-n", namespace, "-I", _WHO]
        return _run(command, message(digest), capture_errors=True).returncode == 0


def _run(
    command: Sequence[str], words: bytes, *, capture_errors: bool
) -> subprocess.CompletedProcess[bytes]:
    """`capture_errors=False` lets ssh-keygen speak to the person (touch the key, passphrase)."""
    try:
        return subprocess.run(  # noqa: S603 - no shell; nothing of it comes from an announcement
            command,
            input=words,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if capture_errors else None,
            timeout=PATIENCE,
            check=False,
        )
    except OSError as error:
        raise ConfigError(
            t("ssh-keygen is not installed, so approvals can be neither signed nor verified."),
            hint=t("Install OpenSSH's client: apt install openssh-client"),
        ) from error
    except subprocess.TimeoutExpired as error:
        raise Conflict(
            t("ssh-keygen gave no answer in {seconds} seconds.", seconds=PATIENCE),
            hint=t("Nothing was changed. Try again."),
        ) from error


@dataclass
class Verifier:
    """Verifies, and remembers what verified: the deliveries of one announcement share an
    approval."""

    _known: set[tuple[str, str, str, tuple[str, ...]]] = field(default_factory=set)

    def __call__(self, digest: str, namespace: str, signature: str, keys: Sequence[str]) -> bool:
        """As `verifies`."""
        question = (digest, namespace, signature, tuple(keys))
        if question in self._known:
            return True
        if not verifies(*question):
            return False
        if len(self._known) >= 10_000:
            self._known.clear()
        self._known.add(question)
        return True

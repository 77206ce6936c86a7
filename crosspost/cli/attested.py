"""What others say of what an office gave out, for `verify`: witnesses, a time stamp authority."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.ledger.keys import Keys
    from crosspost.ledger.verifying import Verified
    from crosspost.site.sources import Source
    from crosspost.site.verifying import Genuine
    from crosspost.timestamps.tokens import Stamp
    from crosspost.witnesses.cosignature import Cosignature, Witness


def witnesses_in(given: list[str], quorum: int | None) -> list[Witness]:
    """The keys that were given, each once. Raises Undecided, UsageError."""
    from crosspost.errors import UsageError
    from crosspost.witnesses.cosignature import read_witnesses

    found: dict[bytes, Witness] = {}
    for one in given:
        for known in read_witnesses(text_of(one)):
            found.setdefault(known.public, known)  # one key under two names is one witness
    if quorum is not None and quorum > len(found):
        raise UsageError(
            t("A quorum of {quorum} needs as many witnesses.", quorum=quorum),
            hint=t("Name each with --witness VKEY."),
        )
    return list(found.values())


def text_of(given: str) -> str:
    """What was given where a key is asked for: a key itself, else what stands in a file of that
    name. Raises Undecided."""
    from crosspost.errors import Undecided
    from crosspost.ledger.strongbox import read_file

    if given.count("+") >= 2:
        return given
    if not _may_be_there(Path(given)):
        raise Undecided(
            t('"{given}" is neither a verification key nor a file.', given=given),
            hint=t("A key is one line like: office.example/ledger+530d903a+AekyeRrm5..."),
        )
    return read_file(Path(given)).decode(errors="replace")


def _may_be_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return True  # whoever reads it says so
    except (OSError, ValueError):
        return False  # a name that no file can have


def cosigned_by(note: bytes, witnesses: list[Witness], quorum: int | None) -> list[Cosignature]:
    """Who of them cosigned. Raises Refuted, Undecided."""
    from crosspost.witnesses.cosignature import believable, cosignatures, require_quorum

    found = believable(cosignatures(note, witnesses), datetime.now(UTC))
    require_quorum(found, len(witnesses), len(witnesses) if quorum is None else quorum)
    return found


def stamp_of(
    file: str, place: Source | None, found: Verified | Genuine | Keys, root: Path
) -> tuple[int, Stamp]:
    """The newest stamp of what was verified (a site at `place`, else a file), and of how many
    entries it is. Raises Refuted, Undecided, ForkProven."""
    from crosspost.errors import Undecided
    from crosspost.ledger.strongbox import read_file
    from crosspost.ledger.verifying import Verified
    from crosspost.site.stamps import newest_stamp
    from crosspost.site.verifying import Genuine
    from crosspost.timestamps.kept import TOKEN
    from crosspost.timestamps.tokens import read_roots, verify

    roots = read_roots(read_file(root))
    if isinstance(found, Genuine):
        assert place is not None  # noqa: S101 - it was verified as one
        stamped, note, token = newest_stamp(place, found.checkpoint, found.keys)
        return stamped.size, verify(token, note, roots)
    if isinstance(found, Verified) and found.kind == "checkpoint" and "://" not in file:
        token = read_file(Path(file).with_suffix(TOKEN))
        return found.checkpoint.size, verify(token, read_file(Path(file)), roots)
    raise Undecided(
        t("Only a site and a file N.checkpoint have a time stamp."),
        hint=t("A site has them in ledger/stamps/; that of N.checkpoint is N.tsr beside it."),
    )


def stamp_values(size: int, stamp: Stamp) -> dict[str, Any]:
    """A stamp as JSON values."""
    return {"size": size, "at": stamp.at.isoformat(), "authority": stamp.authority}

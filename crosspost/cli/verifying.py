"""What an office gave out or shows, checked by anybody: verify."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crosspost.cli.attested import cosigned_by, stamp_of, stamp_values, text_of, witnesses_in
from crosspost.cli.options import MOST, AsJson
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.errors import UserError
    from crosspost.ledger.checkpoint import Checkpoint
    from crosspost.ledger.keys import Keys
    from crosspost.ledger.verifying import Verified
    from crosspost.site.sources import Source
    from crosspost.site.verifying import Genuine
    from crosspost.timestamps.tokens import Stamp
    from crosspost.witnesses.cosignature import Cosignature

Against = Annotated[
    Path | None,
    typer.Option(
        "--against",
        metavar="FILE",
        help="A checkpoint or proof that was kept elsewhere; it must be of the same ledger.",
    ),
]
KEY_HELP = "The verification key, NAME+ID+KEY, or a file that holds it (identity.json has all)."
#: How files are called that hold the keys of a ledger.
KEY_FILES = ("identity.json", "keys.json", "ledger.keys")
_PAGE = re.compile(r"(?P<site>.*?/)?p/(?P<code>[0-9a-z]+)(?:/(?:index\.html)?)?(?:[?#].*)?")


def register(app: typer.Typer) -> None:
    """Put the command of this file into `app`."""
    app.command()(verify)


def verify(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|URL",
            help="A proof, a checkpoint, an export's folder, an identity.json; a page or a whole "
            "site, as a folder or by its address.",
        ),
    ],
    key: Annotated[str, typer.Option("--key", metavar="VKEY", help=KEY_HELP)],
    against: Against = None,
    witness: Annotated[
        list[str],
        typer.Option(
            "--witness",
            metavar="VKEY",
            help="The verification key of a witness, or a file with such lines, or an "
            "identity.json. May be repeated.",
        ),
    ] = [],
    quorum: Annotated[
        int | None,
        typer.Option(
            "--quorum",
            metavar="N",
            min=0,
            max=MOST,
            help="So many of the witnesses must have cosigned. By default all of them.",
        ),
    ] = None,
    timestamp_root: Annotated[
        Path | None,
        typer.Option(
            "--timestamp-root",
            metavar="FILE",
            help="The root certificate of a time stamp authority: its stamp must hold too. For a "
            "file N.checkpoint it is N.tsr beside it; a site has its own.",
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Check what an office gave out. Needs its verification key and nothing else: no settings.

    Ends with 0 verified, 1 refuted, 2 cannot decide, 3 two ledgers were signed with one key.
    """
    from crosspost.cli.output import show_json
    from crosspost.errors import ForkProven, Refuted, Undecided
    from crosspost.ledger.keys import Keys

    try:
        witnesses = witnesses_in(witness, quorum)
        found = _verify(file, keys_of(key), against)
        seen = [] if isinstance(found, Keys) else cosigned_by(found.note, witnesses, quorum)
        stamped = _stamped(file, found, timestamp_root) if timestamp_root else None
    except (Refuted, Undecided, ForkProven) as error:
        if not json:
            raise _told_as(error) from error
        verdict = {Refuted: "refuted", Undecided: "undecided", ForkProven: "fork"}[type(error)]
        show_json({"verdict": verdict, "problem": " ".join(error.problems)})
        raise typer.Exit(error.exit_code) from error
    _show(found, seen, stamped, count=len(witnesses), as_json=json)


def _told_as(error: UserError) -> UserError:
    """The same with its verdict before it, and with what to do next."""
    from crosspost.errors import Refuted

    if not isinstance(error, Refuted):
        return error
    first, *more = error.problems
    hint = error.hint or t("Keep a copy as it is, and tell the office and whoever audits it.")
    return Refuted(f"{t('REFUTED')}: {first}", *more, hint=hint)


def _verify(file: str, keys: Keys, against: Path | None) -> Verified | Genuine | Keys:
    from crosspost.ledger import comparing, verifying
    from crosspost.ledger.proof import SUFFIX
    from crosspost.ledger.strongbox import read_file
    from crosspost.site.settling import settled
    from crosspost.site.verifying import verify_page, verify_site

    remote = file.startswith(("https://", "http://"))
    if file.endswith(KEY_FILES):
        data = _fetch(file) if remote else read_file(Path(file))
        followed = verifying.verify_keys(data.decode(errors="replace"), keys)
        if against:
            comparing.checkpoint_in(against, followed)
        return followed
    if not remote:
        place = _site_at(Path(file))
        if place is None:
            return verifying.verify(Path(file), keys, against)
    elif file.endswith((SUFFIX, "/ledger/checkpoint")):
        witness = comparing.checkpoint_in(against, keys) if against else None
        return verifying.verify_data(file, _fetch(file), keys, witness)
    else:
        place = _site_of(file)
    source, code = place
    found = settled(
        source, lambda s: verify_page(s, code, keys) if code else verify_site(s, keys), _pause
    )
    if against:
        comparing.compare(found.checkpoint, comparing.checkpoint_in(against, found.keys))
    return found


def _pause(seconds: float) -> None:
    from time import sleep

    from crosspost.cli.output import warn

    warn(t("The site is being written just now; it is read again."))
    sleep(seconds)


def _site_at(path: Path) -> tuple[Source, str] | None:
    """The site on this disk that `path` is, or a page of it; None when it is neither."""
    from crosspost.site.sources import FolderSource

    folder = path.parent if path.name == "index.html" else path
    above = folder.absolute().parent.parent
    try:
        if any((folder / "ledger" / name).exists() for name in ("manifest", "manifest.old")):
            return FolderSource(folder), ""
        if folder.absolute().parent.name == "p" and (above / "ledger").exists():
            return FolderSource(above), folder.absolute().name
    except OSError:
        return None  # no path at all: whoever reads it says so
    return None


def _site_of(url: str) -> tuple[Source, str]:
    """The site that an address belongs to, and the code of its page, if it is one."""
    from crosspost.fetching import WebSource

    scheme, _, rest = url.partition("://")
    page = _PAGE.fullmatch(rest)
    if page is not None and page["site"]:
        return WebSource(f"{scheme}://{page['site']}"), page["code"]
    return WebSource(url if url.endswith("/") else f"{url}/"), ""


def _fetch(url: str) -> bytes:
    from crosspost.errors import Undecided
    from crosspost.fetching import WebSource

    data = WebSource(url).read("")
    if data is None:
        raise Undecided(t("{path} is missing.", path=url))
    return data


def _stamped(file: str, found: Verified | Genuine | Keys, root: Path) -> tuple[int, Stamp]:
    place = _site_of(file) if "://" in file else _site_at(Path(file))
    return stamp_of(file, place[0] if place else None, found, root)


def _show(
    found: Verified | Genuine | Keys,
    seen: list[Cosignature],
    stamped: tuple[int, Stamp] | None,
    *,
    count: int,
    as_json: bool,
) -> None:
    from crosspost.cli.output import block, say, show_json
    from crosspost.ledger import verifying
    from crosspost.ledger.keys import Keys

    if isinstance(found, Keys):
        return _show_keys(found, as_json=as_json)
    checkpoint = checkpoint_values(found.checkpoint)
    if isinstance(found, verifying.Verified):
        about: dict[str, Any] = {"kind": found.kind, "index": found.index, "entry": found.entry}
        lines = list(verifying.lines_of(found))
        told = _told(found.entry)
    else:
        about, lines = _genuine(found)
        told = []
    if as_json:
        about["cosigned"] = [{"name": one.witness.name, "at": one.at.isoformat()} for one in seen]
        about["stamped"] = stamp_values(*stamped) if stamped else None
        show_json({"verdict": "verified", **checkpoint, **about})
        return None
    for line in lines:
        say(line)
    if count:
        say(t("Witnesses that cosigned it: {found} of {count}.", count=count, found=len(seen)))
    for one in seen:
        say(f"  {one.witness.name}  {one.at.isoformat(sep=' ')}")
    if stamped:
        say(
            t(
                "{authority} stamped its first {size} entries: {at}",
                **stamp_values(*stamped),
            )
        )
    for line in told:
        block(line)
    return None


def _show_keys(keys: Keys, *, as_json: bool) -> None:
    from crosspost.cli.output import say, show_json

    if as_json:
        return show_json({"verdict": "verified", "kind": "keys", "keys": keys.values()})
    say(t("VERIFIED: signatures lead from the key given to the key that counts now:"))
    say(f"  {keys.newest}")
    for key in keys.ranges[:-1]:
        say(
            t(
                "No more, since the ledger has {size} entries: {key}",
                size=key.until,
                key=key.verifier,
            )
        )
    return None


def _genuine(found: Genuine) -> tuple[dict[str, Any], list[str]]:
    size = t("Its checkpoint covers {size} entries.", size=found.checkpoint.size)
    if found.standing is None:
        words = t("VERIFIED: every file of the site, with {count} pages.", count=found.pages)
        return {"kind": "site", "pages": found.pages}, [words, size]
    standing = found.standing
    words = {
        "current": t("VERIFIED: the page is genuine, and it still holds."),
        "corrected": t("VERIFIED: the page is genuine, and was CORRECTED since."),
        "withdrawn": t("VERIFIED: the page is genuine, and was WITHDRAWN since."),
    }[standing.state]
    if standing.erased:
        erased = t(
            "VERIFIED: the page is genuine; its text was ERASED by law ({order}).",
            order=standing.erased,
        )
        words = erased if standing.state == "current" else f"{words}\n{erased}"
    copies = [f"  {copy.title}: {link}" for copy in standing.copies for link in copy.links]
    about = {
        "kind": "page",
        "code": standing.code,
        "state": standing.state,
        "erased": standing.erased or None,
        "copies": [link for copy in standing.copies for link in copy.links],
    }
    return about, [words, *copies, size]


def checkpoint_values(checkpoint: Checkpoint) -> dict[str, Any]:
    """A checkpoint as JSON values."""
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
    }


def _told(entry: Any) -> list[str]:
    """What an entry says, key by key; the words of `why` are for those who know the office."""
    if not isinstance(entry, dict):
        return [] if entry is None else [str(entry)]
    flat = {**entry, **(entry["data"] if isinstance(entry.get("data"), dict) else {})}
    return [f"{name}: {value}" for name, value in flat.items() if name not in ("data", "v")]


def keys_of(key: str) -> Keys:
    """Verification keys as given: one itself, or those of a file."""
    from crosspost.ledger.keys import read_keys

    return read_keys(text_of(key))

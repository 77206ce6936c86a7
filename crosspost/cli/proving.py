"""The ledger that proves itself: log init, rotate, seal, verify, prove, export."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crosspost.cli.options import MOST, NEEDS_PERSON, AsJson, OnlyChannel, Yes
from crosspost.cli.verifying import KEY_HELP, Against, checkpoint_values, keys_of
from crosspost.foreign import of_system
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.cli.office import Office
    from crosspost.ledger.audit import Audit
    from crosspost.ledger.handover import Handover
    from crosspost.ledger.keys import Keys
    from crosspost.ledger.proof import Proof

#: How commands end that give a verdict.
EXIT = {"verified": 0, "refuted": 1, "fork": 3}


def register(log: typer.Typer) -> None:
    """Put the commands of this file into the group `log`."""
    log.command("init")(init)
    log.command("rotate")(rotate)
    log.command("seal")(seal)
    log.command("verify")(verify_log)
    log.command("prove")(prove)
    log.command("export")(export)


def init(
    origin: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The ledger's name: an address without https://. By default the site's, /ledger.",
        ),
    ] = None,
) -> None:
    """Make the key that signs the record, and the first checkpoint.

    The key is kept in ledger.key (mode 0600).
    """
    from crosspost.cli.office import open_office
    from crosspost.cli.output import say
    from crosspost.ledger.sealing import found_ledger
    from crosspost.ledger.strongbox import Strongbox
    from crosspost.people import require
    from crosspost.policy import Deed

    office = open_office(secrets=False)
    require(office.config, office.person, Deed.KEY)
    folder = office.config.folder
    first = found_ledger(office.database, folder, origin or _origin(office))
    say(t("The ledger is named {name} and has {size} entries.", name=first.origin, size=first.size))
    say(t("Its verification key, for everybody:"))
    say(f"  {Strongbox(folder).verifier()}")
    say(t("Keep a copy of ledger.key where the database's backups are not, and publish that line."))


def _origin(office: Office) -> str:
    from crosspost.errors import UsageError

    if office.config.site is None:
        raise UsageError(
            t("The ledger needs a name."),
            hint=t("Give one, an address of yours: crosspost log init --origin office.example/log"),
        )
    return office.config.site.url.partition("://")[2] + "/ledger"


def rotate(
    lost: Annotated[
        bool, typer.Option("--lost", help="The old key is gone for good: go on without it.")
    ] = False,
    reason: Annotated[str, typer.Option("--reason", help="Why; it goes on the record.")] = "",
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Let a new key take over the record. The old one signs that, its last checkpoint, and no more.

    Who trusts the old key can follow to the new one; with --lost nobody can.
    """
    from crosspost.cli.office import open_office
    from crosspost.cli.output import confirm
    from crosspost.ledger import rotating
    from crosspost.people import require
    from crosspost.policy import Deed
    from crosspost.restoring import require_confirmed
    from crosspost.showing.exhibit import show

    office = open_office(secrets=False)
    require(office.config, office.person, Deed.KEY)
    require_confirmed(office.database, office.config.folder)
    question = t("Go on with a new key that nobody can trust by the old one?") if lost else ""
    confirm(question or t("Let a new key take over the record?"), yes=yes, final=True)
    act = rotating.replace_lost if lost else rotating.rotate
    wish = rotating.Wish(office.person, office.now, reason.strip())
    handover = act(office.database, office.config.folder, wish)
    _say_handover(handover, as_json=json)
    show(office.database, office.config, whole=True)


def _say_handover(handover: Handover, *, as_json: bool) -> None:
    from crosspost.cli.output import say, show_json

    if as_json:
        show_json(
            {
                "old": str(handover.old),
                "new": str(handover.new),
                "until": handover.until,
                "since": handover.since,
                "lost": handover.lost,
            }
        )
        return
    say(t("A new key signs the record since it has {size} entries.", size=handover.since))
    say(t("Its verification key, for everybody:"))
    say(f"  {handover.new}")
    if handover.lost:
        say(
            t(
                "Who trusts the old key cannot follow, so tell the public both in a way that"
                " nobody can forge."
            )
        )
    else:
        say(t("Who trusts the old key can follow: crosspost verify identity.json --key OLD-KEY"))
        say(t("Publish the new line where the old one stands, and destroy copies of the old key."))
    say(t("Keep a copy of ledger.key where the database's backups are not."))


def seal(json: AsJson = False) -> None:
    """Sign the record as it stands now. Brings all of the site up to date with it.

    What was erased by law and is still on the disk goes too; ends with 3 when it cannot.

    Refused when the record is not what was sealed before.
    """
    from crosspost.cli.office import open_office
    from crosspost.cli.output import say, show_json, warn
    from crosspost.erasures import finish
    from crosspost.errors import UserError
    from crosspost.ledger import sealing
    from crosspost.showing.exhibit import show

    office = open_office(secrets=False)
    sealed = sealing.seal(office.database, office.config.folder)
    shown = trouble = None
    try:
        shown = show(office.database, office.config, whole=True)
    except UserError as error:  # what was erased by law goes from elsewhere all the same
        trouble = error
    left = finish(office.database, office.config, shown).left
    if json:
        show_json(checkpoint_values(sealed))
    else:
        say(t("Sealed: {size} entries. Root: {root}", size=sealed.size, root=sealed.root.hex()))
    for one in left:
        said = t("Announcement {number} is not erased everywhere.", number=one.announcement)
        warn(f"{said} {one.reason}")
    if trouble is not None:
        raise trouble
    if left:
        raise typer.Exit(NEEDS_PERSON)


def verify_log(
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="VKEY", help=f"{KEY_HELP} By default ledger.vkey."),
    ] = None,
    against: Against = None,
    since: Annotated[
        Path | None,
        typer.Option(
            "--since",
            metavar="FILE",
            help="Only what came after a checkpoint or proof that was verified before.",
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Recompute the record, and compare it with its signed head.

    Ends with 0 verified, 1 refuted, 2 cannot decide, 3 two ledgers were signed with one key.
    """
    from crosspost.cli.office import open_office
    from crosspost.cli.output import show_json
    from crosspost.errors import DatabaseError, Undecided
    from crosspost.ledger.strongbox import Strongbox

    try:
        office = open_office(secrets=False)
        box = Strongbox(office.config.folder)
        found = _audit(office, keys_of(key) if key else box.keys(), against, since)
    except DatabaseError as error:
        raise Undecided(*error.problems, hint=error.hint) from error
    if json:
        show_json(
            {
                "verdict": found.verdict.value,
                "entries": found.entries,
                "sealed": found.sealed,
                "unsealed": found.unsealed,
                "wrong": found.wrong,
                "problem": found.problem or None,
                "erased": found.erased,
                "backdated": found.backdated,
            }
        )
    else:
        _tell(found)
    raise typer.Exit(EXIT[found.verdict])


def _audit(office: Office, given: Keys, against: Path | None, since: Path | None) -> Audit:
    from functools import partial

    from crosspost.ledger.audit import audit
    from crosspost.ledger.book import rows, size
    from crosspost.ledger.checkpoint import read_checkpoint
    from crosspost.ledger.comparing import checkpoint_in
    from crosspost.ledger.rotating import recorded
    from crosspost.ledger.strongbox import Strongbox

    box = Strongbox(office.config.folder)
    with office.database.read() as session:
        keys = given.linked([*box.handovers(), *recorded(session, size(session))])
    witness = checkpoint_in(against, keys) if against else None
    begun = checkpoint_in(since, keys) if since else None
    # The head first: what is sealed while we look is then an entry more, not one too few.
    head = keys.read(partial(read_checkpoint, box.head_note()))
    leaves = box.tree_under(head)
    with office.database.read() as session:
        first = begun.size if begun else 0
        return audit(rows(session, first), head, leaves, witness, keys, begun)


def _tell(found: Audit) -> None:
    from crosspost.cli.output import say, warn

    if found.problem:
        warn({"fork": t("FORK")}.get(found.verdict, t("REFUTED")) + f": {found.problem}")
        warn(t("Leave all files as they are, copy them, and tell whoever audits the office."))
        return
    say(t("VERIFIED: {size} entries are those that were sealed.", size=found.sealed))
    if found.unsealed:
        say(t("{count} newer entries are not sealed yet.", count=found.unsealed))
    if found.erased:
        say(t("Of {count} reasons the words were erased.", count=found.erased))
    if found.backdated is not None:
        say(
            t(
                "Entry {index} has an earlier time than the one before it; ask why.",
                index=found.backdated,
            )
        )


def prove(
    number: Annotated[
        int | None,
        typer.Argument(metavar="[ID]", min=1, max=MOST, help="The announcement's number."),
    ] = None,
    channel: OnlyChannel = [],
    delivery: Annotated[
        int | None,
        typer.Option(metavar="ID", min=1, max=MOST, help="A delivery, instead."),
    ] = None,
    entry: Annotated[
        int | None,
        typer.Option(metavar="INDEX", min=0, max=MOST, help="An entry, instead."),
    ] = None,
    to: Annotated[
        Path, typer.Option("--to", metavar="FOLDER", help="Where the files are written.")
    ] = Path(),
    json: AsJson = False,
) -> None:
    """Write the proof that a delivery is on record. A small file for each that is published."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import say, show_json
    from crosspost.errors import UsageError
    from crosspost.ledger import book, evidence

    if [number, delivery, entry].count(None) != 2:
        raise UsageError(
            t("Say what to prove: an announcement, a --delivery or an --entry."),
            hint=t("For example: crosspost log prove 1"),
        )
    office = open_office(secrets=False)
    with office.database.read() as session:
        if entry is not None:
            indices = [entry]
        else:
            indices = book.published(
                session, announcement=number, delivery=delivery, channels=channel
            )
        if not indices:
            raise evidence.nothing_public()
        proofs = evidence.prove(session, office.config.folder, indices)
    written = [_write(proof, to) for proof in proofs]
    if json:
        show_json(written)
        return
    for about in written:
        say(t("Entry {index} is proved by {file}", **about))
    say(t("Anybody can check it: crosspost verify FILE --key VKEY"))


def _write(proof: Proof, folder: Path) -> dict[str, Any]:
    from crosspost.errors import UserError
    from crosspost.ledger.evidence import proof_name

    path = folder / proof_name(proof.index)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(proof.text())
    except OSError as error:
        raise UserError(
            t("{path} cannot be written: {reason}.", path=path, reason=of_system(error))
        ) from error
    return {"index": proof.index, "file": str(path)}


def export(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder.")],
    json: AsJson = False,
) -> None:
    """Write all that is sealed into a folder.

    With the approved texts, images, videos and proofs. For an archive or an auditor, not for the
    public.
    """
    from crosspost.cli.office import open_office
    from crosspost.cli.output import say, show_json, warn
    from crosspost.exporting import export as write

    office = open_office(secrets=False)
    made = write(office.database, office.config, folder)
    head, told = made.checkpoint, made.told
    warn(t("It holds texts, names and reasons: for an archive or an auditor, not for the public."))
    if told.missing:
        warn(t("Files lost at the office, and so not in it: {count}.", count=told.missing))
    if json:
        show_json({**checkpoint_values(head), **asdict(told)})
        return
    say(t("Exported: {size} entries to {folder}", size=head.size, folder=folder))
    values = {"texts": told.texts, "posts": told.posts, "media": told.media}
    say(
        t(
            "With it: texts {texts}; posts on channels {posts}; images and videos {media}.",
            **values,
        )
    )
    if told.erased:
        say(t("Erased by law, as the record says: {count} announcements.", count=told.erased))
    say(t("Anybody can check it: crosspost verify {folder} --key VKEY", folder=folder))

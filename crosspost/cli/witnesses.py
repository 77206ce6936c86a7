"""Others who remember the record: log witness init, serve, list, ask."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crosspost.cli.helping import Commands
from crosspost.cli.options import AsJson
from crosspost.cli.telling import spoken_time
from crosspost.foreign import of_system
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.cli.office import Office
    from crosspost.witnesses.memory import Memory
    from crosspost.witnesses.protocol import Logs

app = Commands(
    help="Who cosigns the record of this office, and whom it cosigns.",
    no_args_is_help=True,
)
#: `list` ends with this when a neighbour was proved to tell two histories.
FORKED = 3


@app.command()
def init(
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The witness' name: an address without https://. By default the site's, /witness.",
        ),
    ] = None,
) -> None:
    """Make the key by which this office cosigns its neighbours' records."""
    from crosspost.cli.output import say

    office, memory = _open()
    witness = memory.found(name or _name(office))
    say(t("Its verification key, for every neighbour:"))
    say(f"  {witness}")
    say(t("Enter each neighbour in crosspost.toml ([neighbours.NAME]), then run:"))
    say("  crosspost log witness serve")


def _name(office: Office) -> str:
    from crosspost.errors import UsageError

    if office.config.site is None:
        raise UsageError(
            t("The witness needs a name."),
            hint=t("Give one: crosspost log witness init --name office.example/witness"),
        )
    return office.config.site.url.partition("://")[2] + "/witness"


@app.command()
def serve(
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Where to listen. A web server before it adds https://."
        ),
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0: any that is free.")] = (
        8470
    ),
) -> None:
    """Cosign the records of our neighbours, until stopped."""
    import signal
    import threading

    from crosspost.cli.output import say
    from crosspost.errors import UserError
    from crosspost.logs import set_up
    from crosspost.witnesses.serving import WitnessServer

    office, memory = _open()
    memory.signer()
    logs = _logs(office)
    set_up("text", office.config.office.tz)

    def now() -> datetime:
        return datetime.now(UTC)

    try:
        server = WitnessServer((host, port), memory, logs, now, lambda o: _record(office, o))
    except OSError as error:
        raise UserError(
            t("Nobody can be served at {host}:{port}: {reason}.", host=host, port=port,
              reason=of_system(error)),
            hint=t("Choose another --port."),
        ) from error  # fmt: skip
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    threading.Thread(target=server.serve_forever, name="witness", daemon=True).start()
    where = f"{host}:{server.server_address[1]}"
    say(t("This witness (neighbours: {count}) serves at {where}.", count=len(logs), where=where))
    ended.wait()
    server.shutdown()
    server.server_close()


def _record(office: Office, origin: str) -> None:
    """A neighbour's fork goes on record here; that it was kept, does not depend on this."""
    import logging

    from crosspost.errors import UserError
    from crosspost.ledger import book

    log = logging.getLogger("crosspost.witness")
    words = t("FORK: {origin} has signed two histories. Both notes are kept.", origin=origin)
    log.error("%s", words, extra={"event": "fork"})
    try:
        with office.database.write() as session:
            at = datetime.now(UTC)
            act = book.Act("fork_witnessed", "witness", at, data={"origin": origin})
            book.append(session, act)
    except UserError as error:
        log.error("%s", error, extra={"event": "database"})


@app.command("list")
def list_(json: AsJson = False) -> None:
    """Who cosigns us and when they did last; whom we cosign. Ends with 3 when a neighbour has told
    two histories."""
    from crosspost.cli.output import say, show_json, table, warn

    office, memory = _open()
    ours, theirs = _witnesses(office), _neighbours(office, memory)
    if json:
        show_json({"witnesses": ours, "neighbours": theirs})
    else:
        for one in ours:
            one["at"] = _time(office, one["cosigned_at"])
            one["late"] = "-" if one["behind"] is None else one["behind"]
        if ours:
            say(t("They cosign our record:"))
            rows = [(w["name"], w["size"], w["late"], w["at"], w["problem"]) for w in ours]
            table([t("Witness"), t("Entries"), t("Behind"), t("Last"), t("Problem")], rows)
        else:
            say(t("Nobody cosigns our record. See [witnesses.NAME] in config.example.toml."))
        if theirs:
            say(t("We cosign their records:"))
            cells = [(n["name"], n["origin"], n["size"], _forked(n)) for n in theirs]
            table([t("Neighbour"), t("Ledger"), t("Entries"), ""], cells)
    for fork in (one["fork"] for one in theirs if one["fork"]):
        if not json:
            warn(t("FORK: keep {one} and {other}; together they are proof for anybody.",
                   one=fork[0], other=fork[1]))  # fmt: skip
    if any(one["fork"] for one in theirs):
        raise typer.Exit(FORKED)


def _witnesses(office: Office) -> list[dict[str, Any]]:
    from crosspost.witnesses.remembered import recall_all

    with office.database.read() as session:
        found = list(recall_all(session, office.config, office.now))
    sealed = _sealed_size(office)
    return [
        {
            "name": name,
            "vkey": known.vkey,
            "size": known.size,
            "cosigned_at": known.at.isoformat() if known.at else None,
            "behind": max(sealed - known.size, 0) if known.at and sealed is not None else None,
            "problem": known.problem,
        }
        for name, known in found
    ]


def _sealed_size(office: Office) -> int | None:
    """How many entries the head covers; None where there is none that can be read."""
    from functools import partial

    from crosspost.errors import Refuted, Undecided
    from crosspost.ledger.checkpoint import read_checkpoint
    from crosspost.ledger.strongbox import Strongbox

    box = Strongbox(office.config.folder)
    try:
        return box.keys().read(partial(read_checkpoint, box.head_note())).size
    except (Refuted, Undecided):
        return None


def _neighbours(office: Office, memory: Memory) -> list[dict[str, Any]]:
    logs = _logs(office)
    forks = {fork.origin: [str(fork.one), str(fork.other)] for fork in memory.forks(logs)}
    found = []
    for name, settings in office.config.neighbours.items():
        for origin in dict.fromkeys(vkey.partition("+")[0] for vkey in settings.vkeys):
            last = memory.last(origin, logs)
            size = last.checkpoint.size if last else 0
            about = {"name": name, "origin": origin, "size": size, "fork": forks.get(origin)}
            found.append(about)
    return found


def _forked(neighbour: dict[str, Any]) -> str:
    return t("FORK") if neighbour["fork"] else ""


def _time(office: Office, at: str | None) -> str:
    return spoken_time(office, datetime.fromisoformat(at)) if at else "-"


@app.command()
def ask(json: AsJson = False) -> None:
    """Ask every witness now for its cosignature of the sealed record. Ends with 1 when one gave
    none."""
    from crosspost.cli.output import say, show_json, warn
    from crosspost.errors import ForkProven, Refuted, Undecided
    from crosspost.ledger.evidence import open_sealed
    from crosspost.showing.exhibit import show_checkpoint
    from crosspost.witnesses.asking import ask_and_keep, asked_in

    office, _ = _open()
    witnesses = asked_in(office.config)
    with office.database.read() as session:
        sealed = open_sealed(session, office.config.folder)
    told: list[dict[str, Any]] = []
    for asked in witnesses:
        about: dict[str, Any] = {"name": asked.name, "size": sealed.head.size, "problem": ""}
        try:
            given = ask_and_keep(
                office.database, office.config.folder, asked, sealed, lambda: office.now
            )
            about["cosigned_at"] = given.at.isoformat()
        except (Refuted, ForkProven):
            raise
        except Undecided as error:
            about["problem"] = error.problems[0]
        told.append(about)
    show_checkpoint(office.config)
    if json:
        show_json(told)
    for one in [] if json else told:
        if one["problem"]:
            warn(one["problem"])
        else:
            say(t("{name} cosigned {size} entries.", name=one["name"], size=one["size"]))
    if not told:
        say(t("Nobody cosigns our record. See [witnesses.NAME] in config.example.toml."))
    if any(one["problem"] for one in told):
        raise typer.Exit(1)


def _open() -> tuple[Office, Memory]:
    from crosspost.cli.office import open_office
    from crosspost.witnesses.memory import Memory
    from crosspost.witnesses.places import FOLDER

    office = open_office(secrets=False)
    return office, Memory(office.config.folder / FOLDER)


def _logs(office: Office) -> Logs:
    """The keys of the neighbours by the names of their ledgers. Raises Undecided."""
    from crosspost.errors import Undecided
    from crosspost.ledger.note import Verifier, read_verifier

    logs: dict[str, list[Verifier]] = {}
    for name, settings in office.config.neighbours.items():
        for vkey in settings.vkeys:
            try:
                key = read_verifier(vkey)
            except Undecided as error:
                where = t("{where}: {reason}", where=f"neighbours.{name}", reason=error.problems[0])
                raise Undecided(where, hint=error.hint) from error
            logs.setdefault(key.name, []).append(key)
    return logs

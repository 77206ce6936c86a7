"""When the record was so at the latest, by another clock: log timestamp."""

from __future__ import annotations

import typer

from crosspost.cli.options import AsJson
from crosspost.wording import t


def register(log: typer.Typer) -> None:
    """Put the command of this file into the group `log`."""
    log.command("timestamp")(timestamp)


def timestamp(json: AsJson = False) -> None:
    """Have the sealed record stamped by the time stamp authority.

    That is the one in crosspost.toml. The daemon does it by itself, as often as timestamp_hours
    says.
    """
    from crosspost.cli.office import open_office
    from crosspost.cli.output import say, show_json
    from crosspost.cli.telling import spoken_time
    from crosspost.ledger.evidence import open_sealed
    from crosspost.timestamps.stamping import stamp

    office = open_office(secrets=False)
    with office.database.read() as session:
        sealed = open_sealed(session, office.config.folder)
    found = stamp(office.database, office.config, sealed, lambda: office.now)
    size = sealed.head.size
    if json:
        show_json({"size": size, "at": found.at.isoformat(), "authority": found.authority})
        return
    when = spoken_time(office, found.at)
    say(t("{authority} stamped {size} entries: {when}", authority=found.authority, size=size,
          when=when))  # fmt: skip

"""What several commands tell besides their result: times as the office says them, and what would
keep things from going out."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from crosspost.wording import language, t

if TYPE_CHECKING:
    from crosspost.cli.office import Office


def spoken_time(office: Office, moment: datetime) -> str:
    """A time with weekday, zone and offset, in the office's zone and language."""
    from crosspost.times import spoken

    return spoken(moment, office.config.office.zone, language())


def short_time(office: Office, moment: str | None) -> str:
    from crosspost.times import short

    if moment is None:
        return ""
    config = office.config
    return short(datetime.fromisoformat(moment), config.office.zone, language())


def warn_of_logins(office: Office) -> None:
    """Say which logins end soon, or before something is to go out."""
    from crosspost.cli.output import warn
    from crosspost.logins import endings

    with office.database.read() as session:
        for ending in endings(session, office.now):
            warn(ending.sentence(lambda when: spoken_time(office, when)))


def warn_without_daemon(office: Office) -> None:
    """Say so when nothing would be published because no daemon runs."""
    from crosspost.cli.output import warn
    from crosspost.lock import daemon_runs

    if daemon_runs(office.database) is False:
        warn(t("No daemon is running, so nothing is published. Start it with: crosspost daemon"))

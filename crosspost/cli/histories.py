"""How `show --history` looks: every revision with what it changed, then every act."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.cli.office import Office

Json = dict[str, Any]


def show_history(office: Office, revisions: Sequence[Json], acts: Sequence[Json]) -> None:
    """Print revisions (of `Views.history`) and ledger entries (of `Views.entries`)."""
    from crosspost.cli.output import block, say
    from crosspost.offers import stage_word

    for revision in revisions:
        say()
        said = {**revision, "stage": stage_word(revision["stage"])}
        say(t("── Revision {revision}, {author}, {created} ({stage})", **said))
        for name, lines in revision["changes"].items():
            say(f"  {_field(name)}:")
            block("\n".join(lines), "    ")
    say()
    say(t("── Acts"))
    for record in acts:
        say(_act(office, record))


def _act(office: Office, record: Json) -> str:
    from crosspost.cli.output import calm
    from crosspost.stories import sentence

    entry, zone = record["entry"], office.config.office.tz
    at = datetime.fromisoformat(entry["at"]).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
    channel = f" [{entry['channel']}]" if "channel" in entry else ""
    note = f' "{record["note"]}"' if record["note"] else ""
    return calm(f"  {at}  {entry['by']}{channel}: {sentence(entry, zone)}{note}")


def _field(name: str) -> str:
    return {
        "title": t("Title"),
        "source": t("Source"),
        "link": t("Link"),
        "lang": t("Language"),
        "urgency": t("Urgency"),
        "channels": t("Channels"),
        "due": t("Time"),
        "images": t("Images"),
        "body": t("Text"),
    }[name]

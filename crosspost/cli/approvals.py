"""From a draft to a yes: submit, approve, reject, countersign; and who the people are."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crosspost.cli.helping import Commands
from crosspost.cli.options import MOST, AsJson, Number, Reason, Yes
from crosspost.cli.telling import spoken_time, warn_without_daemon
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.approvals import Sign
    from crosspost.cli.office import Office
    from crosspost.offers import Offer

Key = Annotated[
    Path | None,
    typer.Option(
        "--key",
        help="Where approvals are signed: your SSH key, or the .pub of one in the agent. "
        "By default what [people] says, in the agent or in ~/.ssh.",
    ),
]

people = Commands(help="Who is who in this office.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Put the commands of this file into `app`."""
    for command in (submit, approve, reject, countersign):
        app.command()(command)
    app.add_typer(people, name="people")


def submit(number: Number, yes: Yes = False) -> None:
    """Say that a draft, or what was rejected, may be approved now."""
    from crosspost.approvals import require_submittable
    from crosspost.approvals import submit as hand_in
    from crosspost.cli.office import open_office
    from crosspost.cli.output import confirm, say

    office = open_office(secrets=False)
    require_submittable(office.database, office.config, number, office.doing())
    confirm(t("Submit announcement {number} for approval?", number=number), yes=yes)
    revision = hand_in(office.database, office.config, number, office.doing())
    say(t("Submitted: announcement {number}, revision {n}.", number=number, n=revision.number))
    warn_without_daemon(office)


def approve(
    number: Number,
    revision: Annotated[
        int | None,
        typer.Option(
            min=1, max=MOST, help="The revision that you have read; refused if it is older."
        ),
    ] = None,
    emergency: Annotated[
        bool,
        typer.Option(
            "--emergency",
            help="Publish now, alone, whoever wrote it. Everybody hears of it, "
            "and a second person must countersign.",
        ),
    ] = False,
    reason: Reason = "",
    key: Key = None,
    yes: Yes = False,
) -> None:
    """Approve an announcement, exactly as it is shown.

    Approved are its time, and its text and images on each channel.
    """
    from crosspost.approvals import approve as say_yes
    from crosspost.approvals import ready
    from crosspost.cli.office import open_office
    from crosspost.cli.output import confirm, say

    office = open_office(unseen=True)
    offer = _show_what(office, number)
    if emergency:
        _publish_now(office, number, offer, reason, key, yes=yes)
        return
    n = offer.revision.number
    ready(office.database, office.config, number, office.doing(), base=revision or n)
    confirm(t("Approve revision {n} exactly like this?", n=n), yes=yes)
    done = say_yes(
        office.database,
        office.config,
        number,
        office.doing(reason.strip()),
        base=revision or n,
        seen=offer.bound.digest,
        sign=_signer(office, key),
    )
    said = {"number": number, "n": done.number, "person": office.person}
    say(t("Approved: announcement {number}, revision {n}, by {person}.", **said))
    if not done.released:
        counted = {"given": done.given, "needed": done.needed}
        say(t("It has {given} of {needed} approvals and waits for another.", **counted))
    warn_without_daemon(office)


def _publish_now(
    office: Office, number: int, offer: Offer, reason: str, key: Path | None, *, yes: bool
) -> None:
    from crosspost.cli.output import confirm, say
    from crosspost.emergencies import publish_now, ready

    n = offer.revision.number
    ready(office.database, office.config, number, office.doing(reason.strip()), base=n)
    confirm(
        t("EMERGENCY: publish revision {n} NOW on all its channels, with nobody else?", n=n),
        yes=yes,
        final=True,
    )
    publish_now(
        office.database,
        office.config,
        number,
        office.doing(reason.strip()),
        base=n,
        sign=_signer(office, key),
    )
    say(t("It goes out now, in the name of {person} alone.", person=office.person))
    say(t("A second person must look at it: crosspost countersign {number}", number=number))
    warn_without_daemon(office)


def _show_what(office: Office, number: int) -> Offer:
    """What is about to be approved: time, title and every post whole."""
    from crosspost.cli.output import say
    from crosspost.cli.previews import doubts, show_posts
    from crosspost.offers import offered
    from crosspost.preview import shown

    with office.views() as views:
        found = views.announcement(number)
        posts = views.posts(number)
        offer = offered(views.session, office.config, number)
    say(t("Announcement {number}, revision {revision}", **found))
    facts = [
        (t("Title"), found["title"]),
        (t("Author"), found["author"]),
        (t("Source"), found["source"]),
        (t("Approvals"), f"{len(offer.given)}/{offer.needed} {', '.join(offer.given)}".rstrip()),
    ]
    for name, value in facts:
        say(f"{name + ':':<13} {value or '–'}")
    for delivery in found["deliveries"]:
        when = spoken_time(office, datetime.fromisoformat(delivery["due"]))
        say(f"  {delivery['channel']}: {when}")
    say()
    show_posts(shown(office.config, found, posts), doubts(office, found))
    return offer


def _signer(office: Office, key: Path | None) -> Sign | None:
    """What signs for the person at the terminal, where approvals are signed."""
    if not office.config.policy.signed:
        return None

    from tempfile import TemporaryDirectory

    from crosspost.signing import key_file, sign

    person = office.config.people.get(office.person)
    keys = person.ssh_keys if person else ()

    def with_key(digest: str, namespace: str) -> str:
        with TemporaryDirectory() as folder:
            chosen = key or key_file(keys, Path.home() / ".ssh", Path(folder))
            return sign(digest, namespace, chosen)

    return with_key


def reject(
    number: Number,
    reason: Annotated[
        str, typer.Option("--reason", help="What must change; it goes on the record.")
    ],
    yes: Yes = False,
) -> None:
    """Say no to what waits or is scheduled, with the reason."""
    from crosspost.approvals import reject as say_no
    from crosspost.approvals import require_rejectable
    from crosspost.cli.office import open_office
    from crosspost.cli.output import confirm, say
    from crosspost.errors import UsageError

    office = open_office(secrets=False)
    if not reason.strip():
        raise UsageError(t("Say why."), hint=t("The author has to know what must change."))
    require_rejectable(office.database, office.config, number, office.doing())
    confirm(t("Reject announcement {number}?", number=number), yes=yes)
    revision = say_no(office.database, office.config, number, office.doing(reason.strip()))
    said = {"number": number, "n": revision.number, "author": revision.created_by}
    say(t("Rejected: announcement {number}, revision {n}. Tell {author}.", **said))


def countersign(
    number: Number,
    reason: Annotated[
        str, typer.Option("--reason", help="What you say to it; it goes on the record.")
    ] = "",
    objects: Annotated[
        bool, typer.Option("--object", help="You would not have let it out.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Say that you have looked at what went out in an emergency.

    It takes somebody else than who let it out.
    """
    from crosspost.cli.office import open_office
    from crosspost.cli.output import confirm, say
    from crosspost.emergencies import countersign as look_after
    from crosspost.emergencies import require_reviewable
    from crosspost.errors import UsageError

    office = open_office(unseen=True)
    if objects and not reason.strip():
        raise UsageError(t("Say why you object: --reason."))
    require_reviewable(office.database, office.config, number, office.doing())
    _show_what(office, number)
    question = t("Put your objection on record?") if objects else t("Do you stand by it?")
    confirm(question, yes=yes)
    look_after(
        office.database, office.config, number, office.doing(reason.strip()), objects=objects
    )
    if objects:
        say(t("On record: {person} objects.", person=office.person))
    else:
        say(t("On record: {person} stands by it too.", person=office.person))


@people.command("list")
def list_people(json: AsJson = False) -> None:
    """List the people of [people], their roles and accounts."""
    from crosspost.cli.office import open_office
    from crosspost.cli.output import say, show_json, table
    from crosspost.policy import Role, role_word

    office = open_office(secrets=False)
    with office.views() as views:
        found = views.people(office.person)
    if json:
        show_json(found)
        return
    if not found:
        say(t("There is no [people.NAME], so everybody who can run crosspost may do everything."))
        return
    rows = [
        (
            person["name"] + (f" ({t('you')})" if person["you"] else ""),
            person["title"],
            ", ".join(role_word(Role(role)) for role in person["roles"]),
            person["os_user"],
            person["keys"],
        )
        for person in found
    ]
    table([t("Name"), t("Office title"), t("Roles"), t("Account"), t("Keys")], rows)

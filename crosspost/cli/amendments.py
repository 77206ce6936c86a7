"""Setting right what is public: correct, retract. The plan is shown first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crosspost.cli.options import AsJson, File, Number, Text, Title, Yes
from crosspost.cli.telling import warn_without_daemon
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.amending import Kind, Plan, Step
    from crosspost.cli.office import Office

Reason = Annotated[str, typer.Option("--reason", help="Why, in words for the public.")]


def register(app: typer.Typer) -> None:
    """Put the commands of this file into `app`."""
    for command in (correct, retract):
        app.command()(command)


def correct(
    number: Number,
    text: Text = None,
    file: File = None,
    title: Title = None,
    reason: Reason = "",
    yes: Yes = False,
    json: AsJson = False,
) -> None:
    """Correct what is public, in the open. It is approved like any announcement, then goes out.

    Each channel's way is shown first; with --json and without --yes nothing else is done.
    """
    from crosspost.amending import Kind
    from crosspost.cli.drafting import Fields, gather
    from crosspost.cli.office import open_office
    from crosspost.errors import UsageError

    office = open_office(unseen=True)
    given = gather(text, file, Fields(title=title), read_input=text == "-")
    if not (given.body or "").strip():
        raise UsageError(
            t("Give the whole text as it should be."),
            hint=t('For example: crosspost correct {n} "..." --reason "..."', n=number),
        )
    said = {"text": given.body or "", "title": given.title or ""}
    _amend(office, number, Kind.CORRECTED, reason, said, yes=yes, json=json)


def retract(number: Number, reason: Reason = "", yes: Yes = False, json: AsJson = False) -> None:
    """Withdraw what is public, in the open. It is approved like any announcement, then goes out.

    Each channel's way is shown first; with --json and without --yes nothing else is done.
    """
    from crosspost.amending import Kind
    from crosspost.cli.office import open_office

    _amend(open_office(unseen=True), number, Kind.RETRACTED, reason, {}, yes=yes, json=json)


def _amend(
    office: Office,
    number: int,
    kind: Kind,
    reason: str,
    said: dict[str, str],
    *,
    yes: bool,
    json: bool,
) -> None:
    from crosspost.amending import amend
    from crosspost.cli.output import say, show_json
    from crosspost.errors import UsageError

    if not reason.strip():
        raise UsageError(t("Say why: the public reads it."), hint=t("Use --reason."))
    shown: list[dict[str, Any]] = []
    doing = office.doing(reason.strip())
    sure = _asking(shown, yes=yes, json=json)
    made = amend(office.database, office.config, number, kind, doing, sure=sure, **said)
    if json:
        show_json({"announcement": made, "plan": shown})
        return
    said_of = {"number": number, "made": made}
    if kind.value == "corrected":
        say(t("Queued as announcement {made}, which corrects {number}.", **said_of))
    else:
        say(t("Queued as announcement {made}, which withdraws {number}.", **said_of))
    if office.config.policy.approvals:
        say(t("It waits for approval: crosspost approve {made}", made=made))
    warn_without_daemon(office)


def _asking(shown: list[dict[str, Any]], *, yes: bool, json: bool) -> Callable[[Plan], None]:
    def ask(plan: Plan) -> None:
        from crosspost.cli.output import confirm, show_json

        shown.extend(_values(plan))
        if json and not yes:
            show_json({"announcement": None, "plan": shown})
            raise typer.Exit
        if not json:
            _print(plan)
        confirm(t("Queue it like this?"), yes=yes)

    return ask


def _values(plan: Plan) -> list[dict[str, Any]]:
    return [
        {
            "channel": step.channel,
            "act": step.act.value,
            "where": list(step.where),
            "texts": _texts(plan, step),
        }
        for step in plan.steps
    ]


def _texts(plan: Plan, step: Step) -> list[str]:
    """What will be read. Its page has an address only when it is queued; till then a mark stands
    for what that will be."""
    if step.act.value == "delete":
        return []
    return [post.text.replace(plan.content.code, "…") for post in step.posts]


def _print(plan: Plan) -> None:
    from crosspost.acts import act_word
    from crosspost.cli.output import block, say, warn

    for step in plan.steps:
        say(f"── {step.channel}: {act_word(step.act)}  {' '.join(step.where)}".rstrip())
        for text in _texts(plan, step):
            block(text)
    for warning in plan.warnings:
        warn(t("Note: {warning}", warning=warning))

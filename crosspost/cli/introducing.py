"""How an account is introduced after a channel was tried, and what is said when that failed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.adapters import Adapter
    from crosspost.post import Account


def tried(name: str, account: Account) -> dict[str, Any]:
    """A channel that works, as `channels check --json` shows it."""
    return {
        "channel": name,
        "ok": True,
        "account": account.name,
        "url": account.url,
        "facts": dict(account.facts),
        "warnings": list(account.warnings),
    }


def introduce(result: dict[str, Any]) -> None:
    """Say whose account it is, its facts and what is to be noted, of what `tried` tells."""
    from crosspost.cli.output import say

    say(t("{channel}: works. Account: {account} {url}", **result).rstrip())
    for fact, value in result["facts"].items():
        say(f"    {fact}: {value}")
    for warning in result["warnings"]:
        say(t("    Note: {warning}", warning=warning))


def address(adapter: Adapter) -> str:
    """Where a channel's platform is asked: the address of its server, "" when it has none that may
    be shown (that of a webhook is a secret)."""
    settings = adapter.settings
    return str(getattr(settings, "base_url", "") or getattr(settings, "host", ""))


@contextmanager
def naming(adapter: Adapter) -> Iterator[None]:
    """What the platform, or the way to it, refuses is told with the address that was asked."""
    from crosspost.errors import PlatformError, UserError
    from crosspost.stories import outcome_word

    try:
        yield
    except PlatformError as error:
        asked = address(adapter)
        about = [t("Asked at: {address}", address=asked)] if asked else []
        raise UserError(
            str(error), outcome_word(error.kind), *about, hint=t("Nothing was changed.")
        ) from error

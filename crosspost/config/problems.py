"""What is wrong with a configuration, in sentences that name the key and never its value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from crosspost.config.settings import Alarms, Channel, Config
from crosspost.policy import problems as problems_of_people
from crosspost.wording import t

#: Given a platform and a channel's options: sentences about what is wrong with them.
CheckChannel = Callable[[str, Mapping[str, Any]], list[str]]


def sentence(found: Mapping[str, Any], prefix: str) -> str:
    """One problem that pydantic found, as `where: what is wrong`, never with the value itself."""
    where = ".".join([*([prefix] if prefix else []), *(str(part) for part in found["loc"])])
    if found["type"] == "extra_forbidden":
        return t("{where}: there is no such key.", where=where)
    if found["type"] == "missing":
        return t("{where}: this key is needed.", where=where)
    reason = str(found["msg"]).removeprefix("Value error, ")
    return t("{where}: {reason}.", where=where, reason=reason.rstrip("."))


def cross_problems(config: Config) -> list[str]:
    problems = problems_of_people(config.policy, config.people)
    problems += _template_problems("templates", config.templates)
    for channel in config.channels.values():
        where = f"channels.{channel.name}.templates"
        problems += _template_problems(where, channel.style.templates)
    if (config.ledger.timestamp_url is None) != (config.ledger.timestamp_root is None):
        problems.append(
            t("[ledger]: timestamp_url and timestamp_root belong together: write both, or none.")
        )
    sites = [c.name for c in config.channels.values() if c.platform == "site"]
    if len(sites) > 1:
        problems.append(
            t("There can be one site channel, and here are {names}.", names=", ".join(sites))
        )
    if sites and config.site is None:
        problems.append(
            t(
                "[channels.{name}] makes pages, so a section [site] with url is needed.",
                name=sites[0],
            )
        )
    return problems


def _template_problems(where: str, written: Mapping[str, str]) -> list[str]:
    if not written:
        return []
    from crosspost.rendering import templates

    known = ", ".join(templates.CLASSES)
    unknown = [name for name in written if name not in templates.CLASSES]
    tried = {name: templates.problem(text) for name, text in written.items()}
    return [
        *(
            t("{where}: there is no class {name}; there are {known}.", where=where, name=name,
              known=known)
            for name in unknown
        ),
        *(
            t("{where}: {reason}.", where=f"{where}.{name}", reason=reason)
            for name, reason in tried.items()
            if reason
        ),
    ]  # fmt: skip


def channel_problems(channels: Mapping[str, Channel], check: CheckChannel) -> list[str]:
    return [
        f"channels.{channel.name}.{problem}"
        for channel in channels.values()
        for problem in check(channel.platform, channel.options)
    ]


def alarm_problems(alarms: Alarms, check: CheckChannel) -> list[str]:
    return [
        f"alarms.{name}.{problem}"
        for name, options in alarms.ways.items()
        for problem in check(name, options)
    ]

"""Who is at the terminal, and what they may do.

A person is known by the account of the operating system that runs the command, not by anything that
they type; `[people.NAME]` gives that account a name for the record. This room must not know
announcements.
"""

from __future__ import annotations

import os
import pwd

from crosspost.config import Config
from crosspost.errors import Conflict
from crosspost.policy import ALL_BUT_AUDIT, Deed, Role, deed_word, is_four_eyes, role_word
from crosspost.wording import t


def os_user() -> str:
    """The account that runs this process, by its uid (the environment can be set by anyone)."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"


def current_person(config: Config) -> str:
    """The name for the record: of `[people]` if this account stands there, else the account's.

    Raises Conflict for an account that is called like somebody else of `[people]`.
    """
    user = os_user()
    names = [name for name, person in config.people.items() if person.os_user == user]
    if not names and user in config.people:
        raise Conflict(
            t("The account {user} is called like somebody else of [people].", user=user),
            hint=t("Give [people.{user}] in {path} another name.", user=user, path=config.path),
        )
    return names[0] if names else user


def roles_of(config: Config, name: str) -> tuple[Role, ...]:
    """What `name` is here. Without `[people]` everybody is everything; with it, an account that
    does not stand there may write and no more."""
    if not config.people:
        return ALL_BUT_AUDIT
    person = config.people.get(name)
    return person.roles if person else (Role.AUTHOR,)


def who_may(config: Config, deed: Deed, urgency: str = "normal") -> list[str]:
    """The names of `[people]` who may do it."""
    roles = set(config.policy.roles_for(deed, urgency))
    return [name for name, person in config.people.items() if roles & set(person.roles)]


def require(config: Config, name: str, deed: Deed, urgency: str = "normal") -> None:
    """Raises Conflict unless `name` may do it to an announcement of this urgency."""
    allowed = config.policy.roles_for(deed, urgency)
    if set(allowed) & set(roles_of(config, name)):
        return
    known = name in config.people
    what = deed_word(deed)
    raise Conflict(
        t("{name} may not {what} here.", name=name, what=what)
        if known
        else t("{name} is not among the [people] who may {what}.", name=name, what=what),
        hint=t(
            "May: {names}. It takes a role in [people.NAME] of {path}: {roles}.",
            names=", ".join(who_may(config, deed, urgency)) or t("nobody"),
            roles=f" {t('or')} ".join(role_word(role) for role in allowed),
            path=config.path,
        ),
    )


def may_approve(config: Config, author: str) -> list[str]:
    """Who of `[people]` may approve what `author` wrote."""
    alone = not is_four_eyes(config.people)
    return [name for name in who_may(config, Deed.APPROVE) if alone or name != author]


def require_another(config: Config, name: str, author: str) -> None:
    """Raises Conflict when `name` wrote it, and `[people]` has somebody else."""
    if name != author or not is_four_eyes(config.people):
        return
    raise Conflict(
        t("You wrote it, so somebody else approves it. That holds for everybody."),
        hint=t("May approve it: {names}.", names=", ".join(may_approve(config, author))),
    )


def title_of(config: Config, name: str) -> str:
    """The office title of `name`, as it may be shown; "" when there is none."""
    person = config.people.get(name)
    return person.title if person else ""

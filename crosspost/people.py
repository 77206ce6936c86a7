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
from crosspost.wording import t


def os_user() -> str:
    """The account that runs this process, by its uid (the environment can be set by anyone)."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid-{os.getuid()}"


def current_person(config: Config) -> str:
    """The name for the record: of `[people]` if this account stands there, else the account's."""
    user = os_user()
    names = [name for name, person in config.people.items() if person.os_user == user]
    return names[0] if names else user


def require_approver(config: Config, name: str) -> None:
    """Raises Conflict unless `name` may approve: anybody of `[people]`, or anybody at all when
    nobody is configured."""
    if config.people and name not in config.people:
        raise Conflict(
            t("{name} is not among the [people] who may approve.", name=name),
            hint=t(
                "May approve: {names}. To add somebody, write [people.NAME] into {path}.",
                names=", ".join(config.people),
                path=config.path,
            ),
        )

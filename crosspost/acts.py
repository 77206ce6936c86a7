"""What a delivery does on its channel, and how what is public there is set right.

Pure. It must not know platforms but by their `Capabilities`, nor databases.
"""

from __future__ import annotations

from enum import StrEnum

from crosspost.post import Capabilities
from crosspost.wording import t


class Act(StrEnum):
    """What a delivery does; stored with it."""

    PUBLISH = "publish"  # a post of its own: an announcement, a page, a notice
    EDIT = "edit"  # another text into what is public, where readers see that it was edited
    REPLY = "reply"  # an answer to what is public
    DELETE = "delete"  # what is public is taken down


#: Done twice, they are done: no doubt about them needs evidence, they are done again.
REPEATABLE = frozenset({Act.EDIT, Act.DELETE})


def is_repeatable(act: str) -> bool:
    """Whether an act of this kind may simply be done again when its answer was lost."""
    return act in REPEATABLE


def steps(can: Capabilities, *, fits: bool) -> tuple[Act, ...]:
    """How a channel sets right what is public there, in order; the most honest way that it has.

    `fits`: the new text has as many posts as the old one, so that each can be put into one.
    """
    if can.edit and can.shows_edits and fits:
        return (Act.EDIT,)
    if can.threads:
        return (Act.REPLY,)
    if can.delete:
        return (Act.DELETE, Act.PUBLISH)
    return (Act.PUBLISH,)


def act_word(act: str) -> str:
    """An act as an admin reads it."""
    return {
        "publish": t("a new post"),
        "edit": t("edited in place; readers see that it was edited"),
        "reply": t("an answer under it"),
        "delete": t("taken down"),
    }[act]

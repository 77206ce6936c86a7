"""`[policy]` and `[people]` of crosspost.toml: the roles, and which of them may do what.

Pure. It must not know who is at the terminal (`people.py`) or any announcement.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from itertools import combinations
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from crosspost.wording import t

#: A public key as OpenSSH writes it: type, base64, and a comment that does not count.
PUBLIC_KEY = r"((?:sk-)?(?:ssh|ecdsa)-[a-z0-9@.-]+) ([A-Za-z0-9+/]+=*)(?: .*)?"


class Role(StrEnum):
    """What a person is in the office; one person may have several."""

    AUTHOR = "author"  # writes
    APPROVER = "approver"  # reads what others wrote, and says yes or no
    PUBLISHER = "publisher"  # sees to the running: retry, resolve, hold
    AUDITOR = "auditor"  # looks at everything, changes nothing


class Deed(StrEnum):
    """What a role is needed for."""

    WRITE = "write"  # add, edit, submit
    APPROVE = "approve"  # approve, reject, countersign
    EMERGENCY = "emergency"  # publish now, and be reviewed afterwards
    PLAN = "plan"  # cancel, reschedule
    RUN = "run"  # retry, resolve
    CONFIRM = "confirm"  # restore
    HOLD = "hold"
    RESUME = "resume"
    CORRECT = "correct"
    RETRACT = "retract"
    REDACT = "redact"  # erasure by law
    KEY = "key"  # log init, log rotate: by whoever may read the key's file, as the disk decides


_A, _P, _R = Role.AUTHOR, Role.APPROVER, Role.PUBLISHER

#: The roles of a person who has no `roles`, and everybody's in an office without `[people]`.
ALL_BUT_AUDIT = (_A, _P, _R)
#: Who may do what does not hang on the announcement's class.
_FIRM: Mapping[Deed, tuple[Role, ...]] = {
    Deed.WRITE: (_A,),
    Deed.APPROVE: (_P,),
    Deed.EMERGENCY: (_P, _R),
    Deed.PLAN: (_A, _P, _R),
    Deed.RUN: (_P, _R),
    Deed.CONFIRM: (_P, _R),
    Deed.REDACT: (_P,),
    Deed.KEY: ALL_BUT_AUDIT,
}


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Roles = tuple[Role, ...]
Approvals = Annotated[int, Field(ge=0, le=2)]


class Rules(_Section):
    """`[policy.normal]`, `[policy.urgent]`: what differs for one class of announcements."""

    approvals: Approvals | None = None
    correct: Roles | None = None
    retract: Roles | None = None


class Policy(_Section):
    """`[policy]`: what must happen before publishing, by whom, and how late is too late."""

    approvals: Approvals = 1  # by so many different people
    signed: bool = False  # an approval is an SSH signature, which the daemon verifies
    hold: Roles = ALL_BUT_AUDIT
    resume: Roles = (_P, _R)
    correct: Roles = (_A,)
    retract: Roles = (_A, _P)
    normal: Rules = Rules()
    urgent: Rules = Rules()
    late_after_minutes: int = Field(default=120, ge=1)
    urgent_late_after_minutes: int = Field(default=24 * 60, ge=1)

    def grace(self, urgency: str) -> timedelta:
        """How long after its time an announcement of this urgency may still go out."""
        urgent = urgency == "urgent"
        return timedelta(
            minutes=self.urgent_late_after_minutes if urgent else self.late_after_minutes
        )

    def rules(self, urgency: str) -> Rules:
        """What is special for announcements of this urgency."""
        return self.urgent if urgency == "urgent" else self.normal

    def needed(self, urgency: str) -> int:
        """How many approvals an announcement of this urgency needs."""
        own = self.rules(urgency).approvals
        return self.approvals if own is None else own

    def roles_for(self, deed: Deed, urgency: str = "normal") -> Roles:
        """The roles that may do it, to an announcement of this urgency."""
        match deed:
            case Deed.HOLD:
                return self.hold
            case Deed.RESUME:
                return self.resume
            case Deed.CORRECT:
                return self.rules(urgency).correct or self.correct
            case Deed.RETRACT:
                return self.rules(urgency).retract or self.retract
        return _FIRM[deed]


def _public_key(line: str) -> str:
    match = re.fullmatch(PUBLIC_KEY, line.strip())
    if match is None:
        raise ValueError(t('write a public key as it stands in a .pub file: "ssh-ed25519 AAAA..."'))
    return f"{match[1]} {match[2]}"


class Person(_Section):
    """`[people.NAME]`: somebody of the office."""

    os_user: str  # the account on this machine, as `whoami` prints it
    title: str = ""  # office title, as it may be shown to the public
    roles: Roles = ALL_BUT_AUDIT
    ssh_keys: tuple[Annotated[str, AfterValidator(_public_key)], ...] = ()  # for signed approvals


def is_four_eyes(people: Mapping[str, Person]) -> bool:
    """Whether there is a second one, so that nobody approves what they wrote. No exemption."""
    return len(people) > 1


def problems(policy: Policy, people: Mapping[str, Person]) -> list[str]:
    """Why an announcement could never be approved, or be approved twice by one person."""
    found = [*_twins(people)]
    if policy.signed:
        found += _unsigned(policy, people)
    for urgency in ("normal", "urgent"):
        found += _stuck(policy.needed(urgency), people)
    return list(dict.fromkeys(found))


def _twins(people: Mapping[str, Person]) -> list[str]:
    """One account, or one key, is one person."""
    found = []
    for (one, his), (other, hers) in combinations(people.items(), 2):
        if his.os_user == hers.os_user:
            said = {"one": one, "other": other, "account": his.os_user}
            found.append(t("[people]: {one} and {other} have the same account {account}.", **said))
        if set(his.ssh_keys) & set(hers.ssh_keys):
            found.append(t("[people]: {one} and {other} have the same key.", one=one, other=other))
    return found


def _unsigned(policy: Policy, people: Mapping[str, Person]) -> list[str]:
    found = []
    if not all(policy.needed(urgency) for urgency in ("normal", "urgent")):
        found.append(t("policy.signed: with 0 approvals there is nothing to sign."))
    if not people:
        found.append(t("policy.signed: write [people.NAME] with ssh_keys for who approves."))
    found += [
        t("people.{name}.ssh_keys: needed, because policy.signed is true.", name=name)
        for name, person in people.items()
        if Role.APPROVER in person.roles and not person.ssh_keys
    ]
    return found


def _stuck(needed: int, people: Mapping[str, Person]) -> list[str]:
    """Authors whose announcements nobody could approve."""
    if not people:
        return []
    approvers = {name for name, person in people.items() if Role.APPROVER in person.roles}
    authors = [name for name, person in people.items() if Role.AUTHOR in person.roles]
    found = []
    for author in authors if is_four_eyes(people) else []:
        others = approvers - {author}
        if len(others) < needed:
            said = {"author": author, "needed": needed, "others": len(others)}
            found.append(
                t(
                    "[people]: what {author} writes needs {needed} approvals by others, "
                    "and {others} others may approve.",
                    **said,
                )
            )
    if len(approvers) < needed and not found:
        said = {"needed": needed, "found": len(approvers)}
        found.append(t("[people]: {needed} approvals are needed, and {found} may approve.", **said))
    return found


def role_word(role: Role) -> str:
    """A role as an admin reads it."""
    return {
        "author": t("author"),
        "approver": t("approver"),
        "publisher": t("publisher"),
        "auditor": t("auditor"),
    }[role.value]


def deed_word(deed: Deed) -> str:
    """What is done, after "may not"."""
    return {
        "write": t("write announcements"),
        "approve": t("approve"),
        "emergency": t("publish without approval in an emergency"),
        "plan": t("change the time of announcements or take them back"),
        "run": t("decide on deliveries in trouble"),
        "confirm": t("confirm a database that was put back"),
        "hold": t("put channels on hold"),
        "resume": t("let channels go on"),
        "correct": t("correct this"),
        "retract": t("withdraw this"),
        "redact": t("erase anything"),
        "key": t("make or exchange the key of the record"),
    }[deed.value]

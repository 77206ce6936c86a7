"""Strong mode: before anything is sent, the signatures of those who approved it are verified.

So that somebody who can write to the database still cannot make the office speak. Pure but for the
verifier that is passed in; it must not read or write rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crosspost import signing
from crosspost.config import Config
from crosspost.people import may_approve, who_may
from crosspost.policy import Deed
from crosspost.tables import Approval, Revision
from crosspost.wording import t

#: digest, namespace, signature, public keys -> whether it verifies.
Verify = Callable[[str, str, str, Sequence[str]], bool]


def lacking(
    config: Config, revision: Revision, digest: str, rows: Sequence[Approval], verify: Verify
) -> str:
    """Why the approvals of `digest` do not suffice, in words; "" when they do.

    Believed is what verifies: by a key of somebody who may, of different people, none of them the
    author. `revision` must be what the manifest says (`binding.departure`).
    """
    needed = config.policy.needed(revision.urgency)
    verified = set()
    for row in rows:
        namespace = signing.EMERGENCY if row.emergency else signing.APPROVAL
        person = config.people.get(row.by)
        keys = person.ssh_keys if person else ()
        if row.digest != digest or row.by not in _allowed(config, revision, row.emergency):
            continue
        if verify(digest, namespace, row.signature, keys):
            if row.emergency:
                return ""
            verified.add(row.by)
    if len(verified) >= needed:
        return ""
    return t(
        "It has {found} of {needed} signed approvals that verify: the approval was forged, or a "
        "key was changed.",
        found=len(verified),
        needed=needed,
    )


def _allowed(config: Config, revision: Revision, emergency: bool) -> list[str]:
    if emergency:
        return who_may(config, Deed.EMERGENCY)
    return may_approve(config, revision.created_by)

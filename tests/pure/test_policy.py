"""A configuration in which four eyes cannot be had, or are two, is refused with a sentence."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from crosspost.policy import Deed, Person, Policy, Role, Rules, problems
from crosspost.wording import language, set_language

AUTHOR, APPROVER, BOTH = (Role.AUTHOR,), (Role.APPROVER,), (Role.AUTHOR, Role.APPROVER)
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIwzZ8pYq8yQ4p4pW0pA0dW9pX7m1v2aY3mYbF5hC0Jd"


@pytest.fixture(autouse=True)
def _english():
    before = language()
    set_language("en")
    yield
    set_language(before)


def people(**roles):
    return {name: Person(os_user=name.lower(), roles=given) for name, given in roles.items()}


@pytest.mark.parametrize(
    ("policy", "who", "said"),
    [
        ({}, {}, []),
        ({}, people(Siti=BOTH), []),
        ({}, people(Siti=AUTHOR, Budi=APPROVER), []),
        ({"approvals": 0}, people(Siti=AUTHOR), []),
        ({"approvals": 2}, people(Siti=AUTHOR, Budi=APPROVER, Rahma=APPROVER), []),
        ({}, people(Siti=AUTHOR), ["1 approvals are needed, and 0 may approve"]),
        ({}, people(Siti=AUTHOR, Budi=AUTHOR), ["what Siti writes", "what Budi writes"]),
        ({}, people(Siti=BOTH, Budi=AUTHOR), ["what Siti writes needs 1 approvals by others"]),
        ({"approvals": 2}, people(Siti=BOTH, Budi=BOTH), ["and 1 others may", "and 1 others may"]),
        (
            {"urgent": Rules(approvals=2)},
            people(Siti=AUTHOR, Budi=APPROVER),
            ["what Siti writes needs 2 approvals"],
        ),
        ({"approvals": 2}, people(Siti=BOTH), ["2 approvals are needed, and 1 may approve"]),
        ({"signed": True, "approvals": 0}, {}, ["nothing to sign", "write [people.NAME]"]),
        ({"signed": True}, people(Siti=BOTH), ["people.Siti.ssh_keys: needed"]),
    ],
)
def test_what_could_never_be_approved_is_told(policy, who, said):
    found = problems(Policy(**policy), who)
    assert len(found) == len(said)
    for sentence, part in zip(found, said, strict=True):
        assert part in sentence


def test_one_account_or_one_key_is_one_person():
    siti = Person(os_user="siti", ssh_keys=(KEY + " siti@desk",))
    budi = Person(os_user="siti", ssh_keys=(KEY + " budi@desk",))
    found = problems(Policy(), {"Siti": siti, "Budi": budi})
    assert [sentence.split(" have ")[1] for sentence in found] == [
        "the same account siti.",
        "the same key.",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "AAAA",
        "ssh-ed25519",
        'cert-authority,namespaces="x" ' + KEY,
        KEY + "\nssh-ed25519 AAAA",
        "* " + KEY,
        "-----BEGIN OPENSSH PRIVATE KEY-----",
    ],
)
def test_what_is_no_public_key_is_refused(line):
    with pytest.raises(ValidationError, match="write a public key"):
        Person(os_user="siti", ssh_keys=(line,))


def test_a_hardware_key_is_a_key_and_its_comment_does_not_count():
    key = "sk-ssh-ed25519@openssh.com AAAAGnNr"
    assert Person(os_user="siti", ssh_keys=(f"{key} on my ring",)).ssh_keys == (key,)


def test_a_class_may_have_its_own_roles():
    policy = Policy(retract=APPROVER, urgent=Rules(retract=AUTHOR))
    assert policy.roles_for(Deed.RETRACT, "urgent") == AUTHOR
    assert policy.roles_for(Deed.RETRACT, "normal") == APPROVER


@pytest.mark.parametrize("deed", Deed)
def test_no_deed_is_open_to_an_auditor(deed):
    assert Role.AUDITOR not in Policy().roles_for(deed)

"""Where approvals are signed, whoever can write to the database still cannot make the office speak.

The signatures are real, made by `ssh-keygen` with keys made for the test.
"""

from __future__ import annotations

import os
import subprocess

import pytest
from desk import config_in, doing, later, stored
from drafted import statuses
from scripted import send
from sqlalchemy import text

from crosspost import approvals, emergencies, queue, signing
from crosspost.errors import ConfigError, Conflict
from crosspost.lifecycle import Status
from crosspost.policy import Person, Role
from crosspost.signing import APPROVAL, EMERGENCY, Verifier, key_file, sign, verifies
from crosspost.tables import Approval

DIGEST = "ab" * 32


def new_key(folder, name):
    path = folder / name
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
    subprocess.run(command, check=True, timeout=30)
    return path


def public(path):
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keys")
    return {name: new_key(folder, name) for name in ("siti", "budi", "rahma", "thief")}


@pytest.fixture
def config(tmp_path, keys):
    """Siti writes, Budi and Rahma approve, each with a key."""
    made = config_in(tmp_path, "alpha", "beta", "web", signed=True)
    both = (Role.AUTHOR, Role.APPROVER)
    people = {
        "Siti": Person(os_user="siti", roles=both, ssh_keys=(public(keys["siti"]),)),
        "Budi": Person(os_user="budi", roles=both, ssh_keys=(public(keys["budi"]),)),
        "Rahma": Person(os_user="rahma", roles=both, ssh_keys=(public(keys["rahma"]),)),
    }
    return made.model_copy(update={"people": people})


def signer(key):
    return lambda digest, namespace: sign(digest, namespace, key)


@pytest.fixture
def approved(database, config, keys, added):
    approvals.approve(database, config, added, doing("Budi"), sign=signer(keys["budi"]))
    return added


def run(database, bench):
    """What is due is claimed and sent, as far as it goes; the deliveries afterwards."""
    with database.write() as session:
        claimed = queue.claim(session, (), doing("daemon", later(hours=1)))
    for delivery in claimed:
        send(bench, delivery)
    return [stored(database, delivery) for delivery in claimed]


# --- what goes out --------------------------------------------------------------------------------


def test_what_is_signed_by_an_approver_goes_out(database, bench, platform, approved):
    assert {found.status for found in run(database, bench)} == {Status.PUBLISHED}
    assert len(platform.public) == 2


def test_one_approval_is_verified_once_for_all_its_channels(
    database, bench, platform, approved, monkeypatch
):
    asked = []
    whole = signing.verifies
    monkeypatch.setattr(signing, "verifies", lambda *about: asked.append(about) or whole(*about))
    run(database, bench)
    assert len(platform.public) == 2
    assert len(asked) == 1


#: What somebody does who can write to the database but has no approver's key.
FORGERIES = {
    "an approval without a signature": "UPDATE approval SET signature = ''",
    "another's name under it": "UPDATE approval SET \"by\" = 'Rahma'",
    "the author's name under it": "UPDATE approval SET \"by\" = 'Siti'",
    "nobody's name under it": "UPDATE approval SET \"by\" = 'Eve'",
    "an emergency out of an approval": "UPDATE approval SET emergency = true",
    "a signature that is none": "UPDATE approval SET signature = 'yes'",
    "a signature that was bent": "UPDATE approval SET signature = replace(signature, 'A', 'B')",
    "no approval at all": "DELETE FROM approval",
}


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_approval_publishes_nothing_and_alarms(
    database, bench, platform, approved, forgery
):
    with database.write() as session:
        session.execute(text(forgery))
    for found in run(database, bench):
        assert found.status is Status.HELD
        assert "It has 0 of 1 signed approvals that verify" in found.reason
    assert platform.public == []


@pytest.mark.parametrize("who", ["thief", "siti"])
def test_a_whole_forged_approval_with_a_key_of_no_approver_publishes_nothing(
    database, config, bench, platform, keys, added, who
):
    """Everything the tool writes, written without it: binding, approval, status."""
    with database.write() as session:
        revision = approvals.current_revision(session, added)
        found = queue.bound(session, revision)
        queue.keep(session, revision, found)
        signature = sign(found.digest, APPROVAL, keys[who])
        session.add(
            Approval(
                revision_id=revision.id,
                digest=found.digest,
                by="Budi" if who == "thief" else "Siti",
                at=later(),
                signature=signature,
            )
        )
        approvals.release(session, revision, doing("Budi"))
    assert {found.status for found in run(database, bench)} == {Status.HELD}
    assert platform.public == []


def test_two_rows_of_one_person_are_one_approval(database, config, bench, platform, approved):
    two = config.model_copy(update={"policy": config.policy.model_copy(update={"approvals": 2})})
    bench.config = two
    with database.write() as session:
        session.execute(
            text(
                'INSERT INTO approval (revision_id, digest, "by", at, signature, emergency, '
                'reviewed_by, objected) SELECT revision_id, digest, "by", at, signature, '
                "emergency, reviewed_by, objected FROM approval"
            )
        )
    [found, _] = run(database, bench)
    assert "It has 1 of 2 signed approvals" in found.reason
    assert platform.public == []


def test_an_emergency_is_signed_as_one(database, config, bench, platform, keys, added):
    act = doing("Siti", later(hours=1), note="The dam.")
    emergencies.publish_now(database, config, added, act, sign=signer(keys["siti"]))
    assert {found.status for found in run(database, bench)} == {Status.PUBLISHED}


def test_the_signature_of_an_emergency_is_none_of_an_approval(
    database, config, bench, platform, keys, added
):
    act = doing("Budi", later(hours=1), note="The dam.")
    emergencies.publish_now(database, config, added, act, sign=signer(keys["budi"]))
    with database.write() as session:
        session.execute(text("UPDATE approval SET emergency = false"))
    assert {found.status for found in run(database, bench)} == {Status.HELD}
    assert platform.public == []


# --- approving ------------------------------------------------------------------------------------


def test_without_a_signature_nothing_is_approved(database, config, added):
    with pytest.raises(Conflict, match="signed with a key"):
        approvals.approve(database, config, added, doing("Budi"))
    assert set(statuses(database).values()) == {Status.HELD}


def test_a_signature_by_another_s_key_is_refused_at_once(database, config, keys, added):
    with pytest.raises(Conflict, match="not by a key of Budi"):
        approvals.approve(database, config, added, doing("Budi"), sign=signer(keys["rahma"]))
    assert set(statuses(database).values()) == {Status.HELD}


def test_an_emergency_signature_is_no_approval(database, config, keys, added):
    def wrong(digest, namespace):
        return sign(digest, EMERGENCY, keys["budi"])

    with pytest.raises(Conflict, match="not by a key of Budi"):
        approvals.approve(database, config, added, doing("Budi"), sign=wrong)


# --- signatures -----------------------------------------------------------------------------------


def test_a_signature_is_over_one_digest_for_one_purpose_by_one_key(keys):
    signature = sign(DIGEST, APPROVAL, keys["budi"])
    good = [public(keys["rahma"]), public(keys["budi"])]
    assert verifies(DIGEST, APPROVAL, signature, good)
    assert not verifies("cd" * 32, APPROVAL, signature, good)
    assert not verifies(DIGEST, EMERGENCY, signature, good)
    assert not verifies(DIGEST, APPROVAL, signature, good[:1])
    assert not verifies(DIGEST, APPROVAL, signature, [])
    assert not verifies(DIGEST, APPROVAL, "\udcff\x00", good)


def test_a_refusal_is_not_remembered_as_a_yes(keys):
    verify, signature = Verifier(), sign(DIGEST, APPROVAL, keys["budi"])
    assert not verify(DIGEST, APPROVAL, signature, [public(keys["rahma"])])
    assert verify(DIGEST, APPROVAL, signature, [public(keys["budi"])])
    assert verify(DIGEST, APPROVAL, signature, [public(keys["budi"])])
    assert not verify(DIGEST, APPROVAL, signature, [public(keys["rahma"])])


def test_a_key_in_the_agent_signs(keys, tmp_path, monkeypatch):
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(socket)], stdout=subprocess.PIPE)
    try:
        agent.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        subprocess.run(["ssh-add", "-q", str(keys["budi"])], check=True, timeout=30)
        chosen = key_file([public(keys["budi"])], tmp_path / "no-home", tmp_path)
        signature = sign(DIGEST, APPROVAL, chosen)
    finally:
        agent.terminate()
        agent.communicate(timeout=10)
    assert verifies(DIGEST, APPROVAL, signature, [public(keys["budi"])])


def test_the_key_in_the_person_s_folder_is_found_by_its_public_half(keys, tmp_path):
    assert key_file([public(keys["budi"])], keys["budi"].parent, tmp_path) == keys["budi"]
    with pytest.raises(Conflict, match="no ssh_keys"):
        key_file([], keys["budi"].parent, tmp_path)


def test_a_key_that_is_not_there_signs_nothing(tmp_path):
    with pytest.raises(Conflict, match="was not signed"):
        sign(DIGEST, APPROVAL, tmp_path / "nothing")


def test_without_openssh_nothing_is_sent_and_the_sentence_says_so(
    database, bench, platform, approved, monkeypatch
):
    monkeypatch.setenv("PATH", os.devnull)
    with database.write() as session:
        [delivery, _] = queue.claim(session, (), doing("daemon", later(hours=1)))
    with pytest.raises(ConfigError, match="ssh-keygen is not installed"):
        send(bench, delivery)
    assert platform.public == []

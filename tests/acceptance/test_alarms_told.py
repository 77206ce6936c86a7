"""Alarms as an admin and their colleagues meet them."""

from __future__ import annotations

import pytest

from crosspost.testing.loopback import Platform, Reply

GOOD = ("add", "The road is closed on Sunday.", "--title", "Road closed", "--source", "Letter 1")
SECRET = "whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"


class Receiver(Platform):
    """Where alarms arrive, and a channel that refuses everything."""

    def phase_of(self, seen) -> str:
        return "alarm" if seen.path == "/alarms" else "publish"

    def answer(self, seen) -> Reply:
        return Reply(200 if seen.path == "/alarms" else 422, {})

    @property
    def alarms(self) -> list[dict]:
        return [seen.json["data"] for seen in self.seen("alarm")]


@pytest.fixture
def receiver():
    with Receiver() as platform:
        yield platform


@pytest.fixture
def office(desk, receiver):
    with (desk.folder / "crosspost.toml").open("a") as file:
        file.write(
            f'[channels.hook]\nplatform = "webhook"\nurl = "{receiver.url}/in"\n'
            f'secret = "env:HOOK"\n[alarms.webhook]\nurl = "{receiver.url}/alarms"\n'
            'secret = "env:HOOK"\n'
        )
    with (desk.folder / ".env").open("a") as file:
        file.write(f"HOOK={SECRET}\n")
    return desk


def test_a_refusal_is_told_listed_and_read(office, receiver):
    office.run(*GOOD)
    office.run("approve", "1")
    office.run("daemon", "--once")
    [told] = receiver.alarms
    assert told["subject"] == "crosspost, Office: 1 need you"
    assert "#1 hook: failed." in told["text"]
    [alarm] = office.json("alarms", "list")
    assert alarm["told"]
    assert alarm["read"] is None
    office.run("status", code=3)
    assert "Read: 1" in office.run("alarms", "read", "--reason", "Text is being corrected")
    assert "NEEDS YOU" in office.run("status")
    [alarm] = office.json("alarms", "list")
    assert alarm["read_by"] == "Siti"
    acts = [(e["entry"]["kind"], e["note"]) for e in office.json("log", "list")]
    assert ("alarms_read", "Text is being corrected") in acts


def test_cron_tells_that_no_daemon_runs(office, receiver):
    office.run(*GOOD)
    office.run("approve", "1")
    office.run("status", code=3)
    assert receiver.alarms == []
    office.run("status", "--alarm", code=3)
    office.run("status", "--alarm", code=3)
    [told] = receiver.alarms
    assert "no daemon runs: crosspost daemon" in told["text"]


def test_a_test_says_whether_it_arrives(office, receiver):
    assert "webhook: delivered" in office.run("alarms", "test")
    receiver.fault("status:403", on="alarm", times=1)
    said = office.run("alarms", "test", code=1)
    assert "403" in said
    assert "ALARMS:  not delivered by webhook" in office.run("status", code=3)
    office.run("alarms", "test")
    office.run("status")


def test_an_office_without_alarms_is_told_how(desk):
    assert "[alarms.email]" in desk.run("alarms", "test", code=1)


def test_a_damaged_database_is_told_by_the_daemon_that_ends(office, receiver):
    whole = (office.folder / "crosspost.db").read_bytes()
    (office.folder / "crosspost.db").write_bytes(whole[:8192] + b"\xff" * (len(whole) - 8192))
    assert "crosspost restore FILE" in office.run("daemon", "--once", code=1)
    office.run("daemon", "--once", code=1)
    [told] = receiver.alarms
    assert "damaged" in told["text"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('[alarms.email]\nhost = "mail.example"\n', "alarms.email.sender"),
        ('[alarms.webhook]\nurl = "https://a.example"\nsecret = "whsec_x"\n', "no secret may"),
        ('[alarms]\nheartbeat_url = "ping"\n', "alarms.heartbeat_url"),
        ("[alarms]\nrepeat_hours = 0\n", "alarms.repeat_hours"),
        ('[alarms]\nsms = "0812"\n', "alarms.sms"),
        ('[alarms]\nheartbeat_url = "env:NO_SUCH"\n', "NO_SUCH is not set"),
    ],
)
def test_wrong_settings_are_said_with_their_place(desk, lines, said):
    with (desk.folder / "crosspost.toml").open("a") as file:
        file.write(lines)
    assert said in desk.run("daemon", "--once", code=1)

"""The daemon as a process: signals, a second one, a sudden death."""

from __future__ import annotations

import json
import signal
import threading

import pytest

from crosspost.testing.loopback import Platform, Reply

SECRET = "whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"
GOOD = ("add", "The road is closed on Sunday.", "--title", "Road closed", "--source", "Letter 1")


class Hook(Platform):
    """A webhook's receiver that remembers each webhook-id, as a good one does."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}
        self.open = threading.Event()
        self.open.set()

    def phase_of(self, seen) -> str:
        return "publish"

    def answer(self, seen) -> Reply:
        self.open.wait(30)
        name = seen.headers["webhook-id"]
        self.counts[name] = self.counts.get(name, 0) + 1
        return Reply(200, json={"id": name, "url": f"https://hook.example/{name}"})

    @property
    def posts(self):
        return list(self.counts)


@pytest.fixture
def hook():
    with Hook() as platform:
        yield platform


@pytest.fixture
def hooked(desk, hook):
    """The office with a webhook besides its site."""
    with (desk.folder / "crosspost.toml").open("a") as file:
        file.write(
            f'[channels.hook]\nplatform = "webhook"\nurl = "{hook.url}/in"\nsecret = "env:HOOK"\n'
        )
    with (desk.folder / ".env").open("a") as file:
        file.write(f"HOOK={SECRET}\n")
    return desk


def stop(process) -> None:
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0, err


def test_a_queued_announcement_goes_out_while_the_daemon_runs(hooked, hook):
    daemon = hooked.start("daemon", "--log-format", "json")
    try:
        hooked.wait_until(lambda: hooked.json("status")["daemon_runs"])
        hooked.run(*GOOD)
        hooked.run("approve", "1")
        hooked.wait_until(lambda: set(hooked.statuses(1).values()) == {"published"})
    finally:
        daemon.send_signal(signal.SIGTERM)
        _, err = daemon.communicate(timeout=30)
    events = [json.loads(line) for line in err.splitlines()]
    assert [e["channel"] for e in events if e["event"] == "published"] == ["site", "hook"]
    assert all({"at", "level", "message"} <= set(event) for event in events)
    [sent] = hook.requests
    page = hooked.json("show", "1")["page"]
    assert page in sent.body.decode()


def test_a_second_daemon_is_refused(desk):
    first = desk.start("daemon")
    try:
        desk.wait_until(lambda: desk.json("status")["daemon_runs"])
        said = desk.run("daemon", code=1)
        assert str(first.pid) in said
        assert "One is enough" in said
        assert "already" in desk.run("daemon", "--once", code=1)
    finally:
        stop(first)
    assert desk.json("status")["daemon_runs"] is False


def test_sigterm_finishes_the_send_in_hand(hooked, hook):
    hook.open.clear()
    hooked.run(*GOOD)
    hooked.run("approve", "1")
    daemon = hooked.start("daemon")
    hooked.wait_until(lambda: hook.requests)
    daemon.send_signal(signal.SIGTERM)
    hook.open.set()
    daemon.communicate(timeout=30)
    assert hooked.statuses(1)["hook"] == "published"
    assert len(hook.requests) == 1


def test_a_killed_daemon_loses_nothing_and_sends_nothing_twice(hooked, hook):
    hook.fault("stall_after", times=1)
    hooked.run(*GOOD)
    hooked.run("approve", "1")
    daemon = hooked.start("daemon")
    hooked.wait_until(lambda: hook.requests)
    daemon.kill()
    daemon.communicate()
    assert hooked.statuses(1)["hook"] == "publishing"
    second = hooked.start("daemon")
    try:
        hooked.wait_until(lambda: hooked.statuses(1)["hook"] == "published")
    finally:
        stop(second)
    # Sent again, under the same key: the receiver knows that it is one.
    assert len(hook.posts) == 1
    told = hooked.run("why", "1", "--channel", "hook")
    assert "the daemon ended in the middle of it" in told
    assert "under the same key" in told


def test_an_adapter_that_fails_does_not_stop_the_others(hooked, hook):
    hook.fault("status:500", times=99)
    hooked.run(*GOOD)
    hooked.run("approve", "1")
    hooked.run("daemon", "--once")
    assert hooked.statuses(1)["site"] == "published"
    assert hooked.statuses(1)["hook"] == "unconfirmed"
    assert "Do not post by hand" in hooked.run("why", "1")


def test_ctrl_c_ends_it_quietly(desk):
    daemon = desk.start("daemon")
    desk.wait_until(lambda: desk.json("status")["daemon_runs"])
    daemon.send_signal(signal.SIGINT)
    _, err = daemon.communicate(timeout=30)
    assert daemon.returncode == 0
    assert "Traceback" not in err

"""Real daemons that share one PostgreSQL: stopped, killed, cut off, overtaken by newer tables."""

from __future__ import annotations

import re
import signal
from collections import Counter

import pytest
from crew import Crew, Hook
from desk import kinds
from sqlmodel import select

from crosspost.database import Database
from crosspost.lock import daemon_runs
from crosspost.tables import Attempt

pytestmark = pytest.mark.servers


@pytest.fixture
def crew(tmp_path, postgresql_url):
    database = Database(postgresql_url)
    with Hook() as hook:
        made = Crew(tmp_path, database, hook)
        made.found("web")
        yield made
        hook.open.set()
        made.bury()
    database.close()


def sent(crew: Crew) -> list[int]:
    """How often each post arrived."""
    return sorted(Counter(crew.hook.got).values())


def by_whom(crew: Crew) -> set[str]:
    with crew.database.read() as session:
        return set(session.exec(select(Attempt.by)).all())


def in_order(crew: Crew, made: dict[str, list]) -> bool:
    """Whether every channel got its posts in the order of their due times."""
    for channel, deliveries in made.items():
        arrived = [name for where, name in crew.hook.got if where == channel]
        numbers = [int(re.search(rf"{channel}-(\d+)-", name)[1]) for name in arrived]
        if numbers != [delivery.id for delivery in deliveries]:
            return False
    return True


def test_four_daemons_publish_each_delivery_once_and_each_channel_in_order(crew):
    channels = [f"web-{number}" for number in range(8)]
    crew.found(*channels)
    daemons = [crew.start() for _ in range(4)]
    crew.wait(lambda: all("The daemon runs" in crew.log(daemon) for daemon in daemons))
    made = {channel: crew.queue(channel, 10) for channel in channels}
    crew.wait_published()
    assert sent(crew) == [1] * 80
    assert in_order(crew, made)
    assert len(by_whom(crew)) > 1, "one did all the work"
    assert daemon_runs(crew.database)
    assert [crew.end(daemon) for daemon in daemons] == [0] * 4
    assert not daemon_runs(crew.database)


@pytest.mark.parametrize("stop_at", ["claimed", "begun", "taken", "connected"])
def test_a_daemon_stopped_past_its_lease_sends_nothing_and_moves_nothing(crew, stop_at):
    [delivery] = crew.queue("web")
    stopped = crew.start(stop_at=stop_at)
    crew.wait_stopped(stopped)
    assert crew.hook.got == []
    crew.start()
    crew.wait_published()
    stopped.send_signal(signal.SIGCONT)
    crew.wait(lambda: re.search("works th(e|is) channel", crew.log(stopped)) is not None)
    crew.queue("web", 2)  # and the one that goes on is of use again
    crew.wait_published()
    assert sent(crew) == [1, 1, 1], crew.everything_said()
    with crew.database.read() as session:
        assert kinds(session, delivery).count("claimed") <= 2
        assert kinds(session, delivery)[-1] in ("published", "confirmed")


def test_a_daemon_stopped_in_the_middle_of_a_transaction_is_in_nobody_s_way(crew):
    crew.queue("web")
    stopped = crew.start(stop_at="claiming")
    crew.wait_stopped(stopped)
    crew.start()
    crew.wait_published()
    stopped.send_signal(signal.SIGCONT)
    crew.wait(lambda: "cannot be reached" in crew.log(stopped))
    crew.queue("web", 2)
    crew.wait_published()
    assert sent(crew) == [1, 1, 1], crew.everything_said()


def test_an_answer_that_comes_after_the_lease_changes_nothing(crew):
    crew.queue("web")
    stopped = crew.start(stop_at="answered")
    crew.wait_stopped(stopped)
    crew.start()
    crew.wait_published()
    stopped.send_signal(signal.SIGCONT)
    crew.wait(lambda: "another daemon finds out" in crew.log(stopped))
    assert len({name for _, name in crew.hook.got}) == 1  # repeated under its key, at most
    assert crew.statuses() == {"published"}


@pytest.mark.parametrize(
    ("design", "stop_at"), [("without looking", "begun"), ("without fences", "claimed")]
)
def test_a_daemon_that_looks_at_no_lease_is_caught(crew, design, stop_at):
    crew.queue("web")
    stopped = crew.start(stop_at=stop_at, design=design)
    crew.wait_stopped(stopped)
    crew.start()
    crew.wait_published()
    stopped.send_signal(signal.SIGCONT)
    crew.wait(lambda: len(crew.hook.got) == 2)


def test_daemons_that_take_what_others_have_are_caught(crew):
    crew.hook.fault("stall_after")
    crew.queue("web")
    crew.start()
    crew.wait(lambda: len(crew.hook.got) == 1)
    crew.start(design="without leases")
    crew.wait(lambda: sent(crew) == [2])


def test_what_a_killed_daemon_had_in_hand_is_taken_over_when_its_lease_ends(crew):
    crew.hook.open.clear()
    [delivery] = crew.queue("web")
    killed = crew.start()
    crew.wait(lambda: len(crew.hook.got) == 1)
    other = crew.start()
    crew.wait(lambda: "The daemon runs" in crew.log(other))
    assert crew.statuses() == {"publishing"}
    killed.kill()
    crew.hook.open.set()
    crew.wait_published()
    assert "taken over from a daemon that ended" in crew.log(other)
    assert len({name for _, name in crew.hook.got}) == 1
    with crew.database.read() as session:
        assert "doubted" in kinds(session, delivery)


def test_a_connection_cut_while_sending_costs_nothing(crew, postgres_server):
    crew.hook.open.clear()
    [delivery] = crew.queue("web")
    daemon = crew.start()
    crew.wait(lambda: len(crew.hook.got) == 1)
    crew.database.close()  # its own connections are not what is cut here
    assert postgres_server.cut("office") >= 1
    crew.hook.open.set()
    crew.wait_published()
    crew.queue("web", 3)
    crew.wait_published()
    assert sent(crew) == [1] * 4
    assert crew.end(daemon) == 0
    with crew.database.read() as session:
        assert kinds(session, delivery)[-3:] == ["claimed", "publishing", "published"]


def test_a_server_that_is_away_for_a_while_is_waited_for(crew, postgres_server):
    daemon = crew.start()
    crew.wait(lambda: "The daemon runs" in crew.log(daemon))
    postgres_server.stop()
    crew.wait(lambda: "cannot be reached" in crew.log(daemon))
    postgres_server.start()
    crew.queue("web", 2)
    crew.wait_published()
    assert sent(crew) == [1, 1]
    assert crew.end(daemon) == 0


def test_tables_of_a_newer_crosspost_stop_a_daemon_before_it_sends(crew, postgres_server):
    daemon = crew.start()
    crew.wait(lambda: "The daemon runs" in crew.log(daemon))
    daemon.send_signal(signal.SIGSTOP)
    crew.queue("web")
    postgres_server.do("UPDATE alembic_version SET version_num = '9999'", "office")
    daemon.send_signal(signal.SIGCONT)
    assert daemon.wait(60) == 1
    assert "install that one here too" in crew.log(daemon)
    assert crew.hook.got == []


def test_a_call_wakes_a_daemon_long_before_it_would_look_by_itself(crew, monkeypatch):
    crew.found("web", lease=600)
    monkeypatch.setattr("crew.PATIENCE", 15.0)
    daemon = crew.start()
    crew.wait(lambda: "The daemon runs" in crew.log(daemon))
    for _ in range(3):
        crew.queue("web")
        crew.wait_published()


def test_a_daemon_that_nobody_calls_looks_all_the_same(crew, postgres_server):
    daemon = crew.start()
    crew.wait(lambda: "The daemon runs" in crew.log(daemon))
    postgres_server.do("ALTER TABLE delivery DISABLE TRIGGER delivery_calls", "office")
    try:
        crew.queue("web")
        crew.wait_published()
    finally:
        postgres_server.do("ALTER TABLE delivery ENABLE TRIGGER delivery_calls", "office")

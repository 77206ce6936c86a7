"""Who is told of trouble, by real messages to a real receiver and a real mail server."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from case_email import LIST, EmailCase, MailServer
from case_webhook import SECRET, FakeReceiver, WebhookCase
from desk import doing, failed, in_review, kinds, later, missed, published, scheduled, status_of
from pydantic import SecretStr
from standardwebhooks import Webhook

from crosspost import holds, outcomes, queue, rests, sightings, watchman
from crosspost.adapters.telling import ping
from crosspost.config import Alarms
from crosspost.daemon import Daemon
from crosspost.database import Database
from crosspost.errors import DaemonRunning, DatabaseError
from crosspost.lifecycle import Status
from crosspost.tables import AlarmState, OfficeState
from crosspost.testing.loopback import Platform, Reply
from crosspost.views import Views
from crosspost.watchman import Watchman, last_words


class Receiver(FakeReceiver):
    """Takes alarms too, and keeps them; whatever time it is, since the test has its own."""

    def answer(self, seen) -> Reply:
        at = datetime.fromtimestamp(int(seen.headers["webhook-timestamp"]), UTC)
        good = Webhook(self.secret).sign(seen.headers["webhook-id"], at, seen.body.decode())
        if seen.headers["webhook-signature"] != good:
            return Reply(401, {"error": "the signature is not valid"})
        self.events.setdefault(seen.headers["webhook-id"], seen.json)
        return Reply(200, {})

    def phase_of(self, seen) -> str:
        return "alarm" if seen.json.get("type") == "crosspost.alarm" else super().phase_of(seen)

    @property
    def texts(self) -> list[str]:
        return [event["data"]["text"] for event in self.events.values()]


@pytest.fixture
def receiver():
    with Receiver() as platform:
        yield platform


@pytest.fixture
def by_webhook(config, receiver):
    """The office, with alarms to the receiver."""
    alarms = Alarms(webhook=WebhookCase().options(receiver))
    return config.model_copy(update={"alarms": alarms})


@pytest.fixture
def look(database, by_webhook, clock):
    """Look so many seconds after NOW."""

    def once(seconds: float = 0, daemon: bool | None = True) -> None:
        clock.time = later(seconds)
        Watchman(database, by_webhook, clock).look(daemon=daemon)

    return once


def make(database: Database, how, **about):
    with database.write() as session:
        return how(session, **about)


MINUTE, DAY = 60, 86_400


def test_each_trouble_is_told_once_and_repeated_daily_until_it_is_read(database, look, receiver):
    delivery = make(database, failed)
    for seconds in (0, 30, 3600):
        look(seconds)
    [text] = receiver.texts
    assert "#1 web: failed. Not this. Look: crosspost why 1" in text
    look(DAY)
    assert len(receiver.texts) == 2
    with database.write() as session:
        row = queue.get_delivery(session, delivery.id)
        assert row.status is Status.FAILED
        found = [sightings.Alarm(key, "") for key in sightings.remembered(session)]
        assert sightings.read(session, found, doing("Siti", later(DAY + 60))) == 1
        assert kinds(session)[-1] == "alarms_read"
    look(9 * DAY)
    assert len(receiver.texts) == 2


def test_many_at_once_are_one_message_and_the_next_ones_wait(database, look, receiver):
    for how in (failed, missed, in_review):
        make(database, how)
    look()
    assert len(receiver.texts) == 1
    assert receiver.texts[0].count("crosspost why") == 3
    for number in range(30):
        make(database, failed)
        look(10 * (number + 1))
    assert len(receiver.texts) == 1
    look(10 * MINUTE)
    assert len(receiver.texts) == 2
    assert "and 10 more" in receiver.texts[1]


def test_what_is_well_is_not_told(database, look, receiver):
    make(database, published)
    make(database, scheduled, due=later(DAY))
    look()
    assert receiver.texts == []


def test_a_paused_channel_and_a_missing_daemon_are_told(database, look, receiver):
    make(database, scheduled, due=later(60))
    with database.write() as session:
        rests.pause(session, "web", later(900), "The token was refused.")
    look(61, daemon=False)
    [text] = receiver.texts
    assert "web is paused: The token was refused. Look: crosspost channels check web" in text
    assert "No daemon runs, and announcements wait for it: crosspost daemon" in text


def test_a_pause_that_comes_and_goes_is_one_alarm(database, look, receiver):
    for minutes in range(0, 180, 15):
        with database.write() as session:
            rests.pause(session, "web", later(minutes * 60 + 900), "Refused.")
        look(minutes * 60)
        look(minutes * 60 + 890)
        with database.write() as session:
            holds.unpause(session, "web")
        look(minutes * 60 + 899)
    assert len(receiver.texts) == 1


def test_an_old_failure_is_no_alarm(database, look, receiver):
    make(database, failed)
    look(100 * DAY)
    assert receiver.texts == []


def test_an_older_copy_of_the_database_is_told(database, look, receiver):
    with database.write() as session:
        value = json.dumps({"at": "2026-11-23T08:00:00.000000Z"})
        session.add(OfficeState(name="copy", value=value))
    look()
    assert "is a copy of 2026-11-23 08:00 UTC" in receiver.texts[0]
    assert "crosspost restore" in receiver.texts[0]


def test_a_clock_that_jumped_is_told(database, look, receiver):
    with database.write() as session:
        holds.doubt_clock(session, "The clock jumped by 3600 seconds.", doing("daemon"))
    look()
    assert "The clock jumped by 3600 seconds. Nothing is sent" in receiver.texts[0]


def test_two_daemons_tell_one_alarm_once(database, by_webhook, clock, receiver):
    make(database, failed)
    first, second = (Watchman(database, by_webhook, clock) for _ in range(2))
    whole = first._note

    def meanwhile(*arguments):
        second.look(daemon=True)
        return whole(*arguments)

    first._note = meanwhile
    first.look(daemon=True)
    assert len(receiver.texts) == 1


# --- when telling fails ---------------------------------------------------------------------------


def test_what_could_not_be_delivered_is_tried_again_logged_and_shown(
    database, by_webhook, look, receiver, caplog
):
    make(database, failed)
    receiver.fault("status:503", on="alarm", times=1)
    look()
    assert receiver.texts == []
    assert any(getattr(record, "event", "") == "alarm" for record in caplog.records)
    with database.read() as session:
        about = Views(session, by_webhook).status(later(0), daemon=True)
        [alarm] = Views(session, by_webhook).alarms(later(0), daemon=True)
    assert list(about["broken_alarms"]) == ["webhook"]
    assert alarm["told"] is None
    look(MINUTE)
    assert receiver.texts == []
    look(11 * MINUTE)
    assert len(receiver.texts) == 1
    with database.read() as session:
        assert Views(session, by_webhook).status(later(0), daemon=True)["broken_alarms"] == {}


@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "garbage", "html", "half_body"])
def test_no_way_of_failing_hurts_the_daemon(database, by_webhook, clock, receiver, platform, fault):
    make(database, failed)
    [due] = [make(database, scheduled)]
    receiver.fault(fault, on="alarm", times=9)
    clock.time = later(1)
    Daemon(database, by_webhook, now=clock).run_once()
    assert status_of(database, due) is Status.PUBLISHED


def test_a_fault_of_ours_in_an_alarm_hurts_nobody(database, look, monkeypatch, caplog):
    make(database, failed)
    monkeypatch.setattr(watchman.alarms, "message", lambda *_: 1 / 0)
    look()
    assert any(getattr(record, "event", "") == "alarm" for record in caplog.records)


def test_no_secret_is_in_log_row_or_message(database, by_webhook, look, receiver, caplog):
    make(database, failed)
    receiver.secret = "whsec_" + "QUFB" * 10
    look()
    with database.read() as session:
        kept = session.get_one(OfficeState, sightings.WAYS).value
    assert SECRET not in caplog.text + kept
    assert by_webhook.alarms.webhook["url"] not in caplog.text + kept


def test_without_a_way_nothing_is_told_and_later_all_of_it_is(
    database, config, by_webhook, clock, receiver
):
    make(database, failed)
    Watchman(database, config, clock).look(daemon=True)
    with database.read() as session:
        assert [row.tried_at for row in sightings.remembered(session).values()] == [None]
    Watchman(database, by_webhook, clock).look(daemon=True)
    assert len(receiver.texts) == 1


def test_both_ways_are_used_and_one_is_enough(database, by_webhook, clock, receiver):
    make(database, failed)
    with MailServer() as server:
        server.replies["RCPT"] = "550 No such user"
        alarms = by_webhook.alarms.model_copy(update={"email": EmailCase().options(server)})
        both = by_webhook.model_copy(update={"alarms": alarms})
        Watchman(database, both, clock).look(daemon=True)
        assert len(receiver.texts) == 1
        with database.read() as session:
            [row] = sightings.remembered(session).values()
            assert row.told_at == later(0)
            assert list(sightings.broken_ways(session, both)) == ["email"]


def test_an_alarm_by_e_mail_reads_like_a_letter(database, config, clock):
    make(database, failed)
    with MailServer() as server:
        alarms = Alarms(email=EmailCase().options(server))
        office = config.model_copy(update={"alarms": alarms})
        Watchman(database, office, clock).look(daemon=True)
        [message] = server.messages
        [(recipients, _)] = server.taken
    assert recipients == [LIST]
    assert message["Subject"] == "crosspost, Office: 1 need you"
    plain = message.get_body(("plain",)).get_content()
    assert "#1 web: failed. Not this. Look: crosspost why 1" in plain


# --- the daemon and what is outside of it ---------------------------------------------------------


def test_the_daemon_tells_by_itself(database, by_webhook, clock, receiver, platform):
    make(database, missed)
    clock.time = later(3 * 3600)
    Daemon(database, by_webhook, now=clock).run_once()
    assert len(receiver.texts) == 1


def test_a_daemon_that_waits_for_a_yes_to_a_restored_database_tells_so(
    database, by_webhook, clock, receiver, monkeypatch
):
    with database.write() as session:
        value = json.dumps({"at": "2026-11-23T08:00:00.000000Z"})
        session.add(OfficeState(name="copy", value=value))
    daemon = Daemon(database, by_webhook, now=clock)
    whole = daemon.watchman.look

    def look_and_end(**about) -> None:
        whole(**about)
        daemon.stop()

    monkeypatch.setattr(daemon.watchman, "look", look_and_end)
    daemon.run()
    [told] = receiver.texts
    assert "is a copy of 2026-11-23 08:00 UTC" in told


class Monitor(Platform):
    """An outside monitor that wants to be called."""

    status = 200

    def answer(self, seen) -> Reply:
        return Reply(self.status, body=b"OK")


@pytest.fixture
def monitor():
    with Monitor() as platform:
        yield platform


def test_the_heartbeat_beats_after_a_healthy_look_only(
    database, config, clock, platform, monitor, monkeypatch
):
    alarms = Alarms(heartbeat_url=SecretStr(f"{monitor.url}/ping/token-1"))
    office = config.model_copy(update={"alarms": alarms})
    daemon = Daemon(database, office, now=clock)
    daemon._beat()
    assert monitor.requests == []
    daemon.run_once()
    assert [seen.path for seen in monitor.requests] == ["/ping/token-1"]
    clock.time = later(3600)
    daemon._beat()
    assert len(monitor.requests) == 1


def test_a_database_that_refuses_what_has_happened_is_told_and_the_heart_stops(
    database, by_webhook, clock, receiver, platform, monitor, monkeypatch
):
    """The disk is full after the platform's yes: the daemon waits, and people hear of it."""
    url = SecretStr(f"{monitor.url}/ping/token-1")
    alarms = by_webhook.alarms.model_copy(update={"heartbeat_url": url})
    daemon = Daemon(database, by_webhook.model_copy(update={"alarms": alarms}), now=clock)
    delivery = make(database, scheduled)
    whole, tries, beats = outcomes.settle_part, [], []

    def full_for_a_while(*arguments, **more):
        tries.append(1)
        if len(tries) <= 4:
            known, before = bool(daemon.bench.refused), len(monitor.requests)
            daemon._watch_over()
            daemon._beat()
            beats.append((known, len(monitor.requests) - before))
            raise DatabaseError("The disk is full; nothing was changed.", hint="Make room.")
        return whole(*arguments, **more)

    monkeypatch.setattr(outcomes, "settle_part", full_for_a_while)
    daemon.run_once()
    assert status_of(database, delivery) is Status.PUBLISHED
    assert len(platform.public) == 1
    [told] = receiver.texts
    assert told.startswith("The disk is full; nothing was changed. Make room.")
    assert (True, 0) in beats
    assert (True, 1) not in beats
    assert len(monitor.requests) == sum(beat for _, beat in beats) + 1  # all is well again


def test_a_queue_that_cannot_be_read_is_told_and_the_heart_stops(
    database, by_webhook, clock, receiver, monitor, platform, monkeypatch
):
    url = SecretStr(f"{monitor.url}/ping/token-1")
    alarms = by_webhook.alarms.model_copy(update={"heartbeat_url": url})
    daemon = Daemon(database, by_webhook.model_copy(update={"alarms": alarms}), now=clock)
    daemon._tick_safely()
    with monkeypatch.context() as patch:
        patch.setattr(daemon, "tick", lambda: (_ for _ in ()).throw(DatabaseError("No.")))
        for _ in range(3):
            daemon._tick_safely()
            daemon._watch_over()
            daemon._beat()
    assert receiver.texts[0].startswith("No.")
    assert (len(receiver.texts), monitor.requests) == (1, [])
    daemon._tick_safely()
    daemon._beat()
    assert len(monitor.requests) == 1
    daemon.bench.close()


@pytest.mark.parametrize("fault", ["status:500", "reset_before", "garbage", "redirect"])
def test_a_heartbeat_that_fails_is_said_once_and_hurts_nobody(
    database, config, clock, monitor, fault, caplog
):
    alarms = Alarms(heartbeat_url=SecretStr(f"{monitor.url}/ping/token-1"))
    office = config.model_copy(update={"alarms": alarms})
    monitor.fault(fault, on="", times=3)
    keeper = Watchman(database, office, clock)
    for _ in range(3):
        keeper.beat()
    said = [r for r in caplog.records if getattr(r, "event", "") == "heartbeat"]
    assert len(said) == (0 if fault == "garbage" else 1)
    assert "token-1" not in caplog.text
    assert ping(f"{monitor.url}/ping/token-1") == ""


def test_what_ends_the_daemon_is_told_once_a_day(by_webhook, clock, receiver):
    for seconds, told in ((0, 1), (60, 1), (DAY, 2)):
        clock.time = later(seconds)
        with pytest.raises(DatabaseError), last_words(by_webhook, clock):
            raise DatabaseError("The queue database is damaged.", hint="Restore it.")
        assert len(receiver.texts) == told
    assert "The queue database is damaged." in receiver.texts[0]
    with pytest.raises(DatabaseError), last_words(by_webhook, clock):
        raise DatabaseError("The disk is full.")
    assert len(receiver.texts) == 3


def test_a_second_daemon_is_no_alarm_and_an_end_as_asked_neither(by_webhook, clock, receiver):
    with pytest.raises(DaemonRunning), last_words(by_webhook, clock):
        raise DaemonRunning("One is enough.")
    with last_words(by_webhook, clock):
        pass
    assert receiver.texts == []


def test_last_words_that_cannot_be_noted_are_no_flood(by_webhook, clock, receiver, monkeypatch):
    def full(*_arguments) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(watchman, "write_durably", full)
    for _ in range(3):
        with pytest.raises(DatabaseError), last_words(by_webhook, clock):
            raise DatabaseError("The disk is full.")
    assert receiver.texts == []


def test_looking_writes_only_when_something_is_new(database, look):
    make(database, failed)
    look()
    with database.read() as session:
        [before] = sightings.remembered(session).values()
    look(60)
    with database.read() as session:
        [after] = sightings.remembered(session).values()
    assert before.seen_at == after.seen_at
    look(1000)
    with database.read() as session:
        assert session.get_one(AlarmState, before.key).seen_at == later(1000)


def test_what_is_over_is_forgotten_and_what_a_person_gave_up_is_over(database, look, receiver):
    delivery = make(database, in_review)
    look()
    with database.write() as session:
        queue.give_up(session, queue.get_delivery(session, delivery.id), doing(at=later(60)))
    look(120)
    look(120 + 11 * MINUTE)
    assert len(receiver.texts) == 1
    assert timedelta(hours=1) == watchman.alarms.FORGET
    look(7200)
    with database.read() as session:
        assert sightings.remembered(session) == {}

"""Logins of channels: renewed ahead of time, one trouble not the others', their end spoken of."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest
from desk import enqueue

from crosspost import connections, logins
from crosspost.adapters.oauth import OAuthAdapter
from crosspost.config import Channel
from crosspost.errors import AuthRevoked, ConfigError, RetryLater
from crosspost.tables import ChannelState

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def office(config):
    social = {
        name: Channel(name=name, platform="mastodon", options={})
        for name in ("one", "two", "three")
    }
    other = {"web": Channel(name="web", platform="webhook", options={})}
    return config.model_copy(update={"channels": {**social, **other}})


class Renewing(OAuthAdapter):
    """Notes that it was asked, and what it is to say."""

    def __init__(self, trouble=None):
        self.trouble = trouble
        self.asked = 0

    def renew_if_due(self):
        self.asked += 1
        if self.trouble:
            raise self.trouble

    check = measure = publish = None


def test_one_channels_trouble_does_not_keep_the_others_from_renewing(office, caplog):
    adapters = {
        "one": Renewing(AuthRevoked("The login has ended", platform="mastodon")),
        "two": Renewing(RetryLater("The server is away", platform="mastodon")),
        "three": Renewing(),
    }
    with caplog.at_level(logging.WARNING):
        connections.renew(office, adapters.__getitem__)
    assert [adapter.asked for adapter in adapters.values()] == [1, 1, 1]
    assert [(r.levelname, r.channel) for r in caplog.records] == [
        ("ERROR", "one"),
        ("WARNING", "two"),
    ]


def test_a_channel_that_cannot_be_opened_is_a_line_of_the_log(office, caplog):
    def opened(name):
        raise ConfigError(f"{name} is wrong")

    connections.renew(office, opened)
    assert [r.channel for r in caplog.records] == ["one", "two", "three"]


def ending(session, channel, ends):
    session.add(ChannelState(channel=channel, login_ends=ends))
    session.flush()


def test_a_login_is_spoken_of_two_weeks_before_its_end(database):
    with database.write() as session:
        ending(session, "one", NOW + 14 * DAY)
        ending(session, "two", NOW + 15 * DAY)
        ending(session, "three", NOW - DAY)
        session.add(ChannelState(channel="four"))
    with database.read() as session:
        assert [found.channel for found in logins.endings(session, NOW)] == ["three", "one"]


def test_an_end_before_something_is_published_is_spoken_of_at_once(database):
    with database.write() as session:
        delivery = enqueue(session, "one")
        due = delivery.due_at
        ending(session, "one", due - timedelta(hours=1))
    with database.read() as session:
        [found] = logins.endings(session, due - 40 * DAY)
    assert found.late == due
    said = found.sentence(lambda when: f"{when:%Y-%m-%d %H:%M}")
    assert "crosspost channels login one" in said
    assert f"{due:%Y-%m-%d %H:%M}" in said

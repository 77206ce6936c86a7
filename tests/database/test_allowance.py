"""Quotas of channels: counted from our own queue, refused at the desk, waited for by the daemon."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from desk import NOW, begun, doing, enqueue, later, scheduled
from scripted import Scripted

from crosspost import allowance, queue
from crosspost.errors import Conflict
from crosspost.lifecycle import Status
from crosspost.post import Post
from crosspost.quotas import NEVER, Quota

DAY = timedelta(days=1)
CHANNEL = "web"


class Limited(Scripted):
    """Two posts a day, and money."""

    quotas = (
        Quota(Decimal(2), DAY, setting="posts_per_day"),
        Quota(None, "month", unit="USD", setting="budget"),
    )

    @classmethod
    def cost(cls, post, options):
        return Decimal(str(options.get("price", "0.10"))) if post.link else Decimal(0)


@pytest.fixture
def limited(monkeypatch):
    monkeypatch.setattr(allowance, "adapter_class", lambda _platform: Limited)


@pytest.fixture
def channel(config, limited):
    return config.channels[CHANNEL].model_copy(update={"options": {}})


def with_options(channel, **options):
    return channel.model_copy(update={"options": options})


POST = Post("Road closed", "en")
LINKED = Post("Road closed", "en", link="https://office.example/p/a/")


def test_what_was_begun_counts_and_what_was_begun_longer_ago_does_not(session, channel):
    begun(session)
    assert allowance.free_at(session, channel, [POST], later(minutes=1)) is None
    begun(session)
    at = allowance.free_at(session, channel, [POST], later(minutes=1))
    assert NOW < at <= later(days=1)
    assert allowance.free_at(session, channel, [POST], later(days=1, minutes=1)) is None


def test_what_is_queued_to_go_before_counts_at_its_time(session, channel):
    scheduled(session, due=later(hours=1))
    enqueue(session, due=later(hours=2))
    assert allowance.free_at(session, channel, [POST], NOW) is None
    assert allowance.free_at(session, channel, [POST], later(hours=3)) == later(hours=25)


def test_other_channels_do_not_count(session, channel):
    begun(session, "alpha")
    begun(session, "alpha")
    assert allowance.free_at(session, channel, [POST], later(minutes=1)) is None


def test_the_settings_give_another_limit_or_none(session, channel):
    begun(session)
    one, none = with_options(channel, posts_per_day=1), with_options(channel, posts_per_day=0)
    assert allowance.free_at(session, one, [POST], later(minutes=1)) is not None
    begun(session)
    begun(session)
    assert allowance.free_at(session, none, [POST], later(minutes=1)) is None
    assert allowance.quotas_of(none) == []


def test_money_counts_by_what_each_post_costs(session, channel):
    dear = with_options(channel, budget="0.25", posts_per_day=0)
    enqueue(session, posts=[LINKED, LINKED])
    assert allowance.free_at(session, dear, [POST], later(minutes=1)) is None
    assert allowance.free_at(session, dear, [LINKED], later(minutes=1)) is not None
    [standing] = allowance.standings(session, dear, later(minutes=1))
    assert standing.used == Decimal("0.20")
    assert allowance.free_at(session, dear, [LINKED] * 3, NOW) == NEVER


def test_the_desk_refuses_with_the_time_when_it_can_go(session, config, limited):
    enqueue(session, due=later(hours=1))
    enqueue(session, due=later(hours=2))
    third = enqueue(session, due=later(hours=3))
    with pytest.raises(Conflict) as caught:
        allowance.require(session, config, third)
    assert "quota" in str(caught.value)
    assert "24 November 2026 at 17:00" in caught.value.hint
    queue.reschedule(session, third, moment(hours=26), later(hours=30), doing())
    allowance.require(session, config, third)


def moment(**ahead):
    from crosspost.times import moment_of

    return moment_of(later(**ahead), "Asia/Jakarta")


def test_a_delivery_is_not_in_its_own_way(session, config, limited):
    enqueue(session, due=later(hours=1))
    second = enqueue(session, due=later(hours=2))
    allowance.require(session, config, second)


def test_a_channel_that_is_configured_no_longer_is_not_counted(session, config, limited):
    gone = SimpleNamespace(channel="gone", id=1, due_at=NOW)
    allowance.require(session, config, gone)


# --- the daemon -----------------------------------------------------------------------------------


def test_the_daemon_waits_for_the_quota_and_prepares_nothing(
    database, bench, monkeypatch, limited, clock
):
    from crosspost.publisher import publish, with_parts

    adapter = Limited()
    bench._adapters[CHANNEL] = adapter
    with database.write() as session:
        begun(session)
        begun(session)
        third = scheduled(session)
        [claimed] = queue.claim(session, ["alpha", "beta"], doing("daemon"))
        [task] = with_parts(session, claimed)
    adapter.prepares.append(AssertionError("it prepared"))
    publish(bench, task)
    with database.read() as session:
        row = queue.get_delivery(session, third.id)
        assert row.status is Status.SCHEDULED
        assert row.outcome == "quota_exhausted"
        assert row.not_before > NOW
    assert adapter.public == []

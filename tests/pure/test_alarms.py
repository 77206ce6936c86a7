"""Which alarm is told, and when: tables, and what holds in every order of events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crosspost import alarms
from crosspost.alarms import (
    AGAIN,
    FOLD,
    FORGET,
    MOST_LINES,
    Alarm,
    Known,
    Leftover,
    Seen,
    Trouble,
    plan,
)
from crosspost.lifecycle import Status

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def trouble(number: int = 1, status: Status = Status.FAILED, **about) -> Trouble:
    return Trouble(
        **{
            "delivery": number,
            "announcement": 12,
            "channel": "mastodon",
            "status": status,
            "outcome": "rejected_content",
            "reason": "Text is too long",
            "attempts": 1,
            "not_after": NOW,
            **about,
        }
    )


# --- what needs a person --------------------------------------------------------------------------

#: What is seen -> what is said, one line each.
SEEN = {
    "all is well": (Seen(NOW, daemon=True, next=NOW), []),
    "a failed delivery": (
        Seen(NOW, [trouble()]),
        ["#12 mastodon: failed. Text is too long. Look: crosspost why 12"],
    ),
    "a missed one": (
        Seen(NOW, [trouble(status=Status.MISSED, reason="Too late.")]),
        ["#12 mastodon: missed. Too late. Look: crosspost why 12"],
    ),
    "one in review": (
        Seen(NOW, [trouble(status=Status.REVIEW, reason="Nobody\nknows")]),
        ["#12 mastodon: needs a person. Nobody knows. Look: crosspost why 12"],
    ),
    "one that is not as approved": (
        Seen(NOW, [trouble(status=Status.HELD, outcome="not_as_approved", reason="Changed.")]),
        ["#12 mastodon: stopped. Changed. Look: crosspost why 12"],
    ),
    "a fault of ours": (
        Seen(NOW, [trouble(status=Status.SCHEDULED, outcome="internal_error", reason="At x:1.")]),
        ["#12 mastodon: a fault in crosspost. At x:1. Look: crosspost why 12"],
    ),
    "a channel that rests long": (
        Seen(NOW, paused={"x": (NOW + 15 * MINUTE, "Token refused.")}),
        ["x is paused: Token refused. Look: crosspost channels check x"],
    ),
    "a channel that rests a moment": (Seen(NOW, paused={"x": (NOW + MINUTE, "Slow down.")}), []),
    "no daemon, and something is due": (
        Seen(NOW, daemon=False, next=NOW),
        ["Something should be sent now, and no daemon runs: crosspost daemon"],
    ),
    "no daemon, and something waits": (
        Seen(NOW, daemon=False, next=NOW + DAY),
        ["No daemon runs, and announcements wait for it: crosspost daemon"],
    ),
    "no daemon, and nothing waits": (Seen(NOW, daemon=False), []),
    "nobody knows whether a daemon runs": (Seen(NOW, daemon=None, next=NOW), []),
    "an erasure that stays unfinished": (
        Seen(NOW, erasures=[Leftover(12, "Order 7", "2 files are left", NOW - 5 * MINUTE)]),
        ["#12: not all of it is erased (Order 7). 2 files are left. Look: crosspost doctor"],
    ),
    "an erasure that the daemon is about to finish": (
        Seen(NOW, erasures=[Leftover(12, "Order 7", "2 files are left", NOW - 4 * MINUTE)]),
        [],
    ),
    "an older copy": (Seen(NOW, others={"restored": "It is a copy."}), ["It is a copy."]),
    "more than are read": (
        Seen(NOW, more=7),
        ["7 more announcements need you: crosspost status"],
    ),
}


@pytest.mark.parametrize("what", SEEN)
def test_what_needs_a_person_is_one_line_with_the_next_step(what):
    seen, lines = SEEN[what]
    assert [alarm.words for alarm in alarms.current(seen)] == lines


def test_a_retry_that_fails_again_is_a_new_alarm_and_waiting_is_not():
    first = trouble()
    assert alarms.key_of(first) == alarms.key_of(replace(first, reason="Said otherwise"))
    assert alarms.key_of(first) != alarms.key_of(replace(first, attempts=2))
    assert alarms.key_of(first) != alarms.key_of(replace(first, not_after=NOW + DAY))
    assert alarms.key_of(first) != alarms.key_of(replace(first, status=Status.MISSED))


def test_a_long_reason_is_cut_and_stays_one_line():
    [alarm] = alarms.current(Seen(NOW, [trouble(reason="so long\n" * 200)]))
    assert "\n" not in alarm.words
    assert len(alarm.words) < 300


# --- who is told, when ----------------------------------------------------------------------------


def known(key: str = "a", **ago: timedelta) -> Known:
    """An alarm that was tried, told, read so long ago; seen just now if nothing else is said."""
    return Known(
        key,
        seen_at=NOW - ago.get("seen", timedelta()),
        **{f"{name}_at": NOW - ago[name] for name in ("tried", "told", "read") if name in ago},
    )


#: What is there, what is remembered -> what is told, what is forgotten.
PLANS = {
    "a new one is told at once": (["a"], [], ["a"], []),
    "several are told together": (["a", "b"], [], ["a", "b"], []),
    "one that was just told is not": (["a"], [known(tried=MINUTE, told=MINUTE)], [], []),
    "a new one waits for the last message": (
        ["a", "b"],
        [known(tried=MINUTE, told=MINUTE)],
        [],
        [],
    ),
    "and is told then": (["a", "b"], [known(tried=FOLD, told=FOLD)], ["b"], []),
    "one that was told yesterday is told again": (["a"], [known(tried=DAY, told=DAY)], ["a"], []),
    "not a minute before": (["a"], [known(tried=DAY - MINUTE, told=DAY - MINUTE)], [], []),
    "others join it": (
        ["a", "b"],
        [known(tried=DAY, told=DAY), known("b", tried=13 * DAY / 24, told=13 * DAY / 24)],
        ["a", "b"],
        [],
    ),
    "unless they were told lately": (
        ["a", "b"],
        [known(tried=DAY, told=DAY), known("b", tried=11 * DAY / 24, told=11 * DAY / 24)],
        ["a"],
        [],
    ),
    "one that is read is not repeated": (
        ["a"],
        [known(tried=9 * DAY, told=9 * DAY, read=DAY)],
        [],
        [],
    ),
    "one that could not be delivered is tried again": (["a"], [known(tried=AGAIN)], ["a"], []),
    "but not at once": (["a"], [known(tried=AGAIN - MINUTE)], [], []),
    "a repeat that could not be delivered too": (
        ["a"],
        [known(tried=AGAIN, told=DAY + AGAIN)],
        ["a"],
        [],
    ),
    "what is over is told no more": ([], [known(tried=DAY, told=DAY)], [], []),
    "what is over for long is forgotten": (
        [],
        [known(seen=FORGET, tried=DAY, told=DAY)],
        [],
        ["a"],
    ),
    "what comes back soon is the same": (
        ["a"],
        [known(seen=MINUTE, tried=FOLD, told=FOLD)],
        [],
        [],
    ),
    "one that was noted while nobody could be told": (["a"], [known()], ["a"], []),
}


@pytest.mark.parametrize("what", PLANS)
def test_the_plan(what):
    keys, memory, tell, forget = PLANS[what]
    found = plan(keys, memory, NOW, DAY)
    assert (list(found.tell), list(found.forget)) == (tell, forget)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sets(st.sampled_from("abcd")),  # what is there
            st.integers(1, 200),  # minutes later
            st.booleans(),  # whether telling works
            st.booleans(),  # whether a person reads all of it
        ),
        max_size=60,
    )
)
def test_never_a_flood_never_silent_and_read_means_read(steps):
    now, memory, messages = NOW, {}, []
    unread_since: dict[str, datetime] = {}
    for there, minutes, works, reads in steps:
        now += minutes * MINUTE
        made = plan(sorted(there), list(memory.values()), now, DAY)
        for key in made.forget:
            del memory[key]
        for key in there:
            before = memory.get(key) or Known(key, now)
            memory[key] = replace(before, seen_at=now)
        assert set(made.tell) <= there
        for key in made.tell:
            assert memory[key].read_at is None
            memory[key] = replace(memory[key], tried_at=now)
            if works:
                memory[key] = replace(memory[key], told_at=now)
        if made.tell:
            assert not messages or now - messages[-1] >= FOLD
            messages.append(now)
        waiting = {k for k in there if memory[k].tried_at is None and memory[k].read_at is None}
        assert not waiting or now - messages[-1] < FOLD  # only the last message holds it back
        unread_since = {k: unread_since.get(k, now) for k in there if memory[k].read_at is None}
        if reads:
            memory = {k: replace(one, read_at=one.read_at or now) for k, one in memory.items()}


def test_a_message_folds_many_into_a_few_lines():
    many = [Alarm(str(n), f"Trouble {n}.") for n in range(MOST_LINES + 5)]
    said = alarms.message("Dinas Contoh", many)
    assert said.subject == f"crosspost, Dinas Contoh: {MOST_LINES + 5} need you"
    assert len(said.lines) == MOST_LINES + 1
    assert "and 5 more: crosspost alarms list" in said.text
    assert "crosspost alarms read" in said.text

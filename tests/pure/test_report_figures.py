"""What a month adds up to, and how it is written down."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crosspost.lifecycle import Status
from crosspost.reports.figures import OUTCOMES, Row, report
from crosspost.reports.page import page, percent
from crosspost.reports.sheets import public_list_csv, tallies_csv, to_json
from crosspost.reports.words import span_words

ZONE = "Asia/Jakarta"
DUE = datetime(2026, 11, 25, 2, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def row(number: int = 1, **about) -> Row:
    known = {
        "announcement": number,
        "title": "Jadwal vaksinasi",
        "source": "Surat Edaran 440",
        "urgency": "normal",
        "channel": "site",
        "status": Status.PUBLISHED,
        "due": DUE,
        "queued": DUE - 2 * HOUR,
        "approved": DUE - HOUR,
        "published": DUE,
    }
    return Row(**{**known, **about})


def counted(*rows: Row, **more):
    return report(rows, month="2026-11", office="Office", zone=ZONE, **more)


@pytest.mark.parametrize(
    ("about", "outcome"),
    [
        ({"published": DUE + 5 * MINUTE}, "on_time"),
        ({"published": DUE + 5 * MINUTE + timedelta(seconds=1)}, "late"),
        ({"published": DUE - MINUTE}, "on_time"),
        ({"status": Status.FAILED, "published": None}, "failed"),
        ({"status": Status.FAILED}, "failed"),  # a thread broken off
        ({"status": Status.MISSED, "published": None}, "missed"),
        ({"status": Status.CANCELLED, "published": None}, "cancelled"),
        *(
            ({"status": status, "published": None}, "open")
            for status in set(Status)
            - {Status.PUBLISHED, Status.FAILED, Status.MISSED, Status.CANCELLED}
        ),
    ],
)
def test_each_delivery_has_one_outcome(about, outcome):
    assert row(**about).outcome == outcome


def test_it_counts_by_channel_and_by_class():
    found = counted(
        row(),
        row(channel="mastodon", published=DUE + HOUR),
        row(2, channel="mastodon", urgency="urgent", status=Status.FAILED, published=None),
        row(3, status=Status.CANCELLED, published=None),
    )
    assert (found.announcements, found.total.planned) == (3, 4)
    assert found.total.share_on_time == pytest.approx(1 / 3)
    by_channel = {tally.name: tally.outcomes for tally in found.channels}
    assert by_channel["mastodon"]["late"] == by_channel["mastodon"]["failed"] == 1
    assert [tally.name for tally in found.classes] == ["normal", "urgent"]
    assert found.classes[1].share_on_time == 0


def test_speed_is_that_of_the_first_copy_of_each_announcement():
    found = counted(
        row(published=DUE + 2 * MINUTE),
        row(channel="mastodon", published=DUE + HOUR),
        row(2, queued=DUE - 10 * MINUTE, approved=DUE, published=DUE + 4 * MINUTE),
    )
    [normal] = found.responses
    assert normal.to_approval.longest == HOUR
    assert normal.to_approval.typical == 35 * MINUTE
    assert normal.to_public.longest == 2 * HOUR + 2 * MINUTE
    assert normal.lateness.typical == 4 * MINUTE


def test_days_are_the_offices_own():
    found = counted(row(published=datetime(2026, 11, 25, 17, 30, tzinfo=UTC)))
    public = {day.day: number for day, number in found.days if number}
    assert public == {26: 1}
    assert len(found.days) == 30


def test_a_month_without_anything_is_a_report_too():
    found = counted()
    assert found.total.share_on_time is None
    assert found.responses == ()
    assert "–" in page(found, "en")
    assert json.dumps(to_json(found))


@pytest.mark.parametrize(
    ("share", "words"),
    [(None, "–"), (0.0, "0 %"), (1.0, "100 %"), (0.9999, "99 %"), (0.5, "50 %")],
)
def test_a_share_is_never_rounded_up_to_all(share, words):
    assert percent(share) == words


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(), "0 s"),
        (timedelta(seconds=59.4), "59 s"),
        (timedelta(seconds=60), "1 min"),
        (timedelta(hours=2, minutes=5), "2 h 05 min"),
        (timedelta(days=3, hours=4), "3 days 4 h"),
    ],
)
def test_a_span_is_said_shortly(length, words):
    assert span_words(length, "en") == words


@given(
    st.lists(
        st.builds(
            row,
            st.integers(1, 5),
            channel=st.sampled_from(["site", "mastodon"]),
            urgency=st.sampled_from(["normal", "urgent"]),
            status=st.sampled_from(Status),
            published=st.none() | st.just(DUE) | st.just(DUE + HOUR),
        )
    )
)
def test_nothing_is_lost_between_the_sums(rows):
    found = counted(*rows)
    assert sum(found.total.outcomes.values()) == found.total.planned == len(rows)
    for outcome in OUTCOMES:
        whole = found.total.outcomes[outcome]
        assert sum(tally.outcomes[outcome] for tally in found.channels) == whole
        assert sum(tally.outcomes[outcome] for tally in found.classes) == whole


# --- written down ---------------------------------------------------------------------------------

HOSTILE = '<script>alert("x")</script> & =HYPERLINK("http://evil") \u202e'


class Reader(HTMLParser):
    """Tags and their attributes, and all text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_data(self, data):
        self.text += data


def test_hostile_words_are_inert_on_the_page():
    found = report(
        [row(channel=HOSTILE, urgency=HOSTILE)],
        month="2026-11",
        office=HOSTILE,
        zone=ZONE,
        approvals=[HOSTILE],
    )
    reader = Reader()
    reader.feed(page(found, "id"))
    assert "script" not in reader.tags
    assert not [name for name, _ in reader.attributes if name.startswith("on")]
    assert not [v for n, v in reader.attributes if n in ("src", "href")]
    assert reader.text.count('alert("x")') >= 3


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start):
    text = public_list_csv([row(title=f"{start}1+1", source=f"{start}cmd")], ZONE)
    [_, line] = list(csv.reader(io.StringIO(text, newline="")))
    assert line[2] == f"'{start}1+1"
    assert line[3] == f"'{start}cmd"


def test_the_public_list_has_a_line_for_each_public_announcement():
    text = public_list_csv(
        [
            row(),
            row(channel="mastodon", published=DUE + HOUR),
            row(2, status=Status.MISSED, published=None),
        ],
        ZONE,
    )
    [head, line] = list(csv.reader(io.StringIO(text)))
    assert line[:2] == ["1", "2026-11-25T09:00:00+07:00"]
    assert line[-1] == "mastodon, site"
    assert len(head) == len(line)


def test_the_numbers_stand_in_every_form():
    found = counted(row(), row(2, channel="mastodon", published=DUE + HOUR), corrected=1)
    lines = list(csv.DictReader(io.StringIO(tallies_csv(found))))
    assert [(line["by"], line["name"], line["late"]) for line in lines] == [
        ("total", "", "1"),
        ("channel", "mastodon", "1"),
        ("channel", "site", "0"),
        ("class", "normal", "1"),
    ]
    assert to_json(found)["corrected"] == 1
    assert re.search(r"<b>50 %</b>", page(found, "en"))

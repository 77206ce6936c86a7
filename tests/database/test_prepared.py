"""Statements compiled once give what SQLAlchemy gives, by the types of their columns."""

from __future__ import annotations

from datetime import timedelta, timezone

import pytest
from desk import later, scheduled
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import select as select_rows

from crosspost.lifecycle import Status
from crosspost.prepared import Prepared, Setting, as_read, inserting
from crosspost.tables import ChannelState, Delivery, table

D = table(Delivery).c
BY_ID = Prepared(select(*D).where(D.id == bindparam("its_id")))


def test_a_row_is_what_sqlalchemy_reads(session):
    delivery = scheduled(session)
    [row] = BY_ID.rows(session, {"its_id": delivery.id})
    session.expunge_all()
    [expected] = session.exec(select_rows(Delivery))
    assert as_read(Delivery, row).model_dump() == expected.model_dump()


def test_a_row_as_read_writes_nothing_by_itself(session):
    delivery = scheduled(session)
    [row] = BY_ID.rows(session, {"its_id": delivery.id})
    as_read(Delivery, row).channel = "other"
    session.flush()
    assert BY_ID.rows(session, {"its_id": delivery.id}) == [row]


def test_times_and_statuses_are_stored_by_their_types(session):
    delivery = scheduled(session)
    moment = later(5).astimezone(timezone(timedelta(hours=7)))
    statement = Setting(Delivery, ("not_before", "status"), ("id",))
    done = statement.run(
        session, {"not_before": moment, "status": Status.MISSED, "its_id": delivery.id}
    )
    assert done == 1
    session.expire_all()
    assert (delivery.not_before, delivery.status) == (later(5), Status.MISSED)


def test_a_naive_time_is_refused(session):
    statement = Setting(Delivery, ("not_before",), ("id",))
    with pytest.raises(ValueError, match="naive"):
        statement.run(session, {"not_before": later().replace(tzinfo=None), "its_id": 1})


def test_what_stands_in_the_statement_itself_stays(session):
    delivery = scheduled(session)
    fixed = (D.status == Status.SCHEDULED, D.id == bindparam("n"))
    statement = Prepared(update(table(Delivery)).values(reason="fixed").where(*fixed))
    assert statement.run(session, {"n": delivery.id}) == 1
    session.expire_all()
    assert delivery.reason == "fixed"
    assert statement.run(session, {"n": delivery.id + 1}) == 0


def test_a_value_that_is_missing_is_no_null(session):
    with pytest.raises(KeyError):
        BY_ID.rows(session, {})


def test_a_rule_of_the_database_speaks_as_through_sqlalchemy(session):
    statement = Prepared(inserting(ChannelState, "channel"))
    statement.run(session, {"channel": "web"})
    with pytest.raises(IntegrityError):
        statement.run(session, {"channel": "web"})


def test_what_is_not_given_has_the_model_s_default(session):
    Prepared(inserting(ChannelState, "channel", "reason")).run(
        session, {"channel": "web", "reason": "Why."}
    )
    made = session.get(ChannelState, "web")
    session.expunge(made)
    assert made.model_dump() == ChannelState(channel="web", reason="Why.").model_dump()

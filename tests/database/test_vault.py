"""A kept session: sealed with the office's key, and nothing at all without it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from desk import only_sqlite
from pydantic import SecretStr

from crosspost.database import Database
from crosspost.errors import ConfigError
from crosspost.tables import ChannelState
from crosspost.vault import RENEWAL, Vault, new_key

SESSION = {"access": "tok-3f9a61c7d2", "refresh": "ref-77c1"}


@pytest.fixture
def office(config):
    """The office with a key."""
    return config.model_copy(update={"secret_key": SecretStr(new_key())})


def test_what_was_saved_is_there_after_a_restart(database, office):
    Vault(office, database, "web").save(SESSION)
    again = Database(database.url)
    assert Vault(office, again, "web").load() == SESSION
    again.close()


@only_sqlite
def test_nothing_of_it_stands_in_the_database_in_plain(database, office, tmp_path):
    Vault(office, database, "web").save(SESSION)
    database.close()
    whole = b"".join(path.read_bytes() for path in tmp_path.glob("crosspost.db*"))
    assert b"gAAAA" in whole  # it is there, sealed
    for secret in SESSION.values():
        assert secret.encode() not in whole


def test_without_a_key_it_lives_only_as_long_as_the_process(database, config):
    vault = Vault(config, database, "web")
    vault.save(SESSION)
    assert vault.load() == SESSION
    assert Vault(config, database, "web").load() == {}
    with database.read() as session:
        assert session.get(ChannelState, "web") is None


@pytest.mark.parametrize("worse", [{}, {"access": "", "refresh": "ref-78"}])
def test_an_empty_session_never_takes_the_place_of_a_good_one(database, office, config, worse):
    for vault in (Vault(office, database, "web"), Vault(config, database, "web")):
        vault.save(SESSION)
        vault.save(worse)
        assert vault.load() == SESSION


def test_a_channel_opens_only_its_own(database, office):
    Vault(office, database, "web").save(SESSION)
    assert Vault(office, database, "alpha").load() == {}


def test_what_another_key_sealed_counts_as_nothing_and_can_be_replaced(database, office, config):
    Vault(office, database, "web").save(SESSION)
    other = config.model_copy(update={"secret_key": SecretStr(new_key())})
    vault = Vault(other, database, "web")
    assert vault.load() == {}
    vault.save({"access": "new"})
    assert vault.load() == {"access": "new"}


@pytest.mark.parametrize("sealed", [b"", b"garbage", b"gAAAA\xff"])
def test_what_is_damaged_counts_as_nothing(database, office, sealed):
    with database.write() as session:
        session.add(ChannelState(channel="web", secrets=sealed))
    assert Vault(office, database, "web").load() == {}


def test_a_key_that_is_none_is_refused_and_not_repeated(database, config):
    bad = config.model_copy(update={"secret_key": SecretStr("tok-not-a-key")})
    with pytest.raises(ConfigError, match="is not a key of crosspost") as caught:
        Vault(bad, database, "web")
    assert "Bring back the old line" in caught.value.hint
    assert "tok-not-a-key" not in str(caught.value)


def test_saving_touches_nothing_else_of_the_channel(database, office):
    with database.write() as session:
        session.add(ChannelState(channel="web", held=True, reason="Holiday."))
    Vault(office, database, "web").save(SESSION)
    with database.read() as session:
        state = session.get_one(ChannelState, "web")
        assert (state.held, state.reason) == (True, "Holiday.")


# --- one renews, whoever asks ---------------------------------------------------------------------

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


def test_of_two_programs_one_renews(database, office):
    other = Database(database.url)
    with Vault(office, database, "web").exclusive() as first:
        with Vault(office, other, "web").exclusive() as second:
            assert (first, second) == (True, False)
        with Vault(office, other, "alpha").exclusive() as another_channel:
            assert another_channel
    with Vault(office, other, "web").exclusive() as afterwards:
        assert afterwards
    other.close()


def test_one_that_died_while_renewing_gives_way_after_a_while(database, office):
    clock = [NOW]
    dead = Vault(office, database, "web", lambda: clock[0]).exclusive()
    assert dead.__enter__()
    clock[0] = NOW + RENEWAL - timedelta(seconds=1)
    with Vault(office, database, "web", lambda: clock[0]).exclusive() as alone:
        assert not alone
    clock[0] = NOW + RENEWAL + timedelta(seconds=1)
    with Vault(office, database, "web", lambda: clock[0]).exclusive() as alone:
        assert alone
        dead.__exit__(None, None, None)  # it was only slow: what is another's is not given back
        with Vault(office, database, "web", lambda: clock[0]).exclusive() as third:
            assert not third


def test_the_end_of_a_login_is_readable_without_the_key(database, office):
    ends = NOW + timedelta(days=60)
    Vault(office, database, "web").save({**SESSION, "login_ends": ends.isoformat()})
    with database.read() as session:
        assert session.get(ChannelState, "web").login_ends == ends
    Vault(office, database, "web").forget()
    assert Vault(office, database, "web").load() == {}
    with database.read() as session:
        assert session.get(ChannelState, "web").login_ends is None

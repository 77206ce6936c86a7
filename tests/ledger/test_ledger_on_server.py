"""The ledger on PostgreSQL: the same proofs, the same attacks refuted, past its triggers."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from kept import CONFIG, START, Ledger
from postgres_server import PostgresServer

from crosspost.database import Database
from crosspost.errors import Refuted
from crosspost.ledger.audit import Verdict, audit
from crosspost.ledger.book import rows
from crosspost.ledger.checkpoint import read_checkpoint
from crosspost.ledger.sealing import found_ledger, seal, seal_if_due

pytestmark = pytest.mark.servers


@dataclass
class ServerLedger(Ledger):
    """An office whose queue database is on a server."""

    server: PostgresServer = field(kw_only=True)
    url: str = field(kw_only=True)

    @property
    def database(self) -> Database:
        return Database(self.url)

    def attack(self, *statements: str) -> None:
        with self.server.connected("office") as connection:
            connection.execute("SET session_replication_role = replica")
            for statement in statements:
                connection.execute(statement)

    def sealed(self):
        database = self.database
        try:
            return seal(database, self.folder)
        finally:
            database.close()

    def look(self):
        """What `log verify` finds."""
        head = read_checkpoint(self.box.head_note(), self.box.verifier())
        database = self.database
        with database.read() as session:
            found = audit(rows(session), head, self.box.tree_under(head), None)
        database.close()
        return found


@pytest.fixture
def ledger(tmp_path, postgres_server, postgresql_url) -> ServerLedger:
    (tmp_path / "crosspost.toml").write_text(f'{CONFIG}[storage]\ndatabase = "env:QUEUE"\n')
    (tmp_path / ".env").write_text(f"QUEUE={postgresql_url}\n")
    made = ServerLedger(tmp_path, server=postgres_server, url=postgresql_url)
    made.grow(12)
    database = made.database
    found_ledger(database, tmp_path, "office.example/ledger")
    database.close()
    return made


def test_an_honest_ledger_is_verified_and_sealed_as_it_grows(ledger):
    assert ledger.look().verdict is Verdict.VERIFIED
    ledger.grow(3)
    assert (ledger.look().verdict, ledger.look().unsealed) == (Verdict.VERIFIED, 3)
    assert ledger.sealed().size == 15
    assert (ledger.look().verdict, ledger.look().unsealed) == (Verdict.VERIFIED, 0)


@pytest.mark.parametrize(
    ("wrong", "statement"),
    [
        (7, r"UPDATE ledger_entry SET entry = overlay(entry PLACING 'x' FROM 9) WHERE id = 7"),
        (7, "UPDATE ledger_entry SET entry = '' WHERE id = 7"),
        (7, r"UPDATE ledger_entry SET leaf = '\x00' WHERE id = 7"),
        (7, "UPDATE ledger_entry SET kind = 'published' WHERE id = 7"),
        (7, "UPDATE ledger_entry SET by = 'Somebody' WHERE id = 7"),
        (7, "UPDATE ledger_entry SET at = at + interval '1 microsecond' WHERE id = 7"),
        (7, "UPDATE ledger_entry SET at = 'infinity' WHERE id = 7"),
        (7, "UPDATE ledger_entry SET announcement_id = 99 WHERE id = 7"),
        (7, "UPDATE ledger_entry SET delivery_id = NULL WHERE id = 7"),
        (6, "UPDATE ledger_note SET note = 'For no reason.' WHERE id = 6"),
        (6, r"UPDATE ledger_note SET salt = '\x00' WHERE id = 6"),
        (7, r"INSERT INTO ledger_note (id, note, salt) VALUES (7, 'New.', '\x00')"),
        (0, "UPDATE ledger_entry SET id = -1 WHERE id = 0"),
        (7, "DELETE FROM ledger_entry WHERE id = 7"),
        (4, "DELETE FROM ledger_entry WHERE id >= 4"),
        (0, "DELETE FROM ledger_entry"),
    ],
)
def test_a_change_by_sql_is_named(ledger, wrong, statement):
    ledger.attack(statement)
    found = ledger.look()
    assert (found.verdict, found.wrong) == (Verdict.REFUTED, wrong), found


def test_a_server_that_was_rolled_back_is_not_sealed(ledger):
    ledger.grow(4)
    ledger.sealed()
    ledger.attack("DELETE FROM ledger_note", "DELETE FROM ledger_entry WHERE id >= 12")
    with pytest.raises(Refuted, match="older copy"):
        ledger.sealed()
    ledger.grow(9, mark="-other")
    with pytest.raises(Refuted, match="not those sealed"):
        ledger.sealed()


def test_the_record_is_proved_and_taken_out(ledger):
    assert "12" in ledger.run("log", "seal")
    ledger.run("log", "verify")
    ledger.run("log", "prove", "--entry", 4)
    ledger.run("log", "export", "out")
    ledger.run("verify", "out", "--key", ledger.box.vkey)
    ledger.attack("UPDATE ledger_entry SET at = 'infinity' WHERE id = 7")
    assert "Entry 7" in ledger.run("log", "verify", code=1)


def test_another_key_takes_over_there_too_and_a_lost_one_is_replaced(ledger):
    old = ledger.box.verifier()
    ledger.run("log", "rotate", "--yes", "--reason", "Yearly.")
    ledger.grow(2)
    assert ledger.sealed().size == 15
    ledger.box.key.unlink()
    ledger.run("log", "rotate", "--lost", "--yes")
    assert ledger.sealed().size == 16
    ledger.run("log", "verify")
    ledger.run("log", "verify", "--key", old, code=2)  # nothing leads past the lost one
    ledger.run("log", "export", "out")
    ledger.run("verify", "out", "--key", "ledger.keys")
    ledger.attack("UPDATE ledger_entry SET entry = overlay(entry PLACING 'x' FROM 9) WHERE id = 12")
    ledger.run("log", "rotate", "--yes", code=1)


def test_the_daemon_s_way_of_sealing_works_there_too(ledger):
    database = ledger.database
    assert seal_if_due(database, ledger.folder, now=START, last=None) == START
    database.close()

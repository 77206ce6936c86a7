"""A throw-away PostgreSQL from the machine's packages: loopback only, a folder of its own, never
as root (the server refuses that). Where it is missing the run fails, it never skips.

A power cut is not tested with it, so it does not wait for the disk unless `durable`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ports import free_ports

MISSING = (
    "PostgreSQL is not installed, and these tests need it. On Debian or Ubuntu: "
    "apt-get install postgresql"
)
#: Seconds that it may take to start or to stop.
PATIENCE = 60.0
OWNER = "office"


class PostgresServer:
    """`with PostgresServer() as server:` one cluster on a free port of 127.0.0.1."""

    def __init__(self, *, durable: bool = False, **settings: str) -> None:
        fast = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
        self.settings = {
            **({} if durable else fast),
            "listen_addresses": "127.0.0.1",
            "shared_buffers": "64MB",
            "max_connections": "100",
            **settings,
        }
        self.port = 0
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> PostgresServer:
        self._folder = Path(tempfile.mkdtemp(prefix="crosspost-pg-"))
        try:
            if os.getuid() == 0:
                account = pwd.getpwnam("postgres")
                os.chown(self._folder, account.pw_uid, account.pw_gid)
            self._run("initdb", "-D", "data", "-U", OWNER, "-A", "trust", "-E", "UTF8", "--no-sync")
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_trouble: object) -> None:
        self.stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, on the port that it had before."""
        self.port = self.port or free_ports()
        given = {**self.settings, "port": str(self.port), "unix_socket_directories": self._place()}
        options = [word for name, value in given.items() for word in ("-c", f"{name}={value}")]
        with (self._at("log")).open("ab") as log:
            self._process = subprocess.Popen(
                [_program("postgres"), "-D", str(self._at("data")), *options],
                cwd=self._folder,
                stdout=log,
                stderr=log,
                **_not_as_root(),
            )
        end = time.monotonic() + PATIENCE
        while not self._answers():
            assert self._process.poll() is None, self._at("log").read_text()[-3000:]
            assert time.monotonic() < end, "PostgreSQL did not start in time"
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT is a fast shutdown (every connection is cut), SIGQUIT a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(PATIENCE)
            self._process = None

    # --- databases --------------------------------------------------------------------------------

    def url(self, name: str, user: str = OWNER) -> str:
        """The address of a database as crosspost takes it."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{name}"

    def make(self, name: str, template: str = "template0") -> str:
        """A new database, empty or as a copy; its address."""
        self.do(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self.do(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def do(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """One statement as the server's owner; its rows."""
        with self.connected(database) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def connected(self, database: str) -> Iterator:
        """A connection past crosspost, each statement a transaction."""
        import psycopg

        with psycopg.connect(self.url(database), autocommit=True) as connection:
            yield connection

    def empty(self, name: str) -> None:
        """Take every row out of a queue database, past the triggers of the ledger."""
        with self.connected(name) as connection:
            connection.execute("SET session_replication_role = replica")
            tables = connection.execute(
                "SELECT string_agg(quote_ident(tablename), ', ') FROM pg_tables "
                "WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
            ).fetchone()[0]
            connection.execute(f"TRUNCATE {tables} RESTART IDENTITY")

    def cut(self, name: str) -> int:
        """Cut every connection to a database, and wait until they are; how many there were."""
        rows = self.do(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            f"WHERE datname = '{name}' AND pid <> pg_backend_pid()"
        )
        return len(rows)

    @contextmanager
    def asking_for_passwords(self) -> Iterator[None]:
        """Whoever connects from now on, other than the owner by `do`, must know a password."""
        file = self._at("data/pg_hba.conf")
        before = file.read_text()
        by_password = "host office all 127.0.0.1/32 scram-sha-256\n"
        file.write_text(by_password + before)
        self.do("SELECT pg_reload_conf()")
        try:
            yield
        finally:
            file.write_text(before)
            self.do("SELECT pg_reload_conf()")

    # --- the process ------------------------------------------------------------------------------

    def _at(self, name: str) -> Path:
        assert self._folder is not None
        return self._folder / name

    def _place(self) -> str:
        return str(self._folder)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        try:
            self.do("SELECT 1")
        except Exception:  # noqa: BLE001 - it is still starting
            return False
        return True

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [_program(program), *arguments],
            cwd=self._folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            **_not_as_root(),
        )
        assert done.returncode == 0, f"{program} failed:\n{done.stdout}\n{done.stderr}"


def _program(name: str) -> str:
    """The newest one there is: Debian keeps them out of PATH."""
    found = [*Path("/usr/lib/postgresql").glob(f"*/bin/{name}")]
    newest = max(found, key=lambda path: float(path.parents[1].name), default=None)
    program = str(newest) if newest else shutil.which(name)
    assert program, MISSING
    return program


def _not_as_root() -> dict:
    return {"user": "postgres", "group": "postgres", "extra_groups": []} if os.getuid() == 0 else {}

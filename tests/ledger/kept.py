"""An office on disk with a ledger, filled through `book.append`, and ways to attack it by SQL."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crosspost.database import Database
from crosspost.ledger import book
from crosspost.ledger.strongbox import Strongbox
from crosspost.sqlite import driver

START = datetime(2026, 11, 2, 1, 0, tzinfo=UTC)
CONFIG = '[office]\nname = "Office"\nlanguage = "en"\n[site]\nurl = "https://office.example"\n'


@dataclass
class Ledger:
    """One office's folder. `attack` writes to the database as somebody with full access."""

    folder: Path

    @property
    def box(self) -> Strongbox:
        return Strongbox(self.folder)

    @property
    def database(self) -> Database:
        return Database(f"sqlite:///{self.folder / 'crosspost.db'}")

    def grow(self, count: int, *, mark: str = "", after: timedelta = timedelta()) -> None:
        """Append entries: every third has a person's reason, every fifth is a publication."""
        database = self.database
        with database.write() as session:
            for n in range(count):
                index = book.size(session)
                public = index % 5 == 4
                act = book.Act(
                    kind="published" if public else "claimed",
                    by=f"daemon{mark}",
                    at=START + timedelta(seconds=index) + after,
                    announcement=index // 10 + 1,
                    delivery=index // 5 + 1,
                    channel="site",
                    data={"n": n, "permalink": "https://office.example/p/x/"},
                    note="Because of the flood." if index % 3 == 0 else "",
                )
                book.append(session, act)
        database.close()

    def attack(self, *statements: str) -> None:
        """Change the database past its triggers."""
        with closing(driver().connect(self.folder / "crosspost.db")) as connection:
            for trigger in ("ledger_entry_no_update", "ledger_entry_no_delete"):
                connection.execute(f"DROP TRIGGER IF EXISTS {trigger}")
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    def rewrite(self, index: int, change: Callable[[bytes], bytes]) -> None:
        """Change an entry, its leaf and its columns: all that a database holds, consistently."""
        import json

        from crosspost.ledger.hashing import leaf_hash

        with closing(driver().connect(self.folder / "crosspost.db")) as connection:
            connection.execute("DROP TRIGGER IF EXISTS ledger_entry_no_update")
            [old] = connection.execute(
                "SELECT entry FROM ledger_entry WHERE id = ?", (index,)
            ).fetchone()
            new = change(old)
            assert new != old
            entry = json.loads(new)
            connection.execute(
                'UPDATE ledger_entry SET entry = ?, leaf = ?, kind = ?, "by" = ? WHERE id = ?',
                (new, leaf_hash(new), entry["kind"], entry["by"], index),
            )
            connection.commit()

    def export(self, out: Path) -> Path:
        """What `log export` writes."""
        from crosspost.config import load
        from crosspost.exporting import export

        database = self.database
        try:
            export(database, load(self.folder / "crosspost.toml", secrets=False), out)
        finally:
            database.close()
        return out

    def keep(self, name: str) -> Path:
        """A copy of the database, to roll back to."""
        return self._copy("crosspost.db", name)

    def restore(self, copy: Path) -> None:
        """Roll the database back."""
        self._copy(copy.name, "crosspost.db")

    def _copy(self, name: str, to: str) -> Path:
        with (
            closing(driver().connect(self.folder / name)) as old,
            closing(driver().connect(self.folder / to)) as new,
        ):
            old.backup(new)
        return self.folder / to

    def run(self, *arguments: str, code: int = 0, cwd: Path | None = None) -> str:
        """A command to its end; what it said. A traceback or a fault of ours fails the test."""
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", "crosspost", *map(str, arguments)],
            cwd=cwd or self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "CROSSPOST_LANGUAGE": "en"},
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, f"exit {done.returncode}\n{said}"
        assert "Traceback" not in said
        assert "inside crosspost" not in said
        return said

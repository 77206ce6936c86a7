"""Making the queue database, and bringing an older one up to date, with Alembic.

Only `init` uses this room; everything else only compares the schema (`Database.check_schema`),
which needs no Alembic. To change the tables: edit `tables.py`, add `versions/NNNN_what.py`, and
raise `database.SCHEMA`.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config as AlembicConfig

from crosspost.database import Database
from crosspost.sqlite import share_as_folder


def upgrade(database: Database) -> None:
    """Bring the tables to the newest schema, in one transaction. Raises DatabaseError."""
    config = AlembicConfig()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with database.write(any_schema=True) as session:
        config.attributes["connection"] = session.connection()
        command.upgrade(config, "head")
    if database.file is not None:
        share_as_folder(database.file)

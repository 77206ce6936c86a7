"""The kill rig with four daemons on one PostgreSQL, whose connections are cut besides.

    .venv/bin/python tests/rig/kill_rig_server.py --deliveries 10000 --kills 2000

needs PostgreSQL's Debian package and the extra `postgres`, and starts a server of its own. Each
kill hits one of four daemons that share the work; before many of them, one connection to the
database is cut, or all.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kill_rig import Plan, run
from postgres_server import PostgresServer

DAEMONS = 4
#: Before so many of the kills connections are cut.
CUTS = 0.4
NAME = "rig"


def on_server(server: PostgresServer, plan: Plan, name: str = NAME) -> Plan:
    """The same plan with four daemons on a new database of `server`."""
    server.drop(name)
    cutting = {
        "database_url": server.make(name),
        "disturb": lambda chance: cut(server, chance, name),
    }
    return replace(plan, daemons=DAEMONS, **cutting)


def cut(server: PostgresServer, chance: random.Random, name: str = NAME) -> None:
    """Perhaps cut one connection to the database, or all."""
    if chance.random() >= CUTS:
        return
    if chance.random() < 0.3:
        server.cut(name)
        return
    server.do(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        f"WHERE datname = '{name}' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1"
    )


@contextmanager
def _chosen() -> Iterator[Plan]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--deliveries", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--sabotage", default=None)
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    plan = Plan(given.deliveries, given.kills, seed, sabotage=given.sabotage, patience=1200.0)
    with PostgresServer() as server:
        yield on_server(server, plan)


if __name__ == "__main__":
    with _chosen() as chosen, tempfile.TemporaryDirectory() as place:
        report = run(chosen, Path(place))
    print(report)
    sys.exit(1 if report.verdict.violations else 0)

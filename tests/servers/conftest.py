"""Real servers, started by the test run itself from the scripts in `rigs/`.

What a rig installs lies in RIG_CACHE (see `rigs/lib.sh`) and is kept between runs. A rig that
cannot start is a failure, never a skip.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from ports import free_ports

RIGS = Path(__file__).with_name("rigs")
#: Seconds that a rig may take to install what it needs and to start.
START = 600
#: Ports in a row that a rig may use: a PDS has its directory of accounts on the second.
PORTS = 2

#: Starts a rig, with settings for its environment; gives what it exports, by name.
Rig = Callable[..., dict[str, str]]


def _run(script: str, *arguments: str, **settings: str) -> str:
    done = subprocess.run(
        ["bash", RIGS / script, *arguments],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=START,
        check=False,
    )
    assert done.returncode == 0, f"{script} {' '.join(arguments)} failed:\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="session")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """`rig("mastodon.sh")` starts that server for this run and stops it at its end."""
    started: list[tuple[str, str]] = []

    def start(script: str, **settings: str) -> dict[str, str]:
        home = str(tmp_path_factory.mktemp(script.partition(".")[0]))
        started.append((script, home))
        exports = _run(script, "start", str(free_ports(PORTS)), **{"RIG_HOME": home, **settings})
        return dict(re.findall(r"^export (\w+)='(.*)'$", exports, re.M))

    yield start
    for script, home in reversed(started):
        _run(script, "stop", RIG_HOME=home)

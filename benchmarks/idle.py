"""Resident memory and processor time of a daemon with nothing to do, over a minute (Linux); then
its memory once it has published a first announcement, for which it loads more."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SECONDS = 60


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    line = next(
        x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("VmRSS")
    )
    return int(line.split()[1]) / 1024


def main() -> None:
    crosspost = [sys.executable, "-m", "crosspost"]
    with tempfile.TemporaryDirectory() as folder:
        init = [*crosspost, "init", ".", "--name", "Idle", "--site-url", "https://idle.example"]
        subprocess.run(init, cwd=folder, check=True, capture_output=True)
        daemon = subprocess.Popen([*crosspost, "daemon"], cwd=folder, stderr=subprocess.DEVNULL)
        try:
            time.sleep(5)  # start-up is not idling
            before = processor_seconds(daemon.pid)
            time.sleep(SECONDS)
            used = processor_seconds(daemon.pid) - before
            print(f"resident  {resident_mb(daemon.pid):6.1f} MB")
            print(f"processor {100 * used / SECONDS:6.2f} % of a core")
            run = functools.partial(subprocess.run, cwd=folder, check=True, capture_output=True)
            run([*crosspost, "add", "The office is open on Saturday.", "--yes"])
            run([*crosspost, "approve", "1", "--yes"])
            time.sleep(15)
            listed = run([*crosspost, "list", "--json"], text=True).stdout
            if '"published"' not in listed:
                raise SystemExit(f"not published:\n{listed}")
            print(f"resident  {resident_mb(daemon.pid):6.1f} MB once it has published")
        finally:
            daemon.terminate()
            daemon.wait()


if __name__ == "__main__":
    main()

"""The same work by other queues: deliveries a second to the same loopback server, one machine.

Each does it as it offers it, durably: huey and APScheduler on SQLite; dramatiq, celery and rq on a
Redis (Debian's `redis-server`) that syncs each write to the disk, since they have no SQLite. 48
threads in one process where there are threads; rq forks a process for each job, here four workers.
They are installed from PyPI into an environment of their own. None of them keeps an intent, an
outcome or a ledger, keeps order on a channel, or asks before it sends a second time: celery is set
to acknowledge late, the others as they come. crosspost and a plain pool stand beside them.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from offices import loopback, seen, until
from throughput import daemon, pool

PACKAGES = ("huey", "dramatiq[redis]", "celery[redis]", "rq", "apscheduler<4", "sqlalchemy")
HERE = Path(__file__).parent
#: Queue -> what runs its workers, in the environment's bin/; none: the queueing process does.
WORKERS = {
    "huey": ["huey_consumer", "rival_tasks.app", "-w", "48", "-k", "thread", "-q"],
    "dramatiq": ["dramatiq", "rival_tasks", "--processes", "1", "--threads", "48"],
    "celery": ["celery", "-A", "rival_tasks", "worker", "-P", "threads", "-c", "48", "-l", "ERROR"],
    "rq": ["rq", "worker-pool", "-n", "4", "-u", "{broker}", "-q"],
    "apscheduler": [],
}


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """A Redis that loses nothing; its address. Listens on a socket in `folder` only."""
    where = folder / "redis.sock"
    options = {"port": "0", "unixsocket": str(where), "dir": str(folder), "save": ""}
    options |= {"appendonly": "yes", "appendfsync": "always"}
    command = [part for name, value in options.items() for part in (f"--{name}", value)]
    server = subprocess.Popen(["redis-server", *command], stdout=subprocess.DEVNULL)
    try:
        until(where.exists, 10)
        yield f"unix://{where}"
    finally:
        server.terminate()
        server.wait()


def rate(name: str, bin_folder: Path, port: int, count: int, body: Path) -> float:
    """Deliveries a second of one queue, by the server's clock."""
    with tempfile.TemporaryDirectory() as folder, redis(Path(folder)) as address:
        on_redis = name in ("dramatiq", "celery", "rq")
        broker = address if on_redis else str(Path(folder) / "queue.db")
        if name == "celery":
            broker = f"redis+socket://{address.removeprefix('unix://')}"
        about = {"RIVAL": name, "PORT": str(port), "BROKER": broker, "BODY": str(body)}
        environment = {**os.environ, **about, "PYTHONPATH": str(HERE)}
        quiet = {"cwd": folder, "env": environment, "stderr": subprocess.DEVNULL}
        fill = [str(bin_folder / "python"), str(HERE / "rival_tasks.py"), str(count)]
        subprocess.run(fill, check=True, stdout=subprocess.DEVNULL, **quiet)  # type: ignore[call-overload]
        told = 0
        if WORKERS[name]:
            tool, *rest = (part.format(broker=broker) for part in WORKERS[name])
            worker = subprocess.Popen(  # type: ignore[call-overload]
                [str(bin_folder / tool), *rest], stdout=subprocess.DEVNULL, **quiet
            )
            try:
                came: list[tuple[float, str]] = []
                until(lambda: bool(came.extend(seen(port)["came"]) or len(came) >= count), 900, 1)
            finally:
                worker.terminate()
                worker.wait()
        else:
            came = seen(port)["came"]
        told = len(came)
    if told != count:
        print(f"{name}: {told} posts instead of {count}")
    return told / (came[-1][0] - came[0][0])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=960)
    parser.add_argument("--latency", type=float, default=0, help="ms that the server takes")
    parser.add_argument("--only", nargs="+", default=list(WORKERS))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, loopback(asked.latency / 1000) as port:
        subprocess.run([sys.executable, "-m", "venv", name], check=True)
        pip = [f"{name}/bin/pip", "install", "-q", *PACKAGES, "requests"]
        subprocess.run(pip, check=True, stderr=subprocess.DEVNULL)
        print(f"{asked.count} deliveries, {asked.latency:.0f} ms to answer")
        told = daemon(port, 48, asked.count // 48)
        print(f"{'crosspost':<12}{told['count'] / told['seconds']:7.0f}/s", flush=True)  # type: ignore[operator]
        print(f"{'plain pool':<12}{asked.count / pool(port, 48, asked.count // 48, told):7.0f}/s")
        body = Path(name) / "body"
        body.write_text(json.dumps(json.loads(str(told["body"]))))
        for rival in asked.only:
            done = rate(rival, Path(name) / "bin", port, asked.count, body)
            print(f"{rival:<12}{done:7.0f}/s", flush=True)


if __name__ == "__main__":
    main()

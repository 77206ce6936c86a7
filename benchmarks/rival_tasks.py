"""The same work for every queue of `rivals.py`: post these bytes to a loopback server.

Runs where those queues are installed, not crosspost. RIVAL names the queue, PORT the server, BROKER
its Redis or its SQLite file, BODY a file with the bytes. As a script it queues COUNT tasks;
APScheduler has no workers of its own, so there it runs them too.
"""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

import requests

RIVAL, PORT, BROKER = (os.environ[name] for name in ("RIVAL", "PORT", "BROKER"))
BODY = Path(os.environ["BODY"]).read_bytes()
THREADS = 48
_mine = threading.local()


def post(number: int) -> None:
    """One delivery, on the session that this thread keeps."""
    if not hasattr(_mine, "session"):
        _mine.session = requests.Session()
        _mine.session.trust_env = False
    headers = {"Content-Type": "application/json", "Idempotency-Key": str(number)}
    address = f"http://127.0.0.1:{PORT}/"
    _mine.session.post(address, data=BODY, headers=headers, timeout=30).raise_for_status()


if RIVAL == "huey":
    from huey import SqliteHuey

    app = SqliteHuey(filename=BROKER, fsync=True)
    queued = app.task()(post)
elif RIVAL == "dramatiq":
    import dramatiq
    from dramatiq.brokers.redis import RedisBroker

    dramatiq.set_broker(RedisBroker(url=BROKER))
    queued = dramatiq.actor(post).send
elif RIVAL == "celery":
    from celery import Celery

    app = Celery(broker=BROKER)
    app.conf.update(task_acks_late=True, worker_prefetch_multiplier=1, task_ignore_result=True)
    queued = app.task(name="post")(post).delay
elif RIVAL == "rq":
    from redis import Redis
    from rq import Queue

    _queue = Queue(connection=Redis.from_url(BROKER))

    def queued(number: int) -> None:
        _queue.enqueue("rival_tasks.post", number)


def with_apscheduler(count: int) -> None:
    """Jobs in APScheduler's own store, run by its own threads, until all are done."""
    from datetime import UTC, datetime

    from apscheduler.executors.pool import ThreadPoolExecutor
    from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
    from apscheduler.schedulers.background import BackgroundScheduler

    scheduler = BackgroundScheduler(
        jobstores={"default": SQLAlchemyJobStore(f"sqlite:///{BROKER}")},
        executors={"default": ThreadPoolExecutor(THREADS)},
        job_defaults={"misfire_grace_time": None},
        timezone="UTC",
    )
    scheduler.start(paused=True)
    for number in range(count):
        scheduler.add_job("rival_tasks:post", "date", run_date=datetime.now(UTC), args=[number])
    scheduler.resume()
    while scheduler.get_jobs():
        threading.Event().wait(0.5)
    scheduler.shutdown(wait=True)


if __name__ == "__main__":
    total = int(sys.argv[1])
    if RIVAL == "apscheduler":
        sys.modules["rival_tasks"] = sys.modules["__main__"]
        with_apscheduler(total)
    else:
        import rival_tasks  # under its own name, as the workers know it

        for n in range(total):
            rival_tasks.queued(n)

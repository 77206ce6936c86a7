"""The rig's platform: a process of its own, with a ledger that no daemon can reach.

It answers on 127.0.0.1, misbehaves at random (seeded), and writes down every post that the public
gets to see. Run as a program: `rig_platform.py LEDGER SEED SHARE` prints its port and serves until
its standard input ends. `SHARE` is the part of all calls that go wrong.
"""

from __future__ import annotations

import json
import random
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rig_adapter import UNSEEN

from crosspost.testing import loopback
from crosspost.testing.loopback import Platform, Reply, Seen

#: What goes wrong in a publish call, and how often compared with each other. "status:" faults do
#: no work, "status_after:", "stall_after", "half_body" and their like have done it.
PUBLISH = {
    "status:429": 2,
    "status:503": 3,
    "status_after:503": 3,
    "status:422": 1,
    "stall_after": 2,
    "reset_before": 3,
    "reset_after": 4,
    "half_body": 3,
    "garbage": 3,
    "missing_id": 2,
}
ELSEWHERE = {"status:429": 2, "status:503": 4, "reset_before": 3, "garbage": 2}
#: A stalled call keeps its thread no longer than this; the client's patience is shorter.
loopback.STALL = 3.0


@dataclass
class Public:
    """A post that people see from `seen_from` on (Unix seconds)."""

    id: str
    account: str
    key: str
    text: str
    container: str
    seen_from: float


class RigPlatform(Platform):
    """One platform for all accounts; which way of finding a post works says the call's `kind`."""

    def __init__(self, ledger: Path, seed: int, share: float) -> None:
        super().__init__()
        self.random = random.Random(seed)
        self.share = share
        self.ledger = ledger.open("a", buffering=1)
        self.public: dict[str, list[Public]] = {}  # by text, which the rig makes unique
        self.by_key: dict[tuple[str, str], Public] = {}
        self.by_container: dict[str, Public] = {}
        self.made = 0

    def phase_of(self, seen: Seen) -> str:
        return {"/publish": "publish", "/containers": "prepare", "/find": "find"}.get(seen.path, "")

    def _take(self, phase: str) -> loopback._Fault | None:
        self.requests.clear()  # nobody reads them here
        if not phase or self.random.random() >= self.share:
            return None
        kinds = PUBLISH if phase == "publish" else ELSEWHERE
        [name] = self.random.choices(list(kinds), list(kinds.values()))
        self._note(fault=f"{phase} {name}")
        headers = {"Retry-After": "1"} if name == "status:429" else {}
        return loopback._Fault(name, phase, 1, headers, b'{"message": "No."}')

    def answer(self, seen: Seen) -> Reply:
        if seen.path == "/share":  # of the rig itself, when all that remains is to come to rest
            self.share = float(seen.query["of"])
            return Reply(200, {})
        if seen.path == "/find":
            return self._find(seen.query)
        if seen.path == "/containers":
            self.made += 1
            return Reply(200, {"container": f"c{self.made}"})
        return self._publish(seen.json)

    def _publish(self, call: dict) -> Reply:
        account = call["account"]
        known = self.by_key.get((account, call["key"]))
        if call["kind"] == "idempotency_key" and known is not None:
            return Reply(200, {"id": known.id})
        self.made += 1
        slow = self.random.random() < 0.5
        delay = self.random.uniform(0.8, UNSEEN) if slow else 0.0
        post = Public(
            f"p{self.made}",
            account,
            call["key"],
            call["text"],
            call["container"],
            time.time() + delay,
        )
        self.public.setdefault(post.text, []).append(post)
        self.by_key.setdefault((account, post.key), post)
        self.by_container.setdefault(post.container, post)
        lag = round(time.time() - call["sent"], 3)
        self._note(public=post.text, account=account, id=post.id, parent=call["parent"], lag=lag)
        return Reply(200, {"id": post.id})

    def _find(self, asked) -> Reply:
        match asked["kind"]:
            case "chosen_id":
                found = self.by_key.get((asked["account"], asked["key"]))
            case "two_phase":
                found = self.by_container.get(asked["container"])
            case _:
                found = next(iter(self.public.get(asked["text"], ())), None)
        if found is None or found.seen_from > time.time():
            return Reply(200, {"found": None})
        return Reply(200, {"found": {"id": found.id}})

    def _note(self, **line) -> None:
        self.ledger.write(json.dumps({"at": time.time(), **line}) + "\n")


def main() -> None:
    ledger, seed, share = sys.argv[1:]
    with RigPlatform(Path(ledger), int(seed), float(share)) as platform:
        print(platform.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()

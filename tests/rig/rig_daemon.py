"""Real daemons, each a process of its own, forked from one that has everything imported.

So a daemon is at work some hundredths of a second after it was asked for, and thousands of them can
be killed in minutes. Run as a program it reads one JSON object a line: `{"spawn": CONFIG}` (and
`"sabotage": NAME`) answers `{"pid": N}`, `{"reap": PID}` waits for the end of one.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from datetime import timedelta
from pathlib import Path


def hurry() -> None:
    """All waits short, in the proportions that they have: the rig has minutes for days."""
    from crosspost import breaker, daemon, retry, workbench

    seconds = {
        (retry, "FIRST_WAIT"): 0.2,
        (retry, "LONGEST_BACKOFF"): 1.0,
        (retry, "REST"): 1.0,
        (retry, "LOOK_GAP"): 0.2,
        (retry, "REPEAT_GAP"): 0.6,
        (retry, "LONGEST_DOUBT"): 120.0,
        (breaker, "FIRST_REST"): 0.3,
        (breaker, "LONGEST_REST"): 1.0,
        (daemon, "LOOK_ANYWAY"): 1.0,
    }
    for (room, name), length in seconds.items():
        assert isinstance(getattr(room, name), timedelta), name
        setattr(room, name, timedelta(seconds=length))
    workbench.STORE_AGAIN = 0.1


def live(config_path: str, sabotage: str | None) -> None:
    """One daemon's life, as `crosspost daemon` lives it, until it is stopped or killed."""
    from crosspost.adapters import problems_of
    from crosspost.config import load
    from crosspost.daemon import Daemon
    from crosspost.database import Database
    from crosspost.logs import set_up

    config = load(Path(config_path), check_channel=problems_of)
    set_up("text", config.office.tz)
    if sabotage:
        from sabotage import SABOTAGES

        SABOTAGES[sabotage]()
    runner = Daemon(Database(config.database_url), config)
    runner.stop_on_signals()
    begin = runner._begin

    def begin_and_say_so() -> None:
        begin()
        (config.folder / "at-work").write_text(str(os.getpid()))

    runner._begin = begin_and_say_so
    runner.run()


def _born(order: dict) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)  # what it says goes where the nursery's errors go
        live(order["spawn"], order.get("sabotage"))
        code = 0
    except BaseException:  # noqa: BLE001 - whatever it is, a fork must end here
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    import apscheduler.schedulers.background  # noqa: F401
    import rig_adapter  # noqa: F401

    import crosspost.adapters.transport
    import crosspost.daemon  # noqa: F401

    hurry()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "spawn" in order:
            answer = {"pid": _born(order)}
        else:
            answer = {"code": os.waitstatus_to_exitcode(os.waitpid(order["reap"], 0)[1])}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

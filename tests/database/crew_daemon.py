"""`crosspost daemon` of the folder it is started in, which may stop itself on its way, and may be
of a bad design. Its argument is JSON: `stop_at` (a name in STOPS), `design` (a name in DESIGNS)."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crosspost import leases, publisher, queue
from crosspost.adapters import problems_of, transport
from crosspost.config import load
from crosspost.daemon import Daemon
from crosspost.database import Database
from crosspost.errors import UserError
from crosspost.logs import set_up
from crosspost.prepared import Setting
from crosspost.tables import Delivery


def _once_after(owner: Any, name: str) -> None:
    """Stop this process, as SIGSTOP does, after the first call of that function."""
    whole = getattr(owner, name)
    stopped: list[bool] = []

    def then_stop(*arguments: Any, **more: Any) -> Any:
        result = whole(*arguments, **more)
        if not stopped:
            stopped.append(True)
            os.kill(os.getpid(), signal.SIGSTOP)
            time.sleep(0.2)  # another thread may be the one that gets the signal, a moment later
        return result

    setattr(owner, name, then_stop)


def _step_by_step() -> None:
    """Claim in one transaction and begin in another, as for what needs preparing."""
    publisher._handle_at_once = lambda _bench, _claimed, _part: None


STOPS: dict[str, Callable[[], None]] = {
    "claimed": lambda: (_step_by_step(), _once_after(publisher, "not_as_approved")),
    "begun": lambda: (_step_by_step(), _once_after(publisher._Run, "_begun")),
    "taken": lambda: _once_after(publisher._Run, "__init__"),
    "claiming": lambda: _once_after(publisher, "with_parts"),
    "connected": lambda: _once_after(transport._PlainConnection, "connect"),
    "answered": lambda: _once_after(transport, "send"),
}


def _without_looking() -> None:
    """Does not look whether its lease has run out before the first byte."""
    leases.SharedLeases.holds = lambda _leases, _channel: True


def _without_fences() -> None:
    """Whoever writes last is right."""
    _without_looking()
    leases.SharedLeases.guard = lambda _leases, _session, _channel: None
    queue._guarded = lambda columns: Setting(Delivery, columns, ("id",))


def _without_leases() -> None:
    """Takes every channel, whoever works it, and what is in hand there with it."""
    leases._TAKE = leases._with_names(
        str(leases._TAKE).replace("holder IN ('', :holder)", "holder <> 'nobody'")
    )
    leases._OTHERS = leases.text("SELECT name FROM lease WHERE holder = 'nobody' OR :holder = ''")


DESIGNS = {
    "without looking": _without_looking,
    "without fences": _without_fences,
    "without leases": _without_leases,
}


def main() -> None:
    how = json.loads(sys.argv[1])
    if "stop_at" in how:
        STOPS[how["stop_at"]]()
    if "design" in how:
        DESIGNS[how["design"]]()
    config = load(Path("crosspost.toml"), check_channel=problems_of)
    set_up("text", config.office.tz)
    daemon = Daemon(Database(config.database_url), config)
    daemon.stop_on_signals()
    try:
        daemon.run()
    except UserError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()

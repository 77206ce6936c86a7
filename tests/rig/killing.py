"""A process that is killed (SIGKILL) at one of its acts on files."""

from __future__ import annotations

import os
import signal
import sys


def killed_at(step, work):
    """Run `work` in a process that is killed before its `step`th act on a file or disk. Whether it
    was; False when it came to its end before."""
    pid = os.fork()
    if pid == 0:
        os._exit(_die_at(step, work))
    _, status = os.waitpid(pid, 0)
    assert status in (0, signal.SIGKILL)
    return status != 0


def _die_at(left, work):
    real = os.fsync

    def act():
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def fsync(file):
        act()
        real(file)
        act()

    def hook(event, _):
        if event in ("open", "os.rename", "os.remove"):
            act()

    os.fsync = fsync
    sys.addaudithook(hook)
    try:
        work()
    except BaseException:  # noqa: BLE001 - the parent sees it as a status
        return 1
    return 0

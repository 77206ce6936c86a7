"""How the daemon's log lines look: for people, or as JSON for programs.

A line says what happened in words, and carries the same as fields (`announcement`, `channel`, ...).
It must not decide what is logged. Other libraries are heard from WARNING up only: at DEBUG some
write whole addresses, and a platform may have its token there.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime, tzinfo

FIELDS = ("event", "announcement", "revision", "channel", "attempt", "permalink", "outcome")


class TextLines(logging.Formatter):
    """Time in the office's zone, level, and the words."""

    def __init__(self, zone: tzinfo) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")
        self._zone = zone

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 - logging's name
        """The record's time to the second, with its offset."""
        moment = datetime.fromtimestamp(record.created, self._zone)
        return moment.isoformat(sep=" ", timespec="seconds")


class JsonLines(logging.Formatter):
    """One JSON object a line: `at` (RFC 3339, UTC), `level`, `message`, and fields that apply."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        values = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        values |= {k: getattr(record, k) for k in FIELDS if getattr(record, k, None) is not None}
        return json.dumps(values, ensure_ascii=False)


def set_up(log_format: str, zone: tzinfo) -> None:
    """Log to standard error as `text` (times in `zone`) or `json`."""
    # what no line of ours shows need not be found out for each of them (Python's logging how-to)
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if log_format == "json" else TextLines(zone))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("crosspost").setLevel(logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)

"""How the daemon's log lines look: for people, or as JSON for programs.

A line says what happened in words, and carries the same as fields (`announcement`, `channel`, ...).
It must not decide what is logged. Other libraries are heard from WARNING up only: at DEBUG some
write whole addresses, and a platform may have its token there.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

FIELDS = ("event", "announcement", "revision", "channel", "attempt", "permalink", "outcome")


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


def set_up(log_format: str) -> None:
    """Log to standard error as `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    if log_format == "json":
        handler.setFormatter(JsonLines())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("crosspost").setLevel(logging.INFO)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)

"""Is what a platform shows the text that we sent? Platforms change spaces and the form of letters.

Pure. It must not know a platform.
"""

from __future__ import annotations

from datetime import UTC, datetime
from unicodedata import normalize


def bare(text: str) -> str:
    """`text` without white space, letters composed: what is left the same by every platform."""
    return "".join(normalize("NFC", text).split())


def moment(value: object) -> datetime:
    """A platform's ISO 8601 time, aware. Raises TypeError or ValueError for anything else."""
    if not isinstance(value, str):
        raise TypeError("not a time")
    time = datetime.fromisoformat(value)
    return time if time.tzinfo else time.replace(tzinfo=UTC)

"""What commands show, as JSON values with documented keys (`docs/json.md`).

It only reads. Times are RFC 3339 with the office's offset; what does not apply is null. How it
looks in a terminal is the command line's business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from crosspost.lifecycle import Status, status_word
from crosspost.views.announcements import AnnouncementViews
from crosspost.views.office import OfficeViews


class Views(AnnouncementViews, OfficeViews):
    """The views of one office, in one transaction."""


def status_words(channels: Mapping[str, str]) -> str:
    """The statuses of an announcement's deliveries in a few words: "published 3, failed 1"."""
    counts = Counter(channels.values())
    if len(counts) == 1:
        return status_word(Status(next(iter(counts))))
    return ", ".join(f"{status_word(Status(status))} {n}" for status, n in counts.items())

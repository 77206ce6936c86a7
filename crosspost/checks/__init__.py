"""The preflight: what is wrong with an announcement before anything is queued.

One choke point for the command line, imports and the daemon. Pure: a `Subject` goes in, findings
come out. It must not look anything up, and not know how a platform renders; what does not fit a
channel is found by `rendering`.

A new check needs a function in `CHECKS`, a level in `settings.py` (or a place in `FIRM`), a row of
docs/checks.md, and a table of cases in its test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from crosspost.checks import (
    addresses,
    characters,
    dates,
    personal,
    pictures,
    timing,
    writing,
)
from crosspost.checks.addresses import url_problem
from crosspost.checks.settings import Checks, Level, hours
from crosspost.checks.subject import Earlier, Picture, Subject

__all__ = [
    "CHECKS",
    "Checks",
    "Earlier",
    "Finding",
    "Level",
    "Picture",
    "Subject",
    "check",
    "hours",
    "url_problem",
]

#: So many findings of one check; who has read five knows.
MOST = 5

#: Sentences about what is wrong, each with its next step.
Check = Callable[[Subject], Iterator[str]]

CHECKS: Mapping[str, Check] = {
    "text_empty": writing.text_empty,
    "title_long": writing.title_long,
    "title_lines": writing.title_lines,
    "source_missing": writing.source_missing,
    "source_long": writing.source_long,
    "link_invalid": addresses.invalid,
    "link_shortened": addresses.shortened,
    "link_dead": addresses.dead,
    "domain_lookalike": addresses.lookalike,
    "language_missing": writing.language_missing,
    "language_invalid": writing.language_invalid,
    "language_unknown": writing.language_unknown,
    "alt_missing": pictures.alt_missing,
    "alt_file_name": pictures.alt_file_name,
    "alt_long": pictures.alt_long,
    "image_unusable": pictures.unusable,
    "photo_location": pictures.located,
    "capitals": writing.capitals,
    "hashtag_unreadable": writing.hashtags,
    "control_characters": characters.controls,
    "bidi_characters": characters.bidi,
    "zero_width": characters.zero_width,
    "date_weekday": dates.weekday,
    "date_past": dates.past,
    "personal_id": personal.identity,
    "personal_phone": personal.phone,
    "personal_email": personal.email,
    "personal_account": personal.account,
    "repeated": timing.repeated,
    "quiet_time": timing.quiet,
    "mention_everyone": writing.mention_everyone,
    "mention_name": writing.mention_name,
}


@dataclass(frozen=True)
class Finding:
    """One thing that a check found: its id, its level, and a sentence for the author."""

    id: str
    level: Level
    sentence: str


def check(subject: Subject, settings: Checks) -> list[Finding]:
    """Every finding about an announcement, those that block first."""
    found = []
    for name, look in CHECKS.items():
        level = settings.level(name)
        if level is not Level.OFF:
            sentences = dict.fromkeys(islice(look(subject), MOST))
            found += [Finding(name, level, sentence) for sentence in sentences]
    return sorted(found, key=lambda finding: finding.level is not Level.BLOCK)

"""When it goes out, and whether the same was said already.

Pure. It must not read a clock or the database: both come with the `Subject`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crosspost.checks.subject import Subject
from crosspost.wording import t

_SPACE_AND_MARKS = re.compile(r"[\W_]+")


def quiet(subject: Subject) -> Iterator[str]:
    """A time at which the office does not speak, unless it is urgent."""
    if subject.quiet is None or subject.urgent:
        return
    start, end = subject.quiet
    clock = subject.due.time().replace(second=0, microsecond=0)
    inside = start <= clock < end if start <= end else clock >= start or clock < end
    if not inside:
        return
    said = {"clock": f"{clock:%H:%M}", "start": f"{start:%H:%M}", "end": f"{end:%H:%M}"}
    if subject.at_once:
        yield t(
            "{clock} is in the quiet hours ({start} to {end}), when few people read and some are "
            "woken; what can wait may be approved later.",
            **said,
        )
    else:
        yield t(
            "{clock} is in the quiet hours ({start} to {end}), when few people read and some are "
            "woken; choose another time with --at, or mark it --urgent.",
            **said,
        )


def repeated(subject: Subject) -> Iterator[str]:
    """The same words in an announcement that is queued or published already."""
    words = _plain(subject.title), _plain(subject.body)
    if not any(words):
        return
    for earlier in subject.earlier:
        if (_plain(earlier.title), _plain(earlier.body)) == words:
            yield t(
                "Announcement {number} says the same already. Look at it before this one goes "
                "out: crosspost show {number}",
                number=earlier.number,
            )
            return


def _plain(text: str) -> str:
    return _SPACE_AND_MARKS.sub(" ", text.casefold()).strip()

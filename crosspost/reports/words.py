"""The words of a report, in the reader's language.

It must not count or format pages.
"""

from __future__ import annotations

from datetime import timedelta

from crosspost.wording import words


def outcome_word(name: str, lang: str) -> str:
    """One of `figures.OUTCOMES`."""
    say = words(lang)
    return {
        "on_time": say("on time"),
        "late": say("late"),
        "failed": say("failed"),
        "missed": say("missed"),
        "cancelled": say("cancelled"),
        "open": say("not decided yet"),
    }[name]


def class_word(name: str, lang: str) -> str:
    """A class of announcements; one of the office's own stays as it is."""
    say = words(lang)
    return {"normal": say("normal"), "urgent": say("urgent")}.get(name, name)


def span_words(length: timedelta, lang: str) -> str:
    """ "2 h 05 min", "45 s": exact enough to compare."""
    say = words(lang)
    seconds = round(length.total_seconds())
    if seconds < 60:
        return say("{seconds} s", seconds=seconds)
    minutes = seconds // 60
    if minutes < 60:
        return say("{minutes} min", minutes=minutes)
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return say("{hours} h {minutes} min", hours=hours, minutes=f"{minutes:02}")
    return say("{days} days {hours} h", days=hours // 24, hours=hours % 24)

"""Dates in the text, Indonesian and English: do weekday and date agree, and is the day still ahead?

Pure. Months and weekdays are the words of `timewords.py`. It must not complain about the date of a
letter, a law or a report: what lies in the past there lies there rightly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from crosspost.checks.subject import Subject
from crosspost.timewords import MONTHS, WEEKDAYS, quoted
from crosspost.wording import language, t


def _numbered(rows: tuple[str, ...], first: int) -> dict[str, int]:
    return {word: number for number, row in enumerate(rows, first) for word in row.split()}


def _either(words: dict[str, int]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


_MONTH = _numbered(MONTHS, 1)
_WEEKDAY = _numbered(WEEKDAYS, 0)
_M, _W = _either(_MONTH), _either(_WEEKDAY)
_TO = r"(?:dan|and|atau|or|s\.?/?d\.?|sampai(?:[ ]dengan)?|hingga|to|until|&|-|–|,)"

_DATES = (
    # 31 Maret 2026, 31st of March
    re.compile(
        rf"(?<![\w/.:-])(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:[ ]of)?[ -](?P<m>{_M})\b"
        rf"(?:,?[ -](?P<y>\d{{4}})\b)?",
        re.IGNORECASE,
    ),
    # March 31, 2026
    re.compile(
        rf"\b(?P<m>{_M})\.?[ ](?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?![\w/:-]|\.\d)"
        rf"(?:,?[ ](?P<y>\d{{4}})\b)?",
        re.IGNORECASE,
    ),
    # 31/3/2026, 31-03-2026, 31.03.2026; the United States write the month first
    re.compile(
        r"(?<![\w/.,:-])(?P<d>\d{1,2})(?P<s>[/.-])(?P<n>\d{1,2})(?P=s)(?P<y>\d{4})(?![\w/-]|\.\d)"
    ),
    re.compile(r"(?<![\w/.,:-])(?P<y>\d{4})-(?P<n>\d\d)-(?P<d>\d\d)(?![\w/-])"),
)
_WEEKDAY_BEFORE = re.compile(
    rf"\b(?P<w>{_W})(?:[ ]?,)?[ ]?\(?(?:(?:tanggal|tgl\.?|pada|the)[ ])?$", re.IGNORECASE
)
_WEEKDAY_AFTER = re.compile(rf"[ ]?\((?P<w>{_W})\)", re.IGNORECASE)
# "Senin dan Rabu, 31 Maret": which of the two is the 31st is not said
_SEVERAL = re.compile(rf"\b(?:{_W})[ ]?{_TO}[ ]?$", re.IGNORECASE)
_SPAN = re.compile(
    rf"\b(?P<w1>{_W})[ ]?{_TO}[ ]?(?P<w2>{_W})[ ]?,?[ ]\(?(?P<d1>\d{{1,2}})(?:[ ](?P<m1>{_M}))?"
    rf"[ ]?{_TO}[ ]?(?P<d2>\d{{1,2}})[ ](?P<m2>{_M})\b(?:[ ](?P<y>\d{{4}})\b)?",
    re.IGNORECASE,
)

# Just before a date: it dates a document, a birth or the beginning of something.
_DATED = re.compile(
    r"(?:\b(?:sejak|semenjak|since|from|dari|(?:mulai|dan)[ ]berlaku|mulai|per|as of|tertanggal|"
    r"dated|lahir|born|of)|"
    r"\b(?:nomor|no\.?|number|surat|edaran|keputusan|putusan|peraturan|letter|circular|decree)\b"
    r"[^.!?\n]{0,60}?)(?:[ ,(]*(?:pada|on|tanggal|tgl\.?|hari))*[ ,(]*$",
    re.IGNORECASE,
)
_AHEAD = re.compile(
    r"\b(?:akan|undang|undangan|mengundang|diundang|hadirilah|ikutilah|batas|paling lambat|"
    r"terakhir|pendaftaran|daftar|jadwal|dibuka|ditutup|ditiadakan|berlaku|catat|will|deadline|"
    r"until|register|registration|join us|opens?|closes?|closed|schedule|invited?|save the date)\b",
    re.IGNORECASE,
)
# Reports: Indonesian tells the past in the active voice, "memeriksa", "melaksanakan".
_REPORT = re.compile(
    r"\b(?:telah|sudah|lalu|terjadi|kejadian|gempa|kemarin|usai|berhasil|was|were|has|had|have|ago|yesterday|last|held|"
    r"nomor|no\.|surat|edaran|keputusan|putusan|peraturan|undang-undang|letter|circular|decree|"
    r"me(?:ng|ny|m|n|l|r|w|y)[a-z]{3,})(?!\w)",
    re.IGNORECASE,
)
#: Older ones are history, unless the sentence clearly speaks of what is to come.
_RECENT = timedelta(days=400)
_MARGIN = 40  # characters before a date that are looked at for its weekday


@dataclass(frozen=True)
class _Written:
    """A date in a text: where it stands, and the days that it may mean (none: no such day)."""

    start: int
    end: int
    days: tuple[date, ...]
    has_year: bool


def weekday(subject: Subject) -> Iterator[str]:
    """Weekdays that are not those of their dates, and dates that no calendar has."""
    for _, text in subject.words():
        for match in _SPAN.finditer(text):
            yield from _ends(match, subject.due.date())
        for found in _written(text, subject):
            name = _weekday_of(text, found)
            if not found.days:
                yield t(
                    '"{said}": there is no such day. Correct the date.',
                    said=quoted(text[found.start : found.end]),
                )
            elif name and all(day.weekday() != _WEEKDAY[name.lower()] for day in found.days):
                yield _disagree(f"{name}, {text[found.start : found.end]}", found.days[0])


def past(subject: Subject) -> Iterator[str]:
    """Days before the announcement's own that the text speaks of as if they were to come."""
    today = subject.due.date()
    for _, text in subject.words():
        for found in _written(text, subject):
            if found.has_year and found.days and max(found.days) < today:
                before, after = _sentence(text, found)
                age = today - max(found.days)
                if not _DATED.search(before) and _is_ahead(before + " " + after, age):
                    yield t(
                        '"{said}" is past when this goes out ({day}). Correct the date, or the '
                        "time with --at.",
                        said=quoted(text[found.start : found.end]),
                        day=_named(today),
                    )


def _ends(match: re.Match[str], due: date) -> Iterator[str]:
    """The two ends of "Senin s.d. Jumat, 2–6 November 2026"."""
    for n in ("1", "2"):
        month = match["m" + n] or match["m2"]
        day, weekday_ = match["d" + n], match["w" + n]
        days = _days(int(day), [_MONTH[month.lower()]], match["y"], due)
        if days and days[0].weekday() != _WEEKDAY[weekday_.lower()]:
            yield _disagree(f"{weekday_}, {day} {month}", days[0])


def _disagree(said: str, day: date) -> str:
    return t(
        '"{said}": {day} is a {weekday}. Correct the weekday or the date.',
        said=quoted(said),
        day=_named(day),
        weekday=_formatted(day, "EEEE"),
    )


def _written(text: str, subject: Subject) -> Iterator[_Written]:
    for pattern in _DATES:
        for match in pattern.finditer(text):
            if found := _read(match, subject):
                yield found


def _read(match: re.Match[str], subject: Subject) -> _Written | None:
    parts = match.groupdict()
    day, year = int(parts["d"]), parts["y"]
    month = parts.get("m")
    months = [_MONTH[month.lower()]] if month else [int(parts["n"])]
    due = subject.due.date()
    days = _days(day, months, year, due)
    if parts.get("s") == "/" and not subject.lang.lower().startswith("id"):
        days += _days(months[0], [day], year, due)
    if not days and not (month and (year or 29 <= day <= 31)):
        return None  # some other numbers
    return _Written(match.start(), match.end(), days, bool(year))


def _days(day: int, months: list[int], year: str | None, due: date) -> tuple[date, ...]:
    """The days meant; without a year, the one that is nearest to `due`."""
    years = [int(year)] if year else [due.year - 1, due.year, due.year + 1]
    found = [d for y in years for m in months if (d := _date(y, m, day))]
    return tuple(sorted(found, key=lambda d: abs(d - due))[:1])


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _weekday_of(text: str, found: _Written) -> str:
    before = text[max(0, found.start - _MARGIN) : found.start]
    if match := _WEEKDAY_BEFORE.search(before):
        return "" if _SEVERAL.search(before[: match.start()]) else match["w"]
    after = _WEEKDAY_AFTER.match(text, found.end, found.end + _MARGIN)
    return after["w"] if after else ""


def _sentence(text: str, found: _Written) -> tuple[str, str]:
    """What stands before and after the date in its sentence, 200 characters at most."""
    before = re.split(r"[.!?]\s|\n", text[max(0, found.start - 200) : found.start])[-1]
    return before, re.split(r"[.!?](?:\s|$)|\n", text[found.end : found.end + 200], maxsplit=1)[0]


def _is_ahead(sentence: str, age: timedelta) -> bool:
    if _AHEAD.search(sentence):
        return True
    return age <= _RECENT and not _REPORT.search(sentence)


def _named(day: date) -> str:
    return _formatted(day, "d MMMM y")


def _formatted(day: date, pattern: str) -> str:
    from babel.dates import format_date

    return format_date(day, pattern, locale=language())

"""A text that fits: whole where it can, else shortened or split where a reader would pause.

Pure. It must not know platforms: what fits is the caller's question, asked of the text as it would
stand there, its ellipsis included.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import regex

from crosspost.rendering import entities
from crosspost.rendering.entities import Range
from crosspost.rendering.measure import GRAPHEME

_CLUSTER_GOES_ON = r"\p{GCB=Prepend}"  # UAX #29 rule GB9b: these join what follows, even a space

# Where a word ends: before white space that may break, and not after a bullet, an opening quotation
# mark or the number of a list item, which would then stand alone.
_WORD_END = regex.compile(
    rf"(?<=[^\s•“{_CLUSTER_GOES_ON}])(?<!(?:^|\n)\ *[0-9]{{1,9}}\.)(?![\u00a0\u2007\u202f])(?=\s)"
)
# Scripts written without spaces: a reader of these expects a break anywhere between letters.
_UNSPACED = regex.compile(
    r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Javanese}\p{Balinese}\p{Han}\p{Hiragana}\p{Katakana}]+"
)

_SENTENCE_END = regex.compile(r"""(?:^|\s)["'“‘«(\[]*(\S*?)([.!?…。！？।။])["'”’»)\]]*$""")
_GOES_ON = regex.compile(r"\s*\p{Ll}")
# A dot after these ends no sentence: Indonesian and English, as offices write.
_ABBREVIATIONS = frozenset(
    "jl jln no gg rt rw kel kec kab prov dr drs dra prof ir hj bpk sdr yth tel telp hp tgl pkl "  # noqa: SIM905
    "hlm jo dll dsb dst dkk cq ttd mr mrs ms st vs etc pp vol".split()
)
_LONGEST_WORD = 60  # code points before a break that are looked at for a sentence's end


def shorten(text: str, fits: Callable[[int, str], bool]) -> tuple[int, str]:
    """How many code points of `text` to keep, and the ellipsis to put after them.

    At the end of a sentence, if that keeps at least half of what would fit; else of a word; else,
    where there is no white space, of a grapheme. Never inside a URL, a hashtag or a mention.
    `(0, "")` when nothing of it fits. `fits` is asked about such pairs, a logarithmic number of
    times.
    """

    def ok(point: int) -> bool:
        kept, ellipsis = _ending(text, point)
        return kept > 0 and fits(kept, ellipsis)

    points = _word_ends(text)
    best = _last_fitting(points, 0, ok)
    if best < 0:
        points = _grapheme_ends(text)
        best = _last_fitting(points, 0, ok)
    if best < 0:
        return 0, ""
    kept, ellipsis = _ending(text, _pause(text, 0, points[: best + 1]))
    if not fits(kept, ellipsis):  # not every measure grows with the text
        kept, ellipsis = _ending(text, points[best])
    return kept, ellipsis


def split(text: str, fits: Callable[[int, int, int, bool], bool], most: int) -> list[Range]:
    """Where the parts of a thread begin and end in `text`; in between lies only white space.

    `fits(index, start, end, last)` says whether a stretch fits the part of that index, with what
    stands after the text when it is the last. Breaks are chosen as in `shorten`. The last part may
    be empty. After `most` parts it ends, whether all is said or not; an empty list when there is a
    part that nothing fits into. Takes time that goes with the length of the text.
    """
    breaks = _Breaks(text)
    parts: list[Range] = []
    start, end = _start(text, 0), len(text.rstrip())
    while len(parts) < most:
        index = len(parts)
        if index and start >= end:
            return [*parts, (end, end)]
        stop = breaks.after(start, lambda point: fits(index, start, _end(text, point), False))  # noqa: B023
        if stop is None:
            return []
        if stop >= end and fits(index, start, end, True):
            return [*parts, (start, end)]
        if stop >= end:  # what stands after it has no room: leave something for the next part
            stop = breaks.before(start, end)
        parts.append((start, _end(text, stop)))
        start = _start(text, stop)
    return parts


class _Breaks:
    """The places where a text may be cut, found once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = (*_word_ends(text), len(text))
        self._graphemes: tuple[int, ...] | None = None

    @property
    def graphemes(self) -> tuple[int, ...]:
        if self._graphemes is None:
            self._graphemes = _grapheme_ends(self.text)
        return self._graphemes

    def after(self, start: int, fits: Callable[[int], bool]) -> int | None:
        """The best place after `start` up to which it fits; None when there is none."""
        for points in (self.words, self.graphemes):
            first = bisect_right(points, start)
            best = _last_fitting(points, first, fits)
            if best >= first:
                if points[best] == len(self.text):
                    return points[best]
                stop = _pause(self.text, start, points[first : best + 1])
                return stop if fits(stop) else points[best]
        return None

    def before(self, start: int, end: int) -> int:
        """A place between, so that both sides say something; `end` when there is none."""
        inner = self.words[bisect_right(self.words, start) : bisect_left(self.words, end)]
        return _pause(self.text, start, inner) if inner else end


def _start(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place


def _end(text: str, place: int) -> int:
    while place and text[place - 1].isspace():
        place -= 1
    return place


def _last_fitting(points: Sequence[int], first: int, ok: Callable[[int], bool]) -> int:
    """The index of the last break from `first` on that is ok, or one less. Doubling steps first: a
    text a thousand times too long is never measured whole."""
    low, step = first - 1, 1
    while low + step < len(points) and ok(points[low + step]):
        low, step = low + step, step * 2
    high = min(low + step, len(points))
    while high - low > 1:
        middle = (low + high) // 2
        if ok(points[middle]):
            low = middle
        else:
            high = middle
    return low


@lru_cache(maxsize=4)  # many channels show the same text
def _word_ends(text: str) -> tuple[int, ...]:
    between: list[int] = []
    for run in _UNSPACED.finditer(text):
        ends = [run.start() + cluster.end() for cluster in GRAPHEME.finditer(run[0])]
        between += ends[:-1]  # the last cluster may go on after the run
    words = [match.start() for match in _WORD_END.finditer(text)]
    return tuple(sorted({*words, *_outside_of_names(text, between)} - {0}))


def _grapheme_ends(text: str) -> tuple[int, ...]:
    return tuple(_outside_of_names(text, [end.end() for end in GRAPHEME.finditer(text)]))


def _outside_of_names(text: str, points: Sequence[int]) -> Iterator[int]:
    """Those of `points` that cut no URL, hashtag or mention in two."""
    ranges = entities.whole(text) if points else []
    starts = [start for start, _ in ranges]
    for point in points:
        before = bisect_left(starts, point) - 1
        if before < 0 or point >= ranges[before][1]:
            yield point


def _ending(text: str, point: int) -> tuple[int, str]:
    """What is kept of a text cut at `point`, and its ellipsis. It stands apart from an address or
    tag, which some platforms would take it to belong to, and from the end of a sentence."""
    kept = text[:point].rstrip().rstrip(",;:").rstrip()
    last = kept[-_LONGEST_WORD:].split()[-1:]
    name = any(sign in word for word in last for sign in "/#＃@")
    return len(kept), " …" if name or _sentence_end(kept, len(kept)) else "…"


def _pause(text: str, start: int, points: Sequence[int]) -> int:
    """The last of `points` that ends a sentence, if it keeps half of the text from `start` on;
    else the last."""
    for point in reversed(points):
        if (point - start) * 2 < points[-1] - start:
            break
        if _ends_sentence(text, point):
            return point
    return points[-1]


def _ends_sentence(text: str, point: int) -> bool:
    """Whether a reader pauses at `point`: at the end of a line or sentence, and what follows
    begins anew."""
    if text.startswith("\n\n", point):
        return True
    if _GOES_ON.match(text, point):
        return False
    if text[point] == "\n":
        return True
    match = _sentence_end(text, point)
    return match is not None and (match[2] != "." or not _is_abbreviation(match[1]))


def _sentence_end(text: str, point: int) -> regex.Match[str] | None:
    return _SENTENCE_END.search(text, max(0, point - _LONGEST_WORD), point)


def _is_abbreviation(word: str) -> bool:
    """Whether the dot after `word` belongs to it: "Jl.", "S.H.", "A." """
    return (
        (len(word) == 1 and word.isalpha())
        or word.casefold() in _ABBREVIATIONS
        or ("." in word and not any(char.isdigit() for char in word))
    )

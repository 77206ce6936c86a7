"""The texts of an announcement's posts on one channel: one that fits, or the parts of a thread.

Pure. It must not know what a post carries besides its text. Where the whole is too long, lines that
may be left out go first, the last one before the others; then the end of the body, at a sentence, a
word, a grapheme; or the body is split where the channel makes threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crosspost.errors import ContentError
from crosspost.post import Capabilities, unit_word
from crosspost.rendering.fitting import shorten, split
from crosspost.rendering.markup import counts_marks, written
from crosspost.rendering.measure import utf8
from crosspost.rendering.spans import Span, Spans, Stretch, text_of
from crosspost.rendering.templates import Frame, Line, joined
from crosspost.wording import t

#: Parts of a thread at most. Who has more to say links to it.
MOST_PARTS = 25


@dataclass(frozen=True)
class Room:
    """How much one channel holds, and what it is called in a sentence."""

    capabilities: Capabilities
    measure: Callable[[str], int]
    channel: str
    media: int  # how many images and videos the first post has
    most: int = 1  # parts

    def size(self, text: Spans) -> str:
        """What of a text counts: what a reader sees, or all of it with its marks."""
        markup = self.capabilities.markup
        return written(text, markup) if counts_marks(markup) else text_of(text)

    def excess(self, text: Spans, media: int) -> tuple[int, int, str] | None:
        """Count, limit and unit of the first limit that `text` breaks; None when it fits."""
        counted = self.size(text)
        limit, size = self.capabilities.limit(media), self.capabilities.max_bytes
        if limit is not None and (count := self.measure(counted)) > limit:
            return count, limit, unit_word(self.capabilities.unit)
        if size is not None and (count := utf8(counted)) > size:
            return count, size, unit_word("bytes")
        return None

    def fits(self, text: Spans, index: int = 0) -> bool:
        """Whether `text` fits the part of that index; the first has the images."""
        return self.excess(text, 0 if index else self.media) is None


def texts(frame: Frame, body: Spans, shown: Sequence[Spans], room: Room, link: str) -> list[Spans]:
    """The texts of the parts, in order: `body` in its `frame`, and `shown`, a line for each image
    that has to be described in words, where there is room. The body is shortened only if there is a
    `link` to the whole of it.

    Raises ContentError, with counts and limits, when it cannot go out so.
    """
    made = _Text(frame, body, room)
    whole = made.whole(keep=0)
    if room.fits(whole):
        return [_with_lines(made.longest(), shown, room)]
    if room.most > 1 and body:
        parts = _Thread(made, shown, link).parts()
        if parts:
            return parts
    if not link:
        raise _too_long(whole, room)
    if not room.fits(made.around(0, 0, "")):
        raise _too_long(made.around(0, 0, ""), room, least=True)
    kept, ellipsis = shorten(made.body.text, lambda end, dots: room.fits(made.around(0, end, dots)))
    if not kept and not made.head:
        raise _too_long(whole, room)
    return [made.around(0, kept, ellipsis)]


class _Text:
    """A body and what stands around it."""

    def __init__(self, frame: Frame, body: Spans, room: Room) -> None:
        self.frame, self.room = frame, room
        self.body = Stretch(body)
        self.head = joined(_without_optional(frame.head))
        self.tail = joined(_without_optional(frame.tail))

    def whole(self, keep: int) -> Spans:
        """All of the body, with the first `keep` of the lines that may be left out."""
        head, tail = _keeping(self.frame, keep)
        return self._assembled(joined(head), self.body.spans, joined(tail))

    def longest(self) -> Spans:
        """All of the body with as many of the lines that may be left out as there is room for;
        without any it fits."""
        count = sum(line.optional for line in (*self.frame.head, *self.frame.tail))
        fitting = (self.whole(keep) for keep in range(count, 0, -1))
        return next((text for text in fitting if self.room.fits(text)), self.whole(keep=0))

    def around(self, start: int, end: int, ellipsis: str) -> Spans:
        """A piece of the body between head and tail, without the lines that may be left out."""
        piece = self.body.piece(start, end)
        return self._assembled(self.head, (*piece, Span(ellipsis)) if piece else (), self.tail)

    def _assembled(self, head: Spans, body: Spans, tail: Spans) -> Spans:
        """Parts that are not empty, with what the template puts between them."""
        made = head
        for gap, part in ((self.frame.before, body), (self.frame.after, tail)):
            if part:
                made = (*made, Span(gap), *part) if made else part
        return made


class _Thread:
    """A text as a numbered thread: the head in the first part, the tail in the last."""

    def __init__(self, text: _Text, shown: Sequence[Spans], link: str) -> None:
        self.text, self.room, self.link = text, text.room, link
        self.shown = _lines(shown)
        self.tail = joined(text.frame.tail)

    def parts(self) -> list[Spans]:
        """The texts of the parts; none when some part holds nothing."""
        # a number takes room too, so its width is decided first
        for digits in range(1, len(str(self.room.most)) + 1):
            self.number = _number("9" * digits, "9" * digits)
            if not self._has_room(1, self.tail):
                self.tail = self.text.tail
            if not self._fits(0, 0, 0, last=False):
                self.shown = ()
            most = min(self.room.most, 10**digits)  # more have wider numbers anyway
            ranges = split(self.text.body.text, self._fits, most)
            if not ranges:
                return []
            if len(str(len(ranges))) <= digits:
                return self._written(ranges)
        return []

    def _written(self, ranges: list[tuple[int, int]]) -> list[Spans]:
        last, said = len(ranges) - 1, self.text.body.text.rstrip()
        texts = [self._part(i, *place, last=i == last) for i, place in enumerate(ranges)]
        if ranges[-1][1] < len(said):
            if not self.link:
                return []
            texts[-1] = self._shortened(last, ranges[-1][0])
        total = str(len(ranges))
        numbers = [_number(str(index), total) for index in range(1, len(ranges) + 1)]
        return [(*text, number) for text, number in zip(texts, numbers, strict=True)]

    def _shortened(self, index: int, start: int) -> Spans:
        rest = self.text.body.text[start:]

        def made(end: int, ellipsis: str) -> Spans:
            return self._part(index, start, start + end, ellipsis, last=True)

        kept, ellipsis = shorten(rest, lambda end, dots: self._has_room(index, made(end, dots)))
        return made(kept, ellipsis)

    def _fits(self, index: int, start: int, end: int, last: bool) -> bool:
        return self._has_room(index, self._part(index, start, end, last=last))

    def _has_room(self, index: int, text: Spans) -> bool:
        return self.room.fits((*text, self.number), index)

    def _part(self, index: int, start: int, end: int, ellipsis: str = "", *, last: bool) -> Spans:
        piece = (*self.text.body.piece(start, end), *([Span(ellipsis)] if ellipsis else []))
        pieces = [("\n\n", piece)]
        if not index:
            pieces = [("", joined(self.text.frame.head)), (self.text.frame.before, piece)]
        if last:
            pieces.append((self.text.frame.after if piece else "\n\n", self.tail))
        if not index:
            pieces.append(("\n\n", self.shown))
        made: list[Span] = []
        for gap, part in pieces:
            if part:
                made += [Span(gap), *part] if made else part
        return tuple(made)


def _number(index: str, total: str) -> Span:
    return Span(f"\n\n({index}/{total})")


def _keeping(frame: Frame, keep: int) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """Head and tail with the first `keep` of the lines that may be left out."""
    kept: list[list[Line]] = []
    for lines in (frame.head, frame.tail):
        rows = []
        for line in lines:
            if line.optional:
                keep -= 1
            if not line.optional or keep >= 0:
                rows.append(line)
        kept.append(rows)
    return tuple(kept[0]), tuple(kept[1])


def _without_optional(lines: Sequence[Line]) -> tuple[Line, ...]:
    return tuple(line for line in lines if not line.optional)


def _with_lines(text: Spans, lines: Sequence[Spans], room: Room) -> Spans:
    """`text` and as many of the `lines` after it as there is room for."""
    for count in range(len(lines), 0, -1):
        longer = (*text, Span("\n\n"), *_lines(lines[:count])) if text else _lines(lines[:count])
        if room.fits(longer):
            return longer
    return text


def _lines(lines: Sequence[Spans]) -> Spans:
    made: list[Span] = []
    for line in lines:
        made += [Span("\n"), *line] if made else line
    return tuple(made)


def _too_long(text: Spans, room: Room, *, least: bool = False) -> ContentError:
    """The error for a `text` that is over a limit; `least` when nothing is left to shorten."""
    count, limit, unit = room.excess(text, room.media) or (0, 0, "")
    if least:
        return ContentError(
            t(
                "On {channel} title, link and source alone have {count} {unit}; "
                "the limit is {limit}.",
                channel=room.channel,
                count=count,
                unit=unit,
                limit=limit,
            ),
            hint=t("Shorten the title or the source, or leave this channel out with --to."),
        )
    return ContentError(
        t(
            "On {channel} the text has {count} {unit}; the limit is {limit}.",
            channel=room.channel,
            count=count,
            unit=unit,
            limit=limit,
        ),
        hint=t(
            "Shorten it, or give it a title and a --link to where all of it can be read: "
            "then it is shortened for this channel."
        ),
    )

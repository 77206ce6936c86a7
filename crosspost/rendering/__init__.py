"""An announcement becomes the posts of one channel: measured, fitted, marked up.

Pure. It must not send, store or look anything up: what a platform can carry stands in its
`Capabilities`, and how it counts in the `measure` that its adapter brings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from crosspost.errors import ContentError
from crosspost.post import (
    Capabilities,
    Card,
    CardMaker,
    Content,
    Document,
    Image,
    Markup,
    Post,
    unit_word,
)
from crosspost.rendering import document
from crosspost.rendering.fitting import shorten
from crosspost.rendering.measure import graphemes, utf8, utf16
from crosspost.rendering.spans import (
    Span,
    Spans,
    cut,
    facets,
    linked,
    telegram_html,
    text_of,
    visible,
)
from crosspost.wording import t, words

__all__ = ["render", "visible"]

SUMMARY = 200  # graphemes


def render(
    content: Content,
    capabilities: Capabilities,
    measure: Callable[[str], int],
    *,
    page: str = "",
    channel: str = "",
) -> tuple[Post, ...]:
    """The posts of `content` on one channel, in order; as yet always one.

    The videos of `content` are those that the channel takes; where images cannot stand beside
    them, the images are left out. `page` is the address of the announcement's own page, "" when it
    has none; the link of the post is that, else the author's. `measure` is asked about the visible
    text, without any tags of the markup, and answers in the platform's unit.

    The text is title, body, link and source. Where it is too long, descriptions of images (where
    the platform has no field for them) go first, then the end of the body; never the link or the
    source. The body is shortened only if there is a link to the whole of it.

    Raises ContentError, with counts and limits, when it cannot go out so.
    """
    tokens = document.parse(content.body)
    title, link = _line(content.title), page or content.link
    plain = text_of(document.spans(tokens, Markup.PLAIN)).strip()
    if not title and not plain:
        raise ContentError(t("The announcement has no text."), hint=t("Give a title or a text."))
    if content.videos and not capabilities.mixes_media:
        content = replace(content, images=())
    shown = min(len(content.images), capabilities.max_images) + len(content.videos)
    room = _Room(capabilities, measure, channel or t("this channel"), shown)
    images = _images(content.images, room, page)
    if capabilities.needs_media and not images and not content.videos:
        raise ContentError(
            t("{channel} shows nothing without an image or a video.", channel=room.channel),
            hint=t("Give one with --image or --video, or leave this channel out with --to."),
        )
    body = document.spans(tokens, capabilities.markup) if plain else ()
    head = "" if capabilities.max_title is not None else title
    text = _fitted(head, body, content, link, room)
    post = Post(
        text=telegram_html(text) if capabilities.markup is Markup.TELEGRAM_HTML else text_of(text),
        lang=content.lang,
        title=_heading(title, plain, capabilities),
        link=link,
        images=images,
        videos=content.videos,
    )
    if capabilities.markup is Markup.FACETS:
        post = replace(post, facets=facets(text, tags=capabilities.hashtags))
    if capabilities.markup is Markup.DOCUMENT:
        html = document.safe_html(tokens)
        post = replace(post, document=_document(content, title, html, plain))
    if capabilities.card is CardMaker.CLIENT and link and not images and not content.videos:
        post = replace(post, card=_card(link, title, plain))
    return (post,)


@dataclass(frozen=True)
class _Room:
    """How much one channel holds."""

    capabilities: Capabilities
    measure: Callable[[str], int]
    channel: str
    media: int  # how many images and videos the post has

    def excess(self, text: str) -> tuple[int, int, str] | None:
        """Count, limit and unit of the first limit that `text` breaks; None when it fits."""
        limit, size = self.capabilities.limit(self.media), self.capabilities.max_bytes
        if limit is not None and (count := self.measure(text)) > limit:
            return count, limit, unit_word(self.capabilities.unit)
        if size is not None and (count := utf8(text)) > size:
            return count, size, unit_word("bytes")
        return None

    def fits(self, text: Spans | str) -> bool:
        return self.excess(text if isinstance(text, str) else text_of(text)) is None


def _images(images: Sequence[Image], room: _Room, page: str) -> tuple[Image, ...]:
    """The images that the channel takes: the first ones; the page shows the rest.

    Raises ContentError for a description that is too long, and for too many images with no page.
    """
    limit, longest = room.capabilities.max_images, room.capabilities.max_alt
    problems = []
    if len(images) > limit and not page:
        problems.append(
            t(
                "{channel} takes {limit} images, and the announcement has {count}.",
                channel=room.channel,
                limit=limit,
                count=len(images),
            )
        )
    for number, image in enumerate(images[:limit], 1):
        if longest is not None and len(image.alt) > longest:
            problems.append(
                t(
                    "On {channel} the description of image {number} has {count} characters; "
                    "the limit is {limit}.",
                    channel=room.channel,
                    number=number,
                    count=len(image.alt),
                    limit=longest,
                )
            )
    if problems:
        raise ContentError(
            *problems, hint=t("Shorten it, take images away, or leave this channel out with --to.")
        )
    return tuple(images[:limit])


def _fitted(title: str, body: Spans, content: Content, link: str, room: _Room) -> Spans:
    """The whole text of the post, as much of the body in it as there is room for."""
    head, tail = linked(title, "b"), _tail(content, link)
    whole = _joined(head, body, tail)
    if room.fits(text_of(whole)):
        return _with_descriptions(whole, content, room)
    if not link:
        raise _too_long(text_of(whole), room)
    least = _joined(head, tail)
    if not room.fits(text_of(least)):
        raise _too_long(text_of(least), room, least=True)
    before, after = f"{text_of(head)}\n\n" if head else "", f"\n\n{text_of(tail)}"
    kept, ellipsis = shorten(text_of(body), lambda text: room.fits(before + text + after))
    if kept:
        return _joined(head, (*cut(body, kept), Span(ellipsis)), tail)
    if head:
        return least
    raise _too_long(text_of(whole), room)


def _tail(content: Content, link: str) -> Spans:
    """The lines after the body, that are never cut: where to read more, and the source."""
    say, source = words(content.lang), _line(content.source)
    lines: list[Spans] = []
    if link:
        before, _, after = say("Read more: {link}", link=link).partition(link)
        lines.append((Span(before), Span(link, url=link), Span(after)))
    if source:
        lines.append(linked(say("Source: {source}", source=source)))
    return _joined(*lines, gap="\n")


def _with_descriptions(text: Spans, content: Content, room: _Room) -> Spans:
    """`text` with what images and videos show, a line each while there is room, where the platform
    has no field for it."""
    capabilities = room.capabilities
    if capabilities.max_alt is not None or capabilities.markup is Markup.DOCUMENT:
        return text
    gap = "\n\n"
    say = words(content.lang)
    shown = [
        say("Image: {description}", description=_line(image.alt))
        for image in content.images[: capabilities.max_images]
    ]
    shown += [say("Video: {description}", description=_line(v.alt)) for v in content.videos]
    for line in shown:
        longer = _joined(text, linked(line), gap=gap)
        if not room.fits(text_of(longer)):
            break
        text, gap = longer, "\n"
    return text


def _too_long(text: str, room: _Room, *, least: bool = False) -> ContentError:
    """The error for a `text` that is over a limit; `least` when nothing is left to shorten."""
    count, limit, unit = room.excess(text) or (0, 0, "")
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


def _heading(title: str, plain: str, capabilities: Capabilities) -> str:
    """The title for a platform that has a field for it; without one the text's beginning."""
    limit, line = capabilities.max_title, title or _line(plain)
    if limit is None:
        return ""
    if utf16(line) <= limit:
        return line
    kept, ellipsis = shorten(line, lambda text: utf16(text) <= limit)
    return line[:kept] + ellipsis


def _document(content: Content, title: str, html: str, plain: str) -> Document:
    return Document(
        code=content.code,
        revision=content.revision,
        title=title,
        html=html,
        text=plain,
        summary=_summary(plain),
        source=_line(content.source),
        link=content.link,
        lang=content.lang,
        urgency=content.urgency,
    )


def _card(link: str, title: str, plain: str) -> Card:
    """The link card; without a title the summary is all it says."""
    summary = _summary(plain)
    return Card(link, title or summary, summary if title else "")


def _summary(plain: str) -> str:
    """The beginning of a plain text, on one line."""
    line = _line(plain)
    if graphemes(line) <= SUMMARY:
        return line
    kept, ellipsis = shorten(line, lambda text: graphemes(text) <= SUMMARY)
    return line[:kept] + ellipsis


def _line(text: str) -> str:
    """`text` on one line, without control characters."""
    return " ".join(document.cleaned(text).split())


def _joined(*parts: Spans, gap: str = "\n\n") -> Spans:
    """The parts that are not empty, with `gap` between them."""
    joined: list[Span] = []
    for part in parts:
        if part:
            joined += [Span(gap), *part] if joined else part
    return tuple(joined)

"""An announcement becomes the posts of one channel: measured, fitted, marked up.

Pure. It must not send, store or look anything up: what a platform can carry stands in its
`Capabilities`, and how it counts in the `measure` that its adapter brings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from crosspost.errors import ContentError
from crosspost.post import Capabilities, Card, CardMaker, Content, Document, Image, Markup, Post
from crosspost.rendering import document, templates
from crosspost.rendering.facets import facets, styled_facets
from crosspost.rendering.fitting import shorten
from crosspost.rendering.layout import MOST_PARTS, Room, texts
from crosspost.rendering.markup import counts_marks, in_markup, visible, written
from crosspost.rendering.measure import graphemes, utf16
from crosspost.rendering.spans import Spans, linked, text_of
from crosspost.rendering.tags import hashtags
from crosspost.style import PLAIN, Style
from crosspost.wording import t, words

__all__ = ["counted", "in_markup", "render", "visible"]

SUMMARY = 200  # graphemes


def render(
    content: Content,
    capabilities: Capabilities,
    measure: Callable[[str], int],
    *,
    page: str = "",
    channel: str = "",
    style: Style = PLAIN,
    office: str = "",
) -> tuple[Post, ...]:
    """The posts of `content` on one channel, in order: one, or the parts of a thread.

    The videos of `content` are those that the channel takes; where images cannot stand beside
    them, the images are left out. `page` is the address of the announcement's own page, "" when it
    has none; the link of the post is that, else the author's. `measure` answers in the platform's
    unit; it is asked about what `counted` gives. `office` is the name for templates.

    What stands in a text, and in which order, says the template; what goes first where it is too
    long, `layout`. Never the link or the source.

    Raises ContentError, with counts and limits, when it cannot go out so.
    """
    text = content.texts.get(channel, content.body)
    title, link = _line(content.title), page or content.link
    plain = text_of(document.read(text, Markup.PLAIN)).strip()
    if not title and not plain:
        raise ContentError(t("The announcement has no text."), hint=t("Give a title or a text."))
    if content.videos and not capabilities.mixes_media:
        content = replace(content, images=())
    room = _room(content, capabilities, measure, channel, style)
    images = _images(content.images, room, page)
    if capabilities.needs_media and not images and not content.videos:
        raise ContentError(
            t("{channel} shows nothing without an image or a video.", channel=room.channel),
            hint=t("Give one with --image or --video, or leave this channel out with --to."),
        )
    frame = _frame(content, title, link, office, room, style)
    body = document.read(text, capabilities.markup) if plain else ()
    parts = texts(frame, body, _described(content, capabilities), room, link)
    first = Post(
        text="",
        lang=content.lang,
        title=_heading(title, plain, capabilities),
        images=images,
        videos=content.videos,
    )
    posts = [_post(first if not i else Post("", content.lang), part, capabilities)
             for i, part in enumerate(parts)]  # fmt: skip
    posts[-1] = _last(posts[-1], content, capabilities, link, (title, plain))
    if capabilities.markup is Markup.DOCUMENT:
        posts[0] = replace(posts[0], document=_document(content, title, text, plain))
    return tuple(posts)


def counted(text: str, markup: Markup) -> str:
    """What of a post's `text` an adapter's `measure` is asked about: what a reader sees; with marks
    and escapes where the platform counts these."""
    return text if counts_marks(markup) else visible(text, markup)


def _room(
    content: Content,
    capabilities: Capabilities,
    measure: Callable[[str], int],
    channel: str,
    style: Style,
) -> Room:
    shown = min(len(content.images), capabilities.max_images) + len(content.videos)
    most = MOST_PARTS if style.threads and capabilities.threads else 1
    return Room(capabilities, measure, channel or t("this channel"), shown, most)


def _post(post: Post, text: Spans, capabilities: Capabilities) -> Post:
    """`post` with its text, and what goes with it."""
    post = replace(post, text=written(text, capabilities.markup))
    if capabilities.markup is Markup.FACETS:
        return replace(post, facets=facets(text, tags=capabilities.hashtags))
    if capabilities.markup is Markup.RICH_TEXT:
        return replace(post, facets=styled_facets(text))
    return post


def _last(
    post: Post, content: Content, capabilities: Capabilities, link: str, said: tuple[str, str]
) -> Post:
    """The last post with the link that stands in it, and its card."""
    post = replace(post, link=link)
    if capabilities.card is CardMaker.CLIENT and link and not post.images and not content.videos:
        return replace(post, card=_card(link, *said))
    return post


def _frame(
    content: Content, title: str, link: str, office: str, room: Room, style: Style
) -> templates.Frame:
    """What the template of the announcement's class makes of its fields."""
    say, source = words(content.lang), _line(content.source)
    can = room.capabilities
    shown = "" if can.max_title is not None else title
    tagged = style.hashtags and can.hashtags and can.markup is not Markup.DOCUMENT
    values = {
        "title": shown,
        "important": say("Important: {title}", title=shown) if shown else say("Important"),
        "link": link,
        "read_more": say("Read more: {link}", link=link) if link else "",
        "source": source,
        "source_line": say("Source: {source}", source=source) if source else "",
        "hashtags": " ".join(hashtags(content.tags, can.max_hashtags)) if tagged else "",
        "signature": _line(style.signature or ""),
        "office": _line(office),
        "lang": content.lang,
        "urgent": content.urgency == "urgent",
    }
    kind = content.urgency if content.urgency in templates.CLASSES else templates.CLASSES[0]
    template = style.templates.get(kind)
    return _made(template, values, room) if template else templates.default(kind, values)


def _made(template: str, values: Mapping[str, object], room: Room) -> templates.Frame:
    try:
        return templates.frame(template, values)
    except Exception as error:  # an expression of theirs may fail in any way
        raise ContentError(
            t("The template of {channel} does not work: {reason}.", channel=room.channel,
              reason=str(error).rstrip(".")),
            hint=t("Correct [templates] in crosspost.toml."),
        ) from error  # fmt: skip


def _described(content: Content, capabilities: Capabilities) -> list[Spans]:
    """What images and videos show, a line each, where the platform has no field for it."""
    if capabilities.max_alt is not None or capabilities.markup is Markup.DOCUMENT:
        return []
    say = words(content.lang)
    shown = [
        say("Image: {description}", description=_line(image.alt))
        for image in content.images[: capabilities.max_images]
    ]
    shown += [say("Video: {description}", description=_line(v.alt)) for v in content.videos]
    return [linked(line) for line in shown]


def _images(images: Sequence[Image], room: Room, page: str) -> tuple[Image, ...]:
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


def _heading(title: str, plain: str, capabilities: Capabilities) -> str:
    """The title for a platform that has a field for it; without one the text's beginning."""
    limit, line = capabilities.max_title, title or _line(plain)
    if limit is None:
        return ""
    if utf16(line) <= limit:
        return line
    kept, ellipsis = shorten(line, lambda end, dots: utf16(line[:end] + dots) <= limit)
    return line[:kept] + ellipsis


def _document(content: Content, title: str, text: str, plain: str) -> Document:
    return Document(
        code=content.code,
        revision=content.revision,
        title=title,
        html=document.html_of(text),
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


@lru_cache(maxsize=2)
def _summary(plain: str) -> str:
    """The beginning of a plain text, on one line."""
    line = _line(plain)
    if graphemes(line) <= SUMMARY:
        return line
    kept, ellipsis = shorten(line, lambda end, dots: graphemes(line[:end] + dots) <= SUMMARY)
    return line[:kept] + ellipsis


def _line(text: str) -> str:
    """`text` on one line, without control characters."""
    return " ".join(document.cleaned(text).split())

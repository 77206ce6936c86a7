"""What adapters see and return: a post as it will be sent, and what the platform made of it.

Pure data, frozen. It must not render, fetch or store anything. What stands in a `Post` is exactly
what was approved: the ledger hashes its JSON form, and the publisher compares before it sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from crosspost.wording import t


class Markup(StrEnum):
    """In which form an adapter takes the text of a post."""

    PLAIN = "plain"  # the platform links URLs and hashtags itself
    TELEGRAM_HTML = "telegram_html"  # the tags of Telegram's HTML parse mode
    MATRIX_HTML = "matrix_html"  # the HTML that Matrix clients show
    DISCORD = "discord"  # Discord's Markdown
    LITTLE_TEXT = "little_text"  # LinkedIn's escapes and hashtags
    FACETS = "facets"  # plain text, with links and tags named by byte ranges (AT Protocol)
    RICH_TEXT = "rich_text"  # plain text, with links and styles named by byte ranges (Slack)
    DOCUMENT = "document"  # the adapter takes the whole announcement: `Post.document`


class CardMaker(StrEnum):
    """Who makes the link card under a post."""

    SERVER = "server"  # the platform crawls the link
    CLIENT = "client"  # we send title, description and picture: `Post.card`
    NONE = "none"


class Reconcile(StrEnum):
    """How an adapter finds out whether an unconfirmed post exists (design, section 4)."""

    IDEMPOTENCY_KEY = "idempotency_key"  # repeat the same bytes with the same key, in its window
    CHOSEN_ID = "chosen_id"  # read the name that we chose ourselves
    TWO_PHASE = "two_phase"  # ask the container
    LOOKUP = "lookup"  # read our own timeline and find our link or text
    NONE = "none"  # a person decides


@dataclass(frozen=True)
class Capabilities:
    """What one platform can carry; lengths in the platform's own unit, as `measure` counts them."""

    markup: Markup = Markup.PLAIN
    max_length: int | None = None  # None: no limit that we could reach
    max_caption: int | None = None  # the limit when images are attached, where it differs
    max_bytes: int | None = None  # UTF-8 bytes, where the platform limits them besides
    max_title: int | None = None  # characters of `Post.title`; None: a title is part of the text
    unit: str = "characters"  # what `measure` counts, as an admin would say it
    max_images: int = 0
    image_bytes: int = 8_000_000
    image_pixels: int = 33_000_000  # width × height
    image_side: int = 4096  # the longer side
    image_types: tuple[str, ...] = ("image/jpeg", "image/png")
    image_shapes: tuple[float, float] | None = None  # width / height: the least and the most
    max_alt: int | None = None  # characters; None: the platform has no field for it
    max_videos: int = 0
    max_video_alt: int | None = None  # the same as `max_alt` of a video, where it differs
    video_bytes: int = 100_000_000
    video_seconds: int = 140  # the longest; X takes no longer one
    video_types: tuple[str, ...] = ("video/mp4",)
    video_codecs: tuple[str, ...] = ("h264",)  # of the pictures, as ffprobe names them
    mixes_media: bool = False  # images and videos in one post; else a video takes their place
    needs_media: bool = False  # a post without image or video cannot be
    card: CardMaker = CardMaker.SERVER
    hashtags: bool = True  # it makes links of them
    max_hashtags: int | None = None  # of the announcement's tags
    threads: bool = False  # a post can answer to another, so that several read as one
    delete: bool = False
    edit: bool = False
    shows_edits: bool = False  # readers see that a post was edited
    reconcile: Reconcile = Reconcile.NONE
    settle: timedelta = timedelta(seconds=60)  # before absence may count
    #: how long the platform remembers an idempotency key; None: for ever
    key_window: timedelta | None = None

    def limit(self, media: int) -> int | None:
        """The limit for a post with so many images and videos."""
        return self.max_caption if media and self.max_caption is not None else self.max_length


def unit_word(unit: str) -> str:
    """A unit of `Capabilities` in the admin's language; one that only an outsider's adapter has
    stays as it is."""
    return {"characters": t("characters"), "bytes": t("bytes")}.get(unit, unit)


@dataclass(frozen=True)
class Image:
    """One image as it will be uploaded: a file whose bytes have this SHA-256 (hex)."""

    path: Path
    sha256: str
    mime: str
    alt: str
    width: int  # pixels
    height: int  # pixels
    size: int  # bytes

    @property
    def filename(self) -> str:
        """A harmless name for the upload: the start of the digest and the type's ending."""
        ending = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp"}.get(self.mime)
        return f"{self.sha256[:16]}.{ending or 'bin'}"


@dataclass(frozen=True)
class Video:
    """One video as it will be uploaded: a file whose bytes have this SHA-256 (hex).

    What only a tool can tell (`video.py`) is 0 or "" where none was there.
    """

    path: Path
    sha256: str
    mime: str
    alt: str  # what is seen and said, for those who cannot see or hear it
    size: int  # bytes
    width: int = 0  # pixels
    height: int = 0  # pixels
    milliseconds: int = 0  # how long it plays
    codec: str = ""  # of the pictures, as ffprobe names it: h264, hevc, vp9, ...

    @property
    def filename(self) -> str:
        """A harmless name for the upload: the start of the digest and the type's ending."""
        ending = {"video/mp4": "mp4", "video/quicktime": "mov", "video/webm": "webm"}
        return f"{self.sha256[:16]}.{ending.get(self.mime, 'bin')}"


@dataclass(frozen=True)
class Content:
    """What one revision says, before any platform is thought of."""

    code: str  # the short code of the revision, part of its page's address
    revision: int  # 1 for the first wording
    title: str
    body: str  # Markdown
    source: str  # why it can be believed; "" when none
    link: str  # the author's own link, "" when none
    lang: str  # BCP 47
    urgency: str  # "normal" or "urgent"
    images: tuple[Image, ...] = ()
    videos: tuple[Video, ...] = ()
    tags: tuple[str, ...] = ()  # words, without #
    texts: Mapping[str, str] = field(default_factory=dict)  # channel -> Markdown instead of `body`


@dataclass(frozen=True)
class Facet:
    """A range of a post's text that means something. Offsets are UTF-8 bytes, end exclusive."""

    start: int
    end: int
    kind: str  # "link" or "tag"; in rich text "link", "bold", "italic" or "code"
    value: str  # the whole URL; the tag without its #; "" for a style


@dataclass(frozen=True)
class Card:
    """A link card that we make ourselves."""

    url: str
    title: str
    description: str
    image: Image | None = None


@dataclass(frozen=True)
class Document:
    """A whole announcement, for adapters that carry more than a post (site, webhook)."""

    code: str  # the short code of the revision
    revision: int  # 1 for the first wording
    title: str
    html: str  # the body: safe HTML, no script, no raw markup of the author
    text: str  # the body as plain text
    summary: str  # one or two plain sentences
    source: str  # "" when none
    link: str  # the announcement's own link, "" when none
    lang: str  # BCP 47
    urgency: str  # "normal" or "urgent"


@dataclass(frozen=True)
class Post:
    """One part of a delivery, complete and final: these bytes are approved and sent.

    `document` is there when the adapter's markup is `DOCUMENT`; `card` when its card maker is the
    client. `images` and `videos` are already within the platform's limits.
    """

    text: str
    lang: str
    title: str = ""  # where `Capabilities.max_title` is set; then it does not stand in the text
    link: str = ""  # where to read more; also the needle by which the post is found again
    facets: tuple[Facet, ...] = ()
    images: tuple[Image, ...] = ()
    videos: tuple[Video, ...] = ()
    card: Card | None = None
    document: Document | None = None


def to_json(post: Post) -> dict[str, Any]:
    """`post` as JSON values: what is stored, approved and hashed.

    Images and videos are named by digest; what is absent has no key, so nothing is null.
    """

    def plain(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {key: value for key, value in pairs if value is not None and key != "path"}

    return asdict(post, dict_factory=plain)


def from_json(data: Mapping[str, Any], media: Path) -> Post:
    """The post that `to_json` wrote; its files lie in the folder `media`, named by digest."""

    def image(values: Mapping[str, Any]) -> Image:
        return Image(path=media / values["sha256"], **values)

    card, document = data.get("card"), data.get("document")
    if card and "image" in card:
        card = {**card, "image": image(card["image"])}
    return Post(
        text=data["text"],
        lang=data["lang"],
        title=data["title"],
        link=data["link"],
        facets=tuple(Facet(**facet) for facet in data["facets"]),
        images=tuple(image(values) for values in data["images"]),
        videos=tuple(Video(path=media / values["sha256"], **values) for values in data["videos"]),
        card=Card(**card) if card else None,
        document=Document(**document) if document else None,
    )


@dataclass(frozen=True)
class Receipt:
    """What the platform answered: its id for the post and where people see it."""

    remote_id: str
    permalink: str = ""  # "" when the platform shows it nowhere by URL
    extra: Mapping[str, str] = field(default_factory=dict)  # what a reply or delete needs besides


@dataclass(frozen=True)
class Outgoing:
    """A post with all that was chosen and prepared for sending it.

    `handle` was chosen by the adapter before the first attempt and is the same at every attempt;
    `prepared` is what `prepare` returned last (upload ids and the like). `root` and `parent` are
    the receipts that a later part of a thread answers to. `begun` is when the first attempt to
    publish began (aware), None before; look-ups need search no further back.
    """

    post: Post
    handle: Mapping[str, str] = field(default_factory=dict)
    prepared: Mapping[str, object] = field(default_factory=dict)
    root: Receipt | None = None
    parent: Receipt | None = None
    begun: datetime | None = None


@dataclass(frozen=True)
class Account:
    """Whose account a channel is, as `check` found it out without posting anything."""

    name: str  # as people know it, e.g. "@kejari@social.example"
    url: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)  # limits, rights: shown to the admin
    warnings: tuple[str, ...] = ()

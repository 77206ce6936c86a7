"""What the conformance suite must know of one adapter: a `Case`, and the posts it sends.

It must not test anything itself, and needs no pytest.
"""

from __future__ import annotations

import hashlib
import html
import io
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from crosspost.adapters import Adapter, Context, adapter_class
from crosspost.adapters.base import HttpAdapter
from crosspost.config import Config
from crosspost.errors import MediaProcessing, PlatformError
from crosspost.post import (
    Card,
    CardMaker,
    Document,
    Facet,
    Image,
    Markup,
    Outgoing,
    Post,
    Receipt,
    Video,
)
from crosspost.rendering import in_markup
from crosspost.rendering.facets import styled_facets
from crosspost.rendering.spans import linked
from crosspost.testing.loopback import Platform

#: (phase, HTTP status) -> the platform's own body, headers, and the error that it means.
ErrorBodies = Mapping[tuple[str, int], tuple[Any, Mapping[str, str], type[PlatformError]]]

#: Read time-out of adapters under test, in seconds: longer than a busy machine needs for an answer.
PATIENCE = 20.0
#: The same once an answer is to stall: waiting for what never comes must not make the suite slow.
STALLED = 0.5
#: So often `prepare` may say that media are still being processed.
POLLS = 10


class Case(ABC):
    """One adapter and its platform. Subclass it, fill in what differs, and put it into `CASES` of
    a test module that imports the suite."""

    #: The name of the adapter in the registry.
    platform: ClassVar[str]
    #: Every secret of `options` and every token that the platform hands out: none may show up.
    SECRETS: ClassVar[tuple[str, ...]] = ()
    #: The platform's own error answers and what they mean, at least one for check and publish.
    error_bodies: ClassVar[ErrorBodies] = {}
    #: True when any 2xx is a yes and an answer needs no id (then no answer lacks one).
    any_2xx_is_yes: ClassVar[bool] = False
    #: True when posts have an address that the public can open.
    has_permalink: ClassVar[bool] = True
    #: True when `prepare` uploads images (requests of the phase "prepare").
    uploads: ClassVar[bool] = False
    #: True when a post can answer to another.
    threads: ClassVar[bool] = True
    #: True when `Post.link` is seen by the public as `PublicPost.link`.
    shows_link: ClassVar[bool] = True
    #: A text of exactly the platform's limit is made of this; its `measure` must be 1.
    unit_text: ClassVar[str] = "a"

    @abstractmethod
    def start(self) -> Platform:
        """A new platform without posts, that knows the account of `options`; the suite enters it.
        For an adapter without HTTP: anything with `posts`, that can be entered."""

    @abstractmethod
    def options(self, platform: Platform) -> dict[str, Any]:
        """The channel's options as `config.load` gives them: secrets are `SecretStr`."""

    def revoke(self, platform: Platform) -> None:  # noqa: ARG002
        """Make the credential invalid from now on: every call is refused as the platform does it.
        Needed for adapters with HTTP."""
        raise AssertionError(f"{type(self).__name__} does not say how a credential is revoked")

    def config(self, platform: Platform) -> Config | None:  # noqa: ARG002
        """The settings around the channel, when the adapter looks at them."""
        return None

    def as_shown(self, text: str) -> str:
        """What readers see of a text, where the platform cannot show every sign of it."""
        return text

    # --- what follows from it ---------------------------------------------------------------------

    @property
    def adapter_class(self) -> type[Adapter]:
        """The adapter; override it for one that is not in the registry."""
        return adapter_class(self.platform)

    @property
    def http(self) -> bool:
        """Whether the adapter speaks HTTP: then the tests of faults are for it too."""
        return issubclass(self.adapter_class, HttpAdapter)

    def post(
        self, text: str, *, link: str = "", images: tuple[Image, ...] = (), lang: str = "id"
    ) -> Post:
        """`text` as the adapter's markup wants it; a link stands at the end of the text."""
        shown = f"{text}\n{link}" if link else text
        can = self.adapter_class.capabilities
        post = Post(text=shown, lang=lang, link=link, images=images)
        post = replace(post, text=in_markup(shown, can.markup))
        if can.markup is Markup.RICH_TEXT:
            post = replace(post, facets=styled_facets(linked(shown)))
        if can.markup is Markup.FACETS and link:
            end = len(shown.encode())
            post = replace(post, facets=(Facet(end - len(link.encode()), end, "link", link),))
        if can.markup is Markup.DOCUMENT:
            post = replace(post, document=_document(shown, link, lang))
        if can.card is CardMaker.CLIENT and link and not images:
            post = replace(post, card=Card(link, "Pengumuman", "Ringkasan pengumuman."))
        return post


def _document(text: str, link: str, lang: str) -> Document:
    code = hashlib.sha256(text.encode()).hexdigest()[:8]
    return Document(
        code=code,
        revision=1,
        title="Pengumuman",
        html=f"<p>{html.escape(text)}</p>",
        text=text,
        summary="Ringkasan pengumuman.",
        source="B-123/M.1.10/2026",
        link=link,
        lang=lang,
        urgency="normal",
    )


@dataclass
class Bench:
    """A platform, the adapter on it, and how the publisher would use them."""

    case: Case
    platform: Platform
    folder: Path  # for image files
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    vault: dict[str, str] = field(default_factory=dict)  # the channel's session, kept
    adapter: Adapter = field(init=False)
    _parts: int = 0

    def __post_init__(self) -> None:
        self.adapter = self.open()

    def open(self) -> Adapter:
        """A new adapter, as after a restart of the daemon."""
        kind = self.case.adapter_class
        settings = kind.Settings.model_validate(self.case.options(self.platform))
        context = Context(
            config=self.case.config(self.platform),
            channel="under-test",
            load=lambda: dict(self.vault),
            save=self._save,
            now=lambda: self.now,
        )
        adapter = kind(settings, context)
        _be_patient(adapter, PATIENCE)
        return adapter

    def spoil(self, fault: str, *, on: str = "publish", times: int = 1) -> None:
        """What the platform gets wrong next, by a name of `loopback.FAULTS`."""
        _be_patient(self.adapter, STALLED if fault == "stall_after" else PATIENCE)
        self.platform.fault(fault, on=on, times=times)

    def _save(self, session: dict[str, str]) -> None:
        self.vault = dict(session)

    def outgoing(self, post: Post, *, parent: Receipt | None = None) -> Outgoing:
        """A new part with its handle, nothing prepared."""
        self._parts += 1
        handle = self.adapter.new_handle(f"under-test-{self._parts}-0", self.now)
        return Outgoing(post=post, handle=stored(handle), root=parent, parent=parent)

    def prepare(self, outgoing: Outgoing) -> Outgoing:
        """`outgoing` prepared, and begun: what `publish` gets."""
        for _ in range(POLLS):
            try:
                prepared = self.adapter.prepare(outgoing)
            except MediaProcessing as wait:
                outgoing = replace(outgoing, prepared=stored(wait.prepared))
            else:
                return replace(outgoing, prepared=stored(prepared), begun=self.now)
        raise AssertionError(f"prepare is not done after {POLLS} polls")

    def send(self, post: Post, *, parent: Receipt | None = None) -> tuple[Outgoing, Receipt]:
        """Prepare and publish."""
        outgoing = self.prepare(self.outgoing(post, parent=parent))
        return outgoing, self.adapter.publish(outgoing)

    def image(self, shade: int, alt: str) -> Image:
        """A small JPEG in one colour; `shade` is 0 to 255."""
        from PIL import Image as Picture

        buffer = io.BytesIO()
        Picture.new("RGB", (64, 48), (shade, 80, 120)).save(buffer, "JPEG")
        content = buffer.getvalue()
        digest = hashlib.sha256(content).hexdigest()
        path = self.folder / digest
        path.write_bytes(content)
        return Image(path, digest, "image/jpeg", alt, 64, 48, len(content))

    def video(self, alt: str) -> Video:
        """A small file that passes for a video of nine seconds."""
        content = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 400
        digest = hashlib.sha256(content).hexdigest()
        path = self.folder / digest
        path.write_bytes(content)
        return Video(path, digest, "video/mp4", alt, len(content), 1280, 720, 9000, "h264")

    def texts(self) -> list[str]:
        """What the public reads, oldest first."""
        return [post.text for post in self.platform.posts]


def _be_patient(adapter: Adapter, seconds: float) -> None:
    if isinstance(adapter, HttpAdapter):
        adapter.call_timeout = adapter.upload_timeout = (5.0, seconds)


def stored(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` as they come back from the database."""
    back: dict[str, Any] = json.loads(json.dumps(dict(values)))
    return back

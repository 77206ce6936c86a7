"""What every adapter is, whatever it speaks: its attributes, its methods, what they may use.

An adapter knows one platform's wire format and rules and nothing else: it parses no settings, opens
no session, never sleeps, retries or prints.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import SecretStr

from crosspost.adapters.settings import AdapterSettings
from crosspost.config import Config
from crosspost.errors import DuplicateDetected, NotSupported, PlatformError, RetryLater
from crosspost.foreign import of_system
from crosspost.post import Account, Capabilities, Image, Outgoing, Post, Receipt, Video
from crosspost.quotas import Quota
from crosspost.wording import t


@dataclass(frozen=True)
class Context:
    """What an adapter gets from outside besides its settings.

    `load` and `save` keep a small dictionary of secrets for the channel (a session), encrypted in
    the database by the caller; without them it lives as long as the adapter. Around a renewal
    stands `exclusive()`, which says whether this program alone renews now. `now` is the clock.
    `may_send` is asked in the last moment before the first byte of a publish call.
    """

    config: Config | None = None
    channel: str = ""
    load: Callable[[], dict[str, str]] | None = None
    save: Callable[[dict[str, str]], None] | None = None
    exclusive: Callable[[], AbstractContextManager[bool]] | None = None
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    may_send: Callable[[], bool] = field(default=lambda: True)


#: So many characters of a platform's words are kept.
EXCERPT = 300
MARKUP = re.compile(r"<(script|style)\b.*?</\1>|<[^>]*>", re.S | re.I)


class Adapter(ABC):
    """One platform. Subclasses fill in the class attributes, in this order."""

    #: The name in `platform = "..."`.
    platform: ClassVar[str]
    #: What people call it.
    title: ClassVar[str]
    #: The config keys.
    Settings: ClassVar[type[AdapterSettings]] = AdapterSettings
    #: How much may be published in a time, as the platform's documents say.
    quotas: ClassVar[tuple[Quota, ...]] = ()
    #: What it can carry. An instance may have narrower ones, by its settings.
    capabilities: Capabilities

    def __init__(self, settings: AdapterSettings, context: Context) -> None:
        self.settings: Any = settings
        self.context = context
        self.setup()

    def setup(self) -> None:  # noqa: B027 - most have nothing to do
        """Called once, for what follows from the settings. No network."""

    def close(self) -> None:  # noqa: B027 - most have nothing open
        """Give back what is held open."""

    @abstractmethod
    def check(self) -> Account:
        """Whose account this is and what it may do, without posting. Raises PlatformError."""

    @abstractmethod
    def measure(self, text: str) -> int:
        """The length of `text` (what a reader sees, without the markup's tags) as the platform
        counts it, in `capabilities.unit`."""

    @classmethod
    def cost(cls, post: Post, options: Mapping[str, Any]) -> Decimal:  # noqa: ARG003
        """What publishing this costs, in the unit of the platform's quota in money; `options` are
        the channel's keys as they stand in the configuration."""
        return Decimal(0)

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:  # noqa: ARG002
        """The idempotency handle of a new part, stored before anything is sent.

        `key` is unique to the part; `now` is aware. Whatever a later look-up or a repeat needs.
        """
        return {}

    def needs_preparing(self, post: Post) -> bool:  # noqa: ARG002
        """Whether `prepare` has anything to do for this post. If not, it may be left out."""
        return type(self).prepare is not Adapter.prepare

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:  # noqa: ARG002
        """Uploads and tokens: all that may be repeated. The result (JSON values) is stored."""
        return {}

    @abstractmethod
    def publish(self, outgoing: Outgoing) -> Receipt:
        """The one public call. Raises UnknownOutcome, or the PlatformError that says why it surely
        did nothing."""

    def find(self, outgoing: Outgoing) -> Receipt | None:  # noqa: ARG002
        """The receipt of a post that may be out; None when the platform clearly has none.

        Only for adapters whose `capabilities.reconcile` is a look-up or a chosen id. Raises
        PlatformError when the platform does not answer clearly: that is no evidence.
        """
        raise NotSupported(t("{platform} cannot be asked what was posted", platform=self.title))

    def delete(self, receipt: Receipt) -> None:  # noqa: ARG002
        """Take a post back. One that is gone already is no error."""
        raise NotSupported(t("{platform} cannot delete a post", platform=self.title))

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:  # noqa: ARG002
        """Put another text into a published post."""
        raise NotSupported(t("{platform} cannot edit a post", platform=self.title))

    # --- what subclasses use ---------------------------------------------------------------------

    def error(self, kind: type[PlatformError], words: str, **about: Any) -> PlatformError:
        """An error of this platform, to be raised; `about` as `PlatformError` takes it."""
        return kind(words, platform=self.platform, **about)

    def insist(self, right: object, kind: type[PlatformError], words: str) -> None:
        """Raise `kind` with these words, unless what must be right is."""
        if not right:
            raise self.error(kind, words)

    def out_already(self) -> PlatformError:
        """To be raised instead of publishing what an earlier attempt has published."""
        words = t("The post is out already, by an earlier attempt.")
        return self.error(DuplicateDetected, words)

    def bytes_of(self, image: Image | Video) -> bytes:
        """The bytes of an image or video. Raises RetryLater when the disk does not give them."""
        return self.piece_of(image, 0, -1)

    def piece_of(self, file: Image | Video, start: int, size: int) -> bytes:
        """At most `size` bytes of a file, from `start` on; -1: to its end. Raises RetryLater."""
        try:
            with file.path.open("rb") as opened:
                opened.seek(start)
                return opened.read(size)
        except OSError as error:
            words = t(
                "The file {name} cannot be read: {reason}.",
                name=file.filename,
                reason=of_system(error),
            )
            raise self.error(RetryLater, words, sent=False) from error

    def said(self, words: str) -> str:
        """A platform's words, on one line, short, without secrets and markup."""
        clean = self.redact(words)[:20_000]  # first, lest a cut leaves half of one
        plain = MARKUP.sub(" ", clean)
        line = " ".join("".join(c if c.isprintable() else " " for c in plain).split())
        short = line if len(line) <= EXCERPT else line[: EXCERPT - 1] + "…"
        return self.redact(short)

    def secrets(self) -> Iterator[str]:
        """Every secret that might turn up in a message; subclasses add tokens got at run time."""
        for name in type(self.settings).model_fields:
            value = getattr(self.settings, name)
            if isinstance(value, SecretStr):
                yield value.get_secret_value()

    def redact(self, text: str) -> str:
        """`text` without any secret of this channel, also where it stands in an address."""
        for secret in self.secrets():
            for form in {secret, quote(secret), quote(secret, safe="")} - {""}:
                text = text.replace(form, "[secret]")
        return text


def timed(key: str, now: datetime) -> str:
    """A name for a new part that no post of an older database has either: platforms remember names
    for longer than a restored database does. For `new_handle`."""
    return f"{key}-{now:%Y%m%dT%H%M%S%f}"

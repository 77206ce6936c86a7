"""Looking for a post that may be out, in a list of posts that the platform shows page by page.

An adapter says how a page is asked for, what stands on it, and how ours is known; how far back one
reads, and when absence is proved, is decided here. It must not know a platform.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from crosspost.adapters.base import Answer, HttpAdapter, clock_lag
from crosspost.adapters.likeness import bare
from crosspost.errors import RetryLater
from crosspost.post import Outgoing, Receipt
from crosspost.rendering import visible
from crosspost.wording import t

#: How much earlier than our own note of the start a post may be dated.
SLACK = timedelta(minutes=2)


@dataclass(frozen=True)
class Listed:
    """A post as a list shows it. `about` is whatever else the platform knows it by."""

    receipt: Receipt
    at: datetime
    text: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A page of a list, with the answer that it came in; `more` asks for the next one, empty after
    the last."""

    answer: Answer
    posts: list[Listed]
    more: Mapping[str, str]
    newest_first: bool = True


class ListingAdapter(HttpAdapter):
    """An adapter that finds its posts in a list. Subclasses have `page`, and `is_ours` where a
    recent post with the same text is not yet proof."""

    #: So many posts are asked for at once, and so many pages a look-up reads at most.
    page_size: ClassVar[int] = 100
    pages: ClassVar[int] = 5
    #: Whether the list has other people's posts too.
    lists_others: ClassVar[bool] = False

    @abstractmethod
    def page(self, outgoing: Outgoing, more: Mapping[str, str]) -> Page:
        """One call for a page, in the phase find, and what stands on it; `more` is what the page
        before has. Raises PlatformError."""

    def is_ours(self, post: Listed, outgoing: Outgoing, *, recent: bool) -> bool:
        """Whether a post of the list is the one that may be out; `recent`: it is not older than the
        attempt."""
        return recent and self.bare(post.text) == self.bare(outgoing.post.text)

    def bare(self, text: str) -> str:
        """A text without what platforms change of it."""
        return bare(visible(text, self.capabilities.markup))

    def find(self, outgoing: Outgoing) -> Receipt | None:
        found = (
            post.receipt
            for post, recent in self.listed(outgoing)
            if self.is_ours(post, outgoing, recent=recent)
        )
        return next(found, None)

    def listed(self, outgoing: Outgoing) -> Iterator[tuple[Listed, bool]]:
        """The posts that may be it, page by page until they are older than the attempt, each with
        whether it is not. Raises RetryLater when there are too many to tell, PlatformError."""
        more: Mapping[str, str] = {}
        for _ in range(self.pages):
            page, now = self.page(outgoing, more), self.context.now()
            since = (outgoing.begun or now) - SLACK - clock_lag(page.answer, now)
            yield from ((post, post.at >= since) for post in page.posts)
            past = page.newest_first and page.posts and page.posts[-1].at < since
            if past or not page.more:
                return
            more = page.more
        if self.lists_others:
            words = t("The channel has had too many messages since then to look through.")
        else:
            words = t("The account has posted too much since then to look through.")
        raise self.error(RetryLater, words)

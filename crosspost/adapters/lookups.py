"""Looking for a post that may be out, in a list of posts that the platform shows page by page.

An adapter says how a page is asked for, what stands on it, and how ours is known; how far back one
reads, and when absence is proved, is decided here. It must not know a platform.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar

from crosspost.adapters.base import Answer, HttpAdapter, Path, clock_lag, timed
from crosspost.adapters.likeness import bare
from crosspost.errors import RetryLater
from crosspost.post import Outgoing, Receipt
from crosspost.rendering import visible
from crosspost.wording import t

#: How much earlier than our own note of the start a post may be dated.
SLACK = timedelta(minutes=2)


@dataclass(frozen=True)
class Listed:
    """A post as a list shows it; None for what the list does not tell."""

    receipt: Receipt
    at: datetime
    text: str = ""
    #: Our own mark on it, which alone says whether it is ours; "" for a post that has none.
    mark: str | None = None
    #: The post that it answers to, and the first one of its thread; "" for none.
    parent: str | None = None
    root: str | None = None
    images: int | None = None  # how many
    links: Set[str] = frozenset()  # where they lead


@dataclass(frozen=True)
class Page:
    """A page of a list, with the answer that it came in; `more` asks for the next one, empty after
    the last."""

    answer: Answer
    posts: list[Listed]
    more: Mapping[str, str]
    newest_first: bool = True


class ListingAdapter(HttpAdapter):
    """An adapter that finds its posts in a list. Subclasses have `page`; what a `Listed` tells
    decides which post is ours."""

    #: So many posts are asked for at once, and so many pages a look-up reads at most.
    page_size: ClassVar[int] = 100
    pages: ClassVar[int] = 5
    #: What the handle calls our mark on a post; "" where a post can have none.
    mark: ClassVar[str] = ""
    #: Whether the list has other people's posts too.
    lists_others: ClassVar[bool] = False

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        return {self.mark: timed(key, now)} if self.mark else {}

    @abstractmethod
    def page(self, outgoing: Outgoing, more: Mapping[str, str]) -> Page:
        """One call for a page, in the phase find, and what stands on it; `more` is what the page
        before has. Raises PlatformError."""

    def is_ours(self, post: Listed, outgoing: Outgoing, *, recent: bool) -> bool:
        """Whether a post of the list is the one that may be out: by our mark, or by its text and
        whatever else is told of it; `recent`: it is not older than the attempt."""
        if post.mark is not None:
            return post.mark != "" and post.mark == outgoing.handle.get(self.mark)
        return (
            recent
            and _stands_where(post, outgoing)
            and post.images in (None, len(outgoing.post.images))
            and self.bare(post.text) == self.bare(outgoing.post.text)
        )

    def bare(self, text: str) -> str:
        """A text without what platforms change of it."""
        return bare(visible(text, self.capabilities.markup))

    def find(self, outgoing: Outgoing) -> Receipt | None:
        """Ours; else one with our link, where links are told, if that is the page of one revision:
        parts of a thread may share it, so what it answers to must be the same too."""
        link, config = outgoing.post.link, self.context.config
        is_page = bool(config and config.site and link.startswith(f"{config.site.url}/p/"))
        by_link: Receipt | None = None
        for post, recent in self.listed(outgoing):
            if self.is_ours(post, outgoing, recent=recent):
                return post.receipt
            if is_page and link in post.links and _stands_where(post, outgoing):
                by_link = by_link or post.receipt
        return by_link

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


class AccountListAdapter(ListingAdapter):
    """One whose list can only be asked for, or read, with the account's id."""

    #: Where the account's id stands in what `ask_who` gets.
    own_id_at: ClassVar[Path] = ("id",)

    _own_id = ""

    @abstractmethod
    def ask_who(self, phase: str) -> Answer:
        """One call for whose credential it is. Raises PlatformError."""

    def whoami(self, phase: str) -> dict[str, Any]:
        """Whose credential it is, as the platform tells it. Raises PlatformError."""
        answer = self.ask_who(phase)
        self._own_id = self.id_in(answer, phase, *self.own_id_at)
        return self.json_of(answer, phase)

    def own_id(self, phase: str) -> str:
        """The account's id, asked for once. Raises PlatformError."""
        if not self._own_id:
            self.whoami(phase)
        return self._own_id


def _stands_where(post: Listed, outgoing: Outgoing) -> bool:
    """Whether a post of a list stands where ours does: what it answers to, which thread it is of,
    as far as the list tells."""
    parent = outgoing.parent.remote_id if outgoing.parent else ""
    root = outgoing.root.remote_id if outgoing.root else post.receipt.remote_id
    return post.parent in (None, parent) and post.root in (None, root)

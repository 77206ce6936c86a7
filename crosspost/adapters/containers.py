"""Posts that are made in two steps: a container, and then its publication (Instagram, Threads).

The container is the handle: Meta keeps for a day whether it was published. It must not be published
twice, so one that is out already is only looked up. Facts: developers.facebook.com, Instagram
Platform "Content publishing", Threads "Create posts".
"""

from __future__ import annotations

import re
from abc import abstractmethod
from datetime import timedelta
from typing import Any, ClassVar

from crosspost.adapters import lending
from crosspost.adapters.base import Answer
from crosspost.adapters.graph import BRIEFLY, GraphFeed
from crosspost.adapters.graph_errors import SUBCODES
from crosspost.errors import (
    MediaExpired,
    MediaProcessing,
    MediaRejected,
    PermissionDenied,
    PlatformError,
    RetryLater,
    TargetGone,
)
from crosspost.post import Image, Outgoing, Receipt, Video
from crosspost.tokens import Token
from crosspost.wording import t

SUBCODE = re.compile(r"\b22\d{5}\b")
#: What Threads says of a container that may go well next time.
PASSING = re.compile(r"DOWNLOAD|UNKNOWN", re.I)
DAY = timedelta(days=1)
FINISHED, WORKING, PUBLISHED, EXPIRED = "FINISHED", "IN_PROGRESS", "PUBLISHED", "EXPIRED"
STATES = (FINISHED, WORKING, PUBLISHED, EXPIRED, "ERROR")


class ContainerAdapter(GraphFeed):
    """What Instagram and Threads share."""

    #: The edges of the account that make a container, and publish one.
    making: ClassVar[str]
    publishing: ClassVar[str]
    #: The fields of a container with its state, and with what is wrong with it.
    state_fields: ClassVar[tuple[str, str]]
    #: The edges with the account's own posts, and with its use of the daily quota.
    listing: ClassVar[str]
    limits: ClassVar[str]
    #: What Meta's names of this platform's grants begin with.
    trade: ClassVar[str]
    #: The account's path.
    account: str

    @abstractmethod
    def item(self, media: Image | Video, address: str) -> dict[str, str]:
        """The fields of a container of one image or video."""

    @abstractmethod
    def whole(self, outgoing: Outgoing) -> dict[str, str]:
        """The fields of the post besides its media: the text, and what it answers to."""

    # --- logging in -------------------------------------------------------------------------------

    def lasting(self, token: Token) -> Token:
        """Sixty days for the hour that the first token lasts ("Long-lived access tokens")."""
        _, secret = self.client()
        grant = {"grant_type": f"{self.trade}_exchange_token", "client_secret": secret}
        return self.traded("/access_token", {**grant, "access_token": token.access}, token)

    def is_renewable(self, token: Token) -> bool:
        """A token renews itself, from its second day on and as long as it lasts."""
        now = self.context.now()
        return now - token.obtained >= DAY and not token.is_over(now)

    def renew(self, token: Token) -> Token:
        grant = {"grant_type": f"{self.trade}_refresh_token", "access_token": token.access}
        return self.traded("/refresh_access_token", grant, token)

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        container, children = _kept(outgoing)
        state = self._state(container, "prepare") if container else ""
        if state == PUBLISHED:
            return {"container": container, "children": children, "published": True}
        if not container or state == EXPIRED:
            children = self._children(outgoing, [] if container else children)
            container = self._make(self._fields(outgoing, children))
            state = self._state(container, "prepare")
        self._refuse_unready(state, {"container": container, "children": children})
        lending.take_back(self, _media(outgoing))
        return {"container": container, "children": children}

    def publish(self, outgoing: Outgoing) -> Receipt:
        if outgoing.prepared.get("published"):
            raise self.out_already()
        fields = {"creation_id": _kept(outgoing)[0]}
        path = f"{self.account}/{self.publishing}"
        name = self.id_in(self.graph("POST", path, fields, phase="publish"), "publish", "id")
        return Receipt(name, self.address_of(name))

    def find(self, outgoing: Outgoing) -> Receipt | None:
        """By its text among the account's posts, whatever the container says of itself."""
        container = _kept(outgoing)[0]
        state = self._state(container, "find") if container else ""
        found = super().find(outgoing)
        if found is None and state == PUBLISHED:
            words = t("The post is out, but the account's list does not show it yet.")
            raise self.error(RetryLater, words)
        return found

    def list_of(self, outgoing: Outgoing) -> str:  # noqa: ARG002
        return f"{self.account}/{self.listing}"

    def quota(self) -> dict[str, str]:
        """How many posts of a day are used. Whoever may not know may not publish."""
        fields = {"fields": "quota_usage,config"}
        path = f"{self.account}/{self.limits}"
        try:
            answer = self.graph("GET", path, fields, phase="quota", timeout=BRIEFLY)
            (quota,) = answer.data["data"]
            used, total = int(quota["quota_usage"]), int(quota["config"]["quota_total"])
        except PermissionDenied:
            raise
        except (PlatformError, KeyError, TypeError, ValueError):
            return {}
        return {t("posts in 24 hours"): t("{used} of {total}", used=used, total=total)}

    # --- containers -------------------------------------------------------------------------------

    def _children(self, outgoing: Outgoing, known: list[str]) -> list[str]:
        """The containers of several images, ready; none for fewer, or for a video."""
        media = _media(outgoing)
        if len(media) < 2:
            return []
        children = known or [
            self._make(self.item(each, lending.lend(self, each)) | {"is_carousel_item": "true"})
            for each in media
        ]
        states = {self._state(child, "prepare") for child in children}
        for state in (EXPIRED, WORKING):
            if state in states:
                self._refuse_unready(state, {"container": "", "children": children})
        return children

    def _fields(self, outgoing: Outgoing, children: list[str]) -> dict[str, str]:
        whole, media = self.whole(outgoing), _media(outgoing)
        if children:
            return {"media_type": "CAROUSEL", "children": ",".join(children)} | whole
        if media:
            return self.item(media[0], lending.lend(self, media[0])) | whole
        return whole

    def _make(self, fields: dict[str, str]) -> str:
        path = f"{self.account}/{self.making}"
        answer = self.graph("POST", path, fields, phase="prepare")
        return self.id_in(answer, "prepare", "id")

    def _state(self, container: str, phase: str) -> str:
        """The state of a container; Meta may have forgotten an old one. Raises what is wrong with
        one that failed."""
        fields = {"fields": ",".join(("id", *self.state_fields))}
        try:
            answer = self.graph("GET", container, fields, phase=phase)
        except TargetGone:
            if phase != "prepare":
                raise
            return EXPIRED
        name, words = self.state_fields
        with self.reading(answer, phase):
            state = answer.data[name]
            if state not in STATES:
                raise ValueError("no state")
        if state == "ERROR" and phase == "prepare":
            raise self._failure(str(answer.data.get(words) or ""), answer)
        return str(state)

    def _failure(self, words: str, answer: Answer) -> PlatformError:
        """A container that failed is never taken up again: another is made, or the file is bad."""
        found = SUBCODE.search(words)
        kind = SUBCODES.get(int(found[0]), MediaRejected) if found else MediaRejected
        passing = not issubclass(kind, MediaRejected) or (not found and PASSING.search(words))
        words = self.said(words) or t("no reason given")
        return self.error(MediaExpired if passing else MediaRejected, words, status=answer.status)

    def _refuse_unready(self, state: str, prepared: dict[str, Any]) -> None:
        if state == WORKING:
            words = t("The server is still working on the post.")
            raise self.error(MediaProcessing, words, prepared=prepared)
        if state == EXPIRED:
            words = t("The server has forgotten the images; they are given to it again.")
            raise self.error(MediaExpired, words)


def _media(outgoing: Outgoing) -> tuple[Image | Video, ...]:
    """The video, which takes the place of images; else the images."""
    return outgoing.post.videos[:1] or outgoing.post.images


def _kept(outgoing: Outgoing) -> tuple[str, list[str]]:
    """The container and those of its images, as far as they are made."""
    children = outgoing.prepared.get("children")
    container = outgoing.prepared.get("container")
    return (
        container if isinstance(container, str) else "",
        [str(child) for child in children] if isinstance(children, list) else [],
    )

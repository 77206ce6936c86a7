"""Mastodon and every server that speaks its API (GoToSocial, Takahe, Hollo, Pleroma, snac, ...).

It must not rely on Idempotency-Key: many of these servers accept it and ignore it, so an unclear
post is looked for first, and the key is the second belt. Facts: docs.joinmastodon.org.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any, Literal
from urllib.parse import unquote

from pydantic import Field

from crosspost.adapters.base import Answer, clock_lag, text_id, web_link
from crosspost.adapters.oauth import LoginSettings, OAuth, OAuthAdapter, Request, whole_address
from crosspost.errors import (
    AccountRestricted,
    AuthRevoked,
    DuplicateDetected,
    MediaProcessing,
    MediaRejected,
    PlatformError,
    RejectedContent,
    RetryLater,
)
from crosspost.post import Account, Capabilities, Image, Outgoing, Post, Receipt, Reconcile, Video
from crosspost.rendering.measure import mastodon
from crosspost.wording import t

STATUSES = "/api/v1/statuses"
URL_LENGTH = 23  # what every URL counts, whatever its length
MENTION = re.compile(r"(?<![\w@/])@([\w.-]+)@[\w.-]+\w")  # of which only @user counts and is shown
#: Statuses a page, and pages, that a look-up reads at most.
PAGE, PAGES = 40, 5
#: How much earlier than our own note of the start a post may be dated.
SLACK = timedelta(minutes=2)
RESTRICTED = re.compile(r"suspend|disabled|pending approval|confirmed e-?mail|moved|limited", re.I)
NOT_READY = re.compile(r"not_ready|not finished processing", re.I)
NO_PARENT = re.compile(r"record not found|reply", re.I)
ATTACHED = re.compile(r"already attached|attached to another", re.I)


#: Where a server without a redirect shows the code to copy (docs.joinmastodon.org, methods/apps).
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


class MastodonSettings(LoginSettings):
    """`base_url` is the server's address. `access_token`, where it is given, is that of an
    application with the scopes of `MastodonAdapter.oauth`; else one logs in."""

    visibility: Literal["public", "unlisted", "private"] = "public"
    max_characters: int = Field(default=500, ge=1)  # the server's own limit, if it has another


class MastodonAdapter(OAuthAdapter):
    """One account on one server."""

    platform = "mastodon"
    title = "Mastodon"
    Settings = MastodonSettings
    oauth = OAuth(
        authorize="/oauth/authorize",
        token="/oauth/token",  # noqa: S106 - an address
        scopes=("read:accounts", "read:statuses", "write:statuses", "write:media"),
    )
    capabilities: Capabilities = Capabilities(
        max_length=500,
        max_images=4,
        image_bytes=16_777_216,
        image_pixels=33_177_600,
        image_types=("image/jpeg", "image/png", "image/webp", "image/gif"),
        max_alt=1500,
        max_videos=1,
        video_bytes=99_000_000,
        video_seconds=24 * 3600,  # it knows no limit but that of bytes
        video_types=("video/mp4", "video/quicktime", "video/webm"),
        video_codecs=("h264", "hevc", "vp8", "vp9", "av1"),  # it makes its own of any of them
        threads=True,
        delete=True,
        edit=True,
        shows_edits=True,
        reconcile=Reconcile.LOOKUP,
        settle=timedelta(seconds=90),  # longer than our own time-out and the server's queue
    )
    _account_id = ""
    _app = ("", "")  # id and secret of the application that this login registered

    def setup(self) -> None:
        super().setup()
        limit = self.settings.max_characters
        self.capabilities = replace(self.capabilities, max_length=limit)

    def check(self) -> Account:
        me = self._whoami("check")
        facts, warnings = self._limits()
        handle = f"@{me.get('acct') or me.get('username')}@{self.settings.base_url.split('://')[1]}"
        return Account(handle, web_link(me.get("url")), facts, warnings)

    def measure(self, text: str) -> int:
        """Grapheme clusters; a URL counts 23, of a remote mention only @user."""
        return mastodon(text, URL_LENGTH)

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        # with the time, since a server that knows the key of an older database answers its old post
        return {"key": f"{key}-{now:%Y%m%dT%H%M%S%f}"}

    # --- publishing -------------------------------------------------------------------------------

    def needs_preparing(self, post: Post) -> bool:
        return bool(post.images or post.videos)

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        earlier = outgoing.prepared.get("media")
        known = list(earlier) if isinstance(earlier, list) else []
        media, ready = [], True
        files: tuple[Image | Video, ...] = (*outgoing.post.images, *outgoing.post.videos)
        for place, file in enumerate(files):
            name, done = self._state_of(known[place]) if place < len(known) else ("", False)
            if not name:
                name, done = self._upload(file)
            media.append(name)
            ready = ready and done
        if not ready:
            raise MediaProcessing(
                t("The server is still working on the images or the video."),
                platform=self.platform,
                prepared={"media": media},
            )
        return {"media": media}

    def publish(self, outgoing: Outgoing) -> Receipt:
        answer = self.call_signed_in(
            "POST",
            STATUSES,
            phase="publish",
            headers={"Idempotency-Key": outgoing.handle["key"]},
            json=self._status(outgoing) | {"visibility": self.settings.visibility},
        )
        return self._receipt(answer, "publish")

    def find(self, outgoing: Outgoing) -> Receipt | None:
        account = self._account_id or text_id(self._whoami("find")["id"])
        page = {"limit": str(PAGE), "exclude_reblogs": "true"}
        needle = _Needle(outgoing, unique=self._is_our_page(outgoing.post.link))
        for _ in range(PAGES):
            path = f"/api/v1/accounts/{account}/statuses"
            answer = self.call_signed_in("GET", path, phase="find", params=page)
            with self.reading(answer, "find"):
                since = (
                    (outgoing.begun or self.context.now())
                    - SLACK
                    - clock_lag(answer, self.context.now())
                )
                found = _statuses_of(answer)
                if needle.seek(found, since) or not found or _date_of(found[-1]) < since:
                    return needle.receipt
                page["max_id"] = text_id(found[-1]["id"])
        raise RetryLater(
            t("The account has posted too much since then to look through."), platform=self.platform
        )

    def delete(self, receipt: Receipt) -> None:
        self.call_signed_in(
            "DELETE",
            f"{STATUSES}/{receipt.remote_id}",
            phase="delete",
            ok=(200, 202, 204, 404, 410),
        )

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        # a list of media that is absent would take the images off
        path = f"{STATUSES}/{receipt.remote_id}"
        status = self._status(replace(outgoing, parent=None))  # what it answers to stays
        return self._receipt(self.call_signed_in("PUT", path, phase="edit", json=status), "edit")

    def _status(self, outgoing: Outgoing) -> dict[str, Any]:
        status: dict[str, Any] = {
            "status": outgoing.post.text,
            "language": outgoing.post.lang.split("-")[0].lower(),
            "media_ids": outgoing.prepared.get("media", []),
        }
        if outgoing.parent:
            status["in_reply_to_id"] = outgoing.parent.remote_id
        return status

    def _receipt(self, answer: Answer, phase: str) -> Receipt:
        with self.reading(answer, phase):
            return _receipt_of(self.json_of(answer, phase))

    # --- calls ------------------------------------------------------------------------------------

    # --- logging in -------------------------------------------------------------------------------

    def begin(self, redirect: str, *, pasted: bool) -> Request:
        """Register an application at the server, as every program there does for itself."""
        where = OUT_OF_BAND if pasted else whole_address(redirect)
        form = {
            "client_name": "crosspost",
            "redirect_uris": where,
            "scopes": " ".join(self.oauth.scopes),
            "website": self.about_us(),
        }
        answer = self.call("POST", "/api/v1/apps", phase="login", data=form)
        with self.reading(answer, "login"):
            data = self.json_of(answer, "login")
            self._app = (text_id(data["client_id"]), text_id(data["client_secret"]))
        return Request(where)

    def client(self) -> tuple[str, str]:
        return self._app

    def _whoami(self, phase: str) -> dict[str, Any]:
        answer = self.call_signed_in("GET", "/api/v1/accounts/verify_credentials", phase=phase)
        me = self.json_of(answer, phase)
        with self.reading(answer, phase):
            self._account_id = text_id(me["id"])
        return me

    def _upload(self, file: Image | Video) -> tuple[str, bool]:
        """The id of a new upload, and whether it is ready."""
        answer = self.call_signed_in(
            "POST",
            "/api/v2/media",
            phase="prepare",
            files={"file": (file.filename, self.bytes_of(file), file.mime)},
            data={"description": file.alt},
        )
        with self.reading(answer, "prepare"):
            return text_id(self.json_of(answer, "prepare")["id"]), answer.status != 202

    def _state_of(self, media: str) -> tuple[str, bool]:
        """An earlier upload and whether it is ready; no id when the server has forgotten it."""
        answer = self.call_signed_in(
            "GET", f"/api/v1/media/{media}", phase="prepare", ok=(200, 206, 404)
        )
        return ("", False) if answer.status == 404 else (media, answer.status == 200)

    def _is_our_page(self, link: str) -> bool:
        """Whether a link is the page of one revision: then no other revision has it."""
        config = self.context.config
        return bool(config and config.site and link.startswith(f"{config.site.url}/p/"))

    def _limits(self) -> tuple[dict[str, str], tuple[str, ...]]:
        """What the server says of its limits: facts, and warnings where ours do not fit."""
        limits = self._instance()
        limit = limits.get("max_characters")
        if not isinstance(limit, int):
            return {}, ()
        ours = self.settings.max_characters
        warning = t(
            "The server takes {limit} characters, and max_characters says {ours}: "
            "set it to {limit}, or longer posts will be refused.",
            limit=limit,
            ours=ours,
        )
        return {t("limit"): t("{limit} characters", limit=limit)}, (
            warning,
        ) if limit < ours else ()

    def _instance(self) -> dict[str, Any]:
        """The server's limits for statuses; older servers only know the first version."""
        for path in ("/api/v2/instance", "/api/v1/instance"):
            try:
                answer = self.call_signed_in("GET", path, phase="check")
                statuses = self.json_of(answer, "check")["configuration"]["statuses"]
                return dict(statuses)
            except (PlatformError, KeyError, TypeError, ValueError):
                continue
        return {}

    def error_of(self, answer: Answer, phase: str) -> type[PlatformError] | None:
        words = self.words_of(answer)
        match answer.status:
            case 400 if "bearer token" in words.lower():
                return AuthRevoked  # Takahe
            case 403 if RESTRICTED.search(words):
                return AccountRestricted
            case 404 if phase == "publish" and NO_PARENT.search(words):
                return RejectedContent  # the post that it answers to is gone
            case 422 if phase in ("check", "find"):
                return AuthRevoked  # snac; Mastodon: "requires an authenticated user"
            case 400 | 422:
                return self._refusal(words, phase)
        return None

    def _refusal(self, words: str, phase: str) -> type[PlatformError]:
        if NOT_READY.search(words):
            return MediaProcessing
        if phase == "publish" and ATTACHED.search(words):
            return DuplicateDetected  # perhaps to the very post that we are in doubt about
        return MediaRejected if phase == "prepare" else RejectedContent


def _receipt_of(status: dict[str, Any]) -> Receipt:
    return Receipt(
        text_id(status["id"]), web_link(status.get("url")) or web_link(status.get("uri"))
    )


def _statuses_of(answer: Answer) -> list[dict[str, Any]]:
    if not isinstance(answer.data, list):
        raise TypeError("not a list")
    return answer.data


def _date_of(status: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(status["created_at"])


class _Needle:
    """Knows our post among the account's statuses: by its whole text, if it is recent; else by its
    link, if that is `unique`. Several parts of a thread may have one link, so the post that it
    answers to must be the same too."""

    def __init__(self, outgoing: Outgoing, *, unique: bool) -> None:
        self.parent = outgoing.parent.remote_id if outgoing.parent else ""
        self.text = _bare(MENTION.sub(r"@\1", outgoing.post.text))
        self.link = outgoing.post.link if unique else ""
        self.receipt: Receipt | None = None

    def seek(self, statuses: list[dict[str, Any]], since: datetime) -> bool:
        """True when the text is there; `receipt` may also hold one that only has the link."""
        for status in statuses:
            shown = _Shown(str(status["content"] or ""))
            if str(status.get("in_reply_to_id") or "") != self.parent:
                continue
            if _bare(shown.text) == self.text and _date_of(status) >= since:
                self.receipt = _receipt_of(status)
                return True
            if self.receipt is None and self.link and self.link in shown.links:
                self.receipt = _receipt_of(status)
        return False


def _bare(text: str) -> str:
    """Letters, digits and signs only: servers change spaces, quotes and markup of a text."""
    return re.sub(r"[\s\u200b*_`\"'“”‘’]+", "", unicodedata.normalize("NFKC", unquote(text)))


class _Shown(HTMLParser):
    """What a reader sees of a status's HTML: its text, and where its links go. A link to the web
    reads as its address, since some servers shorten what they show."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.text = ""
        self.links: set[str] = set()
        self._in_link = False
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "a" and not re.search(r"mention|hashtag|tag", values.get("class", "")):
            self._in_link = True
            self.links.add(values.get("href", ""))
            self.text += values.get("href", "")

    def handle_endtag(self, tag: str) -> None:
        self._in_link = self._in_link and tag != "a"

    def handle_data(self, data: str) -> None:
        self.text += "" if self._in_link else data

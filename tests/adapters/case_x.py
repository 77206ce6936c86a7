"""X's API as far as an announcement needs it; facts: docs.x.com, openapi.json 2.167.

X's OpenAPI document may not be passed on, so it is not among the test data; requests and answers of
this stand-in were held against it when they were written.
"""

from __future__ import annotations

import hashlib
import html
import re
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import SecretStr

from crosspost.errors import (
    AccountRestricted,
    AuthRevoked,
    BillingExhausted,
    DuplicateDetected,
    MediaExpired,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    RateLimited,
    RejectedContent,
    RetryLater,
    UnknownOutcome,
)
from crosspost.rendering import measure
from crosspost.testing.case import Case, ErrorBodies
from crosspost.testing.loopback import Platform, PublicPost, Reply, Seen

TOKEN = "x-access/token=secret"
USER = "2244994945"
PROBLEMS = "https://api.twitter.com/2/problems"
LINKS = re.compile(r"https?://[^\s<]+|\b[\w-]+\.(?:go\.id|com)\b")


def no(status: int, detail: str, kind: str = "about:blank", **more: Any) -> dict[str, Any]:
    """A problem document as X writes it."""
    return {"title": "Problem", "detail": detail, "type": kind, "status": status} | more


class FakeX(Platform):
    """One account."""

    limit = 280

    def __init__(self) -> None:
        super().__init__()
        measure.x("a")  # the library loads its tables at first use, longer than anybody waits here
        self.tokens = {TOKEN}
        self.media: dict[str, dict[str, str]] = {}
        self.videos: dict[str, dict[str, Any]] = {}  # those that come in pieces
        self.slow_videos = 1  # so often a video is still being worked on
        self.bad_videos = False
        self.tweets: dict[str, dict[str, Any]] = {}
        self._next = 1_990_000_000_000_000_000

    @property
    def posts(self) -> list[PublicPost]:
        return [
            PublicPost(
                name,
                tweet["written"],
                tuple((self.media[m]["alt"], self.media[m]["sha256"]) for m in tweet["media"]),
                next(iter(re.findall(r"https?://\S+", tweet["written"])), ""),
                tweet["parent"],
            )
            for name, tweet in self.tweets.items()
        ]

    def phase_of(self, seen: Seen) -> str:
        if seen.path == "/2/users/me":
            return "check"
        if seen.path.startswith("/2/media/"):
            return "prepare"
        return {"GET": "find", "POST": "publish", "DELETE": "delete"}.get(seen.method, "")

    def authorized(self, seen: Seen) -> bool:
        said = seen.headers.get("authorization", "")
        return said.removeprefix("Bearer ") in self.tokens

    def answer(self, seen: Seen) -> Reply:
        if not self.authorized(seen):
            return Reply(401, no(401, "Unauthorized", title="Unauthorized"))
        name = seen.path.rpartition("/")[2]
        match seen.method, seen.path:
            case "GET", "/2/users/me":
                me = {"id": USER, "name": "Kejari Contoh", "username": "kejari_contoh"}
                return Reply(200, {"data": me})
            case "POST", "/2/media/upload":
                return self._upload(seen)
            case "POST", path if path.startswith("/2/media/upload/"):
                return self._piece(seen)
            case "GET", "/2/media/upload":
                assert seen.query["command"] == "STATUS"
                return self._state(seen.query["media_id"])
            case "POST", "/2/media/metadata" if seen.json["id"] in self.media:
                self.media[seen.json["id"]]["alt"] = seen.json["metadata"]["alt_text"]["text"]
                return Reply(200, {"data": {"id": seen.json["id"]}})
            case "POST", "/2/tweets":
                return self._post(seen.json)
            case "GET", path if path == f"/2/users/{USER}/tweets":
                return self._list(seen)
            case "DELETE", _ if name in self.tweets:
                del self.tweets[name]
                return Reply(200, {"data": {"deleted": True}})
        return Reply(404, no(404, "Not Found Error", f"{PROBLEMS}/resource-not-found"))

    def _id(self) -> str:
        self._next += 1
        return str(self._next)

    def _upload(self, seen: Seen) -> Reply:
        name, file = self._id(), seen.parts["media"]
        assert seen.parts["media_category"].text == "tweet_image"
        self.media[name] = {"alt": "", "sha256": file.sha256}
        data = {"id": name, "media_key": f"3_{name}", "expires_after_secs": 86400}
        return Reply(200, {"data": data | {"size": len(file.content)}})

    def _piece(self, seen: Seen) -> Reply:
        """A video, piece by piece."""
        *_, name, step = seen.path.split("/")
        if step == "initialize":
            assert seen.json["media_category"] == "tweet_video"
            name = self._id()
            self.videos[name] = {"size": seen.json["total_bytes"], "pieces": {}, "asked": 0}
            return Reply(200, {"data": {"id": name, "media_key": f"7_{name}"}})
        video = self.videos[name]
        if step == "append":
            content = seen.parts["media"].content
            if len(content) > 5_000_000:
                return Reply(400, no(400, "Segment size too large"))
            video["pieces"][int(seen.parts["segment_index"].text)] = content
            return Reply(200, {"data": {"expires_at": 1767225600}})
        whole = b"".join(video["pieces"][number] for number in sorted(video["pieces"]))
        if len(whole) != video["size"]:
            return Reply(400, no(400, "Segments do not add up to provided total file size"))
        self.media[name] = {"alt": "", "sha256": hashlib.sha256(whole).hexdigest()}
        return self._state(name)

    def _state(self, name: str) -> Reply:
        video = self.videos.get(name)
        if video is None:
            return Reply(404, no(404, "Not Found Error", f"{PROBLEMS}/resource-not-found"))
        video["asked"] += 1
        info: dict[str, Any] = {"state": "in_progress", "check_after_secs": 5}
        if self.bad_videos:
            info = {"state": "failed", "error": {"code": 1, "name": "InvalidMedia"}}
        elif video["asked"] > self.slow_videos:
            info = {"state": "succeeded", "progress_percent": 100}
        return Reply(200, {"data": {"id": name, "processing_info": info}})

    def _post(self, body: dict[str, Any]) -> Reply:
        if measure.x(body["text"]) > self.limit:
            words = "Your Tweet text is too long. For more information, see the documentation"
            return Reply(400, no(400, words, f"{PROBLEMS}/invalid-request"))
        media = body.get("media", {}).get("media_ids", [])
        if any(name not in self.media for name in media):
            errors = [{"message": "Your media IDs are invalid."}]
            words = "One or more parameters to your request was invalid."
            return Reply(400, no(400, words, f"{PROBLEMS}/invalid-request", errors=errors))
        if body["text"] in [tweet["written"] for tweet in self.tweets.values()]:
            words = "You are not allowed to create a Tweet with duplicate content."
            return Reply(403, no(403, words))
        name, parent = self._id(), body.get("reply", {}).get("in_reply_to_tweet_id", "")
        root = self.tweets[parent]["shown"]["conversation_id"] if parent else name
        self.tweets[name] = {
            "written": body["text"],
            "media": media,
            "parent": parent,
            "shown": self._shown(name, body["text"], root, media),
        }
        data = {"id": name, "text": body["text"], "edit_history_tweet_ids": [name]}
        return Reply(201, {"data": data})

    def _shown(self, name: str, text: str, root: str, media: list[str]) -> dict[str, Any]:
        urls: list[dict[str, Any]] = []

        def shorten(found: re.Match[str]) -> str:
            short, full = f"https://t.co/{len(urls):010d}", found[0]
            expanded = full if "://" in full else f"http://{full}"
            place = {"start": 0, "end": 23, "url": short}
            urls.append(place | {"expanded_url": expanded, "display_url": full[:25]})
            return short

        shown = LINKS.sub(shorten, text)
        for image in media[:1]:
            short = f"https://t.co/m{image}"
            shown += f" {short}"
            place = {"start": 0, "end": 23, "url": short, "media_key": f"3_{image}"}
            urls.append(place | {"expanded_url": f"https://x.com/i/status/{name}/photo/1"})
        return {
            "id": name,
            "text": html.escape(shown, quote=False),
            "created_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "conversation_id": root,
            "entities": {"urls": urls},
        }

    def _list(self, seen: Seen) -> Reply:
        fields = seen.query["tweet.fields"].split(",")
        assert set(fields) >= {"created_at", "conversation_id", "entities"}
        found = [tweet["shown"] for tweet in reversed(list(self.tweets.values()))]
        found = [t for t in found if t["created_at"] >= seen.query["start_time"]]
        start, size = int(seen.query.get("pagination_token", 0)), int(seen.query["max_results"])
        page = found[start : start + size]
        meta: dict[str, Any] = {"result_count": len(page)}
        if found[start + size :]:
            meta["next_token"] = str(start + size)
        return Reply(200, {"data": page, "meta": meta} if page else {"meta": meta})


class XCase(Case):
    """The case of the conformance suite."""

    platform = "x"
    SECRETS = (TOKEN,)
    uploads = True
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 401): (no(401, "Unauthorized"), {}, AuthRevoked),
        ("check", 403): (no(403, "Your account is suspended"), {}, AccountRestricted),
        ("check", 400): (no(400, "Invalid Request"), {}, Misconfigured),
        ("check", 503): (no(503, "Service Unavailable"), {}, RetryLater),
        ("prepare", 400): (no(400, "Invalid media"), {}, MediaRejected),
        ("publish", 400): (no(400, "Your Tweet text is too long."), {}, RejectedContent),
        ("publish", 401): (no(401, "Unauthorized"), {}, AuthRevoked),
        ("publish", 402): (no(402, "CreditsDepleted"), {}, BillingExhausted),
        ("publish", 403): (no(403, "Tweet with duplicate content."), {}, DuplicateDetected),
        ("publish", 404): (no(404, "Could not be found"), {}, Misconfigured),
        ("publish", 429): (no(429, "Too Many Requests"), {}, RateLimited),
        ("publish", 503): (no(503, "Service Unavailable"), {}, UnknownOutcome),
        ("find", 402): (no(402, "CreditsDepleted"), {}, BillingExhausted),
        ("delete", 403): (no(403, "You are not permitted"), {}, PermissionDenied),
    }
    more_bodies: ClassVar[ErrorBodies] = {
        ("publish", 400): (
            no(400, "Invalid.", errors=[{"message": "Your media IDs are invalid."}]),
            {},
            MediaExpired,
        ),
        ("publish", 403): (
            no(403, "Reply to this conversation is not allowed"),
            {},
            RejectedContent,
        ),
        ("publish", 429): (no(429, "Usage", f"{PROBLEMS}/usage-capped"), {}, BillingExhausted),
    }

    def start(self) -> FakeX:
        return FakeX()

    def options(self, platform: Platform) -> dict[str, Any]:
        return {"base_url": platform.url, "access_token": SecretStr(TOKEN)}

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, FakeX)
        platform.tokens.clear()

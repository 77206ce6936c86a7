"""A server of the AT Protocol as far as an announcement needs it; facts: the reference server."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import datetime
from typing import Any, ClassVar

import regex
from pydantic import SecretStr

from crosspost.errors import (
    AccountRestricted,
    AuthRevoked,
    MediaExpired,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    RateLimited,
    RejectedContent,
    RetryLater,
    UnknownOutcome,
)
from crosspost.testing.case import Case, ErrorBodies
from crosspost.testing.loopback import Platform, PublicPost, Reply, Seen

DID = "did:plc:kejarikejarikejarikejari"
HANDLE = "kejari.bsky.social"
PASSWORD = "abcd-efgh-ijkl-mnop"
PASS = "eyJhbGciOiJFUzI1NksifQ.eyJwYXNzIjoxfQ.a-pass-for-videos"
#: Where the account lies, which is not where one logs in.
PLACE = {"id": "#atproto_pds", "serviceEndpoint": "https://morel.example"}
DOCUMENT = {"id": DID, "service": [PLACE]}
YEAR_2100 = 4_102_444_800
MALFORMED = re.compile(r"[^2-7a-z]")


def token(scope: str, number: int, ends: int = YEAR_2100) -> str:
    """An unsigned JWT."""
    claims = {"scope": f"com.atproto.{scope}", "sub": DID, "jti": number, "exp": ends}
    parts = ({"typ": "at+jwt", "alg": "HS256"}, claims)
    coded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts)
    return ".".join(part.rstrip("=") for part in coded) + f".signature-{number}"


def error(status: int, name: str, message: str) -> Reply:
    return Reply(status, {"error": name, "message": message})


class FakeBluesky(Platform):
    """One account. `ends` is when access tokens end; `scope` is "access" for the main password."""

    ends = YEAR_2100
    scope = "appPass"
    active = True
    handle = HANDLE

    def __init__(self) -> None:
        super().__init__()
        self.password = PASSWORD
        self.access: set[str] = set()
        self.refresh: set[str] = set()
        self.records: dict[str, dict[str, Any]] = {}
        self.blobs: dict[str, str] = {}  # name -> SHA-256 of the bytes
        self.jobs: dict[str, dict[str, Any]] = {}  # what the service of videos works on
        self.slow_videos = 1  # so often a video is still being worked on
        self.bad_videos = False
        self.lets_in = True  # the service of videos takes the account's
        self._sessions = 0

    @property
    def posts(self) -> list[PublicPost]:
        return [self._public(uri, record) for uri, record in self.records.items()]

    def _public(self, uri: str, record: dict[str, Any]) -> PublicPost:
        embed = record.get("embed", {})
        features = [f["features"][0] for f in record.get("facets", [])]
        links = [feature["uri"] for feature in features if "uri" in feature]
        return PublicPost(
            uri,
            record["text"],
            tuple((shown["alt"], self.blobs[link]) for link, shown in _shown_in(embed)),
            embed.get("external", {}).get("uri") or next(iter(links), ""),
            record.get("reply", {}).get("parent", {}).get("uri", ""),
        )

    def phase_of(self, seen: Seen) -> str:
        return {
            "com.atproto.server.createSession": "login",
            "com.atproto.server.refreshSession": "login",
            "com.atproto.server.getSession": "check",
            "com.atproto.repo.uploadBlob": "prepare",
            "com.atproto.server.getServiceAuth": "prepare",
            "app.bsky.video.uploadVideo": "prepare",
            "app.bsky.video.getJobStatus": "prepare",
            "com.atproto.repo.putRecord": "publish",
            "com.atproto.repo.getRecord": "find",
            "com.atproto.repo.deleteRecord": "delete",
        }.get(seen.path.removeprefix("/xrpc/"), "")

    def answer(self, seen: Seen) -> Reply:
        bearer = seen.headers.get("authorization", "").removeprefix("Bearer ")
        name = seen.path.rsplit(".", 1)[1]
        if name == "createSession":
            return self._create_session(seen)
        if name == "refreshSession":
            if bearer not in self.refresh:
                return error(400, "ExpiredToken", "Token has been revoked")
            self.refresh.discard(bearer)
            return self._new_session()
        if name in ("uploadVideo", "getJobStatus"):
            return self._video(name, seen, bearer)
        if bearer not in self.access:
            known = json.loads(base64.urlsafe_b64decode(bearer.split(".")[1] + "=="))
            if known["exp"] < self.ends:
                return error(400, "ExpiredToken", "Token has expired")
            return error(400, "InvalidToken", "Token could not be verified")
        return self._answer_to_account(name, seen)

    def _answer_to_account(self, name: str, seen: Seen) -> Reply:
        match name:
            case "getSession":
                status = (
                    {"active": True} if self.active else {"active": False, "status": "takendown"}
                )
                return Reply(200, {"did": DID, "handle": self.handle, "didDoc": DOCUMENT, **status})
            case "getServiceAuth":
                assert seen.query["lxm"] == "com.atproto.repo.uploadBlob"
                return Reply(200, {"token": f"{PASS}-for-{seen.query['aud']}"})
            case "uploadBlob":
                return self._upload(seen)
            case "putRecord":
                return self._put(seen.json)
            case "getRecord":
                uri = _uri(seen.query)
                if uri not in self.records:
                    return error(400, "RecordNotFound", f"Could not locate record: {uri}")
                return Reply(200, {**self._named(uri), "value": self.records[uri]})
            case "deleteRecord":
                self.records.pop(_uri(seen.json), None)
                return Reply(200, {})
        return error(501, "MethodNotImplemented", "Method Not Implemented")

    def _create_session(self, seen: Seen) -> Reply:
        if seen.json != {"identifier": HANDLE, "password": self.password}:
            return error(401, "AuthenticationRequired", "Invalid identifier or password")
        return self._new_session()

    def _new_session(self) -> Reply:
        self._sessions += 1
        access = token(self.scope, self._sessions, self.ends)
        refresh = token("refresh", self._sessions)
        self.access.add(access)
        self.refresh.add(refresh)
        tokens = {"accessJwt": access, "refreshJwt": refresh}
        return Reply(200, {"did": DID, "handle": self.handle, "active": True, **tokens})

    def _upload(self, seen: Seen) -> Reply:
        digest = hashlib.sha256(seen.body).hexdigest()
        name = f"bafkrei{digest[:52]}"
        self.blobs[name] = digest
        mime = seen.headers["content-type"]
        blob = {"$type": "blob", "ref": {"$link": name}, "mimeType": mime, "size": len(seen.body)}
        return Reply(200, {"blob": blob})

    def _video(self, name: str, seen: Seen, bearer: str) -> Reply:
        """The service of videos; it answers with the state bare, or by its name."""
        if name == "getJobStatus":
            job = self.jobs.get(seen.query["jobId"])
            if job is None:
                return error(400, "InvalidRequest", "no such job")
            job["asked"] += 1
            return Reply(200, {"jobStatus": self._job(seen.query["jobId"], job)})
        if bearer != f"{PASS}-for-did:web:morel.example" or not self.lets_in:
            return error(401, "unconfirmed_email", "Please verify your email")
        assert seen.query["did"] == DID
        digest = hashlib.sha256(seen.body).hexdigest()
        known = next((key for key, job in self.jobs.items() if job["sha256"] == digest), "")
        number = known or f"job-{len(self.jobs) + 1}"
        job = self.jobs.setdefault(number, {"sha256": digest, "size": len(seen.body), "asked": 0})
        status = self._job(number, job)
        return Reply(409, status | {"error": "already_exists"}) if known else Reply(200, status)

    def _job(self, number: str, job: dict[str, Any]) -> dict[str, Any]:
        status = {"jobId": number, "did": DID, "state": "JOB_STATE_ENCODING"}
        if self.bad_videos:
            return status | {"state": "JOB_STATE_FAILED", "message": "Video is too long"}
        if job["asked"] <= self.slow_videos:
            return status
        link = f"bafkrei{job['sha256'][:52]}"
        self.blobs[link] = job["sha256"]
        blob = {"$type": "blob", "ref": {"$link": link}, "mimeType": "video/mp4"}
        return status | {"state": "JOB_STATE_COMPLETED", "blob": blob | {"size": job["size"]}}

    def _put(self, body: dict[str, Any]) -> Reply:
        uri, record = _uri(body), body["record"]
        if body["repo"] != DID:
            return error(403, "Forbidden", "Could not write to another repository")
        if problem := self._problem(body["rkey"], record):
            return error(400, "InvalidRequest", f"Invalid app.bsky.feed.post record: {problem}")
        if any(link not in self.blobs for link, _ in _shown_in(record.get("embed", {}))):
            return error(400, "BlobNotFound", "Could not find blob")
        if self.records.get(uri) == record:
            return Reply(200, self._named(uri))
        if uri in self.records and "swapRecord" in body and body["swapRecord"] is None:
            return error(400, "InvalidSwap", "Record was at another state")
        self.records[uri] = record
        return Reply(200, {**self._named(uri), "commit": {"cid": "bafyreicommit", "rev": "1"}})

    def _problem(self, rkey: str, record: dict[str, Any]) -> str:
        if len(rkey) != 13 or MALFORMED.search(rkey) or rkey[0] not in "234567abcdefghij":
            return "not a TID"
        if len(regex.findall(r"\X", record["text"])) > 300:
            return "grapheme too big (maximum 300) at $.record.text"
        if len(record["text"].encode()) > 3000:
            return "string too big (maximum 3000) at $.record.text"
        datetime.fromisoformat(record["createdAt"])
        if not record["createdAt"].endswith("Z") or len(record["langs"]) > 3:
            return "createdAt or langs"
        images = record.get("embed", {}).get("images", [])
        if len(images) > 4 or not all(isinstance(image["alt"], str) for image in images):
            return "images"
        return ""

    def _named(self, uri: str) -> dict[str, str]:
        content = json.dumps(self.records[uri], sort_keys=True).encode()
        return {"uri": uri, "cid": f"bafyrei{hashlib.sha256(content).hexdigest()[:52]}"}


def _shown_in(embed: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Name of the blob and all that is said of it, of each image or video that an embed shows."""
    if embed.get("$type") == "app.bsky.embed.video":
        return [(embed["video"]["ref"]["$link"], embed)]
    return [(image["image"]["ref"]["$link"], image) for image in embed.get("images", [])]


def _uri(where: Any) -> str:
    return f"at://{where['repo']}/{where['collection']}/{where['rkey']}"


class BlueskyCase(Case):
    """The case of the conformance suite."""

    platform = "bluesky"
    SECRETS = (
        PASSWORD,
        PASS,
        *(token(scope, n) for scope in ("appPass", "refresh") for n in range(1, 9)),
    )
    uploads = True
    error_bodies: ClassVar[ErrorBodies] = {
        ("login", 401): (
            {"error": "AuthenticationRequired", "message": "Invalid identifier or password"},
            {},
            AuthRevoked,
        ),
        ("login", 400): ({"error": "InvalidRequest", "message": "Bad identifier"}, {}, AuthRevoked),
        ("login", 429): (
            {"error": "RateLimitExceeded", "message": "Rate Limit Exceeded"},
            {"ratelimit-reset": "4102444800", "ratelimit-remaining": "0"},
            RateLimited,
        ),
        ("check", 401): (
            {"error": "AccountDeactivated", "message": "Account is deactivated"},
            {},
            AccountRestricted,
        ),
        ("check", 400): (
            {"error": "InvalidRequest", "message": "Could not find user info for account"},
            {},
            AuthRevoked,
        ),
        ("check", 501): (
            {"error": "MethodNotImplemented", "message": "Method Not Implemented"},
            {},
            Misconfigured,
        ),
        ("prepare", 400): (
            {"error": "InvalidRequest", "message": "Wrong type of file"},
            {},
            MediaRejected,
        ),
        ("prepare", 413): ({"error": "PayloadTooLarge", "message": ""}, {}, MediaRejected),
        ("prepare", 502): (
            {"error": "UpstreamFailure", "message": "Upstream Failure"},
            {},
            RetryLater,
        ),
        ("find", 400): ({"error": "InvalidRequest", "message": "No repo"}, {}, RejectedContent),
        ("find", 404): (b"Not Found", {}, Misconfigured),
        ("publish", 400): (
            {"error": "BlobNotFound", "message": "Could not find blob: bafkrei"},
            {},
            MediaExpired,
        ),
        ("publish", 401): (
            {"error": "AccountTakedown", "message": "Account has been taken down"},
            {},
            AccountRestricted,
        ),
        ("publish", 403): ({"error": "Forbidden", "message": "no"}, {}, PermissionDenied),
        ("publish", 500): (
            {"error": "InternalServerError", "message": "Internal Server Error"},
            {},
            UnknownOutcome,
        ),
        ("publish", 502): ({"error": "UpstreamFailure", "message": ""}, {}, UnknownOutcome),
    }

    def start(self) -> FakeBluesky:
        return FakeBluesky()

    def options(self, platform: Platform) -> dict[str, Any]:
        return {
            "base_url": platform.url,
            "video_url": platform.url,
            "identifier": HANDLE,
            "app_password": SecretStr(PASSWORD),
        }

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, FakeBluesky)
        platform.password = "another one"
        platform.access.clear()
        platform.refresh.clear()

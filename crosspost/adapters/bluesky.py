"""Bluesky, and every other server of the AT Protocol (a PDS).

It must not log in where a kept session can be refreshed (logins are limited), nor publish under a
record key that was not chosen and stored before: so a repeat cannot make a second post.
Facts: atproto.com/specs, docs.bsky.app, and the reference server (bluesky-social/atproto).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

from pydantic import SecretStr, field_validator

from crosspost.adapters.base import Answer, HttpAdapter, HttpSettings, text_id
from crosspost.adapters.bluesky_records import (
    COLLECTION,
    images_of,
    receipt_of,
    record_of,
    tid,
)
from crosspost.adapters.bluesky_session import JWT, Session
from crosspost.config import WebAddress
from crosspost.errors import (
    AccountRestricted,
    AuthExpired,
    AuthRevoked,
    DuplicateDetected,
    MediaExpired,
    MediaRejected,
    Misconfigured,
    PlatformError,
    RateLimited,
)
from crosspost.post import (
    Account,
    Capabilities,
    CardMaker,
    Image,
    Markup,
    Outgoing,
    Receipt,
    Reconcile,
)
from crosspost.rendering.measure import graphemes
from crosspost.wording import t

#: What the server calls an access token that it takes no more; with HTTP status 400.
STALE = ("ExpiredToken", "InvalidToken")
NOT_FOUND = "RecordNotFound"
EVERY_STATUS = tuple(range(100, 600))
#: An access token that ends sooner is refreshed first: longer than preparing a post may take.
MARGIN = timedelta(minutes=15)

#: What the names in error answers mean, where the HTTP status does not say it.
ERRORS: dict[str, type[PlatformError]] = {
    "ExpiredToken": AuthExpired,
    "InvalidToken": AuthExpired,
    "AccountTakedown": AccountRestricted,
    "AccountSuspended": AccountRestricted,
    "AccountDeactivated": AccountRestricted,
    "RepoTakendown": AccountRestricted,
    "RepoSuspended": AccountRestricted,
    "RepoDeactivated": AccountRestricted,
    "RateLimitExceeded": RateLimited,
    "BlobNotFound": MediaExpired,
    "InvalidMimeType": MediaRejected,
    "InvalidSwap": DuplicateDetected,
    "MethodNotImplemented": Misconfigured,
}
#: What status 400 means where the name of the error says nothing.
BAD_REQUEST: dict[str, type[PlatformError]] = {
    "login": AuthRevoked,
    "check": AuthRevoked,
    "prepare": MediaRejected,
}


class BlueskySettings(HttpSettings):
    """`identifier` is the account's handle, `app_password` one that was made for crosspost."""

    base_url: WebAddress = "https://bsky.social"
    identifier: str
    app_password: SecretStr

    @field_validator("identifier")
    @classmethod
    def _is_a_handle(cls, identifier: str) -> str:
        bare = identifier.strip().removeprefix("@")
        if not re.fullmatch(r"[^\s/]+[.:][^\s/]+", bare):
            raise ValueError(t("write the account's handle, for example office.bsky.social"))
        return bare


class BlueskyAdapter(HttpAdapter):
    """One account."""

    platform = "bluesky"
    title = "Bluesky"
    Settings = BlueskySettings
    capabilities: Capabilities = Capabilities(
        markup=Markup.FACETS,
        max_length=300,
        max_bytes=3000,
        max_images=4,
        image_bytes=950_000,  # the server takes 2,000,000; older ones 1,000,000
        image_side=2000,
        max_alt=2000,  # what the official app takes; the protocol has no limit
        threads=True,
        card=CardMaker.CLIENT,
        delete=True,
        reconcile=Reconcile.CHOSEN_ID,
    )

    def setup(self) -> None:
        self._of = f"{self.settings.identifier} {self.settings.base_url}"
        self._current: Session | None = None
        self._refused = ""  # the last access token that the server did not take
        self._renewing = Lock()  # publishing and looking up may be at work at once

    def check(self) -> Account:
        answer = self._call("GET", "com.atproto.server.getSession", phase="check")
        with self.reading(answer, "check"):
            me = self.json_of(answer, "check")
            did, handle = text_id(me["did"]), text_id(me["handle"])
        if me.get("active") is False:
            raise AccountRestricted(
                t(
                    "The account @{handle} cannot post: {status}.",
                    handle=handle,
                    status=me.get("status") or t("no reason given"),
                ),
                platform=self.platform,
            )
        facts = {t("server"): self.settings.base_url, t("identity"): did}
        address = f"https://bsky.app/profile/{did}"
        return Account(f"@{handle}", address, facts, tuple(self._warnings(handle)))

    def measure(self, text: str) -> int:
        """Grapheme clusters (`maxGraphemes` of the lexicon)."""
        return graphemes(text)

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:  # noqa: ARG002
        at = now.astimezone(UTC).isoformat(timespec="milliseconds")
        return {"rkey": tid(now), "created_at": at.replace("+00:00", "Z")}

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        did = self._signed_in().did
        earlier = outgoing.prepared.get("blobs") if outgoing.prepared.get("did") == did else None
        blobs = dict(earlier) if isinstance(earlier, dict) else {}
        for image in images_of(outgoing.post):
            if image.sha256 not in blobs:
                blobs[image.sha256] = self._upload(image)
        return {"did": did, "blobs": blobs}

    def publish(self, outgoing: Outgoing) -> Receipt:
        where = self._where(outgoing)
        answer = self._call(
            "POST",
            "com.atproto.repo.putRecord",
            phase="publish",
            # no earlier record may be there, unless it is this very one (then nothing happens)
            json={**where, "record": record_of(outgoing), "swapRecord": None},
        )
        with self.reading(answer, "publish"):
            return receipt_of(self.json_of(answer, "publish"), where)

    def find(self, outgoing: Outgoing) -> Receipt | None:
        where = self._where(outgoing)
        answer = self._call("GET", "com.atproto.repo.getRecord", phase="find", params=where)
        if answer.status != 200:
            return None
        with self.reading(answer, "find"):
            data = self.json_of(answer, "find")
            receipt, text = receipt_of(data, where), data["value"]["text"]
        if text != outgoing.post.text:
            raise DuplicateDetected(
                t("There is another text under the name of this post: {uri}", uri=data["uri"]),
                platform=self.platform,
            )
        return receipt

    def delete(self, receipt: Receipt) -> None:
        repo, collection, rkey = receipt.remote_id.removeprefix("at://").split("/")
        where = {"repo": repo, "collection": collection, "rkey": rkey}
        self._call("POST", "com.atproto.repo.deleteRecord", phase="delete", json=where)

    def _where(self, outgoing: Outgoing) -> dict[str, str]:
        """The record's address: in the account that it was prepared for, whoever is configured."""
        did = outgoing.prepared.get("did") or self._signed_in().did
        return {"repo": str(did), "collection": COLLECTION, "rkey": outgoing.handle["rkey"]}

    def _upload(self, image: Image) -> dict[str, Any]:
        """The server's reference to the bytes of an image. It forgets them after some hours."""
        answer = self._call(
            "POST",
            "com.atproto.repo.uploadBlob",
            phase="prepare",
            headers={"Content-Type": image.mime},
            data=self.bytes_of(image),
        )
        with self.reading(answer, "prepare"):
            blob: dict[str, Any] = self.json_of(answer, "prepare")["blob"]
            text_id(blob["ref"]["$link"])
            return blob

    # --- calls and sessions -----------------------------------------------------------------------

    def _call(self, method: str, name: str, *, phase: str, **more: Any) -> Answer:
        """One call as the account. Where the access token has run out it is renewed, and the call
        repeated, once; but never in the phase publish: the caller prepares again."""
        session = self._current if phase == "publish" else self._signed_in()
        if session is None:
            raise AuthExpired(
                t("Not signed in when publishing began."), platform=self.platform, sent=False
            )
        answer = self._xrpc(method, name, session.access, phase=phase, **more)
        if _error_name(answer) in STALE:
            self._refused = session.access
            if phase != "publish":
                renewed = self._signed_in()
                answer = self._xrpc(method, name, renewed.access, phase=phase, **more)
        absent = phase == "find" and _error_name(answer) == NOT_FOUND
        if answer.status == 200 or absent:
            return answer
        raise self.error_from(answer, phase)

    def _xrpc(self, method: str, name: str, token: str, **more: Any) -> Answer:
        headers = {**({"Authorization": f"Bearer {token}"} if token else {})}
        headers |= more.pop("headers", {})
        return self.call(method, f"/xrpc/{name}", ok=EVERY_STATUS, headers=headers, **more)

    def _signed_in(self) -> Session:
        """A session with an access token that still lasts: ours, the kept one, or a renewed one."""
        with self._renewing:
            session = self._current
            if session is None or self._worn(session):
                session = self._load() or session
            if session is None or self._worn(session):
                session = self._refreshed(session) or self._login()
            self._current = session
            return session

    def _worn(self, session: Session) -> bool:
        end = session.ends
        soon = end is not None and end - self.context.now() < MARGIN
        return soon or session.access == self._refused

    def _load(self) -> Session | None:
        """What was kept, perhaps by another process, if it is of the account in the settings."""
        values = self.context.load() if self.context.load else {}
        return Session.of_kept(values, self._of)

    def _refreshed(self, session: Session | None) -> Session | None:
        """The session renewed; None when the server refuses to, so that a login is needed."""
        if session is None:
            return None
        answer = self._xrpc(
            "POST", "com.atproto.server.refreshSession", session.refresh, phase="login"
        )
        if answer.status == 200:
            return self._keep(answer)
        error = self.error_from(answer, "login")
        if not isinstance(error, AuthExpired | AuthRevoked):
            raise error
        kept = self._load()  # did somebody else renew it just now?
        return None if kept is None or self._worn(kept) or kept == session else kept

    def _login(self) -> Session:
        password = self.settings.app_password.get_secret_value()
        body = {"identifier": self.settings.identifier, "password": password}
        answer = self._xrpc(
            "POST", "com.atproto.server.createSession", "", phase="login", json=body
        )
        if answer.status != 200:
            raise self.error_from(answer, "login")
        return self._keep(answer)

    def _keep(self, answer: Answer) -> Session:
        with self.reading(answer, "login"):
            data = self.json_of(answer, "login")
            session = Session(
                did=text_id(data["did"]),
                handle=text_id(data["handle"]),
                access=text_id(data["accessJwt"]),
                refresh=text_id(data["refreshJwt"]),
                of=self._of,
            )
        self._current = session
        if self.context.save:
            self.context.save(asdict(session))
        return session

    def _warnings(self, handle: str) -> Iterator[str]:
        if handle == "handle.invalid":
            yield t("The account's handle no longer leads to it: look at the domain's DNS record.")
        if self._current and self._current.is_main_password:
            yield t(
                "This is the account's own password. Make an app password for crosspost, "
                "and change the account's."
            )

    # --- errors -----------------------------------------------------------------------------------

    def error_of(self, answer: Answer, phase: str) -> type[PlatformError] | None:
        if answer.status >= 500 and answer.status != 501:
            return None  # whatever its name, it may have happened
        known = ERRORS.get(_error_name(answer))
        return known or (BAD_REQUEST.get(phase) if answer.status == 400 else None)

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        if self._current:
            yield from (self._current.access, self._current.refresh)

    def redact(self, text: str) -> str:
        return JWT.sub("[secret]", super().redact(text))


def _error_name(answer: Answer) -> str:
    """The `error` of an error answer; "" when it has none."""
    data = answer.data if answer.status >= 400 else None
    name = data.get("error") if isinstance(data, dict) else None
    return name if isinstance(name, str) else ""

"""Matrix rooms, by the client-server API of any homeserver.

It must not count on the transaction id alone: how long it is remembered is each server's own
affair, and it ends with the login. So every event carries our own mark, by which it is looked for,
and the id is the second belt. Facts: spec.matrix.org, client-server API.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from pydantic import SecretStr, field_validator

from crosspost.adapters.base import Answer, HttpAdapter, HttpSettings, clock_lag, text_id
from crosspost.adapters.matrix_events import (
    LONGEST,
    MARK,
    content_of,
    edit_of,
    events_of,
    is_ours,
    level,
)
from crosspost.errors import (
    AccountRestricted,
    AuthRevoked,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    PlatformError,
    RateLimited,
    RejectedContent,
    RetryLater,
    TargetGone,
)
from crosspost.post import Account, Capabilities, Image, Markup, Outgoing, Receipt, Reconcile
from crosspost.rendering.measure import utf8
from crosspost.retry import retry_time
from crosspost.wording import t

CLIENT = "/_matrix/client/v3"
#: Messages a page, and pages, that a look-up reads at most.
PAGE, PAGES = 50, 20
#: How much earlier than our own note of the start an event may be dated.
SLACK = timedelta(minutes=2)
#: From this room version on, who made the room has every right, and no power level says so.
CREATORS_RULE = 12

#: What `errcode` means, whatever the status; it is only looked at below 500.
CODES: dict[str, type[PlatformError]] = {
    "M_UNKNOWN_TOKEN": AuthRevoked,
    "M_MISSING_TOKEN": AuthRevoked,
    "M_USER_DEACTIVATED": AccountRestricted,
    "M_USER_SUSPENDED": AccountRestricted,
    "M_USER_LOCKED": AccountRestricted,
    "M_CONSENT_NOT_GIVEN": AccountRestricted,
    "M_RESOURCE_LIMIT_EXCEEDED": AccountRestricted,
    "M_FORBIDDEN": PermissionDenied,
    "M_GUEST_ACCESS_FORBIDDEN": PermissionDenied,
    "M_LIMIT_EXCEEDED": RateLimited,
    "M_UNRECOGNIZED": Misconfigured,
}


class MatrixSettings(HttpSettings):
    """`base_url` is the homeserver's address, `access_token` that of one login of the account,
    `room_id` the room's internal id, which begins with an exclamation mark."""

    access_token: SecretStr
    room_id: str

    @field_validator("room_id")
    @classmethod
    def _is_a_room(cls, room: str) -> str:
        if not re.fullmatch(r"![^\s/?#]+", room):
            raise ValueError(
                t("write the internal room id, which begins with !; the room's settings show it")
            )
        return room


class MatrixAdapter(HttpAdapter):
    """One room without encryption that an account may write in."""

    platform = "matrix"
    title = "Matrix"
    Settings = MatrixSettings
    capabilities: Capabilities = Capabilities(
        markup=Markup.MATRIX_HTML,
        max_length=LONGEST,
        unit="bytes",
        max_images=1,  # an event has one; its text is the caption
        image_types=("image/jpeg", "image/png", "image/webp", "image/gif"),
        hashtags=False,
        threads=True,
        delete=True,
        edit=True,
        shows_edits=True,
        reconcile=Reconcile.LOOKUP,
        settle=timedelta(seconds=90),  # longer than our own time-out and the server's queue
    )
    _user = ""

    def check(self) -> Account:
        me = self._whoami("check")
        member = self._state(f"m.room.member/{quote(me, safe='')}")
        if member.get("membership") != "join":
            raise self._no(PermissionDenied, t("{account} is not in the room.", account=me))
        if self._state("m.room.encryption"):
            raise self._no(
                Misconfigured,
                t("The room is encrypted. Make a room without encryption for announcements."),
            )
        if not self._may_write(me):
            raise self._no(
                PermissionDenied,
                t("{account} may not write in the room: give it the right to.", account=me),
            )
        name = self._state("m.room.name").get("name")
        facts = {t("room"): str(name or self.settings.room_id)}
        return Account(me, self._address("", me), facts, self._warnings())

    def measure(self, text: str) -> int:
        """Bytes in UTF-8."""
        return utf8(text)

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        # with the time, since a server that knows the key of an older database answers its old post
        return {"key": f"{key}-{now:%Y%m%dT%H%M%S%f}"}

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        media = [self._upload(image) for image in outgoing.post.images]
        return {"media": media, "user": self._user or self._whoami("prepare")}

    def publish(self, outgoing: Outgoing) -> Receipt:
        content = content_of(outgoing) | {MARK: outgoing.handle["key"]}
        if outgoing.parent:
            content["m.relates_to"] = {"m.in_reply_to": {"event_id": outgoing.parent.remote_id}}
        answer = self._send(content, outgoing.handle["key"], phase="publish")
        with self.reading(answer, "publish"):
            return self._receipt(answer.data, outgoing)

    def find(self, outgoing: Outgoing) -> Receipt | None:
        sender = self._sender(outgoing)
        wanted = {"types": ["m.room.message"], "senders": [sender]}
        page = {"dir": "b", "limit": str(PAGE), "filter": json.dumps(wanted)}
        for _ in range(PAGES):
            answer = self._call("GET", self._room("messages"), phase="find", params=page)
            with self.reading(answer, "find"):
                lag = clock_lag(answer, self.context.now())
                since = (outgoing.begun or self.context.now()) - SLACK - lag
                events = events_of(answer.data)
                for event in events:
                    if is_ours(event, sender, outgoing.handle["key"]):
                        return self._receipt(event, outgoing)
                oldest = min((e["origin_server_ts"] for e in events), default=None)
                if oldest is not None and oldest / 1000 < since.timestamp():
                    return None
                if "end" not in answer.data:
                    return None  # that was the room's beginning
                page["from"] = text_id(answer.data["end"])
        raise RetryLater(
            t("The account has posted too much since then to look through."), platform=self.platform
        )

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        # made twice, it is the same edit: so the id of the call need not be remembered
        self._send(edit_of(receipt.remote_id, outgoing), uuid4().hex, phase="edit")
        return receipt

    def delete(self, receipt: Receipt) -> None:
        path = self._room("redact", receipt.remote_id, uuid4().hex)
        answer = self._call("PUT", path, phase="delete", ok=(200, 404), json={})
        if answer.status == 404 and _code(answer) != "M_NOT_FOUND":
            raise self.error_from(answer, "delete")

    def _receipt(self, event: dict[str, Any], outgoing: Outgoing) -> Receipt:
        name = text_id(event["event_id"])
        return Receipt(name, self._address(name, self._sender(outgoing)))

    def _sender(self, outgoing: Outgoing) -> str:
        """The account that the post is from, even if the token in the settings is another's now."""
        return str(outgoing.prepared.get("user") or self._user or self._whoami("find"))

    def _address(self, event: str, user: str) -> str:
        """Where people open the room, or an event in it; the account's server lets them in."""
        room = quote(self.settings.room_id, safe="")
        path = f"{room}/{quote(event, safe='')}" if event else room
        return f"https://matrix.to/#/{path}?via={quote(user.partition(':')[2], safe='')}"

    # --- calls ------------------------------------------------------------------------------------

    def _call(self, method: str, path: str, *, phase: str, **more: Any) -> Answer:
        token = self.settings.access_token.get_secret_value()
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        return self.call(method, path, phase=phase, headers=headers, **more)

    def _room(self, *parts: str) -> str:
        names = "/".join(quote(part, safe="") for part in (self.settings.room_id, *parts))
        return f"{CLIENT}/rooms/{names}"

    def _send(self, content: dict[str, Any], transaction: str, *, phase: str) -> Answer:
        path = self._room("send", "m.room.message", transaction)
        return self._call("PUT", path, phase=phase, json=content)

    def _whoami(self, phase: str) -> str:
        answer = self._call("GET", f"{CLIENT}/account/whoami", phase=phase)
        with self.reading(answer, phase):
            self._user = text_id(self.json_of(answer, phase)["user_id"])
            return self._user

    def _upload(self, image: Image) -> str:
        answer = self._call(
            "POST",
            "/_matrix/media/v3/upload",
            phase="prepare",
            params={"filename": image.filename},
            headers={"Content-Type": image.mime},
            data=self.bytes_of(image),
        )
        with self.reading(answer, "prepare"):
            uri = self.json_of(answer, "prepare")["content_uri"]
            if not str(uri).startswith("mxc://"):
                raise ValueError("not the address of an upload")
            return str(uri)

    def _state(self, name: str, **query: str) -> dict[str, Any]:
        """One piece of the room's state; empty when the room has none."""
        path = f"{self._room('state')}/{name}"
        answer = self._call("GET", path, phase="check", ok=(200, 404), params=query)
        if answer.status == 404:
            if _code(answer) != "M_NOT_FOUND":
                raise self.error_from(answer, "check")
            return {}
        return self.json_of(answer, "check")

    def _may_write(self, user: str) -> bool:
        levels = self._state("m.room.power_levels")
        own = level(levels.get("users"), user, level(levels, "users_default", 0))
        default = level(levels, "events_default", 0)
        needed = level(levels.get("events"), "m.room.message", default)
        return own >= needed or user in self._creators()

    def _creators(self) -> set[str]:
        """Who made the room, where that gives every right."""
        event = self._state("m.room.create", format="event")
        content = event.get("content")
        content = content if isinstance(content, dict) else {}
        version = str(content.get("room_version", "1"))
        if version.isdecimal() and int(version) < CREATORS_RULE:
            return set()
        more = content.get("additional_creators")
        return {str(event.get("sender")), *(map(str, more) if isinstance(more, list) else ())}

    def _warnings(self) -> tuple[str, ...]:
        warnings = []
        if self._state("m.room.join_rules").get("join_rule") != "public":
            warnings.append(
                t("The room is not public: links to its posts work for its members only.")
            )
        limit, ours = self._upload_limit(), self.capabilities.image_bytes
        if limit is not None and limit < ours:
            warnings.append(t("The server takes images of at most {limit} bytes.", limit=limit))
        return tuple(warnings)

    def _upload_limit(self) -> int | None:
        """The server's limit for uploads in bytes; None when it does not say."""
        path = "/_matrix/client/v1/media/config"
        answer = self._call("GET", path, phase="check", ok=tuple(range(200, 500)))
        said = answer.data if isinstance(answer.data, dict) else {}
        limit = said.get("m.upload.size")
        return limit if isinstance(limit, int) else None

    # --- errors -----------------------------------------------------------------------------------

    def _no(self, kind: type[PlatformError], words: str) -> PlatformError:
        return kind(words, platform=self.platform)

    def error_of(self, answer: Answer, phase: str) -> type[PlatformError] | None:
        if not 400 <= answer.status < 500:
            return None
        match _code(answer):
            case "M_TOO_LARGE":
                return MediaRejected if phase == "prepare" else RejectedContent
            case "M_NOT_FOUND" if phase == "publish":
                return TargetGone
            case code:
                return CODES.get(code)

    def until_of(self, answer: Answer) -> datetime | None:
        wait = answer.data.get("retry_after_ms") if isinstance(answer.data, dict) else None
        if isinstance(wait, bool) or not isinstance(wait, int | float):
            return None
        return retry_time({"Retry-After": str(wait / 1000)}, self.context.now())


def _code(answer: Answer) -> str:
    """The `errcode` of an error answer, "" when it has none."""
    return str(answer.data.get("errcode", "")) if isinstance(answer.data, dict) else ""

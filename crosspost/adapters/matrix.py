"""Matrix rooms, by the client-server API of any homeserver.

It must not count on the transaction id alone: how long it is remembered is each server's own
affair, and it ends with the login. So every event carries our own mark, by which it is looked for,
and the id is the second belt. Facts: spec.matrix.org, client-server API.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

from pydantic import SecretStr

from crosspost import errors
from crosspost.adapters.base import Answer, HttpSettings, Meaning, text_id, written
from crosspost.adapters.likeness import unix_moment
from crosspost.adapters.lookups import AccountListAdapter, Listed, Page
from crosspost.adapters.rights import may_write
from crosspost.adapters.uploads import File, Upload, UploadingAdapter, media_of
from crosspost.post import Account, Capabilities, Markup, Outgoing, Receipt, Reconcile
from crosspost.rendering.matrix import LONGEST, edit_of, message_of
from crosspost.rendering.measure import utf8
from crosspost.wording import t

CLIENT = "/_matrix/client/v3"
#: The key of an event's content that holds our mark; servers keep what they do not know.
MARK = "crosspost.part"
ROOM = written(
    r"![^\s/?#]+",
    lambda: t("write the internal room id, which begins with !; the room's settings show it"),
)


class MatrixSettings(HttpSettings):
    """`base_url` is the homeserver's address, `access_token` that of one login of the account,
    `room_id` the room's internal id, which begins with an exclamation mark."""

    access_token: SecretStr
    room_id: Annotated[str, ROOM]


class MatrixAdapter(AccountListAdapter, UploadingAdapter):
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
    meanings = (
        Meaning(errors.AuthRevoked, code="M_UNKNOWN_TOKEN M_MISSING_TOKEN"),
        Meaning(errors.AccountRestricted, code="M_USER_DEACTIVATED M_USER_SUSPENDED"),
        Meaning(errors.AccountRestricted, code="M_USER_LOCKED M_CONSENT_NOT_GIVEN"),
        Meaning(errors.AccountRestricted, code="M_RESOURCE_LIMIT_EXCEEDED"),
        Meaning(errors.PermissionDenied, code="M_FORBIDDEN M_GUEST_ACCESS_FORBIDDEN"),
        Meaning(errors.RateLimited, code="M_LIMIT_EXCEEDED"),
        Meaning(errors.Misconfigured, code="M_UNRECOGNIZED"),
        Meaning(errors.MediaRejected, code="M_TOO_LARGE", phases="prepare"),
        Meaning(errors.RejectedContent, code="M_TOO_LARGE"),
        Meaning(errors.TargetGone, code="M_NOT_FOUND", phases="publish"),
    )
    # a piece of the room's state that it has not, an event that is no more
    so_already = (Meaning(errors.TargetGone, 404, code="M_NOT_FOUND", phases="state delete"),)
    code_at, own_id_at = ("errcode",), ("user_id",)
    wait_at, wait_unit = ("retry_after_ms",), 0.001
    bearer, mark, page_size, pages = "access_token", "key", 50, 20
    measure = staticmethod(utf8)

    def ask_who(self, phase: str) -> Answer:
        return self.call("GET", f"{CLIENT}/account/whoami", phase=phase)

    def check(self) -> Account:
        me = str(self.whoami("check")["user_id"])
        inside = self._state(f"m.room.member/{quote(me, safe='')}").get("membership") == "join"
        words = t("{account} is not in the room.", account=me)
        self.insist(inside, errors.PermissionDenied, words)
        words = t("The room is encrypted. Make a room without encryption for announcements.")
        self.insist(not self._state("m.room.encryption"), errors.Misconfigured, words)
        levels = self._state("m.room.power_levels")
        may = may_write(levels, self._state("m.room.create", format="event"), me)
        words = t("{account} may not write in the room: give it the right to.", account=me)
        self.insist(may, errors.PermissionDenied, words)
        name = self._state("m.room.name").get("name")
        facts = {t("room"): str(name or self.settings.room_id)}
        return Account(me, self._address("", me), facts, self._warnings())

    def _warnings(self) -> tuple[str, ...]:
        warnings = []
        if self._state("m.room.join_rules").get("join_rule") != "public":
            warnings.append(
                t("The room is not public: links to its posts work for its members only.")
            )
        path = "/_matrix/client/v1/media/config"
        answer = self.call("GET", path, phase="check", ok=tuple(range(200, 500)))
        limit = answer.at("m.upload.size")
        if isinstance(limit, int) and limit < self.capabilities.image_bytes:
            warnings.append(t("The server takes images of at most {limit} bytes.", limit=limit))
        return tuple(warnings)

    def _state(self, name: str, **query: str) -> dict[str, Any]:
        """One piece of the room's state; empty when the room has none."""
        answer = self.call("GET", f"{self._room('state')}/{name}", phase="state", params=query)
        return {} if answer.status == 404 else self.json_of(answer, "check")

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        return super().prepare(outgoing) | {"user": self.own_id("prepare")}

    def upload(self, file: File) -> Upload:
        answer = self.call(
            "POST",
            "/_matrix/media/v3/upload",
            phase="prepare",
            params={"filename": file.filename},
            headers={"Content-Type": file.mime},
            data=self.bytes_of(file),
        )
        uri = self.id_in(answer, "prepare", "content_uri")
        with self.reading(answer, "prepare"):
            if not uri.startswith("mxc://"):
                raise ValueError("not the address of an upload")
        return Upload(uri)

    def publish(self, outgoing: Outgoing) -> Receipt:
        content = message_of(outgoing.post, media_of(outgoing)) | {MARK: outgoing.handle["key"]}
        if outgoing.parent:
            content["m.relates_to"] = {"m.in_reply_to": {"event_id": outgoing.parent.remote_id}}
        answer = self._send(content, outgoing.handle["key"], phase="publish")
        with self.reading(answer, "publish"):
            return self._receipt(answer.data, outgoing)

    def page(self, outgoing: Outgoing, more: Mapping[str, str]) -> Page:
        sender = self._sender(outgoing)
        wanted = {"types": ["m.room.message"], "senders": [sender]}
        query = {"dir": "b", "limit": str(self.page_size), "filter": json.dumps(wanted), **more}
        answer, posts = self.call("GET", self._room("messages"), phase="find", params=query), []
        with self.reading(answer, "find"):
            for event in answer.list_at("chunk"):
                at = unix_moment(event["origin_server_ts"] / 1000)
                mark = event["content"].get(MARK) if event["sender"] == sender else ""
                posts.append(Listed(self._receipt(event, outgoing), at, mark=str(mark or "")))
            # without "end", that was the room's beginning
            older = {"from": text_id(answer.data["end"])} if "end" in answer.data else {}
        return Page(answer, posts, older)

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        content = edit_of(receipt.remote_id, outgoing.post, media_of(outgoing))
        # made twice, it is the same edit: so the id of the call need not be remembered
        self._send(content, uuid4().hex, phase="edit")
        return receipt

    def delete(self, receipt: Receipt) -> None:
        path = self._room("redact", receipt.remote_id, uuid4().hex)
        self.call("PUT", path, phase="delete", json={})

    def _send(self, content: dict[str, Any], transaction: str, *, phase: str) -> Answer:
        """A message, under a transaction id that a repeat must have too."""
        path = self._room("send", "m.room.message", transaction)
        return self.call("PUT", path, phase=phase, json=content)

    def _receipt(self, event: dict[str, Any], outgoing: Outgoing) -> Receipt:
        name = text_id(event["event_id"])
        return Receipt(name, self._address(name, self._sender(outgoing)))

    def _sender(self, outgoing: Outgoing) -> str:
        """The account that the post is from, even if the token in the settings is another's now."""
        return str(outgoing.prepared.get("user") or self.own_id("find"))

    def _room(self, *parts: str) -> str:
        """The path of something in the room."""
        names = "/".join(quote(part, safe="") for part in (self.settings.room_id, *parts))
        return f"{CLIENT}/rooms/{names}"

    def _address(self, event: str, user: str) -> str:
        """Where people open the room, or an event in it; the account's server lets them in."""
        names = "/".join(quote(name, safe="") for name in (self.settings.room_id, event) if name)
        return f"https://matrix.to/#/{names}?via={quote(user.partition(':')[2], safe='')}"

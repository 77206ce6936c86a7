"""Matrix rooms, by the client-server API of any homeserver.

It must not count on the transaction id alone: how long it is remembered is each server's own
affair, and it ends with the login. So every event carries our own mark, by which it is looked for,
and the id is the second belt. Facts: spec.matrix.org, client-server API.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

from pydantic import SecretStr

from crosspost import errors
from crosspost.adapters.base import HttpSettings, text_id, timed, written
from crosspost.adapters.likeness import unix_moment
from crosspost.adapters.lookups import Listed, ListingAdapter, Page
from crosspost.adapters.matrix_api import MatrixApi
from crosspost.adapters.matrix_events import (
    LONGEST,
    MARK,
    content_of,
    creators,
    edit_of,
    is_ours,
    may_write,
)
from crosspost.post import Account, Capabilities, Markup, Outgoing, Receipt, Reconcile
from crosspost.rendering.measure import utf8
from crosspost.wording import t


class MatrixSettings(HttpSettings):
    """`base_url` is the homeserver's address, `access_token` that of one login of the account,
    `room_id` the room's internal id, which begins with an exclamation mark."""

    access_token: SecretStr
    room_id: Annotated[
        str,
        written(
            r"![^\s/?#]+",
            lambda: t(
                "write the internal room id, which begins with !; the room's settings show it"
            ),
        ),
    ]


class MatrixAdapter(ListingAdapter, MatrixApi):
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
    page_size, pages = 50, 20

    def check(self) -> Account:
        me = self.whoami("check")
        if self.state(f"m.room.member/{quote(me, safe='')}").get("membership") != "join":
            words = t("{account} is not in the room.", account=me)
            raise self.error(errors.PermissionDenied, words)
        if self.state("m.room.encryption"):
            words = t("The room is encrypted. Make a room without encryption for announcements.")
            raise self.error(errors.Misconfigured, words)
        if not self._may_write(me):
            words = t("{account} may not write in the room: give it the right to.", account=me)
            raise self.error(errors.PermissionDenied, words)
        name = self.state("m.room.name").get("name")
        facts = {t("room"): str(name or self.settings.room_id)}
        return Account(me, self._address("", me), facts, self._warnings())

    def measure(self, text: str) -> int:
        """Bytes in UTF-8."""
        return utf8(text)

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        return {"key": timed(key, now)}

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        media = [self.upload(image) for image in outgoing.post.images]
        return {"media": media, "user": self.user or self.whoami("prepare")}

    def publish(self, outgoing: Outgoing) -> Receipt:
        content = content_of(outgoing) | {MARK: outgoing.handle["key"]}
        if outgoing.parent:
            content["m.relates_to"] = {"m.in_reply_to": {"event_id": outgoing.parent.remote_id}}
        answer = self.send(content, outgoing.handle["key"], phase="publish")
        with self.reading(answer, "publish"):
            return self._receipt(answer.data, outgoing)

    def page(self, outgoing: Outgoing, more: Mapping[str, str]) -> Page:
        wanted = {"types": ["m.room.message"], "senders": [self._sender(outgoing)]}
        query = {"dir": "b", "limit": str(self.page_size), "filter": json.dumps(wanted), **more}
        answer, posts = self.call("GET", self.room("messages"), phase="find", params=query), []
        with self.reading(answer, "find"):
            for event in answer.list_at("chunk"):
                at = unix_moment(event["origin_server_ts"] / 1000)
                posts.append(Listed(self._receipt(event, outgoing), at, about=event))
            # without "end", that was the room's beginning
            older = {"from": text_id(answer.data["end"])} if "end" in answer.data else {}
        return Page(answer, posts, older)

    def is_ours(self, post: Listed, outgoing: Outgoing, *, recent: bool) -> bool:  # noqa: ARG002
        return is_ours(post.about, self._sender(outgoing), outgoing.handle["key"])

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        # made twice, it is the same edit: so the id of the call need not be remembered
        self.send(edit_of(receipt.remote_id, outgoing), uuid4().hex, phase="edit")
        return receipt

    def delete(self, receipt: Receipt) -> None:
        path = self.room("redact", receipt.remote_id, uuid4().hex)
        answer = self.call("PUT", path, phase="delete", ok=(200, 404), json={})
        if answer.status == 404 and self.code_of(answer) != "M_NOT_FOUND":
            raise self.error_from(answer, "delete")

    def _receipt(self, event: dict[str, Any], outgoing: Outgoing) -> Receipt:
        name = text_id(event["event_id"])
        return Receipt(name, self._address(name, self._sender(outgoing)))

    def _sender(self, outgoing: Outgoing) -> str:
        """The account that the post is from, even if the token in the settings is another's now."""
        return str(outgoing.prepared.get("user") or self.user or self.whoami("find"))

    def _address(self, event: str, user: str) -> str:
        """Where people open the room, or an event in it; the account's server lets them in."""
        room = quote(self.settings.room_id, safe="")
        path = f"{room}/{quote(event, safe='')}" if event else room
        return f"https://matrix.to/#/{path}?via={quote(user.partition(':')[2], safe='')}"

    # --- calls ------------------------------------------------------------------------------------

    def _may_write(self, user: str) -> bool:
        if may_write(self.state("m.room.power_levels"), user):
            return True
        return user in creators(self.state("m.room.create", format="event"))

    def _warnings(self) -> tuple[str, ...]:
        warnings = []
        if self.state("m.room.join_rules").get("join_rule") != "public":
            warnings.append(
                t("The room is not public: links to its posts work for its members only.")
            )
        limit = self.upload_limit()
        if limit is not None and limit < self.capabilities.image_bytes:
            warnings.append(t("The server takes images of at most {limit} bytes.", limit=limit))
        return tuple(warnings)

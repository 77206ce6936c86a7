"""Any address that takes signed JSON: the office's own software, after the Standard Webhooks rules.

It must not send other bytes when it repeats an event: the receiver knows a repeat by `webhook-id`.
Facts: github.com/standard-webhooks, `spec/standard-webhooks.md`; docs/channels/webhook.md.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, field_validator

from crosspost.adapters.base import (
    AdapterSettings,
    Answer,
    HttpAdapter,
    Meaning,
    text_id,
    timed,
    web_link,
)
from crosspost.errors import Misconfigured, UnknownOutcome
from crosspost.post import Account, Capabilities, Image, Markup, Outgoing, Post, Receipt, Reconcile
from crosspost.rendering.measure import code_points
from crosspost.wording import t

PREFIX = "whsec_"
#: Bytes of a key: the specification asks for 24 to 64.
SHORTEST, LONGEST = 24, 64
ANY_YES = tuple(range(200, 300))


class WebhookSettings(AdapterSettings):
    """`url` takes the events, exactly as written; `secret` signs them."""

    url: str
    secret: SecretStr

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if not url.startswith(("https://", "http://")) or not urlsplit(url).hostname:
            raise ValueError(t("write a web address that begins with https://"))
        return url

    @field_validator("secret")
    @classmethod
    def _is_a_key(cls, secret: SecretStr) -> SecretStr:
        if not SHORTEST <= len(_key(secret)) <= LONGEST:
            raise ValueError(
                t(
                    "write whsec_ and 24 to 64 random bytes in base64; "
                    'this makes one: echo "whsec_$(openssl rand -base64 32)"'
                )
            )
        return secret


class WebhookAdapter(HttpAdapter):
    """One receiver. Images travel inside the event, so that the signature covers them too."""

    platform = "webhook"
    title = "Webhook"
    Settings = WebhookSettings
    capabilities: Capabilities = Capabilities(
        markup=Markup.DOCUMENT,
        max_images=4,
        image_bytes=400_000,  # four of them in base64 make less than the 2.5 MB that Django takes
        image_side=2048,
        max_alt=10_000,
        delete=True,
        edit=True,
        shows_edits=True,
        reconcile=Reconcile.IDEMPOTENCY_KEY,
        key_window=timedelta(hours=24),  # the least that receivers are asked to remember
    )

    # the first event of this id is still being worked on
    meanings = (Meaning(UnknownOutcome, 409, phases="publish"),)
    measure = staticmethod(code_points)

    def check(self) -> Account:
        now = self.context.now()
        self._send("crosspost.ping", timed("ping", now), _stamp(now), {}, phase="check")
        return Account(str(urlsplit(self.settings.url).hostname))

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        return {"id": timed(key, now), "at": _stamp(now)}

    def publish(self, outgoing: Outgoing) -> Receipt:
        event = outgoing.handle["id"]
        at, data = outgoing.handle["at"], self._data(outgoing.post)
        answer = self._send("announcement.published", event, at, data, phase="publish")
        return self._receipt(answer, event)

    def edit(self, receipt: Receipt, outgoing: Outgoing) -> Receipt:
        data = {**self._data(outgoing.post), "id": receipt.remote_id}
        event, at = outgoing.handle["id"], outgoing.handle["at"]
        self._send("announcement.updated", event, at, data, phase="edit")
        return receipt

    def delete(self, receipt: Receipt) -> None:
        event = f"{receipt.extra['event']}-deleted"
        at, data = _stamp(self.context.now()), {"id": receipt.remote_id}
        self._send("announcement.deleted", event, at, data, phase="delete")

    def tell(self, kind: str, data: dict[str, Any]) -> None:
        """An event that is no announcement. Raises PlatformError."""
        now = self.context.now()
        digest = hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
        event = f"{kind}-{now:%Y%m%dT%H%M%S%f}-{digest[:8]}"
        self._send(kind, event, _stamp(now), data, phase="check")

    def _send(self, kind: str, event: str, at: str, data: dict[str, Any], *, phase: str) -> Answer:
        """One event, signed. The same arguments make the same body, at any time."""
        event_json = {"type": kind, "timestamp": at, "data": data}
        body = json.dumps(event_json, sort_keys=True, separators=(",", ":")).encode()
        moment = str(int(self.context.now().timestamp()))
        mac = hmac.new(
            _key(self.settings.secret), f"{event}.{moment}.".encode() + body, hashlib.sha256
        )
        headers = {
            "Content-Type": "application/json",
            "Idempotency-Key": event,
            "webhook-id": event,
            "webhook-timestamp": moment,
            "webhook-signature": f"v1,{base64.b64encode(mac.digest()).decode()}",
        }
        answer = self.call(
            "POST",
            self.settings.url,
            phase=phase,
            ok=ANY_YES,
            headers=headers,
            data=body,
            timeout=self.upload_timeout,
        )
        self._refuse_a_web_page(answer, phase)
        return answer

    def _refuse_a_web_page(self, answer: Answer, phase: str) -> None:
        """A page for people is no receiver's yes: a home page or a captive portal answers so."""
        start = answer.text[:1000].lstrip().lower()
        if start.startswith(("<!doctype html", "<html")):
            kind = UnknownOutcome if phase == "publish" else Misconfigured
            words = t(
                "The address answers with a web page: {excerpt}", excerpt=self.excerpt(answer)
            )
            raise self.error(kind, words, status=answer.status)

    def _receipt(self, answer: Answer, event: str) -> Receipt:
        """The receiver may name its post: `{"id": ..., "url": ...}`; it need not."""
        try:
            name = text_id(answer.at("id"))
        except (TypeError, ValueError):
            name = event
        return Receipt(name, web_link(answer.at("url")), {"event": event})

    def _data(self, post: Post) -> dict[str, Any]:
        document = (
            asdict(post.document) if post.document else {"text": post.text, "lang": post.lang}
        )
        images = [self._image(image) for image in post.images]
        return {**document, "page": post.link, "images": images}

    def _image(self, image: Image) -> dict[str, Any]:
        content = base64.b64encode(self.bytes_of(image)).decode()
        about = {name: value for name, value in asdict(image).items() if name != "path"}
        return {**about, "filename": image.filename, "content": content}

    def secrets(self) -> Iterator[str]:
        yield from super().secrets()
        yield self.settings.url  # often its path is what lets one in


def _key(secret: SecretStr) -> bytes:
    """The bytes of a `whsec_` secret; none when it is not one."""
    prefix, found, text = secret.get_secret_value().strip().partition(PREFIX)
    try:
        return base64.b64decode(text, validate=True) if found and not prefix else b""
    except (binascii.Error, ValueError):
        return b""


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

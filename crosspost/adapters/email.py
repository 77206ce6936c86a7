"""E-mail to a newsletter or a press list, through the office's own mail server.

It must not send a message a second time by itself: a mail server cannot be asked what it has sent,
so once the end of a message has left without an answer, a person decides.
Facts: RFC 5321; docs/channels/email.md.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from crosspost.adapters.base import Adapter, AdapterSettings
from crosspost.adapters.email_smtp import Broken, Line, NotConnected, Refused, Server, first_no
from crosspost.errors import PartialSuccess, PlatformError, UnknownOutcome
from crosspost.post import Account, Capabilities, CardMaker, Markup, Outgoing, Receipt
from crosspost.rendering.mail import Envelope, message_of
from crosspost.rendering.measure import code_points
from crosspost.wording import t

ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[a-z0-9-]+(\.[a-z0-9-]+)*", re.I | re.A)
#: So many recipients every mail server takes at once (RFC 5321 section 4.5.3.1.8).
MOST_RECIPIENTS = 100
#: Up to so many refusals are told with the server's words, more by their addresses only.
MOST_WORDS = 2
#: So long the whole message waits for recipients who are refused for now.
WAIT_FOR_ALL = timedelta(minutes=15)


class EmailSettings(AdapterSettings):
    """`host` is the office's mail server, `recipients` are the list's address or up to 100 people;
    people do not see each other."""

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: SecretStr | None = Field(default=None, validate_default=True)
    sender: str  # the address alone; the name is the office's
    recipients: tuple[str, ...] = Field(min_length=1, max_length=MOST_RECIPIENTS)
    unsubscribe: str = Field(default="", pattern=r"^((https://|mailto:)[!-;=?-~]{1,900})?$")

    @field_validator("sender", "recipients")
    @classmethod
    def _are_addresses(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for address in [value] if isinstance(value, str) else value:
            if not ADDRESS.fullmatch(address):
                raise ValueError(t('"{value}" is not an e-mail address', value=address))
        return value

    @field_validator("password")
    @classmethod
    def _login_is_whole_and_protected(
        cls, password: SecretStr | None, info: ValidationInfo
    ) -> SecretStr | None:
        if bool(info.data.get("username")) != bool(password):
            raise ValueError(t("username and password go together: write both, or none"))
        if password and info.data.get("security") == "none":
            raise ValueError(t('with a password, security must be "starttls" or "tls"'))
        return password


class EmailAdapter(Adapter):
    """One list of recipients, through one mail server."""

    platform = "email"
    title = "E-mail"
    Settings = EmailSettings
    capabilities: Capabilities = Capabilities(
        markup=Markup.DOCUMENT,
        max_images=6,
        image_bytes=1_000_000,  # six of them in base64 stay below the 10 MB that most servers take
        image_side=1600,
        max_alt=10_000,
        card=CardMaker.NONE,
        settle=timedelta(0),  # nothing can be looked for: a person is asked at once
    )
    #: How long we wait for each answer, in seconds (the last one includes the server's scanners).
    patience = 120.0
    measure = staticmethod(code_points)  # there is no limit

    def check(self) -> Account:
        sender, settings = self.settings.sender, self.settings
        with self._line() as line:
            line.sender(sender, 0)
            line.forget()
            largest = line.largest
        facts = {t("recipients"): str(len(settings.recipients))}
        if largest:
            facts[t("limit")] = t("{size} MB a message", size=round(largest / 1e6, 1))
        return Account(t("{sender} at {host}", sender=sender, host=settings.host), "", facts)

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        # with the time, lest it has the name of a message of an older database
        digest = hashlib.sha256(f"{key} {now.isoformat()}".encode()).hexdigest()
        domain = self.settings.sender.partition("@")[2]
        config = self.context.config
        local = now.astimezone(config.office.tz) if config else now
        return {
            "message_id": f"<crosspost.{digest[:32]}@{domain}>",
            "date": format_datetime(local.replace(microsecond=0)),
        }

    def publish(self, outgoing: Outgoing) -> Receipt:
        content = self._message(outgoing)
        everybody = self.settings.recipients
        name, now = outgoing.handle["message_id"].strip("<>"), self.context.now()
        may_wait = now - (outgoing.begun or now) < WAIT_FOR_ALL
        with self._line(name) as line:
            line.sender(self.settings.sender, len(content))
            refused = {to: no for to in everybody if (no := line.recipient(to))}
            no = first_no(list(refused.values()), len(everybody), may_wait=may_wait)
            if no:
                raise no
            line.message(content)
        if refused:
            raise self._partial(refused, name)
        return Receipt(name)

    def _partial(self, refused: dict[str, Refused], name: str) -> PlatformError:
        everybody = len(self.settings.recipients)
        said = [f"{to}: {no.code} {no.words}" for to, no in refused.items()]
        names = "; ".join(said if len(said) <= MOST_WORDS else refused)
        message = t(
            "It was sent to {count} of {all} recipients as mid:{name}. Refused: {names}",
            count=everybody - len(refused),
            all=everybody,
            name=name,
            names=names,
        )
        return self.error(PartialSuccess, self.said(message))

    def _message(self, outgoing: Outgoing) -> bytes:
        settings, config = self.settings, self.context.config
        one = len(settings.recipients) == 1
        envelope = Envelope(
            name=config.office.name if config else "",
            sender=settings.sender,
            to=settings.recipients[0] if one else settings.sender,
            message_id=outgoing.handle["message_id"],
            date=outgoing.handle["date"],
            unsubscribe=settings.unsubscribe,
        )
        pictures = [self.bytes_of(image) for image in outgoing.post.images]
        return message_of(outgoing.post, envelope, pictures)

    def secrets(self) -> Iterator[str]:
        """The password, also as the login says it (RFC 4616): some servers repeat that."""
        for password in super().secrets():
            yield password
            for said in (password, f"\0{self.settings.username}\0{password}"):
                yield base64.b64encode(said.encode()).decode()

    @contextmanager
    def _line(self, name: str = "") -> Iterator[Line]:
        """A line to the mail server, whose failures are PlatformErrors; `name` is the Message-ID,
        for who has to look for a message that may be out."""
        known = self.settings
        server = Server(
            known.host,
            known.port,
            known.security,
            known.username,
            known.password.get_secret_value() if known.password else "",
            own_name=known.sender.partition("@")[2],
        )
        try:
            with Line(server, self.patience) as line:
                yield line
        except NotConnected as failure:
            raise self.error(failure.kind, str(failure), sent=False) from None
        except Broken as failure:
            words = _named(failure.kind, str(failure), name)
            raise self.error(failure.kind, words) from None
        except Refused as no:
            words = self.said(no.words) or t("The mail server gives no reason.")
            raise self.error(no.kind, _named(no.kind, words, name), status=no.code) from None


def _named(kind: type[PlatformError], words: str, name: str) -> str:
    """`words`, with the message's name where somebody must look for it."""
    if kind is not UnknownOutcome:
        return words
    return t("{words} If it was sent, it is mid:{name}", words=words, name=name)

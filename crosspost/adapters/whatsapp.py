"""WhatsApp, by the Cloud API: an announcement to a list of people who have asked for it.

It must not pretend to reach a WhatsApp channel, which has no API, or anybody whom WhatsApp did not
say yes for. Facts: developers.facebook.com, WhatsApp Cloud API; facebook/openapi v23.0.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

from pydantic import Field, SecretStr, field_validator

from crosspost import errors
from crosspost.adapters.base import AdapterSettings, HttpSettings, Meaning
from crosspost.adapters.graph import GraphAdapter
from crosspost.adapters.uploads import File, Upload, UploadingAdapter, media_of
from crosspost.config import WebAddress
from crosspost.errors import PartialSuccess, PlatformError
from crosspost.post import Account, Capabilities, CardMaker, Outgoing, Receipt, Reconcile
from crosspost.rendering.measure import utf16
from crosspost.rendering.whatsapp import content_of, one_line
from crosspost.wording import t

MOST_RECIPIENTS = 256
#: A text parameter of a template: shorter by what stands around it (1,024 for all of it).
TEMPLATE_ROOM = 900
#: Those that are about the recipient, not about the message or the office.
THEIRS = frozenset(["130472", "131021", "131026", "131030", "131047", "131049", "131050", "131056"])


class WhatsAppSettings(HttpSettings):
    """`phone_number_id` is Meta's number of the office's telephone number, `recipients` are who
    asked for announcements. `template` is the name of an approved template with one variable in its
    body; without one only those are reached who wrote in the last 24 hours. `template_image`: it
    begins with an image."""

    base_url: WebAddress = "https://graph.facebook.com"
    version: str = Field(default="v26.0", pattern=r"^v\d+\.\d+$")
    access_token: SecretStr
    app_secret: SecretStr | None = None
    phone_number_id: str = Field(pattern=r"^\d{3,20}$", coerce_numbers_to_str=True)
    recipients: tuple[str, ...] = Field(min_length=1, max_length=MOST_RECIPIENTS)
    template: str = ""
    template_language: str = "id"
    template_image: bool = False

    @field_validator("recipients")
    @classmethod
    def _are_telephone_numbers(cls, recipients: tuple[str, ...]) -> tuple[str, ...]:
        numbers = tuple(re.sub(r"[\s()-]", "", each) for each in recipients)
        for written, plain in zip(recipients, numbers, strict=True):
            if not re.fullmatch(r"\+[1-9]\d{6,14}", plain):
                words = t("write the number with its country, like +62 812 3456 7890")
                raise ValueError(f"{written}: {words}")
        if len(set(numbers)) < len(numbers):
            raise ValueError(t("a number stands there twice"))
        return numbers


class WhatsAppAdapter(UploadingAdapter, GraphAdapter):
    """One telephone number of the office, and the people on its list."""

    platform = "whatsapp"
    title = "WhatsApp"
    Settings: ClassVar[type[AdapterSettings]] = WhatsAppSettings
    capabilities: Capabilities = Capabilities(
        max_length=4096,
        max_caption=1024,
        max_images=1,
        image_bytes=5_000_000,
        card=CardMaker.SERVER,
        reconcile=Reconcile.NONE,
    )
    meanings = (
        Meaning(errors.RateLimited, code="130429 131056"),
        Meaning(errors.RetryLater, code="131000 131016 131057"),
        Meaning(errors.PermissionDenied, code="131005"),
        Meaning(errors.AccountRestricted, code="131031"),
        Meaning(errors.BillingExhausted, code="131042"),
        Meaning(errors.QuotaExhausted, code="131048"),
        Meaning(errors.MediaRejected, code="131052 131053"),
        Meaning(errors.Misconfigured, code="132001 132015 132016 133010"),
    )
    upload_life = timedelta(days=29)  # WhatsApp keeps one for 30 days

    def setup(self) -> None:
        if self.settings.template:
            images = 1 if self.settings.template_image else 0
            self.capabilities = replace(
                self.capabilities,
                max_length=TEMPLATE_ROOM,
                max_caption=TEMPLATE_ROOM,
                max_images=images,
                needs_media=self.settings.template_image,
            )

    def identity(self) -> str:
        return str(self.settings.phone_number_id)

    def check(self) -> Account:
        fields = {"fields": "id,verified_name,display_phone_number,quality_rating"}
        answer = self.graph("GET", self.settings.phone_number_id, fields, phase="check")
        with self.reading(answer, "check"):
            self.id_in(answer, "check", "id")
            name = str(answer.data["verified_name"])
            telephone = str(answer.data["display_phone_number"])
        facts = {
            t("recipients"): str(len(self.settings.recipients)),
            t("quality"): str(answer.data.get("quality_rating") or "?"),
        }
        short = t("Without a template only those are reached who wrote in the last 24 hours.")
        warnings = () if self.settings.template else (short,)
        return Account(f"{name} ({telephone})", "", facts, warnings)

    def measure(self, text: str) -> int:
        """UTF-16 code units: never less than WhatsApp counts."""
        return utf16(one_line(text) if self.settings.template else text)

    # --- publishing -------------------------------------------------------------------------------

    def upload(self, file: File) -> Upload:
        fields = {"messaging_product": "whatsapp", "type": file.mime}
        files = {"file": self.form_file(file)}
        path = f"{self.settings.phone_number_id}/media"
        answer = self.graph("POST", path, fields, phase="prepare", files=files)
        return Upload(self.id_in(answer, "prepare", "id"))

    def publish(self, outgoing: Outgoing) -> Receipt:
        """A message to each, one after the other. As long as nobody has it a no is a no; after that
        whatever goes wrong is for a person to look at."""
        sent: dict[str, str] = {}
        refused: dict[str, PlatformError] = {}
        for to in self.settings.recipients:
            try:
                sent[to] = self._send(to, outgoing)
            except PlatformError as error:
                refused[to] = error
                if error.code not in THEIRS:
                    if sent:
                        raise self._partial(sent, refused) from error
                    raise
        if not sent:
            raise next(iter(refused.values()))
        if refused:
            raise self._partial(sent, refused)
        return Receipt(next(iter(sent.values())), extra={"recipients": str(len(sent))})

    def _partial(self, sent: dict[str, str], refused: dict[str, PlatformError]) -> PlatformError:
        names = "; ".join(f"{masked(to)}: {error.message}" for to, error in refused.items())
        message = t(
            "WhatsApp took it for {count} of {all} recipients; then: {names}",
            count=len(sent),
            all=len(self.settings.recipients),
            names=names,
        )
        return self.error(PartialSuccess, self.said(message))

    def _send(self, to: str, outgoing: Outgoing) -> str:
        """The id of the message to one person."""
        template = (self.settings.template, self.settings.template_language)
        content = content_of(outgoing.post, media_of(outgoing), *template)
        whom = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": to}
        path, message = f"{self.settings.phone_number_id}/messages", whom | content
        answer = self.graph("POST", path, {}, phase="publish", json=message)
        return self.id_in(answer, "publish", "messages", 0, "id")


def masked(telephone: str) -> str:
    """Enough of a number for the office to know it, and for nobody else."""
    return f"{telephone[:3]}…{telephone[-4:]}"

"""An announcement as an e-mail: plain text and HTML, its images inside, bytes that never change.

Pure. The same arguments make the same bytes, so a message that is sent again is one that a mailbox
can know by its Message-ID. It must not reach for the clock or for chance.
Facts: RFC 5322, RFC 2046 (alternative), RFC 2387 (related), RFC 2369 (List-Unsubscribe).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from crosspost.post import Document, Image, Post
from crosspost.rendering.article import described, figure, page


@dataclass(frozen=True)
class Envelope:
    """What stands on the message besides its content. `to` is what readers see: the list's
    address, or the sender's own when there are many recipients."""

    name: str  # of the office; "" for none
    sender: str
    to: str
    message_id: str  # with its angle brackets
    date: str  # RFC 5322
    unsubscribe: str = ""  # an address https: or mailto:


def message_of(post: Post, envelope: Envelope, pictures: Sequence[bytes]) -> bytes:
    """The whole message, lines ended by CRLF, ASCII only; `pictures` are the bytes of the post's
    images, in order."""
    document = post.document
    if document is None:
        raise ValueError("an e-mail needs the document of its post")
    message = EmailMessage(policy=SMTP)
    message["From"] = Address(_line(envelope.name), addr_spec=envelope.sender)
    message["To"] = Address(addr_spec=envelope.to)
    message["Subject"] = _line(document.title) or _line(document.summary)
    message["Date"] = envelope.date
    message["Message-ID"] = envelope.message_id
    message.set_content(described(post), cte="quoted-printable")
    html = _page(document, post, envelope.message_id)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    message["Content-Language"] = _line(document.lang)
    _attach(message, post.images, pictures, envelope.message_id)
    # written by hand, since a long address would be folded into something that is none
    head = f"List-Unsubscribe: <{envelope.unsubscribe}>\r\n" if envelope.unsubscribe else ""
    return head.encode("ascii") + message.as_bytes()


def _attach(
    message: EmailMessage, images: Sequence[Image], pictures: Sequence[bytes], message_id: str
) -> None:
    boundary = re.sub(r"\W", "", message_id.partition("@")[0])
    related = message.get_payload()[-1]  # type: ignore[index]
    for place, (image, content) in enumerate(zip(images, pictures, strict=True)):
        related.add_related(  # type: ignore[union-attr]
            content,
            *image.mime.split("/"),
            cid=f"<{_content_id(message_id, place)}>",
            disposition="inline",
            filename=image.filename,
        )
    if images:
        related.set_boundary(f"{boundary}_related")  # type: ignore[union-attr]
    message.set_boundary(f"{boundary}_alternative")


def _content_id(message_id: str, place: int) -> str:
    """The name of an image within the message (RFC 2392)."""
    name, _, domain = message_id.strip("<>").partition("@")
    return f"{name}.{place}@{domain}"


def _page(document: Document, post: Post, message_id: str) -> str:
    pictures = [
        figure(image, f"cid:{_content_id(message_id, place)}")
        for place, image in enumerate(post.images)
    ]
    return page(document, pictures, post.link)


def _line(text: str) -> str:
    """`text` on one line: a header has no other."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())

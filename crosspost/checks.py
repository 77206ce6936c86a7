"""The preflight: what is wrong with an announcement before anything is queued.

One choke point for the command line, imports and the daemon. Pure: a draft goes in, findings come
out. It must not know how a platform renders; what does not fit a channel is found by `rendering`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from crosspost.wording import t

#: Characters of a title: what a browser tab, a feed reader and a preview card can show.
LONGEST_TITLE = 200
LONGEST_SOURCE = 500


class Level(StrEnum):
    """What a finding does."""

    BLOCK = "block"  # refused
    WARN = "warn"  # said, and let through


@dataclass(frozen=True)
class Finding:
    """One thing that a check found: its id, its level, and a sentence for the author."""

    id: str
    level: Level
    sentence: str


def check(
    *, title: str, body: str, source: str, link: str, lang: str, images: int
) -> list[Finding]:
    """Every finding about the words of an announcement, those that block first."""
    found = [
        *_text(title, body, images),
        *_source(source),
        *_link(link),
        *_language(lang),
        *_characters(title=title, body=body, source=source, link=link),
    ]
    return sorted(found, key=lambda finding: finding.level is not Level.BLOCK)


def _block(name: str, sentence: str) -> Finding:
    return Finding(name, Level.BLOCK, sentence)


def _text(title: str, body: str, images: int) -> Iterator[Finding]:
    if not body.strip() and not (title.strip() and images):
        yield _block("text-empty", t("The announcement has no text."))
    if len(title) > LONGEST_TITLE:
        yield _block(
            "title-long",
            t(
                "The title has {count} characters; at most {limit} are possible.",
                count=len(title),
                limit=LONGEST_TITLE,
            ),
        )
    if "\n" in title.strip():
        yield _block("title-lines", t("The title must be one line."))


def _source(source: str) -> Iterator[Finding]:
    if not source.strip():
        yield Finding(
            "source-missing",
            Level.WARN,
            t("No source is given: add --source with a document number or an official address."),
        )
    elif len(source) > LONGEST_SOURCE:
        yield _block(
            "source-long",
            t(
                "The source has {count} characters; at most {limit} are possible.",
                count=len(source),
                limit=LONGEST_SOURCE,
            ),
        )


def _link(link: str) -> Iterator[Finding]:
    if link and (problem := url_problem(link)):
        yield _block("link-invalid", problem)


def url_problem(url: str) -> str:
    """What is wrong with a web address, as a sentence; "" when it can be used."""
    shown = url if len(url) <= 80 else url[:79] + "…"
    wrong = t('"{url}" is not a web address; write it whole, with https://', url=shown)
    if re.search(r"\s", url) or any(unicodedata.category(c) in ("Cc", "Cf") for c in url):
        return wrong
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return wrong
    if parts.scheme not in ("http", "https") or not host:
        return wrong
    if parts.username or parts.password:
        return t('"{url}" contains a user name or password; leave it out.', url=parts.hostname)
    return "" if "." in host or host == "localhost" or ":" in host else wrong


def _language(lang: str) -> Iterator[Finding]:
    # the shape of a BCP 47 tag (RFC 5646 section 2.1), not whether the language exists
    if not re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", lang):
        yield _block(
            "language-invalid",
            t('"{lang}" is not a language code; write one like id, en or jv.', lang=lang[:20]),
        )


def _characters(**fields: str) -> Iterator[Finding]:
    for name, value in fields.items():
        bad = {c for c in value if _is_hidden(c)}
        if bad:
            shown = ", ".join(sorted(f"U+{ord(c):04X}" for c in bad)[:5])
            yield _block(
                "characters",
                t(
                    "The {field} has invisible control characters ({shown}); "
                    "write it again, or paste it as plain text.",
                    field=name,
                    shown=shown,
                ),
            )


def _is_hidden(character: str) -> bool:
    """Control characters and half surrogates; not line breaks, tabs, joiners or direction marks,
    which honest text in many scripts needs."""
    category = unicodedata.category(character)
    return category == "Cs" or (category == "Cc" and character not in "\n\t")

"""The pages by which anybody checks the office: is it genuine, its accounts, known fakes.

Each in the office's language, and in the other one of English and Indonesian beside it. Pure: it
gives files, and must not write them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from typing import Any

from crosspost.config import Office, SiteSettings
from crosspost.ledger.keys import KeyRange
from crosspost.site.pages import render
from crosspost.times import spoken
from crosspost.wording import LANGUAGES

IDENTITY = "identity.json"
#: So many fakes stand in the list; each has its own page.
NEWEST = 60


@dataclass(frozen=True)
class OfficialAccount:
    """An account that speaks for the office."""

    name: str
    url: str = ""
    platform: str = ""


@dataclass(frozen=True)
class KnownFake:
    """Something that others spread in the office's name; `explanation` says what is right."""

    number: int
    at: str  # RFC 3339, UTC
    title: str
    explanation: str
    text: str = ""
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Identity:
    """Who the office is, as `identity.json` says it; `keys` are in the order of their time."""

    origin: str = ""
    keys: tuple[KeyRange, ...] = ()
    accounts: tuple[OfficialAccount, ...] = ()
    witnesses: tuple[str, ...] = ()  # the verification keys of those who cosign the ledger
    fakes: tuple[KnownFake, ...] = field(default=())  # newest first

    @property
    def vkey(self) -> str:
        """The key that signs now; "" when none does."""
        return str(self.keys[-1].verifier) if self.keys else ""


def files(identity: Identity, office: Office, site: SiteSettings) -> dict[str, bytes]:
    """Every file, by its name below the folder of the site."""
    made = {
        IDENTITY: _identity(identity, office, site),
        "check.js": (resources.files("crosspost.site") / "templates" / "check.js").read_bytes(),
    }
    for language in LANGUAGES:
        own = "" if language == office.language else f"{language}/"
        for where, template, values in _pages(identity, office, language):
            html = _page(template, where, language, own, office, site, values)
            made[f"{own}{where}/index.html"] = html.encode()
    return made


def _pages(
    identity: Identity, office: Office, language: str
) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Where each page lies, its template, and what it shows besides."""
    fakes = [
        (fake, spoken(datetime.fromisoformat(fake.at), office.zone, language))
        for fake in identity.fakes
    ]
    yield "check", "check.html", {"vkey": identity.vkey}
    yield "accounts", "accounts.html", {"accounts": identity.accounts}
    more = max(len(fakes) - NEWEST, 0)
    yield "fakes", "fakes.html", {"fakes": fakes[:NEWEST], "more": more}
    for fake, when in fakes:
        yield f"fakes/{fake.number}", "fake.html", {"fake": fake, "when": when}


def _page(
    template: str,
    where: str,
    language: str,
    own: str,
    office: Office,
    site: SiteSettings,
    values: Mapping[str, Any],
) -> str:
    home = "../" * (where.count("/") + 1)
    root = f"../{home}" if own else home
    other = {code: "" if code == office.language else f"{code}/" for code in LANGUAGES}
    return render(
        template,
        language,
        office,
        url=f"{site.url}/{own}{where}/",
        site_url=site.url,
        root=root,
        home=home,
        languages=[(code, f"{root}{prefix}{where}/") for code, prefix in other.items()],
        **values,
    )


def _identity(identity: Identity, office: Office, site: SiteSettings) -> bytes:
    values = {
        "v": 1,
        "office": office.name,
        "site": f"{site.url}/",
        "ledger": identity.origin,
        "keys": [key.values() for key in identity.keys],
        "witnesses": list(identity.witnesses),
        "accounts": [
            {"name": a.name, "url": a.url, "platform": a.platform} for a in identity.accounts
        ],
    }
    return (json.dumps(values, ensure_ascii=False, indent=1) + "\n").encode()


def accounts_of(known: Sequence[OfficialAccount]) -> tuple[OfficialAccount, ...]:
    """Each account once, by its address or name, in the order given."""
    return tuple({account.url or account.name: account for account in reversed(known)}.values())[
        ::-1
    ]

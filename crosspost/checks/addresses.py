"""Web addresses: well-formed, not shortened, and not made to look like another.

Pure. It must not look an address up: whether one answers is said by the `Subject`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

from crosspost.checks.subject import Subject
from crosspost.wording import t

#: Services whose addresses hide where they lead. Not those that lead to one service only
#: (forms.gle, wa.me, youtu.be, maps.app.goo.gl).
SHORTENERS = frozenset(
    (
        *("adf.ly", "bit.do", "bit.ly", "bitly.com", "bl.ink", "buff.ly", "clck.ru", "cutt.ly"),
        *("dub.sh", "gg.gg", "goo.gl", "is.gd", "kutt.it", "lnkd.in", "ow.ly", "qrco.de", "rb.gy"),
        *("rebrand.ly", "reurl.cc", "s.id", "short.gy", "shorte.st", "shorturl.asia"),
        *("shorturl.at", "t.co", "t.ly", "t2m.io", "tiny.cc", "tiny.one", "tinyurl.com", "tr.im"),
        *("urlz.fr", "v.gd", "vo.la"),
    )
)
# A name with dots, with or without https:// before it.
_HOST = re.compile(r"(?<![\w.@-])[^\W_](?:[\w-])*+(?:\.[\w-]++)++")
_LONGEST_HOST = 253  # RFC 1035 section 2.3.4, as text
# "go.id" as part of another name: go.id.example, kejaksaan-go.id, kejaksaan.go-id.example
_PRETENDS_GO_ID = re.compile(
    r"(?:^|[.-])go[.-]id(?=\.|-[\w-]*\.)|-go\.id$|(?:^|[.-])go-id(?=[.-]|$)"
)
_ASCII_TWINS = str.maketrans({"0": "o", "1": "l", "i": "l"})


def invalid(subject: Subject) -> Iterator[str]:
    """A link that cannot be used."""
    if subject.link and (problem := url_problem(subject.link)):
        yield problem


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


def dead(subject: Subject) -> Iterator[str]:
    """Addresses that lead nowhere, as far as somebody has looked."""
    for url, reason in subject.dead:
        yield t("{url} leads nowhere: {reason}. Open it in a browser.", url=url, reason=reason)


def shortened(subject: Subject) -> Iterator[str]:
    """Addresses of link shorteners."""
    for host in _hosts(subject):
        if host.removeprefix("www.") in SHORTENERS:
            yield t(
                "{host} hides where a link leads, and may be gone one day. Write the address that "
                "it leads to.",
                host=host,
            )


def lookalike(subject: Subject) -> Iterator[str]:
    """Domains that are made to be taken for another."""
    for host in _hosts(subject):
        if reason := _pretence(host, subject.own_domains):
            yield reason


def _hosts(subject: Subject) -> dict[str, None]:
    """Every domain that is written somewhere, in small letters, each once."""
    return {
        match[0].lower(): None
        for _, text in subject.fields()
        for match in _HOST.finditer(text)
        if match.end() - match.start() <= _LONGEST_HOST
    }


def _pretence(host: str, own: frozenset[str]) -> str:
    labels = [_decoded(label) for label in host.split(".")]
    for label in labels:
        if not label.isascii() and (scripts := _mixture(label)):
            return t(
                "{host} mixes letters of {scripts} or has letters that look like others, so it can "
                "be taken for another domain. Type the address by hand.",
                host=host,
                scripts=scripts,
            )
    if _PRETENDS_GO_ID.search(host):
        return t(
            "{host} looks like an address under go.id and is none. Check who owns it, and write "
            "the official address.",
            host=host,
        )
    for domain in own:
        is_ours = host == domain or host.endswith("." + domain)
        if not is_ours and _twin(host) == _twin(domain):
            return t("{host} looks like {own} and is another.", host=host, own=domain)
    return ""


def _decoded(label: str) -> str:
    """A label as people see it; `xn--` ones as their letters (RFC 3492)."""
    if not label.startswith("xn--") or len(label) > 63:
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError, OverflowError):
        return label


def _mixture(label: str) -> str:
    """The scripts of a label that is not what it seems; "" for an honest one.

    Dishonest: Latin together with Cyrillic or Greek letters, and a label whose letters beyond ASCII
    all look like ASCII ones (Unicode UTS #39, section 4).
    """
    from confusable_homoglyphs import categories, confusables

    label = label[:63]
    scripts = sorted(
        name
        for name in categories.unique_aliases(label)
        if name and name not in ("COMMON", "INHERITED")
    )
    mixed = "LATIN" in scripts and {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}.intersection(
        scripts
    )
    foreign = {c for c in label if not c.isascii()}
    if mixed or all(
        _ascii_twin(confusables.is_confusable(c, preferred_aliases=[])) for c in foreign
    ):
        return ", ".join(script.capitalize() for script in scripts)
    return ""


def _ascii_twin(found: object) -> bool:
    """Whether the library names an ASCII character among the homoglyphs."""
    if not isinstance(found, list):
        return False
    return any(twin["c"].isascii() for one in found for twin in one["homoglyphs"])


def _twin(host: str) -> str:
    return host.translate(_ASCII_TWINS).replace("rn", "m").replace("vv", "w").replace("cl", "d")

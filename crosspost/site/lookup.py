"""What a citizen pastes, found again: normalised texts and links, in small files by digest.

Pure. `check.js` normalises in the same way; whatever changes here changes there, and a test holds
one against the other. `docs/record.md` describes it. It must not decide what is genuine.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

import regex

#: The folder of the index, and its files: one for each first byte of a digest.
FOLDER: Final = "check"
SHARDS: Final = tuple(f"{FOLDER}/{first:02x}.json" for first in range(256))
#: Hex digits of a digest after the first two: 96 bits, so that nobody finds a text to fit.
KEY_DIGITS: Final = 24
#: Texts with fewer letters and digits than this are in no index: anybody may have said that.
SHORTEST: Final = 12
#: A value that begins so names a known fake by its number; any other is the code of a page.
FAKE: Final = "!"
#: Parameters that only say where a link was copied; so do those that begin with `utm_`.
TRACKING: Final = frozenset(
    {"fbclid", "feature", "gclid", "igsh", "igshid", "mibextid", "rdid", "ref", "ref_src"}
    | {"ref_url", "s", "share_url", "si", "t"}
)
# bounds, so that no text makes it slow
_URL = regex.compile(
    r"(?:https?://|www\.)\S+|[\p{L}\p{N}.-]{1,100}\.\p{L}{2,24}/\S*", regex.IGNORECASE
)
_LINK = regex.compile(r"https?://([^\s/?#]+)([^\s?#]*)(?:\?([^\s#]*))?\S*", regex.IGNORECASE)
_SAME_SITE = regex.compile(r"^(?:www|m|mobile)\.")
_NEITHER = regex.compile(r"[^\p{L}\p{N}]+")


def normal_text(text: str) -> str:
    """`text` without what copying changes: links go, letters become small (NFKC, then lower case),
    and only letters and digits stay."""
    plain = unicodedata.normalize("NFKC", _URL.sub(" ", text))
    return _NEITHER.sub("", plain.lower())


def normal_link(link: str) -> str | None:
    """A web address without what sharing changes: scheme, `www.`, `m.`, a slash at its end,
    fragment and tracking parameters go; None when `link` is no single address. The path keeps its
    capitals, for on some platforms they count."""
    found = _LINK.fullmatch(link.strip())
    if found is None:
        return None
    host, path, query = found.groups(default="")
    host = _SAME_SITE.sub("", host.lower())
    kept = sorted(pair for pair in query.split("&") if _says_what(pair))
    return f"{host}{path.rstrip('/')}" + (f"?{'&'.join(kept)}" if kept else "")


def _says_what(pair: str) -> bool:
    name = pair.partition("=")[0].lower()
    return bool(pair) and name not in TRACKING and not name.startswith("utm_")


def key_of(pasted: str) -> str | None:
    """The digest under which a pasted text or link is looked up, as hex digits; None when it says
    too little."""
    link = normal_link(pasted)
    if link is not None:
        return _digest(f"link {link}")
    text = normal_text(pasted)
    return _digest(f"text {text}") if len(text) >= SHORTEST else None


def _digest(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[: 2 + KEY_DIGITS]


def shard_of(key: str) -> str:
    """The file that would have this key."""
    return f"{FOLDER}/{key[:2]}.json"


def shards(found: Iterable[tuple[str, str]]) -> Mapping[str, bytes]:
    """The files of the index over (key, value) pairs; the first value of a key counts. Also those
    that hold nothing, so that a file that is missing is a fault and no answer."""
    by_file: dict[str, dict[str, str]] = {name: {} for name in SHARDS}
    for key, value in found:
        by_file[shard_of(key)].setdefault(key[2:], value)
    return {name: _file(keys) for name, keys in by_file.items()}


def _file(keys: Mapping[str, str]) -> bytes:
    return (json.dumps(keys, sort_keys=True, separators=(",", ":")) + "\n").encode()


def keys_in(shard: bytes) -> dict[str, str]:
    """What a file of the index holds, by the rest of the digest. Raises ValueError, TypeError."""
    found = json.loads(shard)
    if not isinstance(found, dict):
        raise TypeError("an index file is an object")
    return {str(key): str(value) for key, value in found.items()}

"""How long a text is, in the units that platforms count.

Pure. It must not know limits or shorten anything; it counts, and is named by the unit.
"""

from __future__ import annotations

from functools import lru_cache
from unicodedata import normalize

import regex

#: One grapheme. Flags stand apart, for `\\X` counts back through a row of them at every one.
GRAPHEME = regex.compile(r"\p{GCB=RI}{2}[\p{GCB=Extend}\p{GCB=ZWJ}\p{GCB=SpacingMark}]*|\X")

# What Mastodon takes for a link: its `config/initializers/twitter_regex.rb` over twitter-text.
# Ours never sees more in a link than Mastodon does, so that we never count less than it counts.
_MASTODON_URL = regex.compile(
    r"""
    (?<![A-Za-z0-9@＠$\#＃\u202A-\u202E])
    https?://
    (?:[\p{L}\p{N}_](?:[\p{L}\p{N}_-]*[\p{L}\p{N}_])?\.)+
    (?P<tld>[a-z]{2,63}) (?![0-9a-z@+-])
    (?::[0-9]+)?
    (?:/ (?:(?:[^\s<>()?]|\([^\s<>()?]+\))* (?:(?<=[^\s<>()?!*"'「」;:=,.$%\[\]~&|@])|(?<=\))))?)?
    (?:\?[a-z0-9!?*'();:&=+$/%\#\[\]\-_.,~|@^]*[a-z0-9_&=\#/-])?
    """,
    regex.VERBOSE | regex.IGNORECASE,
)

# The names that end nearly every address; Mastodon knows all of them, and links no other.
_KNOWN_TLDS = frozenset(
    ("com", "net", "org", "edu", "gov", "int", "mil", "info", "biz", "name", "pro", "app", "dev")
)

# Mastodon's Account::MENTION_RE, remote accounts only: the server's name does not count.
_REMOTE_MENTION = regex.compile(
    r"(?<![=/\w])(@[a-z0-9_]+(?:[.-]+[a-z0-9_]+)*+)@[a-z0-9_]+(?:[.-]+[a-z0-9_]+)*+(?![\w@＠]|://)",
    regex.IGNORECASE,
)


# A linker joins two consonants (UAX #29 rule GB9c). `regex` joins what follows one also where no
# consonant stands before it, which then is no cluster.
_JOIN = r"\p{InCB=Linker}[\p{InCB=Extend}\p{InCB=Linker}]*+(?=\p{InCB=Consonant})"
_JOINS = regex.compile(_JOIN)
_LOOSE = regex.compile(rf"(?<!\p{{InCB=Consonant}}[\p{{InCB=Extend}}\p{{InCB=Linker}}]*){_JOIN}")


def graphemes(text: str) -> int:
    """Extended grapheme clusters: what a reader calls a character (Unicode UAX #29).

    Bluesky counts so (`maxGraphemes` of the lexicon `app.bsky.feed.post`).
    """
    clusters = GRAPHEME.findall(text)
    if not _JOINS.search(text):
        return len(clusters)
    return len(clusters) + sum(len(_LOOSE.findall(cluster)) for cluster in clusters)


def code_points(text: str) -> int:
    """Unicode code points; GoToSocial, Discord and Slack (`platforms.md` section 17.4)."""
    return len(text)


def utf16(text: str) -> int:
    """UTF-16 code units. Telegram counts so, after its tags are taken out (Bot API,
    "Message entities": offsets and lengths are in UTF-16 code units), and TikTok (Content Posting
    API). Where a platform only says "characters" (Facebook, Instagram, LinkedIn, WhatsApp), this is
    never less than what it counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


_EMOJI = regex.compile(r"\p{Extended_Pictographic}|\p{RI}|\u20e3")


def threads(text: str) -> int:
    """Characters, an emoji as many as it has bytes in UTF-8 (Threads API, "Overview", limits).

    What a character is it does not say: the larger of the usual two counts, UTF-16 units, is taken.
    """
    if not _EMOJI.search(text):
        return utf16(text)
    clusters = GRAPHEME.findall(text)
    return sum(utf8(one) if _EMOJI.search(one) else utf16(one) for one in clusters)


def utf8(text: str) -> int:
    """Bytes in UTF-8. Bluesky limits them besides (`maxLength` of `app.bsky.feed.post`), and
    YouTube the description of a video (YouTube Data API, `snippet.description`)."""
    return len(text.encode())


def mastodon(text: str, url_length: int = 23) -> int:
    """Grapheme clusters as Mastodon counts them (`app/validators/status_length_validator.rb`).

    A link counts `url_length`, the server's `characters_reserved_per_url`, however long it is; of
    a remote mention `@user@server` only `@user` counts. Mastodon takes an address for a link only
    if its top-level domain exists: with one that we do not know, the larger count is taken.
    """
    extra = 0

    def as_counted(match: regex.Match[str]) -> str:
        nonlocal extra
        known = len(match["tld"]) == 2 or match["tld"].lower() in _KNOWN_TLDS
        extra += (url_length if known else max(url_length, graphemes(match[0]))) - 1
        return "\n"  # one grapheme, that joins with no neighbour

    rest: str = _REMOTE_MENTION.sub(r"\1", _MASTODON_URL.sub(as_counted, text))
    # Ruby, in which Mastodon is written, counts joined consonants apart
    return len(GRAPHEME.findall(rest)) + len(_JOINS.findall(rest)) + extra


# What `twitter_text` reads as a host takes it time by the square of its labels; no real one has
# so many, and with so many it is longer than the 23 characters that a link counts.
_MANY_LABELS = regex.compile(r"(?:[^\s./]++\.){20}")
# Letters from right to left, joiners or emoji marks at an address: it sees no link there, X does.
_ODD_HOST = regex.compile(
    r"(?=.*\.\w)(?=.*[\p{Cf}\uFE0F\p{Bidi_Class=AL}\p{Bidi_Class=R}])", regex.DOTALL
)
_ALWAYS_EMOJI = regex.compile(r"((?=[\u2000-\u2FFF])\p{Emoji_Presentation})\uFE0F")
_SIGNS = regex.compile(r"[©®](?!\uFE0F)")
_X_LONGEST_URL = 4096
_X_URL = 23
_X_SPACE = regex.compile(r"[ \t\r\n]+")


def x(text: str) -> int:
    """The weighted length of twitter-text, version 3: emoji and most letters beyond Latin count 2,
    a link 23 (docs.x.com, "Counting characters").

    Counted word by word, since neither a link nor an emoji has a space in it. A word on which
    `twitter_text` would take long or is wrong (a link of more than 4,096 characters, a host of more
    than twenty labels, Arabic letters or joiners in a word with an address) is counted higher than
    X counts it, never lower.
    """
    spaces = sum(len(run) for run in _X_SPACE.findall(text))
    first, *rest = _X_SPACE.split(text)
    return spaces + _x_word(first) + sum(_x_word(word, " ") for word in rest)


@lru_cache(maxsize=4096)
def _x_word(word: str, before: str = "") -> int:
    """`before`: where a link begins depends on what stands there."""
    from twitter_text import parse_tweet

    # a half surrogate cannot be sent; what stands for it counts as much
    sound = normalize("NFC", word.encode("utf-8", "replace").decode())
    if len(sound) > _X_LONGEST_URL or _MANY_LABELS.search(sound) or _ODD_HOST.match(sound):
        return 2 * len(sound) + _X_URL * sound.count(".")
    # `twitter_text` takes these two for emoji also where no sign makes them one (not in an address)
    signs = 0 if "." in sound else len(_SIGNS.findall(sound))
    sound = _ALWAYS_EMOJI.sub(r"\1", sound)  # and counts a sign apart that changes nothing
    return int(parse_tweet(before + sound).weightedLength) - len(before) - signs

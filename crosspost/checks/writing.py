"""The words themselves: there, of a possible length, sourced, in a language, readable aloud.

Pure. It must not know how a platform renders; what does not fit a channel is found by `rendering`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from crosspost.checks.subject import Subject
from crosspost.timewords import quoted
from crosspost.wording import LANGUAGES, t

#: Characters of a title: what a browser tab, a feed reader and a preview card can show.
LONGEST_TITLE = 200
LONGEST_SOURCE = 500

_TAG_SHAPE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")  # RFC 5646 section 2.1, in short
_NO_LANGUAGE = ("und", "mul", "mis", "zxx")

_WORD = re.compile(r"[^\W\d_]+")
#: Letters from which on a word in capitals is hardly an abbreviation.
_LONG_WORD = 6

#: Letters from which on a hashtag without a capital inside is hardly one word; Indonesian words
#: with prefix and suffix ("ketenagakerjaan") may be longer.
_LONG_TAG = 13
_LONGEST_WORD = 17
_DERIVED = re.compile(r"(?:pe|per|pem|pen|peng|ke|ber|ter|di|se)\w+(?:an|kan|nya|i)")
_IN_CAPITALS = 10

_EVERYONE = re.compile(
    r"(?<![\w@./])@(?:everyone|here|channel|all|semua)\b(?![@.-]\w)|"
    r"<!(?:everyone|here|channel)[^>\n]{0,40}>|<@&?!?\d{5,25}>",
    re.IGNORECASE,
)
_NAMED = re.compile(r"(?<![\w@./+%-])@(?P<name>\w[\w.-]*+)(?!@)")


def text_empty(subject: Subject) -> Iterator[str]:
    """Nothing to say."""
    if not subject.body.strip() and not (subject.title.strip() and subject.pictures):
        yield t(
            "The announcement has no text. Write it in quotation marks, or name a file with --file."
        )


def title_long(subject: Subject) -> Iterator[str]:
    """A title that no tab, reader or card can show."""
    if len(subject.title) > LONGEST_TITLE:
        yield t(
            "The title has {count} characters; at most {limit} are possible.",
            count=len(subject.title),
            limit=LONGEST_TITLE,
        )


def title_lines(subject: Subject) -> Iterator[str]:
    """A title of several lines."""
    if "\n" in subject.title.strip():
        yield t("The title must be one line.")


def source_missing(subject: Subject) -> Iterator[str]:
    """Nothing says why it can be believed."""
    if not subject.source.strip():
        yield t("No source is given: add --source with a document number or an official address.")


def source_long(subject: Subject) -> Iterator[str]:
    """A source that is a text of its own."""
    if len(subject.source) > LONGEST_SOURCE:
        yield t(
            "The source has {count} characters; at most {limit} are possible.",
            count=len(subject.source),
            limit=LONGEST_SOURCE,
        )


def language_missing(subject: Subject) -> Iterator[str]:
    """No language: a screen reader would guess."""
    if not subject.lang.strip():
        yield t("The language is not given; add --lang, like id, en or jv.")


def language_invalid(subject: Subject) -> Iterator[str]:
    """Not of the shape of a BCP 47 tag."""
    if subject.lang.strip() and not _TAG_SHAPE.fullmatch(subject.lang):
        yield t(
            '"{lang}" is not a language code; write one like id, en or jv.', lang=subject.lang[:20]
        )


def language_unknown(subject: Subject) -> Iterator[str]:
    """Of that shape, but not in IANA's registry of languages."""
    if subject.lang in LANGUAGES or not _TAG_SHAPE.fullmatch(subject.lang):
        return  # the usual ones need no register, which is slow to load
    from langcodes import tag_is_valid

    known = subject.lang.lower() not in _NO_LANGUAGE and tag_is_valid(subject.lang)
    if not known:
        yield t(
            'No language has the code "{lang}"; write one like id, en or jv.',
            lang=subject.lang[:20],
        )


def capitals(subject: Subject) -> Iterator[str]:
    """Several words in a row in capitals, other than abbreviations."""
    for name, text in subject.words():
        for line in text.splitlines():
            if shown := _shouted(line):
                yield t(
                    'The {field} shouts: "{shown}". Capitals are hard to read, and some screen '
                    "readers spell them; write it in small letters.",
                    field=name,
                    shown=quoted(shown),
                )


def _shouted(line: str) -> str:
    """The first run of at least three words in capitals, or the whole line; two of them long."""
    words = list(_WORD.finditer(line))
    run: list[re.Match[str]] = []
    for word in [*words, None]:
        if word is not None and word[0].isupper():
            run.append(word)
            continue
        long = sum(len(w[0]) >= _LONG_WORD for w in run)
        if long >= 2 and (len(run) >= 3 or len(run) == len(words)):
            return line[run[0].start() : run[-1].end()]
        run = []
    return ""


def hashtags(subject: Subject) -> Iterator[str]:
    """Hashtags of several words without a capital at each."""
    from crosspost.rendering.entities import hashtags as tags_of

    for _, text in subject.words():
        for _, tag in tags_of(text):
            if not _can_be_read(tag):
                yield t(
                    "#{tag}: a screen reader reads it as one word. Begin each word in it with a "
                    "capital, like #PelayananPublik.",
                    tag=quoted(tag),
                )


def _can_be_read(tag: str) -> bool:
    letters = "".join(c for c in tag if c.isalpha())
    if letters.isupper():
        return len(letters) < _IN_CAPITALS
    if "_" in tag or len(letters) < _LONG_TAG or not letters[1:].islower():
        return True
    return len(letters) <= _LONGEST_WORD and bool(_DERIVED.fullmatch(letters.lower()))


def mention_everyone(subject: Subject) -> Iterator[str]:
    """What calls everybody on Discord, Slack or Telegram."""
    for _, text in subject.words():
        for match in _EVERYONE.finditer(text):
            yield t(
                '"{said}" would call many people at once on some channels; take it out.',
                said=quoted(match[0]),
            )


def mention_name(subject: Subject) -> Iterator[str]:
    """A name that belongs to somebody else on another platform."""
    for _, text in subject.words():
        for match in _NAMED.finditer(text):
            if not _EVERYONE.match(text, match.start()):
                yield t(
                    "@{name} is another person on each platform. Write who is meant in words, or "
                    "give the address of the account.",
                    name=quoted(match["name"].rstrip(".-")),
                )

"""Templates: which lines a post has, in which order, and which of them may be left out.

A template is Jinja2 in a sandbox, written by the office; what it gets are plain values, so nothing
that an author writes is ever read as a template. It makes lines; the text of the announcement
stands on one of its own. Pure. It must not know limits or markup.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import regex

from crosspost.rendering.spans import Span, Spans, linked
from crosspost.wording import t

if TYPE_CHECKING:
    from jinja2 import Template

#: The classes of announcements that may have templates of their own.
CLASSES = ("normal", "urgent")

_TAIL = """
{{ body }}

{{ read_more }}
{{ source_line }}

{{ hashtags|optional }}

{{ signature|optional }}
"""
DEFAULTS: Mapping[str, str] = {
    "normal": "{{ title|bold }}\n" + _TAIL,
    "urgent": "{{ important|bold }}\n" + _TAIL,
}
#: What a template may use; `body` is the text of the announcement.
VALUES = (
    *("title", "body", "link", "read_more", "source", "source_line", "hashtags", "signature"),
    *("office", "lang", "urgent", "important"),
)
LONGEST = 5_000  # characters of a template

# Signs that no text has (Unicode noncharacters): they mark up what a template makes.
_BODY, _EMPTY, _OPTIONAL = "\ufdd0", "\ufdd1", "\ufdd2"
_MARKS = {"b": ("\ufdd3", "\ufdd4"), "i": ("\ufdd5", "\ufdd6")}
_SIGNS = regex.compile("[\ufdd3-\ufdd6]")


@dataclass(frozen=True)
class Line:
    """A line of a post; an empty one separates."""

    spans: Spans = ()
    optional: bool = False


@dataclass(frozen=True)
class Frame:
    """What stands around the text of the announcement. `before` and `after` say what lies between:
    an empty line or the end of one."""

    head: tuple[Line, ...]
    tail: tuple[Line, ...]
    before: str = "\n\n"
    after: str = "\n\n"


def frame(template: str, values: Mapping[str, object]) -> Frame:
    """The lines that `template` makes of `values` (all of `VALUES` but the body, text and `urgent`
    true or false). Raises jinja2.TemplateError, ValueError for one without a place for the body."""
    made = _compiled(template).render(values, body=_BODY)
    rows = [row for row in made.split("\n") if not row or row.replace(_EMPTY, "").strip()]
    place = next((i for i, row in enumerate(rows) if _plain(row) == _BODY), None)
    if place is None:
        raise ValueError("no line of its own for the body")
    link = str(values.get("link") or "")
    lines = [_line(row, link) for row in rows]
    head, tail = lines[:place], lines[place + 1 :]
    return Frame(
        head=_trimmed(head),
        tail=_trimmed(tail),
        before="\n" if head and head[-1].spans else "\n\n",
        after="\n" if tail and tail[0].spans else "\n\n",
    )


def default(kind: str, values: Mapping[str, object]) -> Frame:
    """What `frame(DEFAULTS[kind], values)` is, without Jinja, which takes long to load."""
    link = str(values["link"])
    head = str(values["important" if kind == "urgent" else "title"])
    rows = [str(values[name]) for name in ("read_more", "source_line")]
    tail = [Line(_with_link(row, link, [])) for row in rows if row]
    for name in ("hashtags", "signature"):
        if values[name]:
            tail += [Line(), Line(_with_link(str(values[name]), link, []), optional=True)]
    return Frame(_trimmed([Line(_with_link(head, link, ["b"]))] if head else []), _trimmed(tail))


def joined(lines: Sequence[Line]) -> Spans:
    """The lines as one text, with one empty line where there are several."""
    spans: list[Span] = []
    gap = ""
    for line in lines:
        if line.spans:
            spans += [Span(gap), *line.spans] if spans else line.spans
            gap = "\n"
        else:
            gap = "\n\n"
    return tuple(spans)


def problem(template: str) -> str:
    """What is wrong with a template, found by trying it; "" for nothing."""
    from jinja2 import TemplateError

    if len(template) > LONGEST:
        return t("the template is longer than {limit} characters", limit=LONGEST)
    whole = {name: f"\u2039{name}\u203a" for name in VALUES if name != "body"}
    try:
        for values in ({**whole, "urgent": True}, {**dict.fromkeys(whole, ""), "urgent": False}):
            frame(template, values)
        made = _plain(_compiled(template).render({**whole, "urgent": True}, body=_BODY))
    except TemplateError as error:
        return t("the template does not work: {reason}", reason=error)
    except ValueError:
        return t("the template needs a line with nothing but {body}", body="{{ body }}")
    except Exception as error:  # noqa: BLE001 - an expression may fail in any way
        return t("the template does not work: {reason}", reason=error)
    for name, forms in (("link", ("link", "read_more")), ("source", ("source", "source_line"))):
        if not any(whole[form] in made for form in forms):
            return t("the template leaves out {name}, which every post shows", name=name)
    return ""


@lru_cache(maxsize=100)
def _compiled(template: str) -> Template:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    sandbox = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: _EMPTY if value in ("", None) else value,
        autoescape=False,
    )
    sandbox.globals.clear()
    sandbox.filters |= {"bold": _marked("b"), "italic": _marked("i"), "optional": _optional}
    return sandbox.from_string(template)


def _marked(mark: str) -> Callable[[object], str]:
    begin, end = _MARKS[mark]

    def marked(value: object) -> str:
        return "\n".join(f"{begin}{row}{end}" for row in str(value).split("\n") if row)

    return marked


def _optional(value: object) -> str:
    return "\n".join(f"{_OPTIONAL}{row}" for row in str(value).split("\n") if row)


def _plain(text: str) -> str:
    return str(_SIGNS.sub("", text)).replace(_EMPTY, "").replace(_OPTIONAL, "").strip()


def _line(row: str, link: str) -> Line:
    spans: list[Span] = []
    marks: list[str] = []
    end = 0
    text = row.replace(_EMPTY, "").replace(_OPTIONAL, "").strip(" ")
    for sign in _SIGNS.finditer(text):
        spans += _with_link(text[end : sign.start()], link, marks)
        end = sign.end()
        for mark, (begin, stop) in _MARKS.items():
            if sign[0] == begin:
                marks.append(mark)
            elif sign[0] == stop and mark in marks:
                marks.remove(mark)
    spans += _with_link(text[end:], link, marks)
    return Line(tuple(spans), optional=_OPTIONAL in row)


def _with_link(text: str, link: str, marks: list[str]) -> Spans:
    """Spans of a text in which `link` is one, however odd it looks."""
    if not link or link not in text:
        return linked(text, *marks)
    before, _, after = text.partition(link)
    own = Span(link, frozenset(marks), link)
    return (*linked(before, *marks), own, *_with_link(after, link, marks))


def _trimmed(lines: list[Line]) -> tuple[Line, ...]:
    """Without the empty ones at both ends."""
    full = [index for index, line in enumerate(lines) if line.spans]
    return tuple(lines[full[0] : full[-1] + 1]) if full else ()

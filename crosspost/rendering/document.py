"""The author's Markdown, parsed once: into spans, and into safe HTML.

CommonMark, with three decisions. Line breaks stay where the author made them, because an agenda or
an address is written in lines. Raw HTML is text, and so are links to anything but http, https,
mailto and tel. An image in the text is refused: images come as files, with a description. (Struck
out text is no markup here: plain text cannot show it, so it would read as said.)
Pure. It must not know platforms' limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from urllib.parse import unquote

import regex
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from crosspost.errors import ContentError
from crosspost.post import Markup
from crosspost.rendering import entities
from crosspost.rendering.spans import Span, Spans, merged, text_of
from crosspost.wording import t

#: Bytes of UTF-8. A longer text is a document, to be attached or linked.
BODY_LIMIT = 200_000
#: Lists and quotations inside each other; a list takes two levels.
NESTING = 20

_WITHOUT_LINKS = (Markup.PLAIN, Markup.LITTLE_TEXT, Markup.DOCUMENT)
_WITH_QUOTES = (Markup.TELEGRAM_HTML, Markup.MATRIX_HTML, Markup.DISCORD)
_SCHEMES = ("http://", "https://", "mailto:", "tel:")
_SCHEME_BEFORE = regex.compile(r"(?<![A-Za-z0-9_])https?$", regex.IGNORECASE)
_LINE_ENDS = regex.compile(r"\r\n|[\r\v\f\x85\u2028\u2029]")
# Control characters have no place in XML or HTML; half a surrogate pair is a broken byte.
_CONTROLS = regex.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
_BROKEN = regex.compile(r"[\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")  # nor do noncharacters


def cleaned(text: str) -> str:
    """`text` without control characters, its its lines ended by "\\n"; a broken one is a "�"."""
    lines: str = _LINE_ENDS.sub("\n", text)
    return str(_BROKEN.sub("\ufffd", _CONTROLS.sub("", lines)))


@lru_cache(maxsize=1)  # one announcement is rendered for many channels in a row
def parse(body: str) -> tuple[Token, ...]:
    """The tokens of a Markdown text, its headings beginning at h2: h1 is the title of the page.

    Raises ContentError for one that is too large, nested too deeply, or has an image in it.
    """
    size = len(body.encode("utf-8", "replace"))
    if size > BODY_LIMIT:
        raise ContentError(
            t("The text has {size} bytes; the limit is {limit}.", size=size, limit=BODY_LIMIT),
            hint=t("Shorten it, and put the whole document behind a link."),
        )
    tokens = _parser().parse(cleaned(body))
    for token in tokens:
        _refuse_what_would_be_lost(token)
        _mark_links(token)
    headings = [token for token in tokens if token.type.startswith("heading_")]
    highest = min((int(token.tag[1]) for token in headings), default=1)
    for token in headings:  # no level is left out below the title
        token.tag = f"h{min(6, int(token.tag[1]) - highest + 2)}"
    return tuple(tokens)


@lru_cache(maxsize=8)
def read(body: str, markup: Markup) -> Spans:
    """The spans of a Markdown text, as `spans` gives them; the same for all channels with one
    markup. Raises ContentError, as `parse`."""
    return spans(parse(body), markup)


@lru_cache(maxsize=1)
def html_of(body: str) -> str:
    """A Markdown text as `safe_html`. Raises ContentError, as `parse`."""
    return safe_html(parse(body))


def safe_html(tokens: Sequence[Token]) -> str:
    """The text as HTML: nothing in it but what Markdown makes, all else escaped."""
    parser = _parser()
    return str(parser.renderer.render(tokens, parser.options, {}))


def spans(tokens: Sequence[Token], markup: Markup) -> Spans:
    """The text as spans, in the way that `markup` shows it.

    Where a platform has no links with a text of their own, the address is written after the text.
    Where it has no quotations, they stand in quotation marks.
    """
    return _Writer(markup).write(tokens)


class _Writer:
    """Walks the tokens once and writes spans."""

    def __init__(self, markup: Markup) -> None:
        self.shows_links = markup not in _WITHOUT_LINKS
        self.shows_quotes = markup in _WITH_QUOTES
        # Discord shows no link whose text looks like another address
        self.links_any_text = markup is not Markup.DISCORD
        self.spans: list[Span] = []
        self.marks: list[str] = []
        self.lists: list[int | None] = []  # the number of the next item; None for bullets
        self.quotes: list[int] = []  # where each open quotation begins in `spans`
        self.prefix = ""  # of the list item whose text has not begun yet
        self.line = 0  # where the block before ends in the source

    def write(self, tokens: Sequence[Token]) -> Spans:
        for token in tokens:
            getattr(self, f"_{token.type}", self._ignore)(token)
        return merged(self.spans)

    def _ignore(self, _: Token) -> None:
        """A token that has no text: a paragraph's ends, a rule."""

    def _inline(self, token: Token) -> None:
        children = token.children or []
        if any(child.content or child.type == "link_open" for child in children):
            self._begin_block(token)
            self.spans += self._with_links(children)

    def _fence(self, token: Token) -> None:
        self._begin_block(token)
        self._add(token.content.rstrip("\n"), "pre")

    _code_block = _fence

    def _heading_open(self, _: Token) -> None:
        self.marks.append("b")

    def _heading_close(self, _: Token) -> None:
        self.marks.remove("b")

    def _bullet_list_open(self, _: Token) -> None:
        self.lists.append(None)

    def _ordered_list_open(self, token: Token) -> None:
        start = token.attrGet("start")
        self.lists.append(1 if start is None else int(start))

    def _bullet_list_close(self, _: Token) -> None:
        self.lists.pop()

    _ordered_list_close = _bullet_list_close

    def _list_item_open(self, _: Token) -> None:
        number = self.lists[-1]
        indent = "" if self.prefix else "  " * (len(self.lists) - 1)
        self.prefix += f"{indent}• " if number is None else f"{indent}{number}. "
        if number is not None:
            self.lists[-1] = number + 1

    def _list_item_close(self, _: Token) -> None:
        self.prefix = ""

    def _blockquote_open(self, _: Token) -> None:
        self.quotes.append(len(self.spans))

    def _blockquote_close(self, _: Token) -> None:
        start = self.quotes.pop()
        text = text_of(self.spans[start:]).strip()
        if not self.shows_quotes and text and text[0] not in "\"'“‘«„":
            first = next(i for i in range(start, len(self.spans)) if self.spans[i].text.strip())
            self.spans.insert(first, Span("“"))
            self._add("”")

    def _begin_block(self, token: Token) -> None:
        """An empty line where the author left one, else a new line; then the item's bullet."""
        first, last = token.map or (self.line, self.line)
        if self.spans:
            # between two paragraphs of one quotation the quotation goes on
            inside = self.quotes and len(self.spans) > self.quotes[0]
            gap = "\n\n" if first > self.line else "\n"
            self.spans.append(Span(gap, self._quoted if inside else frozenset()))
        self.line = last
        if self.prefix:
            self.spans.append(Span(self.prefix, self._quoted))
            self.prefix = ""

    @property
    def _quoted(self) -> frozenset[str]:
        return frozenset({"blockquote"} if self.quotes and self.shows_quotes else ())

    def _add(self, text: str, *marks: str, url: str = "") -> None:
        self.spans.append(Span(text, self._quoted.union(self.marks, marks), url))

    def _with_links(self, children: Sequence[Token]) -> list[Span]:
        """The spans of one block's text."""
        before, self.spans = self.spans, []
        url, begin = "", 0
        for child in children:
            if child.type == "link_open":
                url, begin = str(child.attrGet("href") or ""), len(self.spans)
            elif child.type == "link_close":
                if not self._is_shown(url) or not self._keeps_link(url, begin):
                    self._write_address(url, begin)
                url = ""
            elif child.type.endswith("_open"):
                self.marks.append("b" if child.type == "strong_open" else "i")
            elif child.type.endswith("_close"):
                self.marks.remove("b" if child.type == "strong_close" else "i")
            else:
                self._write_text(child, url if self._is_shown(url) else "")
        written, self.spans = self.spans, before
        return written

    def _write_text(self, child: Token, url: str) -> None:
        if child.type in ("softbreak", "hardbreak"):
            self._add("\n", url=url)
        elif child.type == "code_inline":
            self._add(child.content, "code", url=url)
        else:
            self._add(child.content, url=url)

    def _is_shown(self, url: str) -> bool:
        return self.shows_links and url.lower().startswith(("http://", "https://"))

    def _keeps_link(self, url: str, begin: int) -> bool:
        """Whether the text that was just written may lead to `url`; else it leads nowhere now."""
        text = text_of(self.spans[begin:])
        if self.links_any_text or text == url or "://" not in text:
            return True
        self.spans[begin:] = [Span(span.text, span.marks) for span in self.spans[begin:]]
        return False

    def _write_address(self, url: str, begin: int) -> None:
        """Put a link's address after its text, or in its place if that is all it says."""
        scheme, _, rest = url.partition(":")
        address = url if scheme.lower() in ("http", "https") else rest.partition("?")[0]
        text = text_of(self.spans[begin:])
        if _bare(text) == _bare(address):
            del self.spans[begin:]
            self._add(address)
        else:
            self._add(f" ({address})" if text.strip() else address)


def _bare(address: str) -> str:
    """An address as people say it: no scheme, no slash at the end."""
    return unquote(address).strip().rpartition("://")[2].rstrip("/")


def _mark_links(token: Token) -> None:
    for child in token.children or ():
        if child.type == "link_open":
            child.attrSet("rel", "noopener")


def _refuse_what_would_be_lost(token: Token) -> None:
    if token.type in ("blockquote_open", "list_item_open") and token.level >= NESTING - 1:
        raise ContentError(
            t("Lists or quotations in the text are nested too deeply."),
            hint=t("Use at most {count} lists inside each other.", count=NESTING // 2 - 1),
        )
    if any(child.type == "image" for child in token.children or ()):
        raise ContentError(
            t("There is an image in the text: ![...](...)."),
            hint=t("Take it out, and give the file with --image FILE --alt TEXT."),
        )


@cache
def _parser() -> MarkdownIt:
    """A CommonMark parser that links bare URLs, and nothing but harmless ones."""
    parser = MarkdownIt(
        "commonmark", {"html": False, "breaks": True, "xhtmlOut": False, "maxNesting": NESTING}
    )
    parser.validateLink = lambda url: url.lower().startswith(_SCHEMES)  # type: ignore[method-assign]
    parser.inline.ruler.after("text", "bare_url", _bare_url)
    return parser


def _bare_url(state: StateInline, silent: bool) -> bool:
    """An inline rule of markdown-it: a URL as written is a link, and nothing in it is markup."""
    if state.linkLevel > 0 or not state.src.startswith("://", state.pos):
        return False
    scheme = _SCHEME_BEFORE.search(state.src, max(0, state.pos - 6), state.pos)
    if scheme is None:
        return False
    length = len(scheme[0])
    url = entities.url_at(state.src, state.pos - length)
    if not url:
        return False
    if not silent:
        state.pending = state.pending[:-length]
        state.push("link_open", "a", 1).attrs = {"href": url}
        state.push("text", "", 0).content = url
        state.push("link_close", "a", -1)
    state.pos += len(url) - length
    return True

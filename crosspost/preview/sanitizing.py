"""HTML of ours, read as if it were somebody else's: only the tags that Markdown makes stay.

It must not trust what is stored: whatever is not on the list is shown as text.
"""

from __future__ import annotations

from html import escape
from html.parser import HTMLParser

_TAGS = frozenset(["p", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote"])
_EMPTY = frozenset(["br", "hr"])
_HEADINGS = {f"h{level}": min(6, level + 2) for level in range(1, 7)}


def safe(html: str) -> str:
    """`html` with the tags that Markdown makes and no attribute of its own; links are marked, and
    say in a title where they lead; headings are two levels lower. Every tag is closed."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.made()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self.open: list[tuple[str, str]] = []  # as it was named, and what closes it

    def made(self) -> str:
        return "".join([*self.pieces, *(closing for _, closing in reversed(self.open))])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _EMPTY:
            self.pieces.append(f"<{tag}>")
        elif tag in _TAGS:
            self._begin(tag, f"<{tag}>", f"</{tag}>")
        elif tag in _HEADINGS:
            level = _HEADINGS[tag]
            self._begin(tag, f"<h{level}>", f"</h{level}>")
        elif tag == "a":
            title = escape(dict(attrs).get("href") or "")
            self._begin(tag, f'<span class="link" title="{title}">', "</span>")
        else:
            self.handle_data(self.get_starttag_text() or "")

    def _begin(self, tag: str, opening: str, closing: str) -> None:
        self.pieces.append(opening)
        self.open.append((tag, closing))

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1][0] == tag:
            self.pieces.append(self.open.pop()[1])
        elif tag not in _EMPTY:
            self.handle_data(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.pieces.append(escape(data))

    def handle_comment(self, data: str) -> None:
        self.handle_data(f"<!--{data}-->")

    def handle_decl(self, decl: str) -> None:
        self.handle_data(f"<!{decl}>")

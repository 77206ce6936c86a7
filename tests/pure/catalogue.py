"""The messages of the code, and the catalogues that translate them.

    python tests/pure/catalogue.py

brings every catalogue up to date with the code: new messages come in with an empty translation, for
a person to fill in; those that the code no longer has go out; all are sorted by their English text.
It must not translate, nor guess that two messages are alike. `docs/translating.md` tells the rest.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.pofile import escape, read_po
from jinja2 import Environment, nodes
from typer.main import get_command

from crosspost.cli import app
from crosspost.cli.helping import texts

PACKAGE = Path(__file__).parents[2] / "crosspost"
#: `t("...")` speaks to the admin; `say = words(lang)` and `say("...")` to the public.
SPEAKERS = ("t", "say")


def catalogues() -> dict[str, Path]:
    """Every catalogue, by the code of its language."""
    found = PACKAGE.glob("locale/*/LC_MESSAGES/crosspost.po")
    return {path.parents[1].name: path for path in sorted(found)}


def messages() -> set[str]:
    """Every English text of the package that is to be translated; those of the commands' help,
    which nothing speaks in the code, are asked of the commands."""
    paths = PACKAGE.rglob("*.py")
    found = {text for path in paths for _, text in spoken(path.read_text("utf-8")) if text}
    pages = PACKAGE.rglob("templates/*.html")
    found.update(*(spoken_on(path.read_text("utf-8")) for path in pages))
    return found.union(texts(get_command(app)))


def spoken_on(template: str) -> set[str]:
    """Each text that a page's template says: `say("...")` in Jinja."""
    calls = Environment().parse(template).find_all(nodes.Call)
    said = [call.args[0] for call in calls if getattr(call.node, "name", "") in SPEAKERS]
    return {text.value for text in said if isinstance(text, nodes.Const)}


def spoken(source: str) -> Iterator[tuple[int, str | None]]:
    """Each text that `source` says through a speaker, with its line; None for one that is no
    literal, so that nobody can translate it."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        text = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
        if _is_speaker(node.func) and isinstance(text, str):
            yield node.lineno, text
        elif isinstance(node.func, ast.Name) and node.func.id == "t":
            yield node.lineno, None


def _is_speaker(called: ast.expr) -> bool:
    if isinstance(called, ast.Call):  # words(lang)("...")
        return isinstance(called.func, ast.Name) and called.func.id == "words"
    return isinstance(called, ast.Name) and called.id in SPEAKERS


def translations(path: Path) -> dict[str, str]:
    """English text to translation, as it stands in the catalogue; "" for none, or a doubtful one
    ("fuzzy", as translators' programs mark them)."""
    with path.open("rb") as file:
        entries = [entry for entry in read_po(file) if entry.id]
    return {str(e.id): "" if e.fuzzy else str(e.string) for e in entries}


def placeholders(text: str) -> list[str]:
    """The `{names}` in a text, sorted."""
    return sorted(re.findall(r"{\w*}", text))


def text_of(header: str, translated: dict[str, str]) -> str:
    """A catalogue: its header as it is, then one entry after the other, a line for each side."""
    entries = [
        f"msgid {escape(english)}\nmsgstr {escape(other)}"
        for english, other in sorted(translated.items())
    ]
    return "\n\n".join([header, *entries]) + "\n"


def header_of(path: Path) -> str:
    """All that stands before the first message."""
    return path.read_text("utf-8").split("\n\n")[0]


def update() -> None:
    """Bring every catalogue up to date; say what is left to translate, and what went out, since a
    message that was only reworded needs its old translation once more."""
    wanted = messages()
    for language, path in catalogues().items():
        known = translations(path)
        kept = {english: known.get(english, "") for english in wanted}
        path.write_text(text_of(header_of(path), kept), "utf-8")
        left = sorted(english for english in kept if not kept[english])
        print(f"{language}: {len(kept)} messages, {len(left)} to translate in {path}")
        for english in left:
            print(f"  to translate: {english}")
        for english in sorted(known.keys() - wanted):
            print(f"  went out: {english}\n            {known[english]}")


if __name__ == "__main__":
    update()

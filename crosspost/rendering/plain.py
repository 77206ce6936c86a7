"""Plain texts as the fields of some platforms can hold them.

Pure. It must not know spans or limits: what a field has no room for at all is put in another way,
so that a reader still sees what was written.
"""

from __future__ import annotations

import re

#: What may not stand in a parameter of a template: ends of lines, tabs, more than four spaces.
_LINES, _SPACES = re.compile(r"\s*[\r\n]+\s*"), re.compile(r"[ \t]{2,}|\t")
_ANGLES = {ord("<"): "‹", ord(">"): "›"}


def one_line(text: str) -> str:
    """`text` as a parameter of a WhatsApp template may be."""
    return _SPACES.sub(" ", _LINES.sub(" • ", text.strip()))


def without_angles(text: str) -> str:
    """`text` as YouTube can show it: its titles and descriptions know no angle brackets."""
    return text.translate(_ANGLES)

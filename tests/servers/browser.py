"""Pages as people open them: a real browser at the width of a desk and of a telephone, light and
dark, and axe-core's judgement of each (Deque's rules, WCAG 2.2 A and AA and best practices)."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LOOK = Path(__file__).with_name("rigs") / "look.py"
WIDTHS = (1280, 390)
SCHEMES = ("light", "dark")


def look(
    exports: dict[str, str],
    pages: Sequence[str],
    *,
    widths: Sequence[int] = WIDTHS,
    shots: Path | None = None,
) -> list[dict[str, Any]]:
    """What each of `pages` (addresses, also file://) is like at each width and in each scheme:
    `violations`, `overflow` in pixels, `requests` beyond the page itself, `console`, `checked` (how
    many rules passed). `exports` is what `rig("chromium.sh")` gave; `shots` a folder for images."""
    wanted = {
        "pages": list(pages),
        "widths": list(widths),
        "schemes": SCHEMES,
        "shots": str(shots) if shots else None,
    }
    done = subprocess.run(
        [exports["PLAYWRIGHT_PYTHON"], LOOK, exports["CHROMIUM_PATH"], exports["AXE"]],
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    seen: list[dict[str, Any]] = json.loads(done.stdout)
    return seen

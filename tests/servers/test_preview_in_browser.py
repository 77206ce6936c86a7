"""The preview page in a real browser: axe finds nothing, nothing is fetched, nothing is cut off."""

from __future__ import annotations

from pathlib import Path

import pytest
from browser import look
from previewed import announcement, office, previewed

pytestmark = pytest.mark.servers


def test_the_preview_of_every_platform_is_accessible_and_fetches_nothing(rig, tmp_path: Path):
    file = tmp_path / "preview.html"
    file.write_text(previewed(office(tmp_path), announcement(tmp_path)), encoding="utf-8")
    seen = look(rig("chromium.sh"), [file.as_uri()])
    assert len(seen) == 4
    for one in seen:
        where = f"{one['width']} px, {one['scheme']}"
        assert one["violations"] == [], where
        assert one["checked"] > 15, "axe has looked at something"
        assert one["overflow"] <= 0, where
        assert one["requests"] == [], where
        assert one["console"] == [], where


def test_the_judge_finds_what_is_wrong(rig, tmp_path: Path):
    """The negative control: without it, finding nothing would prove nothing."""
    page = tmp_path / "bad.html"
    page.write_text(
        '<!doctype html><html><title>x</title><body><img src="https://x.invalid/a.png">'
        '<p style="color:#aaa;background:#fff">grey</p><div style="width:3000px">wide</div>'
    )
    for one in look(rig("chromium.sh"), [page.as_uri()], widths=[390]):
        found = " ".join(one["violations"])
        assert "image-alt:" in found
        assert "html-has-lang:" in found
        assert "color-contrast:" in found
        assert one["overflow"] > 1000
        assert one["requests"] == ["https://x.invalid/a.png"]

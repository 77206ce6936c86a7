"""The public pages in a real browser: readable by everyone, without script, and the check page
answers what it should. axe-core judges."""

from __future__ import annotations

import functools
import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "showing"))
from showroom import NOW, office_in

from crosspost import fakes
from crosspost.config import SiteAccount
from crosspost.queue import Doing
from crosspost.site.lookup import key_of

pytestmark = pytest.mark.servers
BROWSE = Path(__file__).with_name("rigs") / "browse.py"
ACCOUNT = SiteAccount(name="Office", url="https://x.example/office")
LONG = "Jalan A. Yani ditutup " + "total pada hari Minggu, 29 November 2026. " * 40
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202egnp.exe" + "W" * 300
TEXTS = [
    "Jalan ditutup, Minggu 29 November!",
    "𝗝𝗮𝗹𝗮𝗻 ditutup 🚧 https://office.example/p/2b3c4d5/?utm_source=x",
    "STRASSE straße İstanbul ΣΑΣ ﬁne Ⅷ ½ ①",
    "جادة مغلقة يوم الأحد كاملاً",
    "道路は日曜日に閉鎖されます。ご注意ください",
    "e\u0301te\u0301 de\u0301cembre cafe\u0301",
    "see www.office.example/x or office.example/y… more words here",
    "https://www.facebook.com/permalink.php?story_fbid=1&id=2&mibextid=abc#x",
    "HTTPS://M.Office.Example/A/B//?b=2&a=1&UTM_x=3",
    "https://t.me/office/12?single",
    "a.b.c.d/e " * 30,
    "short",
    "\u200bzero\u00adwidth\ufeff joined\u2060 words",
]


def box(kind, content):
    return (8 + len(content)).to_bytes(4, "big") + kind + content


@pytest.fixture(scope="module")
def seen(rig, tmp_path_factory):
    """What a browser saw of a site with all kinds of pages."""
    from PIL import Image

    tools = rig("chromium.sh")
    folder = tmp_path_factory.mktemp("office")
    office = office_in(folder, accounts=(ACCOUNT,))
    Image.new("RGB", (800, 500), "navy").save(folder / "road.png")
    film = box(b"ftyp", b"isom\0\0\2\0isom") + box(b"moov", b"m" * 90) + box(b"mdat", b"d" * 900)
    (folder / "road.mp4").write_bytes(film)
    with pytest.MonkeyPatch.context() as without_ffprobe:
        without_ffprobe.setenv("PATH", "/nowhere")
        code = office.publish(
            LONG,
            images=((folder / "road.png", "A blue road"),),
            videos=((folder / "road.mp4", "The road seen from above"),),
        )
    office.copy(code, "The bridge is open again.", "https://social.example/@office/1")
    calm = HOSTILE.replace("\u202e", "")[:200]  # the checks let no more through
    hostile = office.publish(calm, title=calm, source=calm, lang="id")
    with office.database.write() as session:
        fake = fakes.Found("Free rice", "No rice.", "Come and get your rice on Monday!")
        fakes.add(session, fake, Doing("Siti", NOW))
        fakes.add(session, fakes.Found(HOSTILE[:200], HOSTILE, HOSTILE), Doing("Siti", NOW))
    office.show(whole=True)
    office.database.close()
    pages = ["", "2026/", f"p/{code}/", f"p/{hostile}/"]
    for own in ("", "id/"):
        pages += [f"{own}{name}/" for name in ("check", "accounts", "fakes", "fakes/1", "fakes/2")]

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=str(office.public))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told = {
            "base": f"http://127.0.0.1:{server.server_port}/",
            "pages": pages,
            "axe": tools["AXE"],
            "shots": os.environ.get("CROSSPOST_SHOTS", ""),
            "pasted": [
                "the BRIDGE is open\n again!!",
                "http://social.example/@office/1?utm_source=wa",
                "come and get your rice on monday",
                "Come and get your rice on Tuesday!",
                "rice",
            ],
            "keys": TEXTS,
        }
        done = subprocess.run(
            [tools["PLAYWRIGHT_PYTHON"], BROWSE],
            input=json.dumps(told),
            capture_output=True,
            text=True,
            timeout=400,
        )
        server.shutdown()
    assert done.returncode == 0, done.stderr[-2000:]
    return {"code": code, **json.loads(done.stdout)}


def test_axe_finds_nothing_on_any_page_at_any_width_light_or_dark(seen):
    assert seen["violations"] == []


def test_nothing_is_asked_of_others_nothing_fails_and_nothing_hostile_runs(seen):
    assert seen["trouble"] == []


def test_no_page_scrolls_sideways_and_each_can_be_printed(seen):
    assert seen["wide"] == []
    assert all(size > 1000 for size in seen["pdf"].values())


def test_the_check_page_answers_exactly_one_thing(seen):
    page = f"../p/{seen['code']}/"
    assert list(seen["verdicts"].values()) == [
        [["current", page]],
        [["current", page]],
        [["fake", "../fakes/1/"]],
        [["none", ""]],
        [["short", ""]],
    ]


def test_the_script_and_the_index_normalise_alike(seen):
    assert seen["keys"] == {text: key_of(text) for text in TEXTS}


def test_without_script_nothing_is_offered_that_would_not_work(seen):
    assert seen["without_script"]

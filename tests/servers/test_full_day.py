"""A day of an office on servers that we did not write: one announcement with two images to Synapse,
WordPress, Bluesky's PDS, a mail server, the office's own pages and a receiver of webhooks; what the
public then finds there; and edited and taken back again, where the platform can.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import test_bluesky_pds
import test_matrix_synapse
import test_wordpress_debian
from case_email import EmailCase
from case_webhook import WebhookCase
from PIL import Image as Picture
from pydantic import SecretStr
from sqlmodel import select

from crosspost import config
from crosspost.adapters import Adapter
from crosspost.connections import open_channel
from crosspost.database import Database
from crosspost.post import Outgoing, Post, Receipt, from_json, to_json
from crosspost.tables import Part
from crosspost.testing.case import Case

pytestmark = pytest.mark.servers

CASES: dict[str, type[Case]] = {
    "matrix": test_matrix_synapse.SynapseCase,
    "website": test_wordpress_debian.SiteCase,
    "bluesky": test_bluesky_pds.PdsCase,
    "press": EmailCase,
    "intranet": WebhookCase,
}
TITLE = "Jadwal vaksinasi campak"
ALT = "Poster biru nomor {n}: vaksinasi anak, gratis."
BODY = (
    "Vaksinasi **campak** gratis di semua puskesmas, Senin sampai Kamis pukul 08.00 sampai 11.00."
)


@dataclass
class Office:
    """A folder with an office whose pages a web server shows, and its platforms by channel."""

    folder: Path
    platforms: dict[str, Any]

    def run(self, *arguments: str, code: int = 0) -> str:
        """A command to its end; what it printed."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("CROSSPOST_")}
        done = subprocess.run(
            [sys.executable, "-m", "crosspost", *arguments],
            cwd=self.folder,
            env={**clean, "CROSSPOST_LANGUAGE": "en"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout

    def deliveries(self) -> dict[str, dict[str, Any]]:
        """Those of the announcement, by channel."""
        shown = json.loads(self.run("show", "1", "--json"))["deliveries"]
        return {delivery["channel"]: delivery for delivery in shown}

    def configure(self, channel: str, options: dict[str, Any]) -> None:
        """Write a channel's options into the configuration, its secrets into `.env`."""
        lines = [f'\n[channels.{channel}]\nplatform = "{CASES[channel].platform}"']
        secrets = []
        for key, value in options.items():
            name = f"{channel}_{key}".upper()
            if isinstance(value, SecretStr):
                secrets.append(f"{name}='{value.get_secret_value()}'\n")
            said = f"env:{name}" if isinstance(value, SecretStr) else value
            lines.append(f"{key} = {json.dumps(said)}")
        with (self.folder / "crosspost.toml").open("a") as file:
            file.write("\n".join(lines) + "\n")
        with (self.folder / ".env").open("a") as file:
            file.writelines(secrets)

    def published(self) -> Iterator[tuple[str, Adapter, Post, Receipt]]:
        """Each channel's adapter with what was published there, as it is stored."""
        settings = config.load(self.folder / "crosspost.toml")
        database = Database(settings.database_url)
        with database.read() as session:
            parts = list(session.exec(select(Part)))
        for part in parts:
            post = from_json(json.loads(part.payload), settings.media)
            assert part.remote_id
            receipt = Receipt(part.remote_id, part.permalink or "", json.loads(part.extra or "{}"))
            adapter = open_channel(settings, database, part.channel)
            yield part.channel, adapter, post, receipt
            adapter.close()
        database.close()


@pytest.fixture(scope="module")
def servers(rig: Any) -> Iterator[None]:
    """Synapse, WordPress and the PDS, running."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_matrix_synapse.Synapse, "started", rig("matrix.sh"))
        patch.setattr(test_matrix_synapse.Synapse, "token", "")  # it is another server's
        patch.setattr(test_wordpress_debian.Site, "started", rig("wordpress.sh"))
        patch.setattr(test_bluesky_pds.Pds, "started", rig("pds.sh"))
        yield


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """The test reads answers instead."""


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[str]:
    """The address at which a web server shows the office's folder of pages."""
    show = functools.partial(_Quiet, directory=str(tmp_path / "public"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), show) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.fixture
def office(tmp_path: Path, pages: str, servers: None) -> Iterator[Office]:
    with ExitStack() as stack:
        cases = {channel: kind() for channel, kind in CASES.items()}
        platforms = {name: stack.enter_context(case.start()) for name, case in cases.items()}
        office = Office(tmp_path, platforms)
        office.run(
            *("init", ".", "--name", "Dinas Contoh", "--language", "id", "--person", "Siti"),
            *("--site-url", pages),
        )
        for name, case in cases.items():
            office.configure(name, case.options(platforms[name]))
        yield office


def announcement(folder: Path) -> None:
    for n in (1, 2):
        Picture.new("RGB", (1200, 900), (60 * n, 90, 140)).save(folder / f"{n}.jpg")
    images = "".join(f'  - file: {n}.jpg\n    alt: "{ALT.format(n=n)}"\n' for n in (1, 2))
    front = f"title: {TITLE}\nsource: Surat Edaran Nomor 440/117/2026\nlang: id\nimages:\n{images}"
    (folder / "campak.md").write_text(f"---\n{front}---\n{BODY}\n")


def public(office: Office) -> dict[str, list[str]]:
    """Channel -> the texts that the public finds there."""
    return {name: [p.text for p in each.posts] for name, each in office.platforms.items()}


def test_a_day_from_the_first_word_to_the_last(office: Office) -> None:
    announcement(office.folder)
    for name in (*CASES, "site"):
        office.run("channels", "check", name)
    office.run("add", "--file", "campak.md", "--yes")
    office.run("approve", "1", "--yes")
    office.run("daemon", "--once")
    deliveries = office.deliveries()
    assert {n: d["status"] for n, d in deliveries.items()} == dict.fromkeys(
        ("site", *CASES), "published"
    )
    see_everywhere(office, deliveries)
    edited = edit(office)
    assert {"matrix", "website", "intranet"} <= edited
    for name in edited:
        assert [("RALAT" in text) for text in public(office)[name]] == [True], name
    deleted = delete(office)
    assert {"matrix", "website", "bluesky", "intranet"} <= deleted
    left = public(office)
    assert not any(left[name] for name in deleted)
    assert requests.get(deliveries["website"]["permalinks"][0], timeout=30).status_code == 404
    office.run("log", "list")
    office.run("daemon", "--once")  # and nothing of it comes back
    assert public(office) == left


def test_what_was_wrong_is_corrected_and_then_withdrawn_in_the_open(office: Office) -> None:
    announcement(office.folder)
    office.run("add", "--file", "campak.md", "--yes")
    office.run("approve", "1", "--yes")
    office.run("daemon", "--once")
    [page] = office.deliveries()["site"]["permalinks"]
    right = BODY.replace("08.00", "09.00")
    office.run("correct", "1", right, "--reason", "Jamnya keliru.", "--yes")
    amended(office, 2)
    found = public(office)
    for name in ("matrix", "website", "intranet", "bluesky"):
        assert any("09.00" in text for text in found[name]), name
    assert "Jamnya keliru." in requests.get(page, timeout=30).text
    newer = json.loads(office.run("show", "2", "--json"))["page"]
    office.run("retract", "2", "--reason", "Kegiatan dibatalkan.", "--yes")
    amended(office, 3)
    for address, words in ((page, "08.00"), (newer, "09.00")):  # nothing vanishes there
        opened = requests.get(address, timeout=30)
        assert opened.status_code == 200
        assert words in opened.text
    assert "Kegiatan dibatalkan." in requests.get(newer, timeout=30).text
    left = public(office)
    for name in ("matrix", "website", "intranet"):
        assert not any("09.00" in text for text in left[name]), name
    for name in ("bluesky", "press"):  # what stays there is followed by the withdrawal
        assert any("Kegiatan dibatalkan." in text for text in left[name]), (name, left[name])


def amended(office: Office, number: int) -> None:
    """Approve what an amendment does, and let it be done."""
    office.run("approve", str(number), "--yes")
    office.run("daemon", "--once")
    deliveries = json.loads(office.run("show", str(number), "--json"))["deliveries"]
    assert {d["status"] for d in deliveries} == {"published"}, deliveries


def see_everywhere(office: Office, deliveries: dict[str, dict[str, Any]]) -> None:
    """What a reader finds at each place: the words, both images, the way to the office's page."""
    [page] = deliveries["site"]["permalinks"]
    opened = requests.get(page, timeout=30)
    assert opened.status_code == 200
    assert TITLE in opened.text
    assert all(ALT.format(n=n) in opened.text for n in (1, 2))
    for name, platform in office.platforms.items():
        [post] = platform.posts
        assert page in post.text + post.link, name
        assert len(post.images) == (1 if name == "matrix" else 2), name
        assert "campak" in post.text, name
    for name in ("website", "bluesky", "press", "intranet"):
        [post] = office.platforms[name].posts
        assert [alt for alt, _ in post.images] == [ALT.format(n=n) for n in (1, 2)], name
    [article] = deliveries["website"]["permalinks"]
    assert TITLE in requests.get(article, timeout=30).text
    [permalink] = deliveries["bluesky"]["permalinks"]
    key = office.platforms["bluesky"].posts[0].remote_id.rpartition("/")[2]
    assert permalink.endswith(f"/post/{key}")
    [permalink] = deliveries["matrix"]["permalinks"]
    assert permalink.startswith("https://matrix.to/#/")


def edit(office: Office) -> set[str]:
    """Correct a word wherever a post can be edited; the channels where it was."""
    done = set()
    for name, adapter, post, receipt in office.published():
        if not adapter.capabilities.edit:
            continue
        text = json.dumps(to_json(post)).replace("gratis di", "gratis (RALAT) di")
        corrected = from_json(json.loads(text), config.load(office.folder / "crosspost.toml").media)
        outgoing = Outgoing(corrected, adapter.new_handle(f"edit-{name}", adapter.context.now()))
        outgoing = Outgoing(corrected, outgoing.handle, adapter.prepare(outgoing))
        assert adapter.edit(receipt, outgoing).remote_id == receipt.remote_id
        done.add(name)
    return done


def delete(office: Office) -> set[str]:
    """Take everything back that can be, twice, as after a broken connection; the channels."""
    done = set()
    for name, adapter, _, receipt in office.published():
        if adapter.capabilities.delete:
            adapter.delete(receipt)
            adapter.delete(receipt)
            done.add(name)
    return done

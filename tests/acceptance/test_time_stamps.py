"""The record is stamped by an authority outside, and anybody checks that offline."""

from __future__ import annotations

import shutil

import pytest
from authority import Authority, serving

GOOD = ("add", "The road is closed.", "--title", "Road", "--source", "Letter 1", "--at", "now")


@pytest.fixture
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "one")


def configure(desk, url: str) -> None:
    with (desk.folder / "crosspost.toml").open("a") as file:
        file.write(f'\n[ledger]\ntimestamp_url = "{url}"\ntimestamp_root = "tsa-root.pem"\n')


def test_the_daemon_has_the_record_stamped_and_the_site_shows_it(desk, authority, tmp_path):
    desk.run("log", "init")
    shutil.copy(authority.root, desk.folder / "tsa-root.pem")
    with serving(lambda query: (200, authority.answer(query))) as url:
        configure(desk, url)
        desk.run(*GOOD)
        desk.run("approve", "1")
        desk.run("daemon", "--once")
    desk.run("log", "seal")
    key = (desk.folder / "ledger.vkey").read_text().strip()
    site = ("verify", str(desk.folder / "public"), "--key", key, "--timestamp-root")
    assert "CN=Contoh TSA stamped its first" in desk.run(*site, str(authority.root))
    shown = sorted((desk.folder / "public" / "ledger" / "stamps").iterdir())
    assert [path.suffix for path in shown] == [".checkpoint", ".tsr"]
    citizen = tmp_path / "citizen"
    citizen.mkdir()
    for path in (*shown, authority.root):
        shutil.copy(path, citizen)
    other = Authority(tmp_path / "other").root
    desk.folder = citizen
    check = ("verify", shown[0].name, "--key", key, "--timestamp-root")
    assert "CN=Contoh TSA stamped its first" in desk.run(*check, "root.pem")
    found = desk.json(*check, "root.pem")["stamped"]
    assert (found["size"], found["authority"]) == (int(shown[0].stem), "CN=Contoh TSA")
    assert "does not lead to the root" in desk.run(*check, str(other), code=1)
    desk.run(*check, "none.pem", code=2)
    token = citizen / shown[1].name
    whole = token.read_bytes()
    token.write_bytes(whole[:200])
    assert "no time stamp" in desk.run(*check, "root.pem", code=2)
    token.write_bytes(whole)
    note = (citizen / shown[0].name).read_bytes()
    (citizen / shown[0].name).write_bytes(note + "— x.example AAAAAAA=\n".encode())
    desk.run(*check, "root.pem", code=1)  # the signature holds, but this is not what was stamped
    token.unlink()
    assert "cannot be read" in desk.run(*check, "root.pem", code=2)
    public = shown[0].parent.parent.parent
    page = next((public / "p").iterdir())
    assert "stamped its first" in desk.run("verify", str(page), *site[2:], str(authority.root))
    assert "does not lead" in desk.run(*site, str(other), code=1)
    shown[1].write_bytes(whole[:200])
    desk.run(*site, str(authority.root), code=1)  # it is not the file that was listed
    desk.run("verify", str(page), *site[2:], str(authority.root), code=1)
    shown[1].write_bytes(whole)
    (proof,) = page.glob("*.tlog-proof")
    assert "N.checkpoint" in desk.run("verify", str(proof), *site[2:], str(authority.root), code=2)


def test_a_site_without_a_stamp_says_so(desk, authority):
    desk.run("log", "init")
    desk.run("log", "seal")
    key = (desk.folder / "ledger.vkey").read_text().strip()
    root = ("--key", key, "--timestamp-root", str(authority.root))
    assert "no time stamp of its record" in desk.run("verify", "public", *root, code=2)


def test_an_authority_that_is_down_hinders_nothing_and_is_named(desk, authority):
    desk.run("log", "init")
    shutil.copy(authority.root, desk.folder / "tsa-root.pem")
    configure(desk, "http://127.0.0.1:9/tsr")
    desk.run(*GOOD)
    desk.run("approve", "1")
    desk.run("daemon", "--once")
    assert desk.statuses(1) == {"site": "published"}
    assert "gave no stamp" in desk.run("log", "timestamp", code=2)
    assert "VERIFIED" in desk.run("log", "verify")


def test_settings_go_together(desk):
    desk.run("log", "init")
    assert "No time stamp authority" in desk.run("log", "timestamp", code=2)
    with (desk.folder / "crosspost.toml").open("a") as file:
        file.write('\n[ledger]\ntimestamp_url = "https://tsa.example"\n')
    assert "belong together" in desk.run("log", "timestamp", code=1)

"""Connecting accounts, as an admin at a terminal would, with the platform at the other end."""

from __future__ import annotations

import re
import socket
import urllib.request
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from case_mastodon import TOKEN, FakeMastodon
from cases import CASES


@pytest.fixture
def mastodon():
    with FakeMastodon() as server:
        server.tokens = {TOKEN}
        server.codes = {"code-1"}
        yield server


@pytest.fixture
def office(desk, mastodon):
    with (desk.folder / "crosspost.toml").open("a") as file:
        file.write(f'\n[channels.social]\nplatform = "mastodon"\nbase_url = "{mastodon.url}"\n')
    return desk


def test_a_pasted_code_connects_the_account(office, mastodon):
    before = office.run("channels", "check", "social", code=1)
    assert "crosspost channels login social" in before
    assert ".env" not in before  # one next step, not two
    said = office.run("channels", "login", "social", "--paste", "--yes", text="code-1\n")
    assert "/oauth/authorize?" in said
    assert "@kejari" in said
    assert "ends: when it is revoked" in said
    assert TOKEN not in said
    assert "@kejari" in office.run("channels", "check", "social")
    assert TOKEN.encode() not in b"".join(p.read_bytes() for p in office.folder.rglob("*.db*"))
    [entry] = [e["entry"] for e in office.json("log", "list") if "connected" in str(e)]
    assert (entry["kind"], entry["channel"]) == ("connected", "social")


def test_a_login_that_was_taken_back_is_cured_by_another_one(office, mastodon):
    office.run("channels", "login", "social", "--paste", "--yes", text="code-1\n")
    office.run("add", "Office hours change.", "--source", "Letter 1", "--to", "social")
    office.run("approve", "1")
    mastodon.tokens = set()
    office.run("daemon", "--once")
    told = office.run("why", "1")
    assert "the access was refused" in told
    assert "crosspost channels login social" in told
    assert ".env" not in told
    assert "crosspost channels login social" in office.json("why", "1")[0]["next"]


def test_the_browser_brings_the_code_back(office, mastodon):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (office.folder / "crosspost.toml").open("a") as file:
        file.write(f'redirect_url = "http://127.0.0.1:{port}"\n')
    process = office.start("channels", "login", "social", "--yes", env={"PYTHONUNBUFFERED": "1"})
    lines = iter(process.stdout.readline, "")
    where = next(line for line in lines if "/oauth/authorize?" in line).strip()
    query = parse_qs(urlsplit(where).query)
    assert query["redirect_uri"] == [f"http://127.0.0.1:{port}/"]

    def browser(**answer):
        address = f"http://127.0.0.1:{port}/?{urlencode(answer)}"
        return urllib.request.urlopen(address, timeout=20).read()

    next(line for line in lines if "Waiting" in line)
    assert b"close this window" in browser(code="code-1", state=query["state"][0])
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, out + err
    assert "@kejari" in out
    assert "Connected" in out


@pytest.mark.parametrize(
    ("pasted", "code", "sentence"),
    [
        ("http://127.0.0.1/?code=code-1&state=somebody-elses", 2, "another login"),
        ("http://127.0.0.1/?error=access_denied&error_description=You+said+no", 2, "You said no"),
        ("http://127.0.0.1/?nothing=1", 2, "no code"),
        ("wrong-code", 1, "no such code"),
    ],
)
def test_a_wrong_answer_connects_nothing(office, pasted, code, sentence):
    answer = f"{pasted}\n"
    said = office.run("channels", "login", "social", "--paste", "--yes", text=answer, code=code)
    assert sentence in said
    assert "login social" in office.run("channels", "check", "social", code=1)


def test_without_a_yes_nothing_is_kept(office):
    said = office.run("channels", "login", "social", "--paste", text="code-1\n", code=2)
    assert "@kejari" in said
    assert "login social" in office.run("channels", "check", "social", code=1)


def test_an_unknown_channel_is_named(office):
    assert "social" in office.run("channels", "login", "sozial", code=1)


def test_the_key_is_made_where_there_is_none(office):
    env = office.folder / ".env"
    env.write_text(re.sub(r"CROSSPOST_SECRET_KEY=.*", "", env.read_text()))
    office.run("channels", "login", "social", "--paste", "--yes", text="code-1\n")
    assert "CROSSPOST_SECRET_KEY='" in env.read_text()
    assert env.stat().st_mode & 0o777 == 0o600
    assert "@kejari" in office.run("channels", "check", "social")


# --- secrets to copy ----------------------------------------------------------------------------


@pytest.fixture
def telegram():
    with CASES["telegram"]().start() as platform:
        yield platform


@pytest.fixture
def bot(desk, telegram):
    options = CASES["telegram"]().options(telegram)
    with (desk.folder / "crosspost.toml").open("a") as file:
        file.write(
            f'\n[channels.bot]\nplatform = "telegram"\nbase_url = "{telegram.url}"\n'
            f'chat_id = "{options["chat_id"]}"\nbot_token = "env:BOT_TOKEN"\n'
        )
    desk.token = options["bot_token"].get_secret_value()
    return desk


def test_a_secret_is_tried_before_it_is_kept(bot):
    env = bot.folder / ".env"
    before = env.read_text()
    said = bot.run("channels", "login", "bot", "--yes", text="123456:wrong\n", code=1)
    assert "123456:wrong" not in said
    assert env.read_text() == before
    assert "works" in bot.run("channels", "login", "bot", "--yes", text=bot.token + "\n")
    assert env.stat().st_mode & 0o777 == 0o600
    assert "works" in bot.run("channels", "check", "bot")
    assert bot.token not in bot.run("log", "list", "--json")


def test_a_server_that_is_not_there_is_named(bot):
    settings = bot.folder / "crosspost.toml"
    nowhere = "http://127.0.0.1:9"
    settings.write_text(
        re.sub(r"(?m)^base_url = .*$", f'base_url = "{nowhere}"', settings.read_text())
    )
    said = bot.run("channels", "login", "bot", "--yes", text=bot.token + "\n", code=1)
    assert f"Asked at: {nowhere}" in said
    assert bot.token not in said
    env = bot.folder / ".env"
    env.write_text(env.read_text() + f"BOT_TOKEN={bot.token}\n")
    said = bot.run("channels", "check", "bot", code=1)
    assert f"Asked at: {nowhere}" in said
    assert bot.token not in said


def test_other_lines_of_the_file_of_secrets_stay_as_they_are(bot):
    env = bot.folder / ".env"
    env.write_text(env.read_text() + "# a comment\nOTHER='it''s $5 # not a comment'\n")
    before = env.read_text()
    bot.run("channels", "login", "bot", "--yes", text=bot.token + "\n")
    assert env.read_text().startswith(before)


def test_a_secret_that_the_environment_hides_is_refused(bot):
    said = bot.run("channels", "login", "bot", text="x\n", env={"BOT_TOKEN": "elsewhere"}, code=2)
    assert "environment" in said
    assert "elsewhere" not in said


def test_nothing_typed_changes_nothing(bot):
    assert "Nothing" in bot.run("channels", "login", "bot", text="\n", code=2)


def test_a_channel_without_an_account_needs_no_login(desk):
    assert "needs no login" in desk.run("channels", "login", "site", code=1)

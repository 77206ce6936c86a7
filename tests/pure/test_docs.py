"""The manual against the code: every command, key, platform and kind of entry stands in it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import matrix
import pytest
import typer.main

from crosspost import config, stories
from crosspost.adapters import BUILT_IN, adapter_class, problems_of
from crosspost.cli import app
from crosspost.errors import platform_errors
from crosspost.lifecycle import Status, Verb
from crosspost.rendering import templates
from crosspost.style import Style

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
WRITING = (ROOT / "docs" / "writing.md").read_text()
EXAMPLE = (ROOT / "config.example.toml").read_text()
#: Kinds of entries that are no moves.
OTHER_KINDS = {
    *("added", "edited", "queued", "rescheduled", "held", "resumed", "connected"),
    *("backed_up", "restore_confirmed", "alarms_read", "key_rotated", "key_replaced"),
    *("submitted", "rejected", "approval_given", "emergency", "emergency_reviewed"),
    *("corrected", "retracted", "redacted"),
    "rezoned",
    *("fake_added", "fake_removed"),
    "fork_witnessed",
}


def commands(group=None, before=""):
    """Every command of the program, as it is typed."""
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


COMMANDS = dict(commands())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_stands_in_the_readme(command):
    table = README.split("## All commands")[1].split("\n## ")[0]
    assert f"`{command}`" in table


def test_the_readme_names_no_command_that_does_not_exist():
    table = README.split("## All commands")[1].split("\n## ")[0]
    named = set(re.findall(r"`([a-z]+(?: [a-z]+)?)`", table))
    assert named <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_explains_itself(command):
    assert COMMANDS[command].help
    for parameter in COMMANDS[command].params:
        assert getattr(parameter, "help", None) or parameter.name == "help", parameter.name


@pytest.mark.parametrize("page", [*sorted(ROOT.glob("docs/**/*.md")), ROOT / "README.md"])
def test_commands_in_the_manual_exist(page):
    known = {name.split()[0] for name in COMMANDS}
    typed = "\n".join(re.findall(r"^ *```.*?^ *```", page.read_text(), re.MULTILINE | re.DOTALL))
    for line in re.findall(r"^(?:\s*)crosspost (.+)$", typed, re.MULTILINE):
        words = [w for w in line.split("#")[0].split() if not w.startswith("-")]
        if words and re.fullmatch(r"[a-z]+", words[0]):
            assert words[0] in known, line


@pytest.mark.parametrize("page", [*sorted(ROOT.glob("docs/**/*.md")), ROOT / "README.md"])
def test_links_in_the_manual_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


def sections():
    for heading, section in (
        ("office", config.Office),
        ("policy", config.Policy),
        ("publishing", config.Publishing),
        ("storage", config.Storage),
        ("alarms", config.Alarms),
        ("site", config.SiteSettings),
        ("ledger", config.LedgerSettings),
    ):
        yield heading, set(section.model_fields)


@pytest.mark.parametrize(
    ("heading", "section"),
    [("witnesses", config.WitnessSettings), ("neighbours", config.Neighbour)],
)
def test_every_key_of_others_who_remember_stands_in_the_example(heading, section):
    named = tomllib.loads(EXAMPLE)[heading].values()
    assert set().union(*named) == set(section.model_fields)


@pytest.mark.parametrize(("heading", "keys"), list(sections()))
def test_every_setting_stands_in_the_example(heading, keys):
    assert set(tomllib.loads(EXAMPLE)[heading]) == keys


def test_every_key_of_a_person_stands_in_the_example():
    people = tomllib.loads(EXAMPLE)["people"]
    assert set().union(*people.values()) == set(config.Person.model_fields)


@pytest.mark.parametrize("platform", BUILT_IN)
def test_every_platform_and_key_stands_in_the_example(platform):
    channels = tomllib.loads(EXAMPLE)["channels"].values()
    common = {"platform", *Style.model_fields}
    keys = set().union(*(c for c in channels if c["platform"] == platform)) - common
    assert keys == set(adapter_class(platform).Settings.model_fields)


@pytest.mark.parametrize("key", Style.model_fields)
def test_what_every_channel_may_say_about_its_posts_stands_in_the_example(key):
    assert re.search(rf"^(# )?{key} = ", EXAMPLE, re.MULTILINE)
    assert f"`{key}`" in WRITING or f"`{key} = " in WRITING


def test_the_usual_templates_stand_in_the_example_and_the_manual():
    written = tomllib.loads(EXAMPLE)["templates"]
    assert {kind: text.strip() for kind, text in written.items()} == {
        kind: text.strip() for kind, text in templates.DEFAULTS.items()
    }
    assert templates.DEFAULTS["normal"].strip() in WRITING
    for name in templates.VALUES:
        assert f"`{name}`" in WRITING


@pytest.mark.parametrize("platform", BUILT_IN)
def test_every_platform_has_its_page_and_is_named_in_the_readme(platform):
    page = (ROOT / "docs" / "channels" / f"{platform}.md").read_text()
    assert f"docs/channels/{platform}.md" in README
    for key in adapter_class(platform).Settings.model_fields:
        assert f"`{key}`" in page, key


def test_the_table_of_what_channels_can_do_is_that_of_the_code():
    text = matrix.PAGE.read_text("utf-8")
    assert matrix.page(text) == text, "run python tests/pure/matrix.py"


def test_the_example_loads(tmp_path, monkeypatch):
    (tmp_path / "crosspost.toml").write_text(EXAMPLE)
    names = re.findall(r'"env:(\w+)"', EXAMPLE.split("[office]")[1])
    secrets = {"WEBHOOK_SECRET": "whsec_" + "MDAw" * 10, "TELEGRAM_BOT_TOKEN": "123456:" + "A" * 35}
    secrets |= {
        "ALARM_SECRET": "whsec_" + "MDAx" * 10,
        "HEARTBEAT_URL": "https://monitor.example/1",
    }
    lines = [f"{name}={secrets.get(name, 'made-up-secret')}\n" for name in names]
    (tmp_path / ".env").write_text("".join(lines))
    loaded = config.load(tmp_path / "crosspost.toml", check_channel=problems_of)
    assert set(loaded.channels) == set(tomllib.loads(EXAMPLE)["channels"])


KINDS = sorted({verb.value for verb in Verb} | OTHER_KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_entry_is_explained(kind):
    assert f"`{kind}`" in (ROOT / "docs" / "record.md").read_text()
    words = stories.sentence({"kind": kind})
    assert words
    assert words != kind


@pytest.mark.parametrize("error", list(platform_errors()), ids=lambda error: error.kind)
def test_every_outcome_has_words(error):
    assert stories.outcome_word(error.kind) != error.kind


@pytest.mark.parametrize("status", Status)
def test_every_status_has_words_and_advice_and_is_documented(status):
    delivery = {"status": status.value, "channel": "site"}
    assert stories.advice(delivery, number=1, daemon_runs=True)
    assert f"`{status.value}`" in (ROOT / "docs" / "json.md").read_text()

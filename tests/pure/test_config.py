"""`crosspost.toml` and `.env`: all that is wrong with them is said at once, without secrets."""

from __future__ import annotations

from datetime import timedelta

import pytest

from crosspost import config as configuration
from crosspost.adapters import open_adapter, problems_of
from crosspost.config import Unseen, load
from crosspost.config.problems import cross_problems
from crosspost.errors import ConfigError
from crosspost.wording import language, set_language

SECRET = "tok-3f9a61c7d2"
GOOD = """
[office]
name = "Office of the Regency"
language = "en"

[channels.social]
platform = "mastodon"
base_url = "https://social.example"
access_token = "env:SOCIAL_TOKEN"
"""


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    """No settings of this machine's own, and the language that was spoken before."""
    for name in ("CROSSPOST_CONFIG", "CROSSPOST_LANGUAGE", "CROSSPOST_SECRET_KEY", "SOCIAL_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    before = language()
    set_language("en")
    yield
    set_language(before)


@pytest.fixture
def office(tmp_path):
    """Write an office's files; returns its crosspost.toml."""

    def write(text: str = GOOD, env: str = f"SOCIAL_TOKEN={SECRET}\n"):
        (tmp_path / ".env").write_text(env)
        path = tmp_path / "crosspost.toml"
        path.write_text(text)
        return path

    return write


def refused(path, **options) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load(path, check_channel=problems_of, **options)
    assert SECRET not in str(caught.value)
    return caught.value


# --- how posts look ---


def test_what_a_channel_says_about_its_posts_is_no_option_of_its_adapter(office):
    text = GOOD + 'threads = true\nsignature = "Press"\n[channels.social.templates]\n'
    text += 'urgent = "{{ body }}\\n{{ link }} {{ source }}"\n'
    path = office(text.replace('language = "en"', 'language = "en"\nsignature = "Office"'))
    loaded = load(path, check_channel=problems_of)
    assert set(loaded.channels["social"].options) == {"base_url", "access_token"}
    style = loaded.style("social")
    assert (style.threads, style.signature) == (True, "Press")
    assert set(style.templates) == {"urgent"}


def test_every_template_is_tried_and_every_fault_said(office):
    text = GOOD + "threads = 3\n[channels.social.templates]\nnormal = '{{ body }}'\n"
    said = str(refused(office(text + "[templates]\nhoax = '{{ body'\n")))
    assert "channels.social.threads" in said
    assert "templates: there is no class hoax; there are normal, urgent." in said
    assert "templates.hoax: the template does not work" in said
    assert "channels.social.templates.normal" not in said, (
        "a channel that is not sound is not tried"
    )
    said = str(refused(office(text.replace("threads = 3\n", ""))))
    assert "channels.social.templates.normal: the template leaves out link" in said


# --- what is refused ------------------------------------------------------------------------------


def test_all_problems_of_all_sections_come_in_one_report(office):
    error = refused(
        office(
            """
            [office]
            name = ""
            zone = "Asia/Atlantis"
            langauge = "en"
            [policy]
            late_after_minutes = 0
            [channels.Sosial]
            platform = "mastodon"
            access_token = "env:NOT_SET"
            [channels.letters]
            address = "somewhere"
            """
        )
    )
    report = "\n".join(error.problems)
    for where in (
        "office.name",
        'office.zone: "Asia/Atlantis" is no time zone',
        "office.langauge: there is no such key",
        "policy.late_after_minutes",
        "[channels.Sosial]: a channel's name is made of a-z",
        "channels.Sosial.access_token: NOT_SET is not set",
        "channels.Sosial.base_url: this key is needed",
        '[channels.letters] needs a line like platform = "mastodon"',
    ):
        assert where in report
    assert "Nothing was changed" in error.hint


def test_a_secret_written_into_the_file_is_refused_and_not_repeated(office):
    error = refused(office(GOOD.replace("env:SOCIAL_TOKEN", SECRET)))
    [problem] = error.problems
    assert problem.startswith("channels.social.access_token: no secret may stand in this file")


def test_the_key_of_the_office_is_not_read_from_the_file(office):
    [problem] = refused(office(f'secret_key = "{SECRET}"\n{GOOD}')).problems
    assert problem == "secret_key: there is no such key."


def test_a_path_cannot_be_smuggled_in_as_a_key(office):
    [problem] = refused(office(f'path = "/elsewhere"\n{GOOD}')).problems
    assert problem == "path: there is no such key."


def test_a_database_password_in_the_file_is_refused(office):
    text = f'{GOOD}\n[storage]\ndatabase = "postgresql://office:{SECRET}@db.example/queue"\n'
    [problem] = refused(office(text)).problems
    assert problem.startswith("storage.database: no secret may stand in this file")


def test_a_typing_error_in_the_name_of_a_secret_key_shows_no_value(office):
    text = GOOD.replace('access_token = "env:SOCIAL_TOKEN"', f'acces_token = "{SECRET}"')
    report = str(refused(office(text)))
    assert "channels.social.acces_token: there is no such key" in report


def test_bad_toml_is_named_with_line_and_column(office):
    error = refused(office('[office]\nname = "Office\n'))
    assert "not well-formed TOML" in error.problems[0]
    assert "line 2, column 15" in error.problems[0]
    assert "quotation marks" in error.hint


@pytest.mark.parametrize("name", ["crosspost.toml", ".env"])
def test_a_file_in_another_encoding_is_refused_in_words(office, name):
    path = office()
    (path.parent / name).write_bytes("# Kantor é\n".encode("utf-16"))
    error = refused(path)
    assert f"{name} is not a UTF-8 text file" in error.problems[0]
    assert "UTF-8" in error.hint


def test_a_missing_file_tells_how_to_get_one(tmp_path):
    error = refused(tmp_path / "crosspost.toml")
    assert "There is no" in error.problems[0]
    assert "crosspost init" in error.hint


def test_an_unset_secret_is_named_with_the_line_to_write(office):
    [problem] = refused(office(env="")).problems
    assert problem == (
        "channels.social.access_token: SOCIAL_TOKEN is not set. "
        "Write a line SOCIAL_TOKEN=... into .env."
    )


def test_an_empty_secret_counts_as_not_set(office):
    assert "is not set" in str(refused(office(env="SOCIAL_TOKEN=\n")))


def test_channels_that_are_no_table_are_refused(office):
    [problem] = refused(office('channels = "social"\n[office]\nname = "Office"\n')).problems
    assert "[channels] must be a table" in problem


def test_an_unknown_platform_names_those_that_there_are(office):
    [problem] = refused(office(GOOD.replace('"mastodon"', '"myspace"'))).problems
    assert problem.startswith('channels.social.platform: there is no platform "myspace"')
    assert "mastodon" in problem


def test_a_site_channel_needs_its_section_and_may_stand_once():
    made = {
        name: configuration.Channel(name=name, platform="site", options={})
        for name in ("site", "pages")
    }
    office = configuration.Office(name="Office")
    config = configuration.Config(path="/office/crosspost.toml", office=office, channels=made)
    once, section = cross_problems(config)
    assert once == "There can be one site channel, and here are site, pages."
    assert "[site] with url is needed" in section


@pytest.mark.parametrize("url", ["office.example", "ftp://office.example", "https://", ""])
def test_a_site_address_is_a_whole_web_address(office, url):
    [problem] = refused(office(f'{GOOD}\n[site]\nurl = "{url}"\n')).problems
    assert problem == "site.url: write a web address that begins with https://."


# --- what is read ---------------------------------------------------------------------------------


def test_a_secret_from_the_env_file_shows_nowhere(office):
    config = load(office(), check_channel=problems_of)
    token = config.channels["social"].options["access_token"]
    assert token.get_secret_value() == SECRET
    assert SECRET not in repr(config)
    assert SECRET not in str(config.model_dump())
    assert SECRET not in config.model_dump_json()


def test_the_real_environment_wins_over_the_env_file(office, monkeypatch):
    monkeypatch.setenv("SOCIAL_TOKEN", "newer")
    token = load(office()).channels["social"].options["access_token"]
    assert token.get_secret_value() == "newer"


def test_secrets_do_not_get_into_the_environment_of_child_processes(office, monkeypatch):
    import os

    load(office())
    assert "SOCIAL_TOKEN" not in os.environ


def test_a_command_that_publishes_nothing_needs_no_secret(office):
    path = office()
    (path.parent / ".env").unlink()
    config = load(path, check_channel=problems_of, secrets=False)
    assert config.channels["social"].options["access_token"] == "env:SOCIAL_TOKEN"


def test_the_office_key_comes_from_the_env_file(office):
    config = load(office(env=f"SOCIAL_TOKEN=x\nCROSSPOST_SECRET_KEY={SECRET}\n"))
    assert config.secret_key is not None
    assert config.secret_key.get_secret_value() == SECRET


def test_a_database_address_comes_from_the_env_file(office):
    url = f"postgresql://office:{SECRET}@db.example/queue"
    text = f'{GOOD}\n[storage]\ndatabase = "env:QUEUE"\n'
    config = load(office(text, env=f"SOCIAL_TOKEN=x\nQUEUE={url}\n"))
    assert config.database_url == url


def test_relative_paths_start_from_the_folder_of_the_file(office):
    path = office(f'{GOOD}\n[site]\nurl = "https://office.example/"\n')
    config = load(path)
    assert config.database_url == f"sqlite:///{path.parent / 'crosspost.db'}"
    assert config.media == path.parent / "media"
    assert config.site_folder == path.parent / "public"
    assert config.page("bcdfghj") == "https://office.example/p/bcdfghj/"


def test_the_office_speaks_its_language_from_then_on(office):
    load(office(GOOD.replace('"en"', '"id"')))
    assert language() == "id"


def test_the_file_may_be_named_by_the_environment(office, monkeypatch):
    path = office()
    monkeypatch.setenv("CROSSPOST_CONFIG", str(path))
    assert load().path == path


def test_urgent_announcements_have_more_time(office):
    policy = load(office()).policy
    assert policy.grace("normal") == timedelta(hours=2)
    assert policy.grace("urgent") == timedelta(hours=24)


def test_settings_cannot_be_changed_once_read(office):
    config = load(office())
    with pytest.raises(ValueError, match="frozen"):
        config.office.name = "Another"


# --- secrets that only the daemon may read ---


@pytest.fixture
def unreadable(monkeypatch):
    def refuse(_path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("dotenv.dotenv_values", refuse)


def test_who_writes_and_approves_needs_no_secret(office, unreadable):
    path = office(GOOD)
    with pytest.raises(ConfigError, match="cannot be read"):
        load(path, check_channel=problems_of)
    config = load(path, check_channel=problems_of, unseen=True)
    assert isinstance(config.channels["social"].options["access_token"], Unseen)
    adapter = open_adapter(config, "social")
    assert adapter.measure("Halo") == 4
    assert adapter.settings.visibility == "public"


def test_what_else_is_wrong_with_a_channel_is_found_without_its_secrets(office, unreadable):
    text = GOOD.replace('platform = "mastodon"', 'platform = "mastodon"\nvisibility = "all"')
    report = str(refused_unseen(office(text)))
    assert "channels.social.visibility" in report
    assert "access_token" not in report


def refused_unseen(path):
    with pytest.raises(ConfigError) as caught:
        load(path, check_channel=problems_of, unseen=True)
    return caught.value


# --- a folder that another account has closed ---


def test_an_office_that_one_may_not_enter_is_told_so(office, monkeypatch):
    path = office()

    def refuse(_path, **_how):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.is_file", refuse)
    monkeypatch.setattr("os.access", lambda folder, _how: folder != path.parent)
    report = refused(path)
    assert report.problems == (f"{path} cannot be read: you may not enter {path.parent}.",)
    assert "account that may" in report.hint


def test_a_configuration_that_one_may_not_open_is_told_so(office, monkeypatch):
    path = office()

    def refuse(_path, **_how):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_text", refuse)
    report = refused(path)
    assert report.problems == (f"{path} cannot be read: you may not open it.",)
    assert report.hint

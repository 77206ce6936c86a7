"""Commands as an admin types them: what they do, and what they say when they cannot."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from crosspost.sqlite import driver
from crosspost.times import understand

GOOD = ("add", "The road is closed on Sunday.", "--title", "Road closed", "--source", "Letter 1")


def test_init_makes_settings_secrets_and_database(desk):
    assert stat.S_IMODE((desk.folder / ".env").stat().st_mode) == 0o600
    assert (desk.folder / "crosspost.db").exists()
    assert 'name = "Office"' in (desk.folder / "crosspost.toml").read_text()


def test_init_leaves_an_existing_office_alone(desk):
    before = (desk.folder / "crosspost.toml").read_text()
    assert "there already" in desk.run("init", ".", "--name", "Other", code=1)
    assert (desk.folder / "crosspost.toml").read_text() == before


def test_init_without_a_name_says_what_is_missing(empty_desk):
    assert "missing" in empty_desk.run("init", ".", code=2)
    assert not list(empty_desk.folder.iterdir())


def test_init_writes_lines_for_the_secrets_of_each_channel(empty_desk):
    said = empty_desk.run(
        "init", ".", "--name", "A", "--channel", "mastodon,telegram", "--channel", "bluesky"
    )
    assert "crosspost channels login mastodon" in said
    assert "TELEGRAM_BOT_TOKEN" in said
    assert "TELEGRAM_BOT_TOKEN=" in (empty_desk.folder / ".env").read_text()
    assert "env:BLUESKY_APP_PASSWORD" in (empty_desk.folder / "crosspost.toml").read_text()


def test_init_with_an_unknown_platform_makes_nothing(empty_desk):
    assert "myspace" in empty_desk.run("init", ".", "--name", "A", "--channel", "myspace", code=2)
    assert not list(empty_desk.folder.iterdir())


def test_the_way_of_an_announcement(desk):
    said = desk.run(*GOOD, "--at", "2 jam lagi")
    assert "announcement 1" in said
    assert "UTC+07:00" in said
    assert desk.statuses(1) == {"site": "held"}
    assert "Approved" in desk.run("approve", "1")
    assert desk.statuses(1) == {"site": "scheduled"}
    desk.run("reschedule", "1", "--at", "now")
    desk.run("daemon", "--once")
    shown = desk.json("show", "1")
    [delivery] = shown["deliveries"]
    assert delivery["status"] == "published"
    assert delivery["permalinks"] == [shown["page"]]
    assert (desk.folder / "public" / "p" / shown["code"] / "index.html").exists()
    kinds = [record["entry"]["kind"] for record in desk.json("log", "list")]
    assert kinds == [
        *("added", "queued", "approval_given", "approved"),
        *("returned", "rescheduled", "approval_given", "approved"),
        *("claimed", "publishing", "published"),
    ]
    assert "published it" in desk.run("why", "1")


def test_an_announcement_from_a_markdown_file(desk):
    from PIL import Image

    Image.new("RGB", (80, 40), "red").save(desk.folder / "poster.png")
    (desk.folder / "a.md").write_text(
        "---\ntitle: Vaccination\nsource: Circular 7\nlang: en\nat: in 2 fortnights\n---\nText",
        encoding="utf-8-sig",
    )
    assert "fortnights" in desk.run("add", "--file", "a.md", code=1)
    (desk.folder / "a.md").write_text(
        "---\ntitle: Vaccination\nsource: Circular 7\nlang: en\nat: in 2 hours\nto: [site]\n"
        "urgent: true\nlink: https://health.example/\n"
        "images:\n  - file: poster.png\n    alt: A red poster\n---\n\nCome **all**.\n"
    )
    desk.run("add", "--file", "a.md", "--title", "Vaccination of children")
    shown = desk.json("show", "1")
    assert shown["title"] == "Vaccination of children"
    assert shown["body"] == "Come **all**."
    assert shown["urgency"] == "urgent"
    assert shown["link"] == "https://health.example/"
    assert [image["alt"] for image in shown["images"]] == ["A red poster"]


def test_an_announcement_from_standard_input(desk):
    desk.run("add", "--title", "T", text="Piped text.\n")
    assert desk.json("show", "1")["body"] == "Piped text."


def test_an_edit_needs_a_new_approval(desk):
    desk.run(*GOOD, "--at", "2 jam lagi")
    desk.run("approve", "1")
    desk.run("edit", "1", "--title", "Road closed all day")
    shown = desk.json("show", "1")
    assert (shown["revision"], shown["approvals"]) == (2, [])
    assert shown["title"] == "Road closed all day"
    assert shown["body"] == "The road is closed on Sunday."
    assert desk.statuses(1) == {"site": "held"}


def test_an_edit_after_its_time_is_for_now_and_needs_no_new_time(desk):
    desk.run(*GOOD)
    hour_ago = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S.%f")
    with closing(driver().connect(desk.folder / "crosspost.db")) as queue, queue:
        queue.execute("UPDATE delivery SET due_at = ?", (hour_ago,))
    desk.run("edit", "1", "The road is closed on Monday.")
    [delivery] = desk.json("show", "1")["deliveries"]
    late = datetime.now(UTC) - datetime.fromisoformat(delivery["due"])
    assert timedelta() <= late < timedelta(minutes=2)


def test_an_edit_keeps_a_time_that_lies_ahead(desk):
    desk.run(*GOOD, "--at", "2 jam lagi")
    [before] = desk.json("show", "1")["deliveries"]
    desk.run("edit", "1", "The road is closed on Monday.")
    [after] = desk.json("show", "1")["deliveries"]
    assert (after["due"], after["wall"]) == (before["due"], before["wall"])


def test_what_is_public_is_not_edited(desk):
    desk.run(*GOOD)
    desk.run("approve", "1")
    desk.run("daemon", "--once")
    assert "too late" in desk.run("edit", "1", "--title", "X", code=1)
    assert desk.json("show", "1")["title"] == "Road closed"


def test_cancel_goes_on_record_with_its_reason(desk):
    desk.run(*GOOD, "--at", "2 jam lagi")
    desk.run("cancel", "1", "--reason", "the date was wrong")
    assert desk.statuses(1) == {"site": "cancelled"}
    assert '"the date was wrong"' in desk.run("why", "1")
    assert "not possible" in desk.run("cancel", "1", code=1)


def test_approve_refuses_a_revision_that_is_no_longer_current(desk):
    desk.run(*GOOD, "--at", "2 jam lagi")
    desk.run("edit", "1", "--title", "X")
    assert "revision 2" in desk.run("approve", "1", "--revision", "1", code=1)


def test_only_configured_people_approve(desk):
    path = desk.folder / "crosspost.toml"
    path.write_text(re.sub(r'os_user = ".*"', 'os_user = "somebody-else"', path.read_text()))
    desk.run(*GOOD)
    assert "Siti" in desk.run("approve", "1", code=1)


def test_status_needs_nobody_when_all_is_well(desk):
    assert "does NOT run" in desk.run("status")
    assert desk.json("status")["daemon_runs"] is False


def test_status_ends_with_3_when_something_needs_a_person(desk):
    desk.run(*GOOD)
    desk.run("approve", "1")
    with driver().connect(desk.folder / "crosspost.db") as database:
        database.execute("UPDATE delivery SET not_after='2020-01-02'")
    database.close()
    desk.run("daemon", "--once")
    assert desk.statuses(1) == {"site": "missed"}
    assert "NEEDS YOU" in desk.run("status", code=3)
    desk.run("retry", "1")
    desk.run("daemon", "--once")
    assert desk.statuses(1) == {"site": "published"}


def test_a_list_in_a_pipe_is_plain_lines(desk):
    desk.run(*GOOD)
    line = desk.run("list").strip()
    assert line.split("\t")[0] == "1"
    assert "\x1b" not in line


def test_channels_check_posts_nothing_and_names_the_account(desk):
    assert "Office" in desk.run("channels", "check")
    assert not (desk.folder / "public" / "p").exists()


BAD = [
    (["add"], "text"),
    (["add", ""], "text"),
    (["add", "   \n "], "text"),
    ([*GOOD, "--to", "twitter"], "twitter"),
    ([*GOOD, "--link", "not a link"], "not a link"),
    ([*GOOD, "--link", "javascript:alert(1)"], "javascript"),
    ([*GOOD, "--lang", "Bahasa Indonesia"], "language"),
    ([*GOOD, "--at", "yesterday"], "yesterday"),
    ([*GOOD, "--at", "2020-01-01 09:00"], "passed"),
    ([*GOOD, "--at", "besok"], "besok"),
    ([*GOOD, "--image", "missing.jpg", "--alt", "A"], "missing.jpg"),
    ([*GOOD, "--image", "no-image.jpg", "--alt", "A"], "no-image.jpg"),
    ([*GOOD, "--image", "good.png"], "good.png"),
    (["add", "--file", "missing.md"], "missing.md"),
    (["add", "--file", "latin1.md"], "UTF-8"),
    (["add", "--file", "broken.md"], "line 3"),
    (["add", "--file", "odd-key.md"], "wehn"),
    (["add", "Text \x07 with a bell"], "U+0007"),
    (["edit", "1", "--title", "X"], "no announcement 1"),
    (["approve", "7"], "no announcement 7"),
    (["why", "7"], "no announcement 7"),
    (["channels", "check", "nowhere"], "nowhere"),
]


@pytest.mark.parametrize(("arguments", "word"), BAD, ids=lambda value: str(value)[:40])
def test_bad_input_gets_a_sentence_and_queues_nothing(desk, arguments, word):
    from PIL import Image

    Image.new("RGB", (8, 8)).save(desk.folder / "good.png")
    (desk.folder / "no-image.jpg").write_text("I am a text")
    (desk.folder / "latin1.md").write_bytes("T\xe9xt".encode("latin-1"))
    (desk.folder / "broken.md").write_text("---\ntitle: A\nsource: one: two\n---\nText")
    (desk.folder / "odd-key.md").write_text("---\nwehn: now\n---\nText")
    said = desk.run(*arguments, code=1)
    assert word in said
    assert desk.json("list") == []
    assert desk.json("log", "list") == []


WRONG_USAGE = [
    ["frob"],
    ["add", "--frob"],
    ["show"],
    ["show", "one"],
    ["show", "0"],
    ["show", "99999999999999999999"],
    ["add", "Text", "--file", "a.md"],
    ["add", "Text", "--alt", "without image"],
    ["list", "--status", "gone"],
    ["resolve", "1", "--channel", "site", "--reason", "x"],
    ["daemon", "--log-format", "xml"],
]


@pytest.mark.parametrize("arguments", WRONG_USAGE, ids=" ".join)
def test_wrong_usage_ends_with_2(desk, arguments):
    assert desk.run(*arguments, code=2)


def test_malformed_settings_are_named_with_line_and_column(desk):
    (desk.folder / "crosspost.toml").write_text('[office]\nname = "A\n')
    said = desk.run("list", code=1)
    assert "line 2" in said
    assert "column" in said


def test_no_settings_says_what_to_do(empty_desk):
    assert "crosspost init" in empty_desk.run("list", code=1)


def test_a_missing_and_a_plain_secret_are_named_but_not_shown(desk):
    with (desk.folder / "crosspost.toml").open("a") as file:
        file.write(
            '[channels.one]\nplatform = "mastodon"\nbase_url = "https://a.example"\n'
            'access_token = "env:NOWHERE"\n'
            '[channels.two]\nplatform = "mastodon"\nbase_url = "https://b.example"\n'
            'access_token = "tok-3n-in-plain"\n'
        )
    said = desk.run(*GOOD, code=1)
    assert "NOWHERE" in said
    assert "channels.two.access_token" in said
    assert "tok-3n-in-plain" not in said
    assert desk.json("list") == []


def test_a_text_that_fits_nowhere_is_said_with_count_and_limit(desk):
    with (desk.folder / "crosspost.toml").open("a") as file:
        file.write(
            '[channels.social]\nplatform = "mastodon"\nbase_url = "https://a.example"\n'
            'access_token = "env:TOKEN"\n'
        )
    said = desk.run("add", "word " * 200, "--to", "social", code=1, env={"TOKEN": "t"})
    assert "social" in said
    assert "500" in said
    assert desk.json("list") == []


def test_a_database_of_another_version_is_refused(desk):
    with driver().connect(desk.folder / "crosspost.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    for command in (["list"], [*GOOD], ["daemon", "--once"]):
        assert "newer" in desk.run(*command, code=1)
    with driver().connect(desk.folder / "crosspost.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '0000'")
    database.close()
    assert "init --upgrade" in desk.run("list", code=1)


def test_a_database_that_is_none_is_refused(desk):
    (desk.folder / "crosspost.db").write_bytes(b"I am not a database at all. " * 100)
    assert "not a crosspost database" in desk.run("list", code=1)


def test_a_missing_database_is_not_made_by_accident(desk):
    (desk.folder / "crosspost.db").unlink()
    assert "crosspost init" in desk.run("list", code=1)
    assert not (desk.folder / "crosspost.db").exists()


def test_a_database_locked_by_another_program_is_said_and_nothing_is_queued(desk):
    other = driver().connect(desk.folder / "crosspost.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        assert "in use" in desk.run(*GOOD, code=1)
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert desk.json("list") == []


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_said(desk):
    desk.folder.chmod(0o500)
    try:
        assert "cannot be written" in desk.run(*GOOD, code=1)
    finally:
        desk.folder.chmod(0o700)


def test_a_reader_that_goes_away_is_no_fault(desk):
    for _ in range(3):
        desk.run(*GOOD)
    process = desk.start("log", "list", "--json")
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait(timeout=30)


def test_nothing_secret_stands_in_the_list_of_processes(empty_desk):
    assert "--token" not in empty_desk.run("init", "--help")
    assert "--password" not in empty_desk.run("init", "--help")


def test_the_demonstration_shows_the_real_path(empty_desk):
    said = empty_desk.run("demo", "show")
    assert said.count("published") >= 5
    office = empty_desk.folder / "show"
    assert len(list((office / "public" / "p").iterdir())) == 5
    assert "crosspost list" in said
    again = empty_desk.run("demo", "show", code=1)
    assert "not empty" in again


def test_the_demonstration_needs_an_empty_folder_and_leaves_others_alone(empty_desk):
    (empty_desk.folder / "show").mkdir()
    (empty_desk.folder / "show" / "mine.txt").write_text("mine")
    assert "not empty" in empty_desk.run("demo", "show", code=1)
    assert [p.name for p in (empty_desk.folder / "show").iterdir()] == ["mine.txt"]


def test_python_dash_m_and_the_script_are_the_same(desk):
    import shutil
    import sys
    from pathlib import Path

    script = shutil.which("crosspost", path=str(Path(sys.executable).parent))
    if script is None:
        pytest.fail("the entry point `crosspost` is not installed")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("crosspost ")


def test_silence_is_no_consent(desk):
    desk.run(*GOOD)
    said = desk.run("approve", "1", ask=True, code=2)
    assert "add --yes" in said
    desk.run("cancel", "1", ask=True, text="n\n", code=2)
    assert desk.statuses(1) == {"site": "held"}


def test_status_tells_a_monitor_that_something_is_due_and_no_daemon_runs(desk):
    desk.run(*GOOD)
    desk.run("approve", "1")
    said = desk.run("status", code=3)
    assert "OVERDUE" in said
    assert desk.json("status")["overdue"] is True
    desk.run("daemon", "--once")
    desk.run("status")


def test_an_init_that_is_refused_leaves_no_folder_behind(empty_desk):
    said = empty_desk.run("init", "office", "--name", "Office", "--zone", "Mars/Base", code=2)
    assert "Mars/Base" in said
    assert not (empty_desk.folder / "office").exists()


# --- four eyes ------------------------------------------------------------------------------------


def test_an_office_in_a_folder_that_cannot_be_made_is_refused_in_words(empty_desk):
    (empty_desk.folder / "letter").write_text("Dear Sir or Madam")
    said = empty_desk.run(
        *("init", "letter/office", "--name", "Dinas", "--language", "en", "--person", "Siti"),
        code=1,
    )
    assert "letter/office cannot be written: a part of its path is no folder." in said


def test_an_approver_sees_time_title_and_the_whole_text_before_being_asked(desk):
    desk.run(*GOOD, "--at", "2 jam lagi")
    said = desk.run("approve", "1")
    for seen in ("Road closed", "Letter 1", "The road is closed on Sunday.", "UTC+07:00"):
        assert seen in said
    assert said.index("The road is closed") < said.index("Approved:")


def test_nobody_approves_their_own_words_where_there_are_two(desk):
    with (desk.folder / "crosspost.toml").open("a") as file:
        file.write('\n[people.Budi]\nos_user = "budi"\ntitle = "Head"\n')
    desk.run(*GOOD, "--at", "2 jam lagi")
    said = desk.run("approve", "1", code=1)
    assert "You wrote it, so somebody else approves it" in said
    assert "May approve it: Budi." in said
    people = desk.json("people", "list")
    assert [(p["name"], p["you"]) for p in people] == [("Siti", True), ("Budi", False)]


def test_a_draft_is_handed_in_rejected_edited_and_its_history_tells(desk):
    desk.run(*GOOD, "--at", "2 jam lagi", "--draft")
    assert "still a draft" in desk.run("approve", "1", code=1)
    assert "draft" in desk.run("list")
    desk.run("submit", "1", "--yes")
    desk.run("reject", "1", "--reason", "Which road?", "--yes")
    desk.run("edit", "1", "Mango Road is closed on Sunday.")
    desk.run("approve", "1")
    told = desk.run("show", "1", "--history")
    for seen in (
        "-The road is closed on Sunday.",
        "+Mango Road is closed on Sunday.",
        'rejected it. "Which road?"',
        "handed it in for approval.",
    ):
        assert seen in told
    history = desk.json("show", "1", "--history")["history"]
    assert [r["revision"] for r in history] == [1, 2]
    assert list(history[1]["changes"]) == ["body"]


def test_an_emergency_is_published_at_once_and_asks_for_a_second_person(desk):
    desk.run(*GOOD, "--at", "2 jam lagi")
    assert "Say why" in desk.run("approve", "1", "--emergency", code=1)
    desk.run("approve", "1", "--emergency", "--reason", "The dam broke.")
    assert "countersign 1" in desk.run("status", code=3)
    desk.run("daemon", "--once")
    assert desk.statuses(1) == {"site": "published"}
    desk.run("countersign", "1", "--reason", "Rightly so.", "--yes")
    assert "EMERGENCY" not in desk.run("status")


@pytest.mark.parametrize(("language", "time"), [("en", "tomorrow 9:00"), ("id", "besok jam 9")])
def test_init_suggests_a_time_in_the_language_that_it_speaks(empty_desk, language, time):
    spoken = {"CROSSPOST_LANGUAGE": language}
    said = empty_desk.run("init", ".", "--name", "Office", "--language", language, env=spoken)
    assert f'--at "{time}"' in said
    assert understand(time, "Asia/Jakarta", datetime.now(UTC)).utc > datetime.now(UTC)

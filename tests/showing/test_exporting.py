"""The export of a real office: approved texts, posts and files, bound to the record; what was
erased stays away; whole or not there."""

from __future__ import annotations

import json
import shutil
import stat
from dataclasses import replace

import pytest
from PIL import Image
from showroom import NOW, Publisher

from crosspost import editorial, exporting
from crosspost.drafts import Draft
from crosspost.errors import Conflict, Refuted, Undecided, UserError
from crosspost.exporting import export
from crosspost.ledger import book
from crosspost.ledger.hashing import salted_digest
from crosspost.ledger.sealing import seal
from crosspost.ledger.verifying import lines_of, verify
from crosspost.queue import Doing
from crosspost.redacting import redact
from crosspost.times import moment_of

ORDER = "12/Pid/2026"


@pytest.fixture
def filled(office) -> Publisher:
    """Two announcements that are public, the first with an image, one copied elsewhere; a draft."""
    Image.new("RGB", (30, 20), "red").save(office.folder / "road.png")
    code = office.publish(images=((office.folder / "road.png", "A red road"),))
    office.copy(code, "Road closed", "https://social.example/@o/1")
    office.publish("The other road is closed too.")
    draft = Draft(
        body="Nobody has approved this.",
        title="Draft",
        source="Letter 2",
        link="",
        lang="en",
        urgency="normal",
        channels=("site",),
        due=moment_of(NOW, "Asia/Jakarta"),
        images=(),
    )
    editorial.add(office.database, office.config, draft, Doing("Siti", NOW))
    office.show()
    return office


def made(office: Publisher, name: str = "out"):
    """The folder of an export, and what it says of itself."""
    return office.folder / name, export(office.database, office.config, office.folder / name)


def lines(path):
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def entries(out):
    return lines(out / "entries.jsonl")


def judged(out, office) -> int:
    try:
        verify(out, office.keys)
    except (Refuted, Undecided) as error:
        return error.exit_code
    return 0


def signed_anew(out) -> None:
    """The manifest written anew over changed files, as a forger would."""
    import hashlib

    from crosspost.ledger.canonical import canonical

    manifest = json.loads((out / "manifest.json").read_bytes())
    manifest["files"] = {}
    for path in sorted(out.rglob("*")):
        if path.is_file() and path.name != "manifest.json":
            data = path.read_bytes()
            about = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
            manifest["files"][path.relative_to(out).as_posix()] = about
    (out / "manifest.json").write_bytes(canonical(manifest) + b"\n")


# --- what is in it --------------------------------------------------------------------------------


def test_each_approved_text_is_there_with_the_digest_that_its_entry_has(filled):
    out, found = made(filled)
    texts = lines(out / "texts.jsonl")
    assert [text["content"]["body"] for text in texts] == [
        "The road is closed on Sunday.",
        "The other road is closed too.",
    ]
    for text in texts:
        entry = entries(out)[text["index"]]
        assert entry["kind"] == "added"
        assert salted_digest(bytes.fromhex(text["salt"]), text["content"]) == entry["digest"]
    assert (found.told.texts, found.told.posts, found.told.erased) == (2, 3, 0)
    everything = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert b"Nobody has approved this." not in everything


def test_the_posts_of_each_channel_are_there_as_they_were_approved(filled):
    out, _ = made(filled)
    posts = lines(out / "posts.jsonl")
    assert [post["posts"][0]["text"] for post in posts][1] == "Road closed"
    for post in posts:
        entry = entries(out)[post["index"]]
        assert (entry["kind"], "channel" in entry) == ("queued", True)
        assert salted_digest(bytes.fromhex(post["salt"]), post["posts"]) == entry["digest"]


def test_images_are_there_under_the_digests_that_the_texts_name(filled):
    out, found = made(filled)
    [first, _] = lines(out / "texts.jsonl")
    [image] = first["content"]["images"]
    assert image["alt"] == "A red road"
    assert (out / "media" / image["sha256"]).read_bytes().startswith(b"\x89PNG")
    assert found.told.media == len(list((out / "media").iterdir())) >= 1
    assert any("texts 2;" in line for line in lines_of(verify(out, filled.keys)))


def test_it_is_for_its_owner_only_and_says_what_it_is(filled):
    out, _ = made(filled)
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert "not for the public" in (out / "README.txt").read_text()


def test_what_was_approved_in_an_edited_form_is_there_in_that_form_only(office):
    from crosspost import approvals

    draft = Draft(
        body="The first wording.",
        title="Road",
        source="Letter 1",
        link="",
        lang="en",
        urgency="normal",
        channels=("site",),
        due=moment_of(NOW, "Asia/Jakarta"),
        images=(),
    )
    added = editorial.add(office.database, office.config, draft, Doing("Siti", NOW))
    second = replace(draft, body="The second wording.")
    editorial.edit(
        office.database,
        office.config,
        added.announcement,
        second,
        Doing("Siti", NOW),
        base=1,
        keep_images=False,
    )
    approvals.approve(office.database, office.config, added.announcement, Doing("Budi", NOW))
    seal(office.database, office.folder)
    out, _ = made(office)
    [text] = lines(out / "texts.jsonl")
    assert text["content"]["body"] == "The second wording."
    assert entries(out)[text["index"]]["kind"] == "edited"


# --- erased ---------------------------------------------------------------------------------------


def erase(office: Publisher, number: int = 1) -> None:
    redact(office.database, office.config, number, ORDER, Doing("Budi", NOW, "A court said so."))


def test_what_was_erased_by_law_stays_away_and_is_said_to_be(filled):
    before = {path.name for path in (made(filled, "before")[0] / "media").iterdir()}
    erase(filled)
    seal(filled.database, filled.folder)
    out, found = made(filled)
    [gone, left] = lines(out / "texts.jsonl")
    assert gone == {"index": gone["index"], "erased": ORDER}
    assert left["content"]["body"] == "The other road is closed too."
    assert [post.get("erased") for post in lines(out / "posts.jsonl")] == [ORDER, ORDER, None]
    assert found.told.erased == 1
    assert before
    assert not (out / "media").exists()
    everything = b"".join(path.read_bytes() for path in out.rglob("*") if path.is_file())
    assert b"closed on Sunday" not in everything
    assert any("Erased by law" in line for line in lines_of(verify(out, filled.keys)))


def test_an_erasure_that_is_not_sealed_yet_is_sealed_first(filled):
    erase(filled)
    with pytest.raises(Conflict, match="not sealed yet"):
        made(filled)
    assert not (filled.folder / "out").exists()


def test_erased_by_another_order_than_the_recorded_one_is_found(filled):
    erase(filled)
    seal(filled.database, filled.folder)
    out, _ = made(filled)
    texts = lines(out / "texts.jsonl")
    texts[0]["erased"] = "13/Pid/2026"
    rewritten(out / "texts.jsonl", texts)
    signed_anew(out)
    assert judged(out, filled) == 1


def test_nothing_is_called_erased_that_the_record_does_not_call_so(filled):
    out, _ = made(filled)
    texts = lines(out / "texts.jsonl")
    texts[0] = {"index": texts[0]["index"], "erased": ORDER}
    rewritten(out / "texts.jsonl", texts)
    signed_anew(out)
    assert judged(out, filled) == 1


# --- a forger -------------------------------------------------------------------------------------


def rewritten(path, values) -> None:
    from crosspost.ledger.canonical import canonical

    path.write_bytes(b"".join(canonical(line) + b"\n" for line in values))


def change(name, at, **values):
    def act(out):
        found = lines(out / name)
        found[at] = {**found[at], **values}
        rewritten(out / name, found)

    return act


def drop(name, at):
    def act(out):
        found = lines(out / name)
        del found[at]
        rewritten(out / name, found)

    return act


def another_body(out):
    found = lines(out / "texts.jsonl")
    found[0]["content"]["body"] = "The road is open."
    rewritten(out / "texts.jsonl", found)


def another_post(out):
    found = lines(out / "posts.jsonl")
    found[1]["posts"][0]["text"] = "Road open"
    rewritten(out / "posts.jsonl", found)


def one_of(out):
    return sorted((out / "media").iterdir())[0]


def another_image(out):
    one_of(out).write_bytes(b"another")


def renamed_image(out):
    import hashlib

    one_of(out).rename(out / "media" / hashlib.sha256(b"").hexdigest())


def one_more_image(out):
    import hashlib

    (out / "media" / hashlib.sha256(b"more").hexdigest()).write_bytes(b"more")


FORGERIES = {
    "another text": another_body,
    "another post": another_post,
    "a text less": drop("texts.jsonl", 0),
    "the last text less": drop("texts.jsonl", -1),
    "posts less": drop("posts.jsonl", 1),
    "a text of another entry": change("texts.jsonl", 1, index=0),
    "a text of no entry": change("texts.jsonl", 1, index=9999),
    "another salt": change("texts.jsonl", 0, salt="00" * 32),
    "no salt": change("posts.jsonl", 0, salt="zz"),
    "an index that is none": change("texts.jsonl", 0, index="0"),
    "no text": change("texts.jsonl", 0, content=[]),
    "posts that are none": change("posts.jsonl", 0, posts=["x"]),
    "another image": another_image,
    "an image by another name": renamed_image,
    "an image less": lambda out: one_of(out).unlink(),
    "an image more": one_more_image,
    "words swapped": lambda out: rewritten(
        out / "words.jsonl", [{"index": 0, "note": "x", "salt": "00" * 32}]
    ),
}


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forger_who_mends_the_manifest_is_found_by_what_the_entries_bind(filled, forgery):
    out, _ = made(filled)
    FORGERIES[forgery](out)
    signed_anew(out)
    assert judged(out, filled) == 1


def test_a_file_that_is_lost_is_said_to_be_and_one_that_was_changed_stops_the_export(filled):
    out, _ = made(filled)
    lost = filled.config.media / one_of(out).name
    lost.write_bytes(b"changed")
    with pytest.raises(Refuted, match="not the file that was approved"):
        made(filled, "second")
    lost.unlink()
    third, found = made(filled, "third")
    assert found.told.missing == 1
    assert json.loads((third / "manifest.json").read_bytes())["missing"] == [lost.name]
    assert judged(third, filled) == 0
    manifest = json.loads((third / "manifest.json").read_bytes())
    for claim in ([], ["00" * 32], [lost.name, "00" * 32]):
        from crosspost.ledger.canonical import canonical

        (third / "manifest.json").write_bytes(canonical({**manifest, "missing": claim}) + b"\n")
        assert judged(third, filled) == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE revision SET body = 'The road is open.' WHERE id = 1",
        "UPDATE revision SET texts = '[1' WHERE id = 1",
        "UPDATE revision SET salt = zeroblob(32) WHERE id = 1",
        "UPDATE part SET payload = replace(payload, 'Road closed', 'Road open') WHERE id = 2",
        "UPDATE part SET payload = '[' WHERE id = 2",
        "UPDATE image SET alt = 'A green road' WHERE id = 1",
        "UPDATE announcement SET redacted = '1/2026' WHERE id = 1",
        "DELETE FROM part WHERE id = 2",
    ],
)
def test_a_text_that_was_changed_in_the_database_is_not_exported(filled, statement):
    import sqlite3

    connection = sqlite3.connect(filled.folder / "crosspost.db")
    connection.execute(statement)
    connection.commit()
    connection.close()
    with pytest.raises(Refuted):
        made(filled)
    assert nothing_left(filled)


# --- whole or not at all --------------------------------------------------------------------------


def nothing_left(office: Publisher) -> bool:
    return [path.name for path in office.folder.iterdir() if "out" in path.name] == []


def test_a_full_disk_leaves_nothing(filled, monkeypatch):
    real, left = exporting.Path.open, iter(())

    def full(self, *arguments, **options):
        if "w" in str(arguments) and next(left, 1) == 0:
            raise OSError(28, "No space left on device")
        return real(self, *arguments, **options)

    monkeypatch.setattr(exporting.Path, "open", full)
    for fails_at in (1, 4, 8, 11):
        left = iter(range(fails_at - 1, -1, -1))
        with pytest.raises(UserError, match="the disk is full"):
            made(filled)
        assert nothing_left(filled)


def test_an_interruption_leaves_nothing(filled, monkeypatch):
    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(exporting._Export, "_put_media", broken)
    with pytest.raises(KeyboardInterrupt):
        made(filled)
    assert nothing_left(filled)


def test_what_does_not_verify_is_not_put_there(filled, monkeypatch):
    real = exporting._Export._put_media

    def more(self):
        real(self)
        (self.folder / "texts.jsonl").write_bytes(b"")

    monkeypatch.setattr(exporting._Export, "_put_media", more)
    with pytest.raises(Refuted):
        made(filled)
    assert nothing_left(filled)


def test_an_empty_folder_is_used_and_any_other_one_left_alone(filled):
    (filled.folder / "out").mkdir()
    out, _ = made(filled)
    before = sorted(out.rglob("*"))
    with pytest.raises(Conflict, match="not empty"):
        made(filled)
    assert sorted(out.rglob("*")) == before
    made(filled, "new/folders/out")
    shutil.rmtree(out)
    out.symlink_to(filled.folder / "nowhere")
    with pytest.raises(UserError):
        made(filled)


def test_what_happened_since_the_last_sealing_is_not_in_it(filled):
    before, _ = made(filled, "before")
    with filled.database.write() as session:
        book.append(session, book.Act("held", "Siti", NOW, note="Not sealed."))
    after, _ = made(filled, "after")
    names = sorted(path.relative_to(before) for path in before.rglob("*") if path.is_file())
    assert all((before / n).read_bytes() == (after / n).read_bytes() for n in names)


@pytest.mark.parametrize("name", ["extra.txt", "media/abc", "tile/0/x", "proofs/more/entry"])
def test_a_file_that_somebody_put_there_cannot_be_decided(filled, name):
    out, _ = made(filled)
    (out / name).parent.mkdir(parents=True, exist_ok=True)
    (out / name).touch()
    with pytest.raises(Undecided, match="on no list") as undecided:
        verify(out, filled.keys)
    assert str(out / name) in str(undecided.value)
    assert undecided.value.hint


def test_a_link_that_somebody_put_there_cannot_be_decided(filled):
    out, _ = made(filled)
    (out / "elsewhere").symlink_to(out / "media", target_is_directory=True)
    with pytest.raises(Undecided, match="elsewhere is on no list"):
        verify(out, filled.keys)


def test_a_file_that_misses_a_byte_is_refuted_with_what_to_do(filled):
    out, _ = made(filled)
    image = next((out / "media").iterdir())
    image.write_bytes(image.read_bytes()[:-1])
    with pytest.raises(Refuted, match=image.name) as refuted:
        verify(out, filled.keys)
    assert "keep a copy" in refuted.value.hint

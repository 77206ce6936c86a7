"""Videos: what is refused and how that is said, and that the file stays as it is."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from crosspost import video
from crosspost.errors import ContentError
from crosspost.post import Capabilities, Video

ALT = "Kepala dinas menjelaskan jadwal vaksinasi di depan kantor."
CAN = Capabilities(max_videos=1, video_bytes=5_000_000, video_seconds=140)
PROBED = {
    "streams": [
        {"codec_type": "audio", "codec_name": "aac"},
        {"codec_type": "video", "codec_name": "h264", "width": 1280, "height": 720},
    ],
    "format": {"duration": "12.345000"},
}


def box(kind: bytes, body: bytes = b"", *, long: bool = False) -> bytes:
    if long:
        return (1).to_bytes(4, "big") + kind + (16 + len(body)).to_bytes(8, "big") + body
    return (8 + len(body)).to_bytes(4, "big") + kind + body


MP4 = box(b"ftyp", b"isom\0\0\2\0isomavc1") + box(b"moov", b"m" * 90) + box(b"mdat", b"d" * 900)
MOV = box(b"ftyp", b"qt  \0\0\0\0qt  ") + box(b"mdat", b"d" * 99, long=True) + box(b"moov", b"mo")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without ffprobe."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    return programs


def install(programs: Path, script: str) -> None:
    tool = programs / "ffprobe"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)


def file(tmp_path: Path, content: bytes, name: str = "clip.mp4") -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def refusal(path: Path, alt: str = ALT) -> str:
    store = path.parent / "media"
    with pytest.raises(ContentError) as caught:
        video.take_in(path, alt, store)
    assert path.name in str(caught.value)
    assert not store.exists() or not list(store.iterdir()), "a refused video leaves nothing behind"
    return str(caught.value)


def test_a_video_is_kept_byte_for_byte_under_its_digest(bare: Path, tmp_path: Path) -> None:
    taken = video.take_in(file(tmp_path, MP4), f" {ALT} ", tmp_path / "media")
    assert taken.path.read_bytes() == MP4
    assert taken.path.name == taken.sha256 == hashlib.sha256(MP4).hexdigest()
    assert (taken.mime, taken.alt, taken.size) == ("video/mp4", ALT, len(MP4))
    assert (taken.milliseconds, taken.codec) == (0, "")
    assert [path.name for path in (tmp_path / "media").iterdir()] == [taken.sha256]


def test_ffprobe_says_length_picture_and_codec(bare: Path, tmp_path: Path) -> None:
    install(bare, f"echo '{json.dumps(PROBED)}'")
    taken = video.take_in(file(tmp_path, MP4), ALT, tmp_path / "media")
    assert (taken.width, taken.height) == (1280, 720)
    assert (taken.milliseconds, taken.codec) == (12_345, "h264")


@pytest.mark.parametrize(
    "script",
    ["exit 1", "echo nonsense", "echo '{}'", 'echo \'{"streams": [], "format": {}}\''],
)
def test_a_file_in_which_ffprobe_finds_no_picture_is_refused(
    script: str, bare: Path, tmp_path: Path
) -> None:
    install(bare, script)
    assert "damaged, or nothing is seen" in refusal(file(tmp_path, MP4))


def test_ffprobe_does_not_run_for_ever(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "PATIENCE", 0.2)
    install(bare, "while :; do :; done")
    assert "damaged" in refusal(file(tmp_path, MP4))


def test_the_type_is_that_of_the_bytes_whatever_the_name_says(bare: Path, tmp_path: Path) -> None:
    assert video.take_in(file(tmp_path, MOV), ALT, tmp_path / "media").mime == "video/quicktime"
    webm = b"\x1a\x45\xdf\xa3" + b"w" * 50
    assert video.take_in(file(tmp_path, webm, "a.jpg"), ALT, tmp_path / "media").mime == (
        "video/webm"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not an MP4, MOV or WebM"),
        (b"\xff\xd8\xff" + b"j" * 100, "not an MP4, MOV or WebM"),
        (MP4[:-1], "damaged or incomplete"),
        (MP4[:130], "damaged or incomplete"),
        (box(b"ftyp", b"isom") + box(b"moov"), "damaged or incomplete"),
        (box(b"ftyp", b"isom") + b"\0\0\0\1moov", "damaged or incomplete"),
        (box(b"ftyp", b"isom") + b"\0\0\0\4moov" + b"x" * 99, "damaged or incomplete"),
    ],
)
def test_what_is_no_whole_video_is_refused(
    content: bytes, words: str, bare: Path, tmp_path: Path
) -> None:
    assert words in refusal(file(tmp_path, content))


def test_a_missing_file_a_folder_and_a_missing_description_are_refused(
    bare: Path, tmp_path: Path
) -> None:
    assert "no such file" in refusal(tmp_path / "gone.mp4")
    (tmp_path / "folder.mp4").mkdir()
    assert "not a file" in refusal(tmp_path / "folder.mp4")
    assert "--video-alt" in refusal(file(tmp_path, MP4), " ")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "BYTES_LIMIT", len(MP4) - 1)
    assert "more than" in refusal(file(tmp_path, MP4))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, None),
        ({"milliseconds": 0, "codec": ""}, None),  # nobody could tell
        ({"milliseconds": 140_000}, None),
        ({"milliseconds": 140_001}, "at most 140 seconds; this one has 141"),
        ({"size": 5_000_001}, "at most 5 MB; this one has 6"),
        ({"codec": "hevc"}, "codec hevc"),
        ({"mime": "video/webm"}, "it takes mp4"),
        ({"alt": "a" * 5000}, None),  # without a limit, or where its text is part of the post
    ],
)
def test_what_a_channel_does_not_take_is_said_with_its_limit(
    change: dict[str, object], words: str | None
) -> None:
    one = Video(Path("x"), "0" * 64, "video/mp4", ALT, 5_000_000, 1280, 720, 9_000, "h264")
    found = video.problems(replace(one, **change), CAN, "tube")  # type: ignore[arg-type]
    assert len(found) == (0 if words is None else 1)
    if words:
        assert words in found[0]
        assert "tube" in found[0]


@pytest.mark.parametrize(
    ("limits", "count", "taken"),
    [
        ({"max_alt": 100}, 100, True),
        ({"max_alt": 100}, 101, False),
        ({"max_alt": 100, "max_video_alt": 50}, 51, False),
        ({"max_alt": 100, "max_video_alt": 500}, 500, True),
    ],
)
def test_a_description_that_a_channel_cannot_show_whole_is_refused(
    limits: dict[str, int], count: int, taken: bool
) -> None:
    one = Video(Path("x"), "0" * 64, "video/mp4", "a" * count, 5_000_000)
    found = video.problems(one, replace(CAN, **limits), "tube")  # type: ignore[arg-type]
    assert (not found) is taken
    assert taken or f"this one has {count}" in found[0]


@pytest.mark.parametrize("padding", [0, 1_048_570])  # the second lies across two reads
def test_a_place_in_the_file_is_found(padding: int, tmp_path: Path) -> None:
    named = MP4 + box(b"free", b"p" * padding) + box(b"udta", b"\xa9xyz-6.2000+106.8000/")
    assert video.names_its_place(file(tmp_path, named))
    assert not video.names_its_place(file(tmp_path, MP4))
    assert not video.names_its_place(tmp_path / "gone.mp4")

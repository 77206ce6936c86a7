"""Real videos, made by ffmpeg (Debian), looked at by its ffprobe."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from crosspost import video
from crosspost.errors import ContentError
from crosspost.post import Capabilities

pytestmark = pytest.mark.servers


def made(ffmpeg: str, path: Path, *options: str) -> Path:
    """Two seconds of a test picture, 320 × 240."""
    source = ["-f", "lavfi", "-i", "testsrc=duration=2:size=320x240:rate=25"]
    subprocess.run([ffmpeg, "-v", "error", *source, *options, str(path)], check=True, timeout=60)
    return path


@pytest.fixture(scope="module")
def ffmpeg(rig) -> str:
    return rig("ffmpeg.sh")["FFMPEG"]


def test_length_size_and_codec_of_a_real_video_are_known(ffmpeg: str, tmp_path: Path):
    path = made(ffmpeg, tmp_path / "a.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p")
    taken = video.take_in(path, "A test picture", tmp_path / "media")
    assert (taken.width, taken.height, taken.codec) == (320, 240, "h264")
    assert taken.milliseconds == pytest.approx(2000, abs=100)
    assert video.problems(taken, Capabilities(max_videos=1), "tube") == []
    short = Capabilities(max_videos=1, video_seconds=1)
    assert "at most 1 seconds; this one has 2" in video.problems(taken, short, "tube")[0]


def test_a_codec_that_is_not_taken_is_named(ffmpeg: str, tmp_path: Path):
    path = made(ffmpeg, tmp_path / "a.webm", "-c:v", "libvpx-vp9")
    taken = video.take_in(path, "A test picture", tmp_path / "media")
    assert (taken.mime, taken.codec) == ("video/webm", "vp9")
    assert len(video.problems(taken, Capabilities(max_videos=1), "tube")) == 2


def test_a_video_cut_short_and_one_of_sound_alone_are_refused(ffmpeg: str, tmp_path: Path):
    path = made(ffmpeg, tmp_path / "a.mp4", "-c:v", "libx264", "-pix_fmt", "yuv420p")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(path.read_bytes()[:-500])
    sound = tmp_path / "sound.mp4"
    tone = ["-f", "lavfi", "-i", "sine=duration=1", "-c:a", "aac"]
    subprocess.run([ffmpeg, "-v", "error", *tone, str(sound)], check=True, timeout=60)
    for bad in (cut, sound):
        with pytest.raises(ContentError, match="damaged"):
            video.take_in(bad, "A test picture", tmp_path / "media")


def test_the_place_of_a_real_video_is_found(ffmpeg: str, tmp_path: Path):
    encoded = ("-c:v", "libx264", "-pix_fmt", "yuv420p")
    plain = made(ffmpeg, tmp_path / "a.mp4", *encoded)
    there = made(ffmpeg, tmp_path / "b.mp4", *encoded, "-metadata", "location=-6.2000+106.8000/")
    assert not video.names_its_place(plain)
    assert video.names_its_place(there)

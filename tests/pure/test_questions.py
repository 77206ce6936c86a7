"""What is asked about a channel: in words, for every key of every platform of ours."""

from __future__ import annotations

import pytest

from crosspost.adapters import BUILT_IN
from crosspost.cli.questions import meaning
from crosspost.founding import wanted_keys


@pytest.mark.parametrize("platform", BUILT_IN)
def test_every_key_that_init_asks_for_is_explained(platform: str) -> None:
    plain, secret = wanted_keys(platform)
    for key in (*plain, *secret):
        assert len(meaning(platform, key)) > 8, f"add {key} of {platform} to cli/questions.py"


def test_one_key_means_another_thing_on_another_platform() -> None:
    assert meaning("wordpress", "base_url") != meaning("mastodon", "base_url")
    assert "xoxb" in meaning("slack", "bot_token")
    assert "xoxb" not in meaning("discord", "bot_token")


def test_a_key_of_somebody_else_s_adapter_is_asked_by_its_name() -> None:
    assert meaning("bulletin", "board") == ""

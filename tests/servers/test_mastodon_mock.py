"""The Mastodon adapter against a server of its API that we did not write (PyPI mastodon_mock).

Between the two stands a proxy that breaks the line after the server has done its work.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image as Picture
from pydantic import SecretStr

from crosspost.adapters.base import Context
from crosspost.adapters.mastodon import MastodonAdapter
from crosspost.errors import AuthRevoked, UnknownOutcome
from crosspost.post import Image, Outgoing, Post, Receipt

pytestmark = pytest.mark.servers

TEXT = "Pengumuman: pelayanan tilang 👨‍👩‍👧 & ꦗꦮ <pukul 08.00>\nhttps://kejari.example/p/ab12cd34/"


@pytest.fixture(scope="module")
def server(rig: Any) -> dict[str, str]:
    mastodon = rig("mastodon.sh")
    return {**mastodon, **rig("faults.sh", RIG_UPSTREAM=mastodon["MASTODON_URL"])}


@pytest.fixture
def adapter(server: dict[str, str]) -> Iterator[MastodonAdapter]:
    """Through the proxy, as its only account, with no posts and no faults."""
    requests.post(f"{server['MASTODON_URL']}/api/v1/_mock/reset", timeout=10).raise_for_status()
    requests.delete(server["FAULTS_CONTROL"], timeout=10).raise_for_status()
    adapter = opened(server, server["MASTODON_TOKEN"])
    yield adapter
    adapter.close()


def opened(server: dict[str, str], token: str) -> MastodonAdapter:
    settings = {"base_url": server["FAULTS_URL"], "access_token": SecretStr(token)}
    return MastodonAdapter(MastodonAdapter.Settings.model_validate(settings), Context())


def picture(folder: Path, shade: int, alt: str) -> Image:
    path = folder / f"{shade}.png"
    Picture.new("RGB", (320, 200), (shade, 90, 40)).save(path)
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return Image(path, digest, "image/png", alt, 320, 200, len(content))


def ready(adapter: MastodonAdapter, post: Post) -> Outgoing:
    now = datetime.now(UTC)
    outgoing = Outgoing(post=post, handle=adapter.new_handle("mastodon-1-0", now), begun=now)
    return replace(outgoing, prepared=adapter.prepare(outgoing))


def statuses(server: dict[str, str]) -> list[dict[str, Any]]:
    """What the server itself says that our account has posted."""
    headers = {"Authorization": f"Bearer {server['MASTODON_TOKEN']}"}
    api = f"{server['MASTODON_URL']}/api/v1/accounts"
    me = requests.get(f"{api}/verify_credentials", headers=headers, timeout=10).json()["id"]
    page = {"exclude_reblogs": "true", "limit": "40"}
    found: list[dict[str, Any]] = requests.get(
        f"{api}/{me}/statuses", headers=headers, params=page, timeout=10
    ).json()
    return found


def test_check_names_the_account_and_the_limit(adapter: MastodonAdapter) -> None:
    account = adapter.check()
    assert account.name.startswith("@")
    assert "500 characters" in account.facts.values()
    assert account.warnings == ()


def test_a_wrong_token_is_revoked(server: dict[str, str]) -> None:
    adapter = opened(server, "wrong")
    with pytest.raises(AuthRevoked):
        adapter.check()
    adapter.close()


def test_an_announcement_with_two_images_is_published_found_edited_and_deleted(
    adapter: MastodonAdapter, server: dict[str, str], tmp_path: Path
) -> None:
    before = len(statuses(server))
    images = (picture(tmp_path, 10, "Loket “tilang”"), picture(tmp_path, 200, "Peta 🗺️"))
    outgoing = ready(adapter, Post(TEXT, "id", images=images))
    receipt = adapter.publish(outgoing)
    newest, *_ = found = statuses(server)
    assert len(found) == before + 1
    assert newest["id"] == receipt.remote_id
    assert newest["visibility"] == "public"
    assert newest["language"] == "id"
    assert [media["description"] for media in newest["media_attachments"]] == [
        image.alt for image in images
    ]
    assert receipt.permalink == newest["url"]
    assert adapter.find(outgoing) == receipt

    other = replace(outgoing, post=replace(outgoing.post, text="Sudah diperbaiki."))
    assert adapter.edit(receipt, other).remote_id == receipt.remote_id
    assert "Sudah diperbaiki." in statuses(server)[0]["content"]

    adapter.delete(receipt)
    adapter.delete(receipt)
    assert len(statuses(server)) == before


def test_a_thread_hangs_together(adapter: MastodonAdapter, server: dict[str, str]) -> None:
    first = adapter.publish(ready(adapter, Post("Bagian 1", "id")))
    outgoing = replace(ready(adapter, Post("Bagian 2", "id")), parent=first, root=first)
    second = adapter.publish(outgoing)
    assert statuses(server)[0]["in_reply_to_id"] == first.remote_id
    assert adapter.find(outgoing) == second


@pytest.mark.parametrize("fault", ["reset-after", "close-after", "truncate", "status-after"])
def test_a_post_whose_answer_was_lost_is_found_and_not_posted_twice(
    adapter: MastodonAdapter, server: dict[str, str], fault: str
) -> None:
    before = len(statuses(server))
    outgoing = ready(adapter, Post(TEXT, "id", link="https://kejari.example/p/ab12cd34/"))
    broken(server, fault)
    with pytest.raises(UnknownOutcome):
        adapter.publish(outgoing)
    receipt = adapter.find(outgoing)
    assert isinstance(receipt, Receipt)
    assert receipt.remote_id == statuses(server)[0]["id"]
    assert len(statuses(server)) == before + 1


@pytest.mark.parametrize("fault", ["reset-before", "reset-mid", "status"])
def test_a_post_that_never_arrived_is_not_found_and_may_be_sent_again(
    adapter: MastodonAdapter, server: dict[str, str], fault: str
) -> None:
    before = len(statuses(server))
    outgoing = ready(adapter, Post(TEXT, "id"))
    broken(server, fault)
    with pytest.raises(UnknownOutcome):
        adapter.publish(outgoing)
    assert adapter.find(outgoing) is None
    adapter.publish(outgoing)
    assert len(statuses(server)) == before + 1


def broken(server: dict[str, str], fault: str) -> None:
    rule = {"match": "POST /api/v1/statuses", "fault": fault}
    requests.post(server["FAULTS_CONTROL"], json=rule, timeout=10).raise_for_status()

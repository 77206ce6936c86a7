"""What we send to Telegram, judged by the Bot API's own document: a validating mock made of it.

The mock keeps nothing and answers with examples, so only the shape of requests is tested here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from pydantic import SecretStr

from crosspost.errors import AuthRevoked, RejectedContent
from crosspost.post import Receipt
from crosspost.testing.case import Bench, Case
from crosspost.testing.loopback import Platform

pytestmark = pytest.mark.servers

SPEC = Path(__file__).parents[1] / "data" / "telegram" / "bot-api.json"
TOKEN = "123456:AAE-secret_of_the_bot"
LINK = "https://kejari.example/p/ab12cd34/"


class Mock(Platform):
    """An address is all that the bench needs to know of it."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self.address = address

    @property
    def url(self) -> str:
        return self.address


class SpecCase(Case):
    """Telegram as `Mock` knows it: the platform itself is Prism, started once for the module."""

    platform = "telegram"

    def __init__(self, address: str) -> None:
        self.address = address

    def start(self) -> Platform:
        return Mock(self.address)

    def options(self, platform: Platform) -> dict[str, Any]:
        return {
            "base_url": platform.url,
            "bot_token": SecretStr(TOKEN),
            "chat_id": "@kejari_contoh",
        }


@pytest.fixture(scope="module")
def address(rig: Any) -> str:
    started: dict[str, str] = rig("prism.sh", RIG_SPEC=str(SPEC))
    return started["PRISM_URL"]


@pytest.fixture
def bench(address: str, tmp_path: Path) -> Iterator[Bench]:
    case = SpecCase(address)
    bench = Bench(case, case.start(), tmp_path)
    bench.adapter.upload_timeout = bench.adapter.call_timeout = (5.0, 20.0)  # type: ignore[attr-defined]
    yield bench
    bench.adapter.close()


def images(bench: Bench, number: int) -> Any:
    return tuple(bench.image(10 * n, f"Gambar {n}") for n in range(number))


def test_the_mock_refuses_what_does_not_fit(address: str) -> None:
    """The negative control: without it, everything below would prove nothing."""
    url = f"{address}/bot{TOKEN}"
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("sendMessage", {"chat_id": "@kejari_contoh"}),
        ("sendMessage", {"chat_id": "@kejari_contoh", "text": "x" * 4097}),
        ("sendMessage", {"chat_id": "@k", "text": "x", "link_preview_options": {"url": 5}}),
        ("sendMessage", {"chat_id": "@k", "text": "x", "reply_parameters": {"message_id": "5"}}),
        ("deleteMessage", {"chat_id": "@k", "message_id": "5"}),
    ]
    for method, body in wrong:
        answer = requests.post(f"{url}/{method}", json=body, timeout=20)
        assert answer.status_code == 400, (method, body)


def test_checking_fits_the_document(bench: Bench) -> None:
    account = bench.adapter.check()
    assert account.name == "@rig"
    assert account.warnings == ()


def test_a_text_fits_the_document(bench: Bench) -> None:
    _, receipt = bench.send(bench.case.post("Halo <warga> & semua.", link=LINK))
    assert receipt.permalink == "https://t.me/rig/1"
    bench.send(bench.case.post("Tanpa tautan."))


def test_a_reply_fits_the_document(bench: Bench) -> None:
    bench.send(bench.case.post("Bagian 2"), parent=Receipt("41"))
    bench.send(bench.case.post("Bagian 3", images=images(bench, 1)), parent=Receipt("41"))


@pytest.mark.parametrize("number", [1, 2, 10])
def test_images_fit_the_document(bench: Bench, number: int) -> None:
    _, receipt = bench.send(bench.case.post("Foto kegiatan.", images=images(bench, number)))
    assert receipt.remote_id == "1"


def test_a_video_fits_the_document(bench: Bench) -> None:
    film = bench.video("Petugas melayani warga")
    _, receipt = bench.send(replace(bench.case.post("Video kegiatan."), videos=(film,)))
    assert receipt.remote_id == "1"


def test_edits_and_deletions_fit_the_document(bench: Bench) -> None:
    receipt = Receipt("41", extra={"message_ids": "41,42", "chat_id": "-1001234567890"})
    plain = bench.outgoing(bench.case.post("Lebih baik.", link=LINK))
    pictured = bench.outgoing(bench.case.post("Lebih baik.", images=images(bench, 2)))
    bench.adapter.edit(receipt, plain)
    bench.adapter.edit(receipt, pictured)
    bench.adapter.delete(receipt)


def test_what_the_document_refuses_is_refused_content(bench: Bench) -> None:
    with pytest.raises(RejectedContent):
        bench.send(bench.case.post("x" * 4097))


def test_a_refusal_of_the_documents_own_shape_is_understood(address: str, bench: Bench) -> None:
    session = bench.adapter.session()  # type: ignore[attr-defined]
    session.headers["Prefer"] = "code=401"
    with pytest.raises(AuthRevoked, match="Unauthorized"):
        bench.adapter.check()

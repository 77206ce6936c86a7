"""What is sent to a server of the Mastodon API, judged by the description of that API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from case_mastodon import ACCOUNT, FakeMastodon, MastodonCase
from openapi import Judge

from crosspost.testing.case import Bench
from crosspost.testing.loopback import Seen

JUDGE = Judge(Path(__file__).parents[1] / "data" / "mastodon" / "openapi.json")
STATUSES = "/api/v1/statuses"
LINK = "https://kejari.example/p/ab12cd34/"


@pytest.mark.parametrize(
    ("method", "path", "query", "body"),
    [
        ("POST", STATUSES, {}, {"status": 5}),
        ("POST", STATUSES, {}, {"statuses": "x"}),
        ("POST", STATUSES, {}, {"status": "x", "visibility": "everybody"}),
        ("POST", STATUSES, {}, {"status": "x", "sensitive": "no"}),
        ("GET", f"/api/v1/accounts/{ACCOUNT}/statuses", {"offset": "1"}, None),
        ("PATCH", STATUSES, {}, {"status": "x"}),
    ],
)
def test_the_judge_refuses_what_does_not_fit(
    method: str, path: str, query: dict[str, str], body: Any
) -> None:
    """The negative control: without it, the judging of requests would prove nothing."""
    assert JUDGE.of_request(Seen(method, path, query, {}, b""), body)


def test_every_request_is_one_that_the_api_describes(tmp_path: Path) -> None:
    with FakeMastodon() as server:
        bench = Bench(MastodonCase(), server, tmp_path)
        bench.adapter.check()
        images = (bench.image(1, "Satu"), bench.image(2, "Dua"))
        with_images = bench.case.post("Dengan gambar.", link=LINK, images=images)
        outgoing, receipt = bench.send(with_images)
        assert bench.adapter.find(outgoing)
        answer, reply = bench.send(bench.case.post("Lanjutan."), parent=receipt)
        bench.adapter.edit(reply, answer)
        bench.adapter.delete(receipt)
        judged = 0
        for seen in server.requests:
            if seen.path in ("/api/v2/media",):
                assert set(seen.parts) <= {"file", "description", "focus", "thumbnail"}
                continue
            assert not JUDGE.of_request(seen, seen.json), (seen.method, seen.path)
            judged += 1
        assert judged >= 7

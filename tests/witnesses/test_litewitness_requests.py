"""The requests by which another witness is tested (litewitness, FiloSottile/torchwood), to ours.

`tests/data/litewitness/`: what they ask and what must be answered, with its licence.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from crosspost.ledger.note import Verifier
from crosspost.witnesses.cosignature import cosignatures
from crosspost.witnesses.memory import Cosigned
from crosspost.witnesses.protocol import Refusal, read_request

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TEXT = (Path(__file__).parent.parent / "data" / "litewitness" / "add-checkpoint.hurl").read_text()
NAME = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562"
KEY = bytes.fromhex("ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f")
#: litewitness says 403 to an unknown log; the specification has said 404 since. Its example of a
#: false signature has bits where Base64 has none, which ours calls no note at all.
SAID = {"unknown log": 404, "invalid signature": 400}


def exchanges():
    for body, status, asserts in re.findall(
        r"^```\n(.*?)```\nHTTP (\d+)\n(.*?)(?=^POST|\Z)", TEXT, re.MULTILINE | re.DOTALL
    ):
        words = re.findall(r'body contains "([^"]*)"', asserts)
        yield body, next((SAID[word] for word in words if word in SAID), int(status)), asserts


def test_every_request_gets_the_answer_that_another_witness_gives(memory):
    logs = {NAME: [Verifier(NAME, KEY)]}
    told = []
    for body, status, asserts in exchanges():
        request = read_request(body.encode())
        answer = memory.add(request, logs, NOW)
        if isinstance(answer, Refusal):
            assert answer.status == status, body
            size = re.search(r'body == "(\d+)', asserts)
            assert size is None or answer.body == size[1]
        else:
            assert status == 200, body
            assert cosignatures(request.note + answer.line, [memory.witness()])
        told.append(200 if isinstance(answer, Cosigned) else answer.status)
    assert len(told) == TEXT.count("POST ")
    assert set(told) == {200, 400, 404, 409, 422}

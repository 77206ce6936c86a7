"""Matrix against Synapse: the whole contract of adapters, and what only a real server can show.

Every test has a room of its own, behind a proxy that can break the connection.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote

import pytest
import requests
from proxy import Proxy
from pydantic import SecretStr

from crosspost.errors import (
    AuthRevoked,
    Misconfigured,
    PermissionDenied,
    RejectedContent,
    UnknownOutcome,
)
from crosspost.testing import case as testing_case
from crosspost.testing.case import Bench, Case, ErrorBodies
from crosspost.testing.conformance import *  # noqa: F403
from crosspost.testing.conformance import refused
from crosspost.testing.loopback import Platform, PublicPost, Seen

pytestmark = pytest.mark.servers

LINK = "https://kejari.example/p/ab12cd34/"
PHASES = {
    "check": r"/whoami$|/state/|/media/config$",
    "prepare": r"/media/v3/upload$",
    "find": r"/messages$",
    "delete": r"/redact/",
    "publish": r"/send/",
}


class Synapse(Proxy):
    """The server, with a new room; the adapter has a login of its own."""

    started: ClassVar[dict[str, str]] = {}
    token: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__(self.started["MATRIX_URL"], PHASES)
        if not Synapse.token:
            Synapse.token = self.login()
        self.room: str = self.new_room()

    def phase_of(self, seen: Seen) -> str:
        return "edit" if b'"m.replace"' in seen.body else super().phase_of(seen)

    def call(self, method: str, path: str, body: Any = None, *, token: str = "") -> Any:
        """A call past the proxy and the adapter, by default as the same account's other device."""
        bearer = token or self.started["MATRIX_ACCESS_TOKEN"]
        answer = requests.request(
            method,
            f"{self.upstream}/_matrix/client/{path}",
            json=body,
            headers={"Authorization": f"Bearer {bearer}"},
            timeout=30,
        )
        assert answer.status_code == 200, answer.text
        return answer.json() if "json" in answer.headers["content-type"] else answer.content

    def login(self) -> str:
        name = {"type": "m.id.user", "user": self.started["MATRIX_USER_ID"]}
        body = {"type": "m.login.password", "identifier": name}
        password = {"password": self.started["MATRIX_PASSWORD"]}
        token: str = self.call("POST", "v3/login", body | password)["access_token"]
        return token

    def new_room(self, **more: Any) -> str:
        body = {"preset": "public_chat", "name": "Pengumuman", **more}
        room: str = self.call("POST", "v3/createRoom", body)["room_id"]
        return room

    def state(self, name: str, content: dict[str, Any]) -> None:
        self.call("PUT", f"v3/rooms/{quote(self.room)}/state/{name}", content)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What the room has, oldest first."""
        path = f"v3/rooms/{quote(self.room)}/messages?dir=b&limit=100"
        chunk = self.call("GET", path)["chunk"]
        return [e for e in reversed(chunk) if e["type"] == "m.room.message" and e["content"]]

    @property
    def posts(self) -> list[PublicPost]:
        shown: dict[str, PublicPost] = {}
        for event in self.messages:
            content = event["content"]
            relation = content.get("m.relates_to", {})
            if relation.get("rel_type") != "m.replace":
                shown[event["event_id"]] = self._public(event["event_id"], content, relation)
            elif old := shown.get(relation["event_id"]):
                shown[old.remote_id] = replace(old, text=content["m.new_content"]["body"])
        return list(shown.values())

    def _public(self, name: str, content: dict[str, Any], relation: dict[str, Any]) -> PublicPost:
        images = [("", self._digest(content["url"]))] if "url" in content else []
        text = content["body"]
        reply_to = relation.get("m.in_reply_to", {}).get("event_id", "")
        return PublicPost(name, text, tuple(images), LINK if LINK in text else "", reply_to)

    def _digest(self, uri: str) -> str:
        path = uri.removeprefix("mxc://")
        return hashlib.sha256(self.call("GET", f"v1/media/download/{path}")).hexdigest()


class SynapseCase(Case):
    """The contract, with Synapse instead of a server of ours."""

    platform = "matrix"
    uploads = True
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 401): ({"errcode": "M_UNKNOWN_TOKEN", "error": "no"}, {}, AuthRevoked),
        ("publish", 403): ({"errcode": "M_FORBIDDEN", "error": "no"}, {}, PermissionDenied),
    }

    def start(self) -> Synapse:
        platform = Synapse()
        type(self).SECRETS = (Synapse.token,)
        return platform

    def options(self, platform: Platform) -> dict[str, Any]:
        assert isinstance(platform, Synapse)
        return {
            "base_url": platform.url,
            "access_token": SecretStr(Synapse.token),
            "room_id": platform.room,
        }

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, Synapse)
        platform.call("POST", "v3/logout", {}, token=Synapse.token)
        Synapse.token = ""


CASES = {"matrix": SynapseCase}


@pytest.fixture(scope="module", autouse=True)
def server(rig: Any) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Synapse, "started", rig("matrix.sh"))
        patch.setattr(Synapse, "token", "")  # it is another server's
        patch.setattr(testing_case, "STALLED", 3.0)  # it works harder than a server of ours
        yield


@pytest.fixture
def synapse(case: Case, bench: Bench) -> Synapse:
    assert isinstance(bench.platform, Synapse)
    return bench.platform


def test_the_longest_text_is_taken_and_a_longer_one_refused(bench: Bench) -> None:
    """Our own limit is below the server's, which counts the whole event."""
    limit = bench.adapter.capabilities.max_length or 0
    quotes = '"' * limit  # the longest in JSON
    _, receipt = bench.send(bench.case.post(quotes))
    edited = bench.prepare(bench.outgoing(bench.case.post("&" * limit)))
    bench.adapter.edit(receipt, edited)
    assert bench.texts() == ["&" * limit]
    beyond = bench.case.post("a" * 70_000)
    assert isinstance(refused(bench, lambda: bench.send(beyond)), RejectedContent)


def test_the_event_is_kept_with_mark_html_and_no_mention(bench: Bench, synapse: Synapse) -> None:
    outgoing, _ = bench.send(replace(bench.case.post("@room"), text="<b>Tebal</b> @room<br>dua"))
    (event,) = synapse.messages
    assert event["content"] == {
        "msgtype": "m.text",
        "body": "Tebal @room\ndua",
        "format": "org.matrix.custom.html",
        "formatted_body": "<b>Tebal</b> @room<br>dua",
        "m.mentions": {},
        "crosspost.part": outgoing.handle["key"],
    }


def test_the_same_transaction_makes_no_second_event_even_with_another_text(
    bench: Bench, synapse: Synapse
) -> None:
    outgoing, receipt = bench.send(bench.case.post("Sekali saja."))
    again = replace(outgoing, post=bench.case.post("Teks lain."))
    assert bench.open().publish(again) == receipt
    assert bench.texts() == ["Sekali saja."]


def test_a_new_login_forgets_the_transaction_but_the_mark_is_still_found(
    bench: Bench, synapse: Synapse
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Sekali saja.", link=LINK)))
    synapse.fault("reset_after")
    assert isinstance(refused(bench, lambda: bench.adapter.publish(outgoing)), UnknownOutcome)
    bench.case.revoke(synapse)
    Synapse.token = synapse.login()
    bench.adapter = bench.open()
    found = bench.adapter.find(outgoing)
    assert found is not None
    assert found.remote_id == synapse.posts[0].remote_id
    assert bench.adapter.publish(outgoing) != found  # why the id alone would not do


def test_a_post_is_found_behind_what_others_write(bench: Bench, synapse: Synapse) -> None:
    outgoing, receipt = bench.send(bench.case.post("Yang dicari."))
    for number in range(60):
        path = f"v3/rooms/{quote(synapse.room)}/send/m.room.message/other{number}"
        synapse.call("PUT", path, {"msgtype": "m.text", "body": f"Nomor {number}"})
    assert bench.adapter.find(outgoing) == receipt


def test_an_edit_is_what_the_server_bundles_with_the_event(bench: Bench, synapse: Synapse) -> None:
    _, receipt = bench.send(bench.case.post("Salah."))
    bench.adapter.edit(receipt, bench.prepare(bench.outgoing(bench.case.post("Betul."))))
    path = f"v3/rooms/{quote(synapse.room)}/event/{quote(receipt.remote_id)}"
    bundled = synapse.call("GET", path)["unsigned"]["m.relations"]["m.replace"]
    assert bundled["content"]["m.new_content"]["body"] == "Betul."


def test_check_names_the_room_on_every_version_of_rooms(bench: Bench, synapse: Synapse) -> None:
    for version in ("10", "11", "12"):
        synapse.room = synapse.new_room(room_version=version)
        account = bench.open().check()
        assert account.name == synapse.started["MATRIX_USER_ID"]
        assert account.facts == {"room": "Pengumuman"}
        assert account.warnings == ()


def test_an_encrypted_or_a_foreign_room_is_refused(bench: Bench, synapse: Synapse) -> None:
    synapse.state("m.room.encryption", {"algorithm": "m.megolm.v1.aes-sha2"})
    assert isinstance(refused(bench, bench.adapter.check), Misconfigured)
    synapse.room = "!nowhere:rig.test"
    bench.adapter = bench.open()
    assert isinstance(refused(bench, bench.adapter.check), PermissionDenied)
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    assert isinstance(refused(bench, lambda: bench.adapter.publish(outgoing)), PermissionDenied)


def test_a_room_in_which_only_moderators_write_is_told_from_one_of_ours(
    bench: Bench, synapse: Synapse
) -> None:
    synapse.room = synapse.new_room(room_version="11")
    user = synapse.started["MATRIX_USER_ID"]
    synapse.state("m.room.power_levels", {"users": {user: 100}, "events_default": 50})
    bench.adapter = bench.open()
    assert bench.adapter.check().name == user
    synapse.state("m.room.power_levels", {"users": {user: 10}, "events_default": 50})
    assert isinstance(refused(bench, bench.adapter.check), PermissionDenied)
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    assert isinstance(refused(bench, lambda: bench.adapter.publish(outgoing)), PermissionDenied)

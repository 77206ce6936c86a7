"""Bluesky against the reference server: the whole contract of adapters, and what only it can show.

Every test has an account of its own, behind a proxy that can break the connection.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
import requests
from proxy import Proxy
from pydantic import SecretStr

from crosspost.errors import (
    AuthExpired,
    AuthRevoked,
    DuplicateDetected,
    MediaExpired,
    RejectedContent,
    UnknownOutcome,
)
from crosspost.post import Card, Facet
from crosspost.testing import case as testing_case
from crosspost.testing.case import Bench, Case, ErrorBodies
from crosspost.testing.conformance import *  # noqa: F403
from crosspost.testing.loopback import Platform, PublicPost, Reply, Seen

pytestmark = pytest.mark.servers

PASSWORD = "password-of-the-account"
POST = "app.bsky.feed.post"
LINK = "https://kejari.example/p/ab12cd34/"
PHASES = {
    "login": r"server\.(create|refresh)Session$",
    "check": r"server\.getSession$",
    "prepare": r"repo\.uploadBlob$|server\.getServiceAuth$|video\.(uploadVideo|getJobStatus)$",
    "publish": r"repo\.putRecord$",
    "find": r"repo\.getRecord$",
    "delete": r"repo\.deleteRecord$",
}


class Pds(Proxy):
    """The server, with a new account."""

    started: ClassVar[dict[str, str]] = {}
    numbers: ClassVar[Iterator[int]] = itertools.count(1)

    def __init__(self) -> None:
        super().__init__(self.started["PDS_URL"], PHASES)
        self.name = f"office{next(self.numbers)}.test"
        email = f"{self.name}@example.test"
        account = {"handle": self.name, "email": email, "password": PASSWORD}
        made = self.xrpc("com.atproto.server.createAccount", account)
        self.videos: dict[str, Any] = {}  # the blobs that the service of videos has put here
        self.did: str = made["did"]
        self.access: str = made["accessJwt"]

    def answer(self, seen: Seen) -> Reply:
        """As the server does; and as the service of videos, which is no part of it: it puts a video
        into the account with the pass that it was given."""
        if seen.path.endswith("video.uploadVideo"):
            headers = {name: seen.headers[name] for name in ("authorization", "content-type")}
            url = f"{self.upstream}/xrpc/com.atproto.repo.uploadBlob"
            taken = requests.post(url, headers=headers, data=seen.body, timeout=30)
            if taken.status_code != 200:
                return Reply(401, body=taken.content)
            number = f"job-{len(self.videos)}"
            self.videos[number] = taken.json()["blob"]
            return Reply(200, {"jobId": number, "did": self.did, "state": "JOB_STATE_CREATED"})
        if seen.path.endswith("video.getJobStatus"):
            done = {"state": "JOB_STATE_COMPLETED", "blob": self.videos[seen.query["jobId"]]}
            return Reply(200, {"jobStatus": {"jobId": seen.query["jobId"], **done}})
        return super().answer(seen)

    def xrpc(self, name: str, body: dict[str, Any], token: str = "") -> Any:
        """A call past the proxy and the adapter."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{self.upstream}/xrpc/{name}"
        answer = requests.post(url, json=body, headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return answer.json() if answer.content else None

    @property
    def records(self) -> list[dict[str, Any]]:
        """Every post of the account, in the order of the requests that made them."""
        url = f"{self.upstream}/xrpc/com.atproto.repo.listRecords"
        query = {"repo": self.did, "collection": POST, "limit": "100"}
        found = requests.get(url, params=query, timeout=30).json()
        shown = found.get("records", [])  # of a deactivated account none
        keys = [seen.json["rkey"] for seen in self.seen("publish")]
        return sorted(shown, key=lambda record: keys.index(record["uri"].rsplit("/", 1)[1]))

    @property
    def posts(self) -> list[PublicPost]:
        return [self._public(record["uri"], record["value"]) for record in self.records]

    def _public(self, uri: str, record: dict[str, Any]) -> PublicPost:
        embed = record.get("embed", {})
        images = [
            (image["alt"], _sha256(image["image"]["ref"]["$link"]))
            for image in embed.get("images", [])
        ]
        if "video" in embed:
            images = [(embed["alt"], _sha256(embed["video"]["ref"]["$link"]))]
        link = embed.get("external", {}).get("uri", "")
        reply = record.get("reply", {}).get("parent", {}).get("uri", "")
        return PublicPost(uri, record["text"], tuple(images), link, reply)


def _sha256(cid: str) -> str:
    """The digest in a version 1 content identifier, hex."""
    text = cid[1:].upper()
    return base64.b32decode(text + "=" * (-len(text) % 8))[4:].hex()


class PdsCase(Case):
    """The contract, with the reference server instead of one of ours."""

    platform = "bluesky"
    SECRETS = (PASSWORD,)
    uploads = True
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 400): ({"error": "InvalidRequest", "message": "no account"}, {}, AuthRevoked),
        ("publish", 400): ({"error": "InvalidRequest", "message": "no"}, {}, RejectedContent),
    }

    def start(self) -> Pds:
        return Pds()

    def options(self, platform: Platform) -> dict[str, Any]:
        assert isinstance(platform, Pds)
        return {
            "base_url": platform.url,
            "video_url": platform.url,
            "identifier": platform.name,
            "app_password": SecretStr(PASSWORD),
        }

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, Pds)
        platform.xrpc("com.atproto.server.deactivateAccount", {}, platform.access)


CASES = {"bluesky": PdsCase}


@pytest.fixture(scope="module", autouse=True)
def server(rig: Any) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Pds, "started", rig("pds.sh"))
        patch.setattr(testing_case, "STALLED", 3.0)  # it works harder than a server of ours
        yield


@pytest.fixture
def pds(case: Case, bench: Bench) -> Pds:
    assert isinstance(bench.platform, Pds)
    return bench.platform


def expired(pds: Pds) -> str:
    """An access token of the account that ended an hour ago, signed with the server's own key."""
    now = int(datetime.now(UTC).timestamp())
    claims = {"scope": "com.atproto.access", "aud": "did:web:localhost", "sub": pds.did}
    times = {"iat": now - 3 * 3600, "exp": now - 3600}
    head = _coded({"typ": "at+jwt", "alg": "HS256"})
    signed = f"{head}.{_coded(claims | times)}"
    mac = hmac.new(pds.started["PDS_JWT_SECRET"].encode(), signed.encode(), hashlib.sha256)
    return f"{signed}.{base64.urlsafe_b64encode(mac.digest()).decode().rstrip('=')}"


def _coded(values: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def logins(pds: Pds) -> list[str]:
    return [seen.path.rsplit(".", 1)[1] for seen in pds.seen("login")]


def test_facets_and_card_are_stored_as_they_were_meant(bench: Bench, pds: Pds) -> None:
    text = "Layanan 👋🏽 baru #Banyuwangi\nSelengkapnya"
    start, end = (len(text[: text.index(word)].encode()) for word in ("#Ban", "\nSel"))
    card = Card(LINK, "Layanan baru", "Ringkasan", bench.image(7, "Logo"))
    post = replace(
        bench.case.post(text),
        link=LINK,
        facets=(
            Facet(start, end, "tag", "Banyuwangi"),
            Facet(end + 1, len(text.encode()), "link", LINK),
        ),
        card=card,
        lang="id-ID",
    )
    outgoing, _ = bench.send(post)
    (record,) = pds.records
    value = record["value"]
    assert value["createdAt"] == outgoing.handle["created_at"]
    assert value["langs"] == ["id-ID"]
    ranges = [(f["index"]["byteStart"], f["index"]["byteEnd"]) for f in value["facets"]]
    named = [text.encode()[one:other].decode() for one, other in ranges]
    assert named == ["#Banyuwangi", "Selengkapnya"]
    assert value["facets"][0]["features"] == [
        {"$type": "app.bsky.richtext.facet#tag", "tag": "Banyuwangi"}
    ]
    external = value["embed"]["external"]
    assert (external["uri"], external["title"]) == (LINK, "Layanan baru")
    assert card.image
    assert _sha256(external["thumb"]["ref"]["$link"]) == card.image.sha256


def test_two_images_are_stored_with_their_alt_texts_and_proportions(bench: Bench, pds: Pds) -> None:
    images = (bench.image(1, "Gedung “baru”"), bench.image(2, "Peta"))
    bench.send(bench.case.post("Dua gambar.", images=images))
    (record,) = pds.records
    shown = record["value"]["embed"]["images"]
    assert [image["alt"] for image in shown] == ["Gedung “baru”", "Peta"]
    assert {tuple(image["aspectRatio"].items()) for image in shown} == {
        (("width", 64), ("height", 48))
    }


def test_an_access_token_near_its_end_is_renewed_without_a_login(bench: Bench, pds: Pds) -> None:
    bench.adapter.check()
    bench.vault["access"] = expired(pds)
    bench.adapter = bench.open()
    bench.send(bench.case.post("Halo."))
    assert logins(pds) == ["createSession", "refreshSession"]
    bench.open().check()
    assert len(logins(pds)) == 2


def test_an_access_token_that_the_server_calls_expired_is_renewed_and_the_call_repeated(
    bench: Bench, pds: Pds
) -> None:
    bench.adapter.check()
    bench.vault["access"] = expired(pds)
    bench.now -= timedelta(hours=3)  # so for us, whose clock is slow, it still lasts
    bench.adapter = bench.open()
    bench.adapter.check()
    assert logins(pds) == ["createSession", "refreshSession"]
    assert len(pds.seen("check")) == 3


def test_an_access_token_that_expires_before_publishing_is_a_clear_no(
    bench: Bench, pds: Pds
) -> None:
    bench.adapter.check()
    bench.vault["access"] = expired(pds)
    bench.now -= timedelta(hours=3)
    bench.adapter = bench.open()
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    with pytest.raises(AuthExpired):
        bench.adapter.publish(outgoing)
    assert pds.posts == []
    bench.adapter.publish(bench.prepare(outgoing))
    assert len(pds.posts) == 1
    assert logins(pds) == ["createSession", "refreshSession"]


def test_with_an_app_password_there_is_no_warning_and_once_it_is_revoked_a_clear_no(
    bench: Bench, pds: Pds
) -> None:
    assert "own password" in bench.adapter.check().warnings[0]
    made = pds.xrpc("com.atproto.server.createAppPassword", {"name": "crosspost"}, pds.access)
    kind = type(bench.adapter)
    options = {**bench.case.options(pds), "app_password": SecretStr(made["password"])}
    adapter = kind(kind.Settings.model_validate(options), replace(bench.adapter.context, load=None))
    assert adapter.check().warnings == ()
    pds.xrpc("com.atproto.server.revokeAppPassword", {"name": "crosspost"}, pds.access)
    bench.now += timedelta(hours=2)
    with pytest.raises(AuthRevoked, match="Invalid identifier or password"):
        adapter.check()
    adapter.close()


def test_a_post_whose_answer_was_lost_is_found_and_sending_it_again_makes_no_second(
    bench: Bench, pds: Pds
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Sekali saja.", link=LINK)))
    pds.fault("reset_after")
    with pytest.raises(UnknownOutcome):
        bench.adapter.publish(outgoing)
    receipt = bench.open().find(outgoing)
    assert receipt is not None
    assert bench.adapter.publish(outgoing) == receipt
    assert [record["cid"] for record in pds.records] == [receipt.extra["cid"]]


def test_a_record_key_that_is_taken_is_never_written_over(bench: Bench, pds: Pds) -> None:
    first, _ = bench.send(bench.case.post("Yang pertama."))
    second = replace(
        bench.prepare(bench.outgoing(bench.case.post("Yang kedua."))), handle=first.handle
    )
    with pytest.raises(DuplicateDetected):
        bench.adapter.publish(second)
    with pytest.raises(DuplicateDetected):
        bench.adapter.find(second)
    assert bench.texts() == ["Yang pertama."]


def test_an_upload_that_the_server_has_forgotten_is_made_again(bench: Bench, pds: Pds) -> None:
    images = (bench.image(1, "Satu"),)
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Gambar.", images=images)))
    _, other = bench.send(bench.case.post("Gambar yang sama.", images=images))
    bench.adapter.delete(other)  # the server drops what no post shows any more
    with pytest.raises(MediaExpired):
        bench.adapter.publish(outgoing)
    bench.adapter.publish(bench.prepare(replace(outgoing, prepared={})))
    assert len(pds.posts) == 1

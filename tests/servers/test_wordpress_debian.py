"""WordPress itself (Debian's package): the whole contract of adapters, and what only it can show.

Every test has an application password of its own, behind a proxy that can break the connection.
"""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import re
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
import requests
from proxy import Proxy
from pydantic import SecretStr

from crosspost.errors import (
    AuthRevoked,
    MediaRejected,
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
POST = re.compile(r"/wp-json/wp/v2/posts/(\d+)")


class Site(Proxy):
    """The site, emptied, with a new application password of its administrator."""

    started: ClassVar[dict[str, str]] = {}
    numbers: ClassVar[Iterator[int]] = itertools.count(1)

    def __init__(self) -> None:
        super().__init__(self.started["WP_URL"], {})
        for post in self.all():
            self.rest("DELETE", f"/posts/{post['id']}?force=true")
        passwords = "/users/me/application-passwords"
        made = self.rest("POST", passwords, json={"name": f"office {next(self.numbers)}"})
        self.password: str = made["password"]
        self.password_path = f"{passwords}/{made['uuid']}"

    def rest(self, method: str, path: str, **more: Any) -> Any:
        """A call past the proxy and the adapter."""
        auth = (self.started["WP_USER"], self.started["WP_APP_PASSWORD"])
        url = f"{self.upstream}/wp-json/wp/v2{path}"
        answer = requests.request(method, url, auth=auth, timeout=30, **more)
        assert answer.ok, answer.text
        return answer.json()

    def all(self) -> list[dict[str, Any]]:
        """Every post, whatever its status, oldest first."""
        query = "status=any,trash&context=edit&orderby=id&order=asc&per_page=100"
        found: list[dict[str, Any]] = self.rest("GET", f"/posts?{query}")
        return found

    @property
    def posts(self) -> list[PublicPost]:
        return [self._public(post) for post in self.all() if post["status"] == "publish"]

    def _public(self, post: dict[str, Any]) -> PublicPost:
        content = post["content"]["raw"]
        link = re.search(r'class="crosspost-link">.*?href="([^"]*)"', content)
        images = re.findall(r'<img [^>]*src="([^"]*)" alt="([^"]*)"', content)
        without = re.sub(
            r'<!--.*?-->|<figure.*?</figure>|<p class="crosspost-.*?</p>', "", content, flags=re.S
        )
        text = html.unescape(re.sub(r"<[^>]*>", "", without)).strip()
        pictures = tuple((html.unescape(alt), _sha256(address)) for address, alt in images)
        return PublicPost(str(post["id"]), text, pictures, link[1] if link else "")

    def phase_of(self, seen: Seen) -> str:
        if seen.path == "/wp-json/wp/v2/users/me":
            return "check"
        if seen.method == "DELETE":
            return "delete"
        if POST.fullmatch(seen.path):
            if seen.method == "GET":
                return "find"
            return "publish" if seen.json.get("status") == "publish" else "prepare"
        return "prepare"


def _sha256(address: str) -> str:
    return hashlib.sha256(requests.get(address, timeout=30).content).hexdigest()


class SiteCase(Case):
    """The contract, with WordPress instead of a platform of ours."""

    platform = "wordpress"
    uploads = True
    threads = False
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 401): ({"code": "incorrect_password", "message": "No."}, {}, AuthRevoked),
        ("publish", 400): ({"code": "rest_invalid_param", "message": "No."}, {}, RejectedContent),
    }

    def start(self) -> Site:
        return Site()

    def options(self, platform: Platform) -> dict[str, Any]:
        assert isinstance(platform, Site)
        return {
            "base_url": platform.url,
            "username": platform.started["WP_USER"],
            "application_password": SecretStr(platform.password),
        }

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, Site)
        platform.rest("DELETE", platform.password_path)


CASES = {"wordpress": SiteCase}


@pytest.fixture(scope="module", autouse=True)
def server(rig: Any) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Site, "started", rig("wordpress.sh"))
        patch.setattr(testing_case, "STALLED", 5.0)  # it works harder than a server of ours
        yield


@pytest.fixture
def site(case: Case, bench: Bench) -> Site:
    assert isinstance(bench.platform, Site)
    return bench.platform


def opened(bench: Bench, site: Site, **more: Any) -> Any:
    """An adapter with other options."""
    kind = type(bench.adapter)
    options = bench.case.options(site) | more
    return kind(kind.Settings.model_validate(options), bench.adapter.context)


def test_the_public_page_shows_text_images_link_and_source(bench: Bench, site: Site) -> None:
    images = (bench.image(1, "Gedung “baru” & 5 < 6"), bench.image(2, "Peta"))
    text = 'Loket [gallery] & "tilang" 👋🏽'
    _, receipt = bench.send(bench.case.post(text, link=LINK, images=images))
    page = requests.get(receipt.permalink.replace(site.url, site.upstream), timeout=30)
    assert page.status_code == 200
    assert re.search(r"/\d{4}/\d\d/\d\d/pengumuman/$", receipt.permalink)
    shown = html.unescape(page.text)
    for part in (
        "Loket [gallery] & ",
        "Gedung “baru” & 5 < 6",
        "B-123/M.1.10/2026",
        f'href="{LINK}"',
    ):
        assert part in shown
    assert page.text.count("wp-image-") >= 2
    (post,) = site.all()
    cover = site.rest("GET", f"/media/{post['featured_media']}?context=edit")
    assert html.unescape(cover["alt_text"]) == images[0].alt


@pytest.mark.parametrize("fault", ["reset_after", "half_body", "status_after:500"])
def test_a_post_whose_answer_was_lost_is_found_and_publishing_it_again_makes_no_second(
    bench: Bench, site: Site, fault: str
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Sekali saja.", link=LINK)))
    site.fault(fault)
    with pytest.raises(UnknownOutcome):
        bench.adapter.publish(outgoing)
    receipt = bench.open().find(outgoing)
    assert receipt is not None
    assert bench.adapter.publish(bench.prepare(outgoing)) == receipt
    assert len(site.all()) == 1


def test_a_draft_whose_answer_was_lost_is_not_made_twice(bench: Bench, site: Site) -> None:
    outgoing = bench.outgoing(bench.case.post("Halo.", images=(bench.image(1, "Satu"),)))
    first = bench.adapter.prepare(outgoing)
    assert bench.open().prepare(outgoing) == first
    assert len(site.all()) == 1


def test_a_draft_that_lies_in_the_trash_is_published_all_the_same(bench: Bench, site: Site) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    site.rest("DELETE", f"/posts/{outgoing.prepared['post']}")
    receipt = bench.adapter.publish(bench.prepare(outgoing))
    assert bench.texts() == ["Halo."]
    assert "trashed" not in receipt.permalink


def test_an_edited_post_keeps_its_address_and_no_draft_is_left(bench: Bench, site: Site) -> None:
    _, receipt = bench.send(bench.case.post("Salah ketik."))
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Sudah betul.")))
    assert bench.adapter.edit(receipt, outgoing) == receipt
    assert [post["status"] for post in site.all()] == ["publish"]


def test_a_deleted_post_lies_in_the_trash(bench: Bench, site: Site) -> None:
    _, receipt = bench.send(bench.case.post("Dihapus."))
    bench.adapter.delete(receipt)
    assert [post["status"] for post in site.all()] == ["trash"]


def test_categories_are_found_by_their_slugs(bench: Bench, site: Site) -> None:
    number = next(site.numbers)
    made = site.rest("POST", "/categories", json={"name": f"Layanan {number}"})
    bench.adapter = opened(bench, site, categories=[made["slug"]])
    bench.send(bench.case.post("Halo."))
    assert site.all()[0]["categories"] == [made["id"]]


def test_a_site_with_plain_permalinks_is_spoken_to_through_its_home_page(
    bench: Bench, site: Site
) -> None:
    adapter = opened(bench, site, api="/?rest_route=")
    assert "administrator" in adapter.check().facts.values()
    adapter.close()


def test_a_contributor_is_told_that_he_may_not_publish_or_upload(bench: Bench, site: Site) -> None:
    login = {
        "username": site.started["WP_CONTRIBUTOR_USER"],
        "application_password": SecretStr(site.started["WP_CONTRIBUTOR_APP_PASSWORD"]),
    }
    bench.adapter = opened(bench, site, **login)
    assert isinstance(refused(bench, bench.adapter.check), PermissionDenied)
    picture = bench.outgoing(bench.case.post("A", images=(bench.image(1, "a"),)))
    assert isinstance(refused(bench, lambda: bench.adapter.prepare(picture)), PermissionDenied)
    ready = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    assert isinstance(refused(bench, lambda: bench.adapter.publish(ready)), PermissionDenied)
    assert site.posts == []


def test_an_author_whose_html_the_site_filters_publishes_the_same(bench: Bench, site: Site) -> None:
    name = f"author{next(site.numbers)}"
    account = {"username": name, "email": f"{name}@example.test", "password": "unused-" + name}
    made = site.rest("POST", "/users", json=account | {"roles": ["author"]})
    path = f"/users/{made['id']}/application-passwords"
    password = site.rest("POST", path, json={"name": "crosspost"})["password"]
    login = {"username": name, "application_password": SecretStr(password)}
    bench.adapter = opened(bench, site, **login)
    assert list(bench.adapter.check().facts.values()) == ["author"]
    images = (bench.image(1, 'Gedung “baru” & "5" < 6'),)
    text = 'Pasal <b>5</b> & "huruf" [gallery] 👨‍👩‍👧‍👦\n\nBaris dua'
    outgoing, receipt = bench.send(bench.case.post(text, link=LINK, images=images))
    (post,) = site.posts
    assert post.text == f"{text}\n{LINK}"
    assert post.images == ((images[0].alt, images[0].sha256),)
    assert post.link == LINK
    assert bench.adapter.find(outgoing) == receipt
    edit = bench.prepare(bench.outgoing(bench.case.post("Sudah betul.")))
    assert bench.adapter.edit(receipt, edit) == receipt
    bench.adapter.delete(receipt)
    assert site.posts == []


@pytest.mark.parametrize(
    "login",
    [{"username": "nobody"}, {"application_password": SecretStr("abcd abcd abcd abcd abcd abcd")}],
    ids=["user", "password"],
)
def test_a_wrong_credential_is_understood(bench: Bench, site: Site, login: dict[str, Any]) -> None:
    bench.adapter = opened(bench, site, **login)
    assert isinstance(refused(bench, bench.adapter.check), AuthRevoked)
    ready = bench.outgoing(bench.case.post("Halo."))
    assert isinstance(refused(bench, lambda: bench.adapter.prepare(ready)), AuthRevoked)


def test_the_login_password_is_none(bench: Bench, site: Site) -> None:
    secret = SecretStr(site.started["WP_LOGIN_PASSWORD"])
    bench.adapter = opened(bench, site, application_password=secret)
    assert isinstance(refused(bench, bench.adapter.check), AuthRevoked)


def test_a_file_over_the_sites_limit_is_refused_as_such(bench: Bench, site: Site) -> None:
    image = bench.image(1, "Besar")
    image.path.write_bytes(base64.b64decode("/9j/") + bytes(21 * 1024 * 1024))
    outgoing = bench.outgoing(bench.case.post("Besar.", images=(image,)))
    bench.adapter.upload_timeout = (10.0, 60.0)  # type: ignore[attr-defined]
    assert isinstance(refused(bench, lambda: bench.adapter.prepare(outgoing)), MediaRejected)

"""What is WordPress's own, beyond the contract."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from case_wordpress import FakeWordPress, WordPressCase
from pydantic import ValidationError

from crosspost.adapters.wordpress import WordPressSettings
from crosspost.errors import (
    AuthRevoked,
    MediaExpired,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    RejectedContent,
    RetryLater,
    UnknownOutcome,
)
from crosspost.post import Post
from crosspost.testing.case import Bench
from crosspost.testing.conformance import LINK, refused
from crosspost.testing.loopback import Platform, Reply, Seen

OWN_LINK = "https://jdih.example/se-440"


class WithOptions(WordPressCase):
    more: dict[str, Any]

    def options(self, platform: Platform) -> dict[str, Any]:
        return super().options(platform) | self.more


class Creating(FakeWordPress):
    """Tells the request that makes the draft from the others of `prepare`."""

    def phase_of(self, seen: Seen) -> str:
        creates = seen.method == "POST" and seen.path.endswith("/posts")
        return "create" if creates else super().phase_of(seen)


@pytest.fixture
def site() -> Iterator[FakeWordPress]:
    with FakeWordPress() as platform:
        yield platform


@pytest.fixture
def bench(site: FakeWordPress, tmp_path: Path) -> Bench:
    return Bench(WordPressCase(), site, tmp_path)


def with_options(site: FakeWordPress, folder: Path, **more: Any) -> Bench:
    case = WithOptions()
    case.more = more
    return Bench(case, site, folder)


def written(post: Post, **values: Any) -> Post:
    """`post` with other values in its document."""
    assert post.document
    return replace(post, document=replace(post.document, **values))


def only(site: FakeWordPress) -> dict[str, Any]:
    (post,) = site.content.values()
    return post


# --- never twice ------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["reset_after", "stall_after", "status_after:500", "garbage"])
def test_a_draft_whose_answer_was_lost_is_found_by_its_slug_and_not_made_twice(
    tmp_path: Path, fault: str
) -> None:
    with Creating() as site:
        bench = Bench(WordPressCase(), site, tmp_path)
        outgoing = bench.outgoing(bench.case.post("Halo."))
        bench.spoil(fault, on="create")
        refused(bench, lambda: bench.adapter.prepare(outgoing))
        assert only(site)["status"] == "draft"
        bench.open().publish(bench.prepare(outgoing))
        assert only(site)["status"] == "publish"


@pytest.mark.parametrize("place", [0, 1])
def test_an_upload_whose_answer_was_lost_is_found_and_not_uploaded_twice(
    bench: Bench, site: FakeWordPress, place: int
) -> None:
    images = (bench.image(1, "Satu"), bench.image(2, "Dua"))
    outgoing = bench.outgoing(bench.case.post("Gambar.", images=images))
    slug = f"{outgoing.handle['slug']}-{place}"
    site.media[5] = {"id": 5, "slug": slug, "source_url": f"{site.url}/5.jpg", "sha256": "5"}
    assert bench.adapter.prepare(outgoing)["media"][place]["id"] == "5"
    assert len(site.media) == 2


def test_another_post_with_our_slug_in_its_name_is_not_taken_for_the_draft(
    bench: Bench, site: FakeWordPress
) -> None:
    outgoing = bench.outgoing(bench.case.post("Halo."))
    other = {"id": 3, "slug": outgoing.handle["slug"] + "-2", "status": "publish", "content": "x"}
    site.content[3] = dict(other)
    answer = site.answer
    site.answer = lambda seen: (  # type: ignore[method-assign]
        Reply(200, [site.content[3]]) if seen.method == "GET" else answer(seen)
    )
    assert bench.adapter.prepare(outgoing)["post"] != "3"
    assert site.content[3] == other


def test_a_draft_that_was_public_all_along_is_not_taken_off_by_preparing_again(
    bench: Bench, site: FakeWordPress
) -> None:
    outgoing, receipt = bench.send(bench.case.post("Halo."))
    again = bench.prepare(outgoing)
    assert only(site)["status"] == "publish"
    assert bench.adapter.publish(again) == receipt
    assert len(site.content) == 1


@pytest.mark.parametrize("how", ["trashed", "deleted"])
def test_a_draft_that_somebody_has_thrown_away_is_published_all_the_same(
    bench: Bench, site: FakeWordPress, how: str
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    name = int(str(outgoing.prepared["post"]))
    if how == "trashed":
        site.content[name] |= {"status": "trash", "slug": "x__trashed"}
    else:
        del site.content[name]
        assert isinstance(refused(bench, lambda: bench.adapter.publish(outgoing)), MediaExpired)
        assert bench.adapter.find(outgoing) is None
    bench.adapter.publish(bench.prepare(outgoing))
    assert bench.texts() == ["Halo."]


def test_two_announcements_with_one_title_are_two_posts(bench: Bench, site: FakeWordPress) -> None:
    links = {bench.send(bench.case.post(text))[1].permalink for text in ("Satu", "Dua")}
    assert {link.rsplit("/", 2)[1] for link in links} == {"pengumuman", "pengumuman-2"}


def test_slugs_differ_between_two_databases_that_count_from_one(bench: Bench) -> None:
    later = bench.now + timedelta(seconds=1)
    assert len({bench.adapter.new_handle("w-1-0", n)["slug"] for n in (bench.now, later)}) == 2


# --- only what was approved -------------------------------------------------------------------


def test_what_somebody_has_changed_in_the_draft_is_not_published(
    bench: Bench, site: FakeWordPress
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Yang disetujui.")))
    only(site)["content"] = only(site)["title"] = "Yang lain."
    bench.adapter.publish(outgoing)
    assert bench.texts() == ["Yang disetujui."]
    assert only(site)["title"] == "Pengumuman"


def test_nothing_is_left_for_the_site_to_interpret(bench: Bench, site: FakeWordPress) -> None:
    post = bench.case.post("[gallery ids=1] <script>x</script>")
    bench.send(written(post, title="<b>Tebal</b> [caption]", summary="[x] & <i>"))
    sent = only(site)
    assert "[" not in sent["content"] + sent["title"] + sent["excerpt"]
    assert "<script" not in sent["content"]
    assert sent["title"] == "&lt;b&gt;Tebal&lt;/b&gt; &#91;caption]"
    assert sent["content"].startswith("<!-- wp:html -->")


def test_its_own_link_the_page_and_the_source_stand_below_the_text_and_lead_there(
    bench: Bench, site: FakeWordPress
) -> None:
    post = replace(bench.case.post("Halo."), link=LINK)
    source = "SE 440/117 & lampiran, https://jdih.example/440?a=1&b=2"
    bench.send(written(post, link=OWN_LINK, source=source))
    content = only(site)["content"]
    places = [
        content.index(part) for part in ("Halo.", OWN_LINK, LINK, "SE 440/117 &amp; lampiran")
    ]
    assert places == sorted(places)
    assert 'href="https://jdih.example/440?a=1&amp;b=2"' in content
    assert content.count(f'href="{LINK}"') == 1


def test_a_post_without_a_title_is_named_by_its_summary(bench: Bench, site: FakeWordPress) -> None:
    bench.send(written(bench.case.post("Halo."), title="", summary="Kantor tutup."))
    assert only(site)["title"] == "Kantor tutup."


# --- settings ---------------------------------------------------------------------------------


def test_the_first_image_is_the_featured_one_unless_it_is_switched_off(
    bench: Bench, site: FakeWordPress, tmp_path: Path
) -> None:
    images = (bench.image(1, "Satu"), bench.image(2, "Dua"))
    bench.send(bench.case.post("Gambar.", images=images))
    assert only(site)["featured_media"] == min(site.media)
    site.content.clear()
    off = with_options(site, tmp_path, featured_image=False)
    off.send(off.case.post("Gambar.", images=images))
    assert only(site)["featured_media"] == 0
    assert len(site.posts[0].images) == 2


def test_categories_are_given_by_slug_and_asked_for_once(
    site: FakeWordPress, tmp_path: Path
) -> None:
    bench = with_options(site, tmp_path, categories=["layanan", "pengumuman"])
    for _ in range(2):
        bench.send(bench.case.post("Halo."))
    assert [post["categories"] for post in site.content.values()] == [["8", "7"]] * 2
    assert len([seen for seen in site.requests if "categories" in seen.path]) == 1


def test_a_category_that_the_site_does_not_have_is_an_error_though_the_site_would_drop_it(
    site: FakeWordPress, tmp_path: Path
) -> None:
    bench = with_options(site, tmp_path, categories=["pengumuman", "berita"])
    outgoing = bench.outgoing(bench.case.post("Halo."))
    for call in (bench.adapter.check, lambda: bench.adapter.prepare(outgoing)):
        found = refused(bench, call)
        assert isinstance(found, Misconfigured)
        assert "berita" in str(found)
        assert "pengumuman" not in str(found)


def test_the_address_of_the_api_can_be_the_one_for_plain_permalinks(
    site: FakeWordPress, tmp_path: Path
) -> None:
    bench = with_options(site, tmp_path, api="/?rest_route=")
    refused(bench, bench.adapter.check)
    (seen,) = site.requests
    assert seen.path == "/"
    assert dict(seen.query) == {"rest_route": "/wp/v2/users/me", "context": "edit"}


@pytest.mark.parametrize("api", ["", "wp-json", "/wp-json/"])
def test_an_api_address_that_would_make_broken_ones_is_refused(
    site: FakeWordPress, api: str
) -> None:
    with pytest.raises(ValidationError):
        WordPressSettings.model_validate(WordPressCase().options(site) | {"api": api})


# --- check ------------------------------------------------------------------------------------


def test_check_shows_the_role(bench: Bench) -> None:
    assert list(bench.adapter.check().facts.values()) == ["author"]


def test_one_who_may_not_publish_is_told_so_by_check(bench: Bench, site: FakeWordPress) -> None:
    site.capabilities = {"publish_posts": False, "upload_files": True}
    assert isinstance(refused(bench, bench.adapter.check), PermissionDenied)


def test_a_credential_revoked_before_preparing_is_not_taken_for_a_refused_text(
    bench: Bench, site: FakeWordPress
) -> None:
    bench.case.revoke(site)
    outgoing = bench.outgoing(bench.case.post("Halo."))
    assert isinstance(refused(bench, lambda: bench.adapter.prepare(outgoing)), AuthRevoked)


def test_check_warns_one_who_may_not_upload(bench: Bench, site: FakeWordPress) -> None:
    site.capabilities = {"publish_posts": True, "upload_files": False}
    (warning,) = bench.adapter.check().warnings
    assert "Author" in warning
    outgoing = bench.outgoing(bench.case.post("A", images=(bench.image(1, "a"),)))
    assert isinstance(refused(bench, lambda: bench.adapter.prepare(outgoing)), PermissionDenied)


# --- what is not public -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "expected"), [("pending", PermissionDenied), ("future", UnknownOutcome)]
)
def test_a_site_that_holds_the_post_back_has_not_published_it(
    bench: Bench, site: FakeWordPress, status: str, expected: type[Exception]
) -> None:
    site.moderated = status
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    found = refused(bench, lambda: bench.adapter.publish(outgoing))
    assert type(found) is expected
    assert status in str(found)


@pytest.mark.parametrize("status", ["draft", "pending", "private"])
def test_what_is_no_public_post_is_clearly_absent(
    bench: Bench, site: FakeWordPress, status: str
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    only(site)["status"] = status
    assert bench.adapter.find(outgoing) is None


@pytest.mark.parametrize("status", ["future", "trash", "held-by-a-plugin"])
def test_a_status_that_may_have_been_public_or_will_be_is_no_evidence(
    bench: Bench, site: FakeWordPress, status: str
) -> None:
    outgoing = bench.prepare(bench.outgoing(bench.case.post("Halo.")))
    only(site)["status"] = status
    assert isinstance(refused(bench, lambda: bench.adapter.find(outgoing)), RetryLater)


# --- edit and delete --------------------------------------------------------------------------


def test_an_edit_leaves_no_draft_behind_and_takes_the_new_images(
    bench: Bench, site: FakeWordPress
) -> None:
    _, receipt = bench.send(bench.case.post("Salah", images=(bench.image(1, "a"),)))
    edit = bench.outgoing(bench.case.post("Betul", images=(bench.image(2, "b"),)))
    edited = bench.adapter.edit(receipt, bench.prepare(edit))
    assert edited == receipt
    assert [alt for alt, _ in site.posts[0].images] == ["b"]
    assert str(only(site)["id"]) == receipt.remote_id


def test_a_post_in_the_trash_cannot_be_edited(bench: Bench, site: FakeWordPress) -> None:
    _, receipt = bench.send(bench.case.post("Salah"))
    bench.adapter.delete(receipt)
    edit = bench.prepare(bench.outgoing(bench.case.post("Betul")))
    assert isinstance(refused(bench, lambda: bench.adapter.edit(receipt, edit)), RejectedContent)
    assert site.posts == []


def test_a_deleted_post_lies_in_the_trash(bench: Bench, site: FakeWordPress) -> None:
    _, receipt = bench.send(bench.case.post("Halo."))
    bench.adapter.delete(receipt)
    assert only(site)["status"] == "trash"


# --- errors of files --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "words", "expected"),
    [
        (400, "rest_upload_no_data", "No data supplied.", MediaRejected),
        (400, "rest_upload_image_type_not_supported", "Tidak didukung", MediaRejected),
        (500, "rest_upload_unknown_error", "exceeds the upload_max_filesize dir", MediaRejected),
        (500, "rest_upload_unknown_error", "Failed to write file to disk.", RetryLater),
        (400, "rest_invalid_featured_media", "Invalid featured media ID.", MediaExpired),
    ],
)
def test_a_refused_file_is_told_from_a_server_in_trouble(
    bench: Bench,
    site: FakeWordPress,
    status: int,
    code: str,
    words: str,
    expected: type[Exception],
) -> None:
    outgoing = bench.outgoing(bench.case.post("A", images=(bench.image(1, "a"),)))
    body = f'{{"code": "{code}", "message": "{words}"}}'.encode()
    site.fault(f"status:{status}", on="prepare", body=body)
    assert type(refused(bench, lambda: bench.adapter.prepare(outgoing))) is expected

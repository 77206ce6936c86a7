"""WordPress's REST API as far as an announcement needs it; facts: developer.wordpress.org/rest-api,
and what version 6.1 was seen to do (`tests/servers/test_wordpress_debian.py`)."""

from __future__ import annotations

import base64
import html
import re
from typing import Any, ClassVar

from pydantic import SecretStr

from crosspost.errors import (
    AuthRevoked,
    MediaExpired,
    MediaRejected,
    Misconfigured,
    PermissionDenied,
    RejectedContent,
    RetryLater,
    TargetGone,
    UnknownOutcome,
)
from crosspost.testing.case import Case, ErrorBodies
from crosspost.testing.loopback import Platform, PublicPost, Reply, Seen

PASSWORD = "abcd EFGH ijkl MNOP qrst UVWX"
BASIC = base64.b64encode(f"humas:{PASSWORD}".encode()).decode()
POST = re.compile(r"/wp-json/wp/v2/posts/(\d+)")


def error(status: int, code: str, message: str = "Sorry.") -> Reply:
    return Reply(status, {"code": code, "message": message, "data": {"status": status}})


class FakeWordPress(Platform):
    """One site with one author."""

    def __init__(self) -> None:
        super().__init__()
        self.credentials = {BASIC}
        self.capabilities = {"publish_posts": True, "upload_files": True}
        self.categories = {"pengumuman": 7, "layanan": 8}
        self.content: dict[int, dict[str, Any]] = {}
        self.media: dict[int, dict[str, Any]] = {}
        self.moderated = ""  # the status that a plugin gives what should be published
        self._next = 100

    @property
    def posts(self) -> list[PublicPost]:
        return [self._public(p) for p in self.content.values() if p["status"] == "publish"]

    def _public(self, post: dict[str, Any]) -> PublicPost:
        content = post["content"]
        link = re.search(r'class="crosspost-link">.*?href="([^"]*)"', content)
        digests = {media["source_url"]: media["sha256"] for media in self.media.values()}
        images = re.findall(r'<img [^>]*src="([^"]*)" alt="([^"]*)"', content)
        return PublicPost(
            str(post["id"]),
            shown(content),
            tuple((html.unescape(alt), digests[address]) for address, alt in images),
            link[1] if link else "",
        )

    def phase_of(self, seen: Seen) -> str:
        if seen.path == "/wp-json/wp/v2/users/me":
            return "check"
        if seen.method == "DELETE":
            return "delete"
        found = POST.fullmatch(seen.path)
        if found is None:
            return "prepare"
        if seen.method == "GET":
            return "find"
        if seen.json.get("status") == "publish":
            return "publish"
        public = self.content.get(int(found[1]), {}).get("status") == "publish"
        return "edit" if public else "prepare"

    def answer(self, seen: Seen) -> Reply:
        known = seen.headers.get("authorization", "").removeprefix("Basic ") in self.credentials
        if not known and seen.method == "GET" and "status" in seen.query:
            params = {"status": "Status is forbidden."}
            no = {"code": "rest_invalid_param", "message": "Invalid parameter(s): status"}
            return Reply(400, no | {"data": {"status": 400, "params": params}})
        if not known:
            me = self.phase_of(seen) == "check"
            return error(401, "rest_not_logged_in" if me else "rest_cannot_edit")
        found = POST.fullmatch(seen.path)
        if found:
            return self._one(seen, int(found[1]))
        match seen.method, seen.path.removeprefix("/wp-json/wp/v2/"):
            case "GET", "users/me":
                rights = {"roles": ["author"], "capabilities": self.capabilities}
                return Reply(200, {"id": 2, "name": "Humas", **rights})
            case "GET", "categories":
                wanted = seen.query["slug"].split(",")
                known_ones = [
                    {"id": self.categories[s], "slug": s} for s in wanted if s in self.categories
                ]
                return Reply(200, known_ones)
            case "GET", "posts":
                return Reply(200, [self._view(p) for p in self._with_slug(self.content, seen)])
            case "GET", "media":
                return Reply(200, self._with_slug(self.media, seen))
            case "POST", "posts":
                return self._create(seen.json)
            case "POST", "media":
                return self._upload(seen)
        return error(404, "rest_no_route")

    def _id(self) -> int:
        self._next += 1
        return self._next

    def _with_slug(self, among: dict[int, dict[str, Any]], seen: Seen) -> list[dict[str, Any]]:
        return [
            one
            for one in among.values()
            if one["slug"] == seen.query["slug"] and one.get("status") != "trash"
        ]

    def _slug(self, wanted: str, own: int) -> str:
        """As the site makes it: the same twice gets a number, silently."""
        base = wanted.lower().replace(" ", "-")
        taken = {post["slug"] for post in self.content.values() if post["id"] != own}
        slugs = [base, *(f"{base}-{number}" for number in range(2, 99))]
        return next(slug for slug in slugs if slug not in taken)

    def _create(self, fields: dict[str, Any]) -> Reply:
        name = self._id()
        slug = self._slug(fields["slug"], name)
        self.content[name] = {**fields, "id": name, "slug": slug}
        return Reply(201, self._view(self.content[name]))

    def _one(self, seen: Seen, name: int) -> Reply:
        post = self.content.get(name)
        if post is None:
            return error(404, "rest_post_invalid_id", "Invalid post ID.")
        if seen.method == "DELETE":
            return self._delete(seen, post)
        if seen.method == "POST":
            post |= seen.json
            if post["status"] == "publish":
                post["status"] = self.moderated or "publish"
                post["slug"] = self._slug(post["slug"] or post["title"], name)
        return Reply(200, self._view(post))

    def _delete(self, seen: Seen, post: dict[str, Any]) -> Reply:
        if seen.query.get("force") == "true":
            del self.content[post["id"]]
            return Reply(200, {"deleted": True, "previous": self._view(post)})
        if post["status"] == "trash":
            return error(410, "rest_already_trashed", "The post has already been deleted.")
        post |= {"status": "trash", "slug": post["slug"] + "__trashed"}
        return Reply(200, self._view(post))

    def _view(self, post: dict[str, Any]) -> dict[str, Any]:
        link = f"{self.url}/2026/12/01/{post['slug']}/"
        if post["status"] == "draft":
            link = f"{self.url}/?p={post['id']}"
        return {**post, "link": link, "content": {"raw": post["content"]}}

    def _upload(self, seen: Seen) -> Reply:
        if not self.capabilities["upload_files"]:
            return error(400, "rest_cannot_create", "Sorry, you may not upload files.")
        name, file = self._id(), seen.parts["file"]
        self.media[name] = {
            "id": name,
            "slug": seen.parts["slug"].text,
            "source_url": f"{self.url}/wp-content/uploads/{name}-{file.filename}",
            "alt_text": seen.parts["alt_text"].text,
            "sha256": file.sha256,
        }
        return Reply(201, self.media[name])


def shown(content: str) -> str:
    """What a reader sees of the text, without images, link and source."""
    without = re.sub(
        r'<!--.*?-->|<figure.*?</figure>|<p class="crosspost-.*?</p>', "", content, flags=re.S
    )
    return html.unescape(re.sub(r"<[^>]*>", "", without)).strip()


class WordPressCase(Case):
    """The case of the conformance suite."""

    platform = "wordpress"
    SECRETS = (PASSWORD, BASIC, PASSWORD.replace(" ", ""))
    uploads = True
    threads = False
    error_bodies: ClassVar[ErrorBodies] = {
        ("check", 401): ({"code": "incorrect_password", "message": "No."}, {}, AuthRevoked),
        ("check", 403): ({"code": "application_passwords_disabled"}, {}, AuthRevoked),
        ("check", 404): ({"code": "rest_no_route", "message": "No route."}, {}, Misconfigured),
        ("check", 503): (b"<html><body>Maintenance</body></html>", {}, RetryLater),
        ("prepare", 400): ({"code": "rest_cannot_create", "message": "No."}, {}, PermissionDenied),
        ("prepare", 403): ({"code": "rest_cannot_create", "message": "No."}, {}, PermissionDenied),
        ("prepare", 413): (b"<html>Request Entity Too Large</html>", {}, MediaRejected),
        ("prepare", 500): ({"code": "rest_upload_sideload_error"}, {}, MediaRejected),
        ("prepare", 503): (b"", {}, RetryLater),
        ("publish", 400): ({"code": "rest_invalid_param", "message": "No."}, {}, RejectedContent),
        ("publish", 401): ({"code": "rest_cannot_edit", "message": "No."}, {}, AuthRevoked),
        ("publish", 403): (
            {"code": "rest_cannot_publish", "message": "No."},
            {},
            PermissionDenied,
        ),
        ("publish", 404): ({"code": "rest_post_invalid_id", "message": "No."}, {}, MediaExpired),
        ("publish", 500): ({"code": "db_update_error", "message": "No."}, {}, UnknownOutcome),
        ("find", 401): ({"code": "rest_forbidden_context", "message": "No."}, {}, AuthRevoked),
        ("find", 404): ({"code": "rest_no_route", "message": "No."}, {}, Misconfigured),
        ("edit", 404): ({"code": "rest_post_invalid_id", "message": "No."}, {}, RejectedContent),
        ("delete", 404): (b"<html>Not found</html>", {}, Misconfigured),
        ("delete", 410): (b"<html>Gone</html>", {}, TargetGone),
    }

    def start(self) -> FakeWordPress:
        return FakeWordPress()

    def options(self, platform: Platform) -> dict[str, Any]:
        return {
            "base_url": platform.url,
            "username": "humas",
            "application_password": SecretStr(PASSWORD),
        }

    def revoke(self, platform: Platform) -> None:
        assert isinstance(platform, FakeWordPress)
        platform.credentials.clear()

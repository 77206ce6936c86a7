"""The newest announcements for feed readers: Atom (RFC 4287) and JSON Feed 1.1.

It must not read or write files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from html import escape
from typing import Any

from crosspost.config import Office, SiteSettings
from crosspost.site.folder import Page
from crosspost.site.pages import address, instant
from crosspost.site.standing import CORRECTED, Standing
from crosspost.wording import words

#: What readers know of how an announcement stands, by the code of its page.
Standings = Mapping[str, Standing]


def atom(pages: Sequence[Page], office: Office, site: SiteSettings, standings: Standings) -> bytes:
    """The Atom feed of whole pages, newest first. What was corrected, withdrawn or erased says so,
    and is updated by that (RFC 4287 section 4.2.15), so that readers show it again."""
    from feedgenerator import Atom1Feed

    feed = Atom1Feed(
        title=office.name,
        link=f"{site.url}/",
        description=None,
        language=office.language,
        author_name=office.name,
        feed_url=f"{site.url}/feed.xml",
    )
    for page in pages:
        url = address(site, page.code)
        feed.add_item(
            title=_heading(page, standings),
            link=url,
            unique_id=url,
            pubdate=instant(page),
            updateddate=_updated(page, standings),
            description=escape(page.summary),  # it is read as HTML
            content=_notices(page, site, standings) + page.html,
        )
    return str(feed.writeString("utf-8")).encode()


def json_feed(
    pages: Sequence[Page], office: Office, site: SiteSettings, standings: Standings
) -> bytes:
    """The JSON feed of whole pages, newest first (jsonfeed.org, version 1.1)."""
    feed: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": office.name,
        "home_page_url": f"{site.url}/",
        "feed_url": f"{site.url}/feed.json",
        "language": office.language,
        "authors": [{"name": office.name}],
        "items": [_item(page, site, standings) for page in pages],
    }
    return (json.dumps(feed, ensure_ascii=False, indent=1) + "\n").encode()


def _item(page: Page, site: SiteSettings, standings: Standings) -> dict[str, Any]:
    url = address(site, page.code)
    item: dict[str, Any] = {
        "id": url,
        "url": url,
        "title": _heading(page, standings),
        "content_html": _notices(page, site, standings) + page.html,
        "summary": page.summary,
        "date_published": page.published,
        "language": page.lang,
    }
    if (updated := _updated(page, standings)) != instant(page):
        item["date_modified"] = updated.isoformat(timespec="seconds")
    if page.link:
        item["external_url"] = page.link
    if page.pictures:
        item["image"] = url + page.pictures[0].file
    return item


# --- what became of it ----------------------------------------------------------------------------


def _updated(page: Page, standings: Standings) -> datetime:
    standing = standings.get(page.code)
    changed = standing.updated if standing else ""
    return max(instant(page), datetime.fromisoformat(changed)) if changed else instant(page)


def _heading(page: Page, standings: Standings) -> str:
    standing = standings.get(page.code)
    if standing is None or not standing.changes:
        return page.heading
    return f"{_word(page, standing.state)}: {page.heading}"


def _notices(page: Page, site: SiteSettings, standings: Standings) -> str:
    """The changes, newest first, as the page shows them; reasons are escaped."""
    standing = standings.get(page.code)
    told = []
    for change in reversed(standing.changes if standing else ()):
        link = f'<a href="{escape(address(site, change.page))}">{_right(page)}</a>'
        reason = f" {escape(change.reason)}" if change.reason else ""
        told.append(f"<p><strong>{_word(page, change.kind)}.</strong>{reason} ")
        told.append(f"{link if change.page else ''}</p>")
    return "".join(told)


def _word(page: Page, kind: str) -> str:
    say = words(page.lang)
    return say("Corrected") if kind == CORRECTED else say("Withdrawn")


def _right(page: Page) -> str:
    say = words(page.lang)
    return say("What is right now")

"""The newest announcements for feed readers: Atom (RFC 4287) and JSON Feed 1.1.

It must not read or write files.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from crosspost.config import Office, SiteSettings
from crosspost.site.folder import Page
from crosspost.site.pages import address, instant


def atom(pages: Sequence[Page], office: Office, site: SiteSettings) -> bytes:
    """The Atom feed of whole pages, newest first."""
    from feedgen.feed import FeedGenerator

    feed = FeedGenerator()
    feed.id(f"{site.url}/")
    feed.title(office.name)
    feed.language(office.language)
    feed.author(name=office.name)
    feed.link(href=f"{site.url}/", rel="alternate")
    feed.link(href=f"{site.url}/feed.xml", rel="self")
    if pages:
        feed.updated(instant(pages[0]))
    for page in pages:
        entry = feed.add_entry(order="append")
        url = address(site, page.code)
        entry.id(url)
        entry.title(page.heading)
        entry.link(href=url)
        entry.published(instant(page))
        entry.updated(instant(page))
        entry.summary(page.summary)
        entry.content(page.html, type="html")
    return bytes(feed.atom_str(pretty=True))


def json_feed(pages: Sequence[Page], office: Office, site: SiteSettings) -> bytes:
    """The JSON feed of whole pages, newest first (jsonfeed.org, version 1.1)."""
    feed: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": office.name,
        "home_page_url": f"{site.url}/",
        "feed_url": f"{site.url}/feed.json",
        "language": office.language,
        "authors": [{"name": office.name}],
        "items": [_item(page, site) for page in pages],
    }
    return (json.dumps(feed, ensure_ascii=False, indent=1) + "\n").encode()


def _item(page: Page, site: SiteSettings) -> dict[str, Any]:
    url = address(site, page.code)
    item: dict[str, Any] = {
        "id": url,
        "url": url,
        "title": page.heading,
        "content_html": page.html,
        "summary": page.summary,
        "date_published": page.published,
        "language": page.lang,
    }
    if page.link:
        item["external_url"] = page.link
    if page.pictures:
        item["image"] = url + page.pictures[0].file
    return item

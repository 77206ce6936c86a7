"""An announcement onto the site, and the lists after it.

It must not decide whether: that is the adapter's caller's business.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from crosspost.config import Office, SiteSettings
from crosspost.ledger.manifest import NAME, OLD
from crosspost.post import Document, Image, Video
from crosspost.site import feeds, pages
from crosspost.site.folder import DATA, LIST, Film, Folder, Page, Picture, list_json, to_json

LEDGER = "ledger"  # the folder of the record below the site


def page_of(
    document: Document, images: Sequence[Image], videos: Sequence[Video], published: datetime
) -> Page:
    """The page of a post, published then (aware)."""
    return Page(
        code=document.code,
        revision=document.revision,
        title=document.title,
        lang=document.lang,
        published=published.astimezone(UTC).isoformat(timespec="seconds"),
        summary=document.summary,
        source=document.source,
        link=document.link,
        html=document.html,
        text=document.text,
        pictures=tuple(
            Picture(image.filename, image.alt, image.width, image.height, image.sha256)
            for image in images
        ),
        videos=tuple(
            Film(film.filename, film.mime, film.alt, film.width, film.height, film.sha256)
            for film in videos
        ),
    )


def put(
    folder: Folder,
    page: Page,
    media: Mapping[str, bytes | Path],
    office: Office,
    site: SiteSettings,
) -> None:
    """Make the page of an announcement public; `media` are its images and videos by name. Raises
    OSError with nothing public."""
    html = pages.announcement(page, office, site)
    folder.put(
        page.code, {**media, DATA: to_json(page).encode(), "index.html": html.encode("utf-8")}
    )


def withdraw_list(folder: Folder) -> None:
    """From now on what stands there may be another than the signed list of the site says, so it is
    no list until the record is shown anew: a reader cannot decide, and is told no forgery."""
    folder.move(f"{LEDGER}/{NAME}", f"{LEDGER}/{OLD}")


def bring_lists_up_to_date(folder: Folder, office: Office, site: SiteSettings) -> None:
    """Style sheet, index, archive and feeds anew from the pages that are there. Raises OSError;
    then it is to be done again."""
    withdraw_list(folder)
    for name, content in lists(folder, office, site).items():
        folder.replace(name, content)


def lists(
    folder: Folder,
    office: Office,
    site: SiteSettings,
    *,
    every: bool = False,
    anew: bool = False,
    but: Collection[str] = (),
) -> dict[str, bytes]:
    """Style sheet, index, archives and feeds by name, from the pages that are there; unless `every`
    only the archives that lack something. `anew`: without believing the list file, or
    `but` for these codes. Raises OSError."""
    known = set() if every else {page.code for page in folder.kept_list()}
    listed = folder.listed(anew=anew, but=but)
    by_year: dict[int, list[Page]] = {}
    for entry in listed:
        by_year.setdefault(_year(entry, office), []).append(entry)
    years = list(by_year)
    newest = [page for entry in listed[: pages.NEWEST] if (page := folder.page(entry.code))]
    states = {page.code: state for page in listed if (state := folder.state(page.code))}
    archives = {
        f"{year}/index.html": pages.archive(
            year, by_year[year], years, office, site, states
        ).encode()
        for year in _changed(folder, listed, known, office)
    }
    return {
        **pages.fixed(),
        **archives,
        "index.html": pages.index(listed, years, office, site, states).encode(),
        "feed.xml": feeds.atom(newest, office, site),
        "feed.json": feeds.json_feed(newest, office, site),
        LIST: list_json(listed),
    }


def _changed(
    folder: Folder, listed: Sequence[Page], known: Collection[str], office: Office
) -> list[int]:
    """The years whose archive says less than there is; all of them when a year is new, since they
    link to one another."""
    years = {_year(page, office) for page in listed}
    if not all((folder.path / str(year) / "index.html").exists() for year in years):
        return sorted(years)
    return sorted({_year(page, office) for page in listed if page.code not in known})


def _year(page: Page, office: Office) -> int:
    return pages.instant(page).astimezone(office.tz).year

"""An announcement onto the site, and the lists after it.

It must not decide whether: that is the adapter's caller's business.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from crosspost.config import Office, SiteSettings
from crosspost.site import feeds, pages
from crosspost.site.folder import DATA, Folder, Page, to_json


def put(
    folder: Folder, page: Page, images: dict[str, bytes], office: Office, site: SiteSettings
) -> None:
    """Make the page of an announcement public; `images` are its files by name. Raises OSError with
    nothing public."""
    html = pages.announcement(page, office, site)
    folder.put(
        page.code, {**images, DATA: to_json(page).encode(), "index.html": html.encode("utf-8")}
    )


def bring_lists_up_to_date(folder: Folder, office: Office, site: SiteSettings) -> None:
    """Style sheet, index, archive and feeds anew from the pages that are there. Raises OSError;
    then it is to be done again."""
    known = {page.code for page in folder.kept_list()}
    listed = folder.listed()
    by_year: dict[int, list[Page]] = {}
    for entry in listed:
        by_year.setdefault(_year(entry, office), []).append(entry)
    years = list(by_year)
    folder.replace("style.css", pages.style())
    for year in _changed(folder, listed, known, office):
        text = pages.archive(year, by_year[year], years, office, site)
        folder.replace(f"{year}/index.html", text.encode())
    folder.replace("index.html", pages.index(listed, years, office, site).encode())
    newest = [whole for entry in listed[: pages.NEWEST] if (whole := folder.page(entry.code))]
    folder.replace("feed.xml", feeds.atom(newest, office, site))
    folder.replace("feed.json", feeds.json_feed(newest, office, site))
    folder.keep_list(listed)


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

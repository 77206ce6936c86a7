"""How the pages look: one announcement, the index, the archive of a year.

WCAG 2.2 AA, no script, nothing from elsewhere. It must not read or write files of the site; the
templates lie beside it and escape all that they are given, but for a page's safe HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from crosspost.config import Office, SiteSettings
from crosspost.site.folder import Page
from crosspost.site.standing import Standing
from crosspost.times import spoken
from crosspost.wording import words

#: So many stand on the index and in the feeds; all of them are in the archive of their year.
NEWEST = 50


def announcement(
    page: Page, office: Office, site: SiteSettings, standing: Standing | None = None
) -> str:
    """The page of one announcement; `standing` is what the record says of it, once it does."""
    standing = standing or Standing(page.code, 0, page.revision)
    url = address(site, page.code)

    def told(at: str) -> str:
        return spoken(datetime.fromisoformat(at), office.zone, page.lang)

    return render(
        "announcement.html",
        page.lang,
        office,
        page=page,
        body=Markup(page.html),  # noqa: S704 - made by our Markdown renderer, which escapes
        url=url,
        when=spoken(instant(page), office.zone, page.lang),
        spoken=told,
        standing=standing,
        copies=[copy for copy in standing.copies if copy.links and copy.platform != "site"],
        proofs=[copy for copy in standing.copies if copy.proof],
        qr=qr(url),
        site_url=site.url,
        root="../../",
    )


def qr(address: str) -> Markup:
    """An address as a QR code (ISO/IEC 18004), as SVG, without a colour of its own."""
    import segno

    drawn = segno.make(address, micro=False, error="m").svg_inline(omitsize=True, svgclass=None)
    return Markup(drawn)  # noqa: S704 - made of rectangles only


def index(
    pages: Sequence[Page],
    years: Sequence[int],
    office: Office,
    site: SiteSettings,
    states: Mapping[str, str],
) -> str:
    """The first page: the newest announcements, and where the others are. `states` says of codes
    that their page was corrected or withdrawn."""
    return render(
        "list.html",
        office.language,
        office,
        items=_items(pages[:NEWEST], office, states),
        year=None,
        years=years,
        url=f"{site.url}/",
        root="",
    )


def archive(
    year: int,
    pages: Sequence[Page],
    years: Sequence[int],
    office: Office,
    site: SiteSettings,
    states: Mapping[str, str],
) -> str:
    """Every announcement of a year; `states` as in `index`."""
    return render(
        "list.html",
        office.language,
        office,
        items=_items(pages, office, states),
        year=year,
        years=years,
        url=f"{site.url}/{year}/",
        root="../",
    )


def fixed() -> dict[str, bytes]:
    """The files that every page needs and that say nothing: style sheet and icon, by name."""
    folder = resources.files("crosspost.site") / "templates"
    return {name: (folder / name).read_bytes() for name in ("style.css", "icon.svg")}


def address(site: SiteSettings, code: str) -> str:
    """Where the page with this code is seen."""
    return f"{site.url}/p/{code}/"


def instant(page: Page) -> datetime:
    """When it was published, aware."""
    return datetime.fromisoformat(page.published)


def _items(
    pages: Sequence[Page], office: Office, states: Mapping[str, str]
) -> list[tuple[Page, str, str]]:
    """Each page with its time in words, and "corrected", "withdrawn" or ""."""
    return [
        (page, spoken(instant(page), office.zone, office.language), states.get(page.code, ""))
        for page in pages
    ]


def render(name: str, lang: str, office: Office, **values: Any) -> str:
    """A template filled in, for readers of `lang`."""
    template = _environment().get_template(name)
    return template.render(say=words(lang), lang=lang, office=office, **values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("crosspost.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )

"""The office's own pages (`crosspost/site/`) as a channel. It publishes first, the others link to
its page."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from crosspost.adapters.base import Adapter, AdapterSettings
from crosspost.config import Config
from crosspost.errors import ConfigError, Misconfigured, RetryLater, UnknownOutcome
from crosspost.foreign import of_system
from crosspost.post import (
    Account,
    Capabilities,
    CardMaker,
    Document,
    Markup,
    Outgoing,
    Post,
    Receipt,
    Reconcile,
)
from crosspost.rendering.measure import code_points
from crosspost.wording import t

if TYPE_CHECKING:
    from crosspost.config import SiteSettings
    from crosspost.site.folder import Folder, Page


class SiteSettingsOfChannel(AdapterSettings):
    """No keys: address and folder stand in `[site]`."""


class SiteAdapter(Adapter):
    """Writes a page. Its name is the revision's code, so a page that may be there is looked for
    under that name."""

    platform = "site"
    title = "Site"
    Settings: ClassVar[type[AdapterSettings]] = SiteSettingsOfChannel
    capabilities = Capabilities(
        markup=Markup.DOCUMENT,
        max_images=20,
        image_side=2048,
        max_alt=5000,
        max_videos=4,
        mixes_media=True,
        video_bytes=500_000_000,
        video_seconds=24 * 3600,
        video_types=("video/mp4", "video/webm"),  # what every browser plays
        video_codecs=("h264", "vp8", "vp9", "av1"),
        card=CardMaker.NONE,
        reconcile=Reconcile.CHOSEN_ID,
        settle=timedelta(seconds=1),
    )
    measure = staticmethod(code_points)

    def setup(self) -> None:
        config = self.context.config
        if config is None or config.site is None:
            raise ConfigError(
                t(
                    "[channels.{name}] makes pages, so a section [site] with url is needed.",
                    name=self.context.channel or self.platform,
                )
            )
        self._config: Config = config
        self._site: SiteSettings = config.site

    @property
    def folder(self) -> Folder:
        """Where the pages lie."""
        from crosspost.site.folder import Folder

        return Folder(self._config.folder / self._site.folder)

    def check(self) -> Account:
        path = self.folder.path
        nearest = next(p for p in (path, *path.parents) if p.exists())
        if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
            raise Misconfigured(
                t("The pages cannot be written into {folder}.", folder=path), platform=self.platform
            )
        warnings = []
        if self._site.url.startswith("http://"):
            warnings.append(t("The address of the pages does not begin with https://."))
        facts = {t("folder"): str(path)}
        return Account(self._config.office.name, f"{self._site.url}/", facts, tuple(warnings))

    def needs_preparing(self, post: Post) -> bool:
        return bool(post.images or post.videos)

    def prepare(self, outgoing: Outgoing) -> dict[str, object]:
        """Nothing is written yet; but a file that cannot be read is better known now."""
        self._media(outgoing.post)
        return {}

    def publish(self, outgoing: Outgoing) -> Receipt:
        from crosspost.site import publishing

        page, media = self._page(outgoing), self._media(outgoing.post)
        try:
            publishing.put(self.folder, page, media, self._config.office, self._site)
        except OSError as error:
            raise RetryLater(
                t("The page cannot be written: {reason}.", reason=of_system(error)),
                platform=self.platform,
                sent=False,
            ) from error
        return self._receipt(page.code)

    def find(self, outgoing: Outgoing) -> Receipt | None:
        code = _document(outgoing).code
        try:
            found = self.folder.page(code)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RetryLater(
                t("The page {code} cannot be read.", code=code), platform=self.platform
            ) from error
        return self._receipt(code) if found else None

    def _receipt(self, code: str) -> Receipt:
        """The page is public; the lists follow it, or it is in doubt until they do."""
        from crosspost.site import publishing

        try:
            publishing.bring_lists_up_to_date(self.folder, self._config.office, self._site)
        except OSError as error:
            raise UnknownOutcome(
                t("The list of the pages cannot be written: {reason}.", reason=of_system(error)),
                platform=self.platform,
            ) from error
        return Receipt(code, self._config.page(code))

    def _page(self, outgoing: Outgoing) -> Page:
        from crosspost.site.publishing import page_of

        post = outgoing.post
        return page_of(_document(outgoing), post.images, post.videos, self.context.now())

    def _media(self, post: Post) -> dict[str, bytes | Path]:
        """The files of the post by name; videos are copied later. Raises RetryLater when the disk
        does not give one."""
        for video in post.videos:
            self.piece_of(video, 0, 1)
        films: dict[str, bytes | Path] = {video.filename: video.path for video in post.videos}
        try:
            return films | {image.filename: image.path.read_bytes() for image in post.images}
        except OSError as error:
            raise RetryLater(
                t("An image of the page cannot be read: {reason}.", reason=of_system(error)),
                platform=self.platform,
                sent=False,
            ) from error


def _document(outgoing: Outgoing) -> Document:
    document = outgoing.post.document
    if document is None:
        raise ValueError("a post for the site has a document")
    return document

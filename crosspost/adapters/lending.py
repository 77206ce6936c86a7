"""Images of ours at a public address, for as long as a platform needs to fetch them.

They lie in the folder of the office's own pages, under names that nobody can guess, and are taken
away as soon as the platform has them. This room must not know the platform.
"""

from __future__ import annotations

from contextlib import suppress

from crosspost.adapters.base import Adapter
from crosspost.config import Config
from crosspost.errors import RetryLater
from crosspost.post import Image
from crosspost.site.folder import Folder
from crosspost.wording import t

#: The folder beside the pages.
FOLDER = "m"


def can_lend(config: Config | None) -> bool:
    """Whether there is a place that the public, and so a platform, can see."""
    return config is not None and config.site is not None


def lend(adapter: Adapter, image: Image) -> str:
    """Put an image where it can be fetched; its address. Raises RetryLater when a disk refuses."""
    config, content, name = adapter.context.config, adapter.bytes_of(image), _name(adapter, image)
    if config is None or config.site is None or config.site_folder is None:
        raise ValueError("without [site] there is no place to lend from")
    try:
        Folder(config.site_folder).replace(name, content)
    except OSError as error:
        raise RetryLater(
            t("The image cannot be put onto the office's pages: {reason}.", reason=error.strerror),
            platform=adapter.platform,
            sent=False,
        ) from error
    return f"{config.site.url}/{name}"


def take_back(adapter: Adapter, images: tuple[Image, ...]) -> None:
    """Take the images away. One that the disk does not give up stays: nobody knows its name."""
    config = adapter.context.config
    for image in images:
        if config is not None and config.site_folder is not None:
            with suppress(OSError):
                (config.site_folder / _name(adapter, image)).unlink(missing_ok=True)


def _name(adapter: Adapter, image: Image) -> str:
    return f"{FOLDER}/{adapter.context.channel or adapter.platform}-{image.filename}"

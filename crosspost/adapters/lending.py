"""Images and videos of ours at a public address, for as long as a platform needs to fetch them.

They lie in the folder of the office's own pages, under names that nobody can guess, and are taken
away as soon as the platform has them. This room must not know the platform.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from contextlib import suppress

from crosspost.adapters.base import Adapter
from crosspost.config import Config
from crosspost.errors import RetryLater
from crosspost.foreign import of_system
from crosspost.post import Image, Video
from crosspost.wording import t

#: The folder beside the pages.
FOLDER = "m"


def can_lend(config: Config | None) -> bool:
    """Whether there is a place that the public, and so a platform, can see."""
    return config is not None and config.site is not None


def lend(adapter: Adapter, file: Image | Video) -> str:
    """Put an image or video where it can be fetched; its address. Raises RetryLater when a disk
    refuses."""
    config, name = adapter.context.config, _name(adapter, file)
    if config is None or config.site is None or config.site_folder is None:
        raise ValueError("without [site] there is no place to lend from")
    target = config.site_folder / name
    draft = target.with_name(f".new-{target.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file.path, draft)
        draft.chmod(0o644)
        draft.replace(target)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise RetryLater(
            t("The file cannot be put onto the office's pages: {reason}.", reason=of_system(error)),
            platform=adapter.platform,
            sent=False,
        ) from error
    return f"{config.site.url}/{name}"


def take_back(adapter: Adapter, files: Iterable[Image | Video]) -> None:
    """Take the files away. One that the disk does not give up stays: nobody knows its name."""
    config = adapter.context.config
    for file in files:
        if config is not None and config.site_folder is not None:
            with suppress(OSError):
                (config.site_folder / _name(adapter, file)).unlink(missing_ok=True)


def _name(adapter: Adapter, file: Image | Video) -> str:
    return f"{FOLDER}/{adapter.context.channel or adapter.platform}-{file.filename}"

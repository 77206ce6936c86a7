"""The adapters by platform name: ours, and those that other packages bring.

Names are strings here so that nothing is imported before it is used. A package adds an adapter by
the entry-point group `crosspost.adapters`, for example `fediverse = "their_package:TheirAdapter"`.
To add one of ours: its file, a line in `BUILT_IN`, its case (`tests/adapters/case_<platform>.py`),
its page in `docs/channels/`, and its keys in `config.example.toml`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from crosspost.adapters.base import Adapter, Context
from crosspost.config import Config, Unseen, sentence
from crosspost.errors import ConfigError, NotFound
from crosspost.wording import t

__all__ = ["BUILT_IN", "Adapter", "Context", "adapter_class", "open_adapter", "problems_of"]

#: platform -> "module:class"
BUILT_IN: dict[str, str] = {
    "site": "crosspost.adapters.site:SiteAdapter",
    "mastodon": "crosspost.adapters.mastodon:MastodonAdapter",
    "bluesky": "crosspost.adapters.bluesky:BlueskyAdapter",
    "telegram": "crosspost.adapters.telegram:TelegramAdapter",
    "facebook": "crosspost.adapters.facebook:FacebookAdapter",
    "instagram": "crosspost.adapters.instagram:InstagramAdapter",
    "threads": "crosspost.adapters.threads:ThreadsAdapter",
    "x": "crosspost.adapters.x:XAdapter",
    "linkedin": "crosspost.adapters.linkedin:LinkedInAdapter",
    "youtube": "crosspost.adapters.youtube:YouTubeAdapter",
    "tiktok": "crosspost.adapters.tiktok:TikTokAdapter",
    "whatsapp": "crosspost.adapters.whatsapp:WhatsAppAdapter",
    "discord": "crosspost.adapters.discord:DiscordAdapter",
    "matrix": "crosspost.adapters.matrix:MatrixAdapter",
    "slack": "crosspost.adapters.slack:SlackAdapter",
    "webhook": "crosspost.adapters.webhook:WebhookAdapter",
    "wordpress": "crosspost.adapters.wordpress:WordPressAdapter",
    "email": "crosspost.adapters.email:EmailAdapter",
}


@cache
def platforms() -> dict[str, str]:
    """Every platform that can be configured, with where its adapter lies."""
    from importlib.metadata import entry_points

    return {e.name: e.value for e in entry_points(group="crosspost.adapters")} | BUILT_IN


def adapter_class(platform: str) -> type[Adapter]:
    """The adapter for `platform`. Raises NotFound, naming those that there are."""
    where = BUILT_IN.get(platform) or platforms().get(platform)
    if where is None:
        raise NotFound(
            t(
                'there is no platform "{platform}"; there are {known}',
                platform=platform,
                known=", ".join(sorted(platforms())),
            )
        )
    module, _, name = where.partition(":")
    found: type[Adapter] = getattr(import_module(module), name)
    return found


def problems_of(platform: str, options: Mapping[str, Any]) -> list[str]:
    """What is wrong with a channel's options, one sentence each; for `config.load`. A secret that
    this account may not read is taken to be right."""
    unseen = {name for name, value in options.items() if isinstance(value, Unseen)}
    try:
        adapter_class(platform).Settings.model_validate(dict(options))
    except NotFound as error:
        return [f"platform: {error.problems[0]}."]
    except ValidationError as error:
        found = [each for each in error.errors() if not unseen & set(each["loc"])]
        return [sentence(each, "") for each in found if each["loc"] or not unseen]
    return []


def open_adapter(config: Config, name: str, context: Context | None = None) -> Adapter:
    """The adapter of the channel `name`, ready to be used.

    Raises NotFound for a channel that is not configured, ConfigError for unusable options.
    """
    channel = config.channels.get(name)
    if channel is None:
        raise NotFound(
            t(
                'There is no channel "{name}". Configured are: {known}.',
                name=name,
                known=", ".join(config.channels) or t("none"),
            ),
            hint=t("Channels are the [channels.NAME] sections of {path}.", path=config.path),
        )
    problems = problems_of(channel.platform, channel.options)
    if problems:
        raise ConfigError(*(f"channels.{name}.{problem}" for problem in problems))
    kind = adapter_class(channel.platform)
    if any(isinstance(value, Unseen) for value in channel.options.values()):
        settings = kind.Settings.model_construct(**channel.options)
    else:
        settings = kind.Settings.model_validate(dict(channel.options))
    return kind(settings, context or Context(config=config, channel=name))

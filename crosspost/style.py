"""How an office wants the posts of a channel to look: keys that are no adapter's business.

Pure data. It must not know what a template makes; `config.py` has each of them tried.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field


class Style(BaseModel):
    """Keys of `[channels.NAME]` that are about words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    templates: Mapping[str, str] = {}  # class of announcement -> template; else the office's
    signature: str | None = Field(default=None, max_length=300)  # the last line; else the office's
    threads: bool = False  # a long text becomes a numbered thread
    hashtags: bool = True  # the announcement's tags are written out

    def over(self, templates: Mapping[str, str], signature: str) -> Style:
        """These, with the office's own for what the channel does not say."""
        own = self.signature if self.signature is not None else signature
        merged = {**templates, **self.templates}
        return self.model_copy(update={"templates": merged, "signature": own})


PLAIN = Style()

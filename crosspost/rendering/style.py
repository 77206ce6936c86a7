"""How an office wants its posts to look: the keys of a channel that are about words.

Pure. A template is only looked at here; what it makes is `templates.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from crosspost.rendering import templates
from crosspost.wording import t


def _usable(written: Mapping[str, str]) -> Mapping[str, str]:
    for name, template in written.items():
        if name not in templates.CLASSES:
            known = ", ".join(templates.CLASSES)
            raise ValueError(
                t('there is no class "{name}"; there are {known}', name=name, known=known)
            )
        if problem := templates.problem(template):
            raise ValueError(f"{name}: {problem}")
    return written


#: Class of announcement -> template, each of them tried.
Templates = Annotated[Mapping[str, str], AfterValidator(_usable)]


class Style(BaseModel):
    """Keys of `[channels.NAME]` that are no adapter's business."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    templates: Templates = {}  # of this channel; else those of all channels
    signature: str | None = Field(default=None, max_length=300)  # else the office's
    threads: bool = False  # a long text becomes a numbered thread
    hashtags: bool = True  # the announcement's tags are written out

    def over(self, templates: Mapping[str, str], signature: str) -> Style:
        """These, with the office's own for what the channel does not say."""
        own = self.signature if self.signature is not None else signature
        merged = {**templates, **self.templates}
        return self.model_copy(update={"templates": merged, "signature": own})


PLAIN = Style()

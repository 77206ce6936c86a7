"""Telegram's Bot API: its methods, and what its refusals mean, which only their words say.

It must not know what a post is; `telegram.py` does. Facts: core.telegram.org/bots/api, and the
source of its server (tdlib/telegram-bot-api, `Client.cpp`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from crosspost import errors
from crosspost.adapters.base import Answer, HttpAdapter, Meaning, text_id
from crosspost.adapters.telegram_messages import RETRY_AFTER
from crosspost.adapters.uploads import File
from crosspost.wording import t

REFUSED = (400, 403)


class TelegramApi(HttpAdapter):
    """Calls to Telegram as a bot; the settings have `bot_token`."""

    meanings = (
        # the Bot API knows every method that we call, but not this token
        Meaning(errors.AuthRevoked, 404),
        # no status or code says it, only the words; first what stands inside another error too
        Meaning(errors.RateLimited, REFUSED, words="too many requests"),
        Meaning(errors.Misconfigured, REFUSED, words="upgraded to a supergroup"),
        Meaning(errors.TargetGone, REFUSED, words="chat not found|chat was deleted"),
        Meaning(errors.TargetGone, REFUSED, words="group chat was deactivated"),
        Meaning(errors.PermissionDenied, REFUSED, words="not enough rights|have no rights"),
        Meaning(errors.PermissionDenied, REFUSED, words="administrator rights|ADMIN_REQUIRED"),
        Meaning(errors.PermissionDenied, REFUSED, words="_FORBIDDEN|CHANNEL_PRIVATE"),
        Meaning(errors.PermissionDenied, REFUSED, words="CHAT_RESTRICTED|bot is not a member"),
        Meaning(errors.MediaRejected, REFUSED, words="PHOTO_|IMAGE_|MEDIA_|wrong file"),
        Meaning(errors.MediaRejected, REFUSED, words="file is too big|must be non-empty"),
        Meaning(errors.NotSupported, REFUSED, words="can't be (deleted|edited)"),
        # an album of which other images may be public
        Meaning(errors.PartialSuccess, REFUSED, words="failed to send message #|group send failed"),
    )

    def api(self, method: str, fields: Mapping[str, Any], *, phase: str, fine: str = "") -> Answer:
        """One method; `fine` are the words of a refusal that means that it is so already."""
        return self._yes(self._send(method, phase, json=dict(fields)), phase, fine)

    def send_files(
        self, method: str, fields: Mapping[str, Any], named: Mapping[str, File]
    ) -> Answer:
        """Publish with these files, as parts of a form that have these names."""
        files = {
            name: (file.filename, self.bytes_of(file), file.mime) for name, file in named.items()
        }
        # in a form, whatever is no text is written as JSON
        form = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}
        return self._yes(self._send(method, "publish", data=form, files=files), "publish")

    def _send(self, method: str, phase: str, **body: Any) -> Answer:
        token = self.settings.bot_token.get_secret_value()
        every = tuple(range(100, 600))
        return self.call("POST", f"/bot{token}/{method}", phase=phase, ok=every, **body)

    def _yes(self, answer: Answer, phase: str, fine: str = "") -> Answer:
        """`answer` when it is a yes. A refusal may come with any HTTP status, also 200."""
        if answer.at("ok") is True and answer.status == 200:
            return answer
        code = answer.at("error_code")
        if answer.at("ok") is False and isinstance(code, int) and 400 <= code < 600:
            answer = replace(answer, status=code)
        if fine and answer.status == 400 and fine in self.words_of(answer):
            return answer
        raise self.error_from(answer, phase)

    def result(self, method: str, fields: Mapping[str, Any], *, phase: str) -> dict[str, Any]:
        """What a method answers, where that is an object."""
        answer = self.api(method, fields, phase=phase)
        with self.reading(answer, phase):
            result = answer.data["result"]
            text_id(result.get("id") or result.get("status"))  # every object that we read has one
            return dict(result)

    def error_of(self, answer: Answer, phase: str) -> type[errors.PlatformError] | None:
        return super().error_of(answer, phase) if isinstance(answer.data, dict) else None

    def until_of(self, answer: Answer) -> datetime | None:
        seconds = answer.at("parameters", "retry_after")
        if seconds is None and (found := RETRY_AFTER.search(self.words_of(answer))):
            seconds = found[1]
        return self.after(seconds) if seconds else None

    def words_of(self, answer: Answer) -> str:
        words, moved = super().words_of(answer), answer.at("parameters", "migrate_to_chat_id")
        return f"{words}. {t('Write chat_id = {number}.', number=moved)}" if moved else words

"""The notice boards of the regency: short texts on screens in public buildings."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import SecretStr

from crosspost.adapters.base import (
    Answer,
    HttpAdapter,
    HttpSettings,
    Meaning,
    text_id,
    timed,
    web_link,
)
from crosspost.errors import TargetGone
from crosspost.post import Account, Capabilities, CardMaker, Outgoing, Receipt, Reconcile
from crosspost.rendering.measure import code_points


class BulletinSettings(HttpSettings):
    """`base_url` comes with HttpSettings; a `SecretStr` is never shown and never read from the
    configuration file itself."""

    key: SecretStr


class BulletinAdapter(HttpAdapter):
    platform = "bulletin"
    title = "Notice board"
    Settings = BulletinSettings
    capabilities = Capabilities(
        max_length=200,
        card=CardMaker.NONE,
        delete=True,
        reconcile=Reconcile.CHOSEN_ID,
        settle=timedelta(seconds=60),
    )
    # by the board's own words: a 404 of anything else is no evidence
    so_already = (Meaning(TargetGone, 404, words="no such notice", phases="find delete"),)
    measure = staticmethod(code_points)

    def headers(self) -> dict[str, str]:
        return {"X-Key": self.settings.key.get_secret_value()}

    def check(self) -> Account:
        answer = self.call("GET", "/board", phase="check")
        with self.reading(answer, "check"):
            return Account(name=str(answer.data["name"]))

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        return {"name": timed(key, now)}

    def publish(self, outgoing: Outgoing) -> Receipt:
        notice = {"text": outgoing.post.text, "lang": outgoing.post.lang}
        path = f"/notices/{outgoing.handle['name']}"
        return self._receipt(self.call("PUT", path, phase="publish", json=notice), "publish")

    def find(self, outgoing: Outgoing) -> Receipt | None:
        path = f"/notices/{outgoing.handle['name']}"
        answer = self.call("GET", path, phase="find")
        return None if answer.status == 404 else self._receipt(answer, "find")

    def delete(self, receipt: Receipt) -> None:
        self.call("DELETE", f"/notices/{receipt.remote_id}", phase="delete")

    def _receipt(self, answer: Answer, phase: str) -> Receipt:
        with self.reading(answer, phase):
            return Receipt(text_id(answer.data["id"]), web_link(answer.data["url"]))

"""The adapter of the rig's platform: one for all five ways of finding out what became of a post.

It is found by an entry point, as an outsider's adapter is, so that a real `crosspost daemon` of the
command line uses it too. Its timeouts are short, and its settle time is longer than they are
together with the longest that the platform keeps a post from being seen.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar

from crosspost.adapters.base import Answer, HttpAdapter, HttpSettings, text_id
from crosspost.errors import DuplicateDetected, PlatformError
from crosspost.post import Account, Capabilities, Outgoing, Receipt, Reconcile

#: Seconds: how long the adapter waits for an answer; how long a post may stay unseen; before
#: absence counts.
PATIENCE, UNSEEN, SETTLE = 1.0, 1.5, 5.0


class RigSettings(HttpSettings):
    """`kind`: one of `post.Reconcile`; `account`: whose timeline it is."""

    kind: Reconcile
    account: str


class RigAdapter(HttpAdapter):
    """Posts to `rig_platform.RigPlatform`."""

    platform: ClassVar[str] = "rig"
    title: ClassVar[str] = "Rig"
    Settings = RigSettings
    capabilities = Capabilities(settle=timedelta(seconds=SETTLE))
    call_timeout = (PATIENCE, PATIENCE)
    upload_timeout = (PATIENCE, PATIENCE)

    def setup(self) -> None:
        self.capabilities = Capabilities(
            settle=timedelta(seconds=SETTLE), reconcile=self.settings.kind
        )

    def check(self) -> Account:
        return Account(self.settings.account)

    def measure(self, text: str) -> int:
        return len(text)

    def new_handle(self, key: str, now: datetime) -> dict[str, str]:
        return {"key": key}

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        if self.settings.kind is not Reconcile.TWO_PHASE or "container" in outgoing.prepared:
            return dict(outgoing.prepared)
        answer = self.call("POST", "/containers", phase="prepare", json=self._body(outgoing))
        with self.reading(answer, "prepare"):
            return {"container": text_id(self.json_of(answer, "prepare")["container"])}

    def publish(self, outgoing: Outgoing) -> Receipt:
        answer = self.call("POST", "/publish", phase="publish", json=self._body(outgoing))
        with self.reading(answer, "publish"):
            return _receipt(self.json_of(answer, "publish"))

    def find(self, outgoing: Outgoing) -> Receipt | None:
        asked = {"account": self.settings.account, "key": outgoing.handle["key"]}
        asked |= {"text": outgoing.post.text, "kind": self.settings.kind.value}
        asked |= {"container": str(outgoing.prepared.get("container", ""))}
        answer = self.call("GET", "/find", phase="find", params=asked)
        with self.reading(answer, "find"):
            found = self.json_of(answer, "find")["found"]
            return _receipt(found) if found is not None else None

    def _body(self, outgoing: Outgoing) -> dict[str, Any]:
        return {
            "account": self.settings.account,
            "kind": self.settings.kind.value,
            "key": outgoing.handle["key"],
            "text": outgoing.post.text,
            "parent": outgoing.parent.remote_id if outgoing.parent else "",
            "container": str(outgoing.prepared.get("container", "")),
            "sent": self.context.now().timestamp(),
        }

    def error_of(self, answer: Answer, phase: str) -> type[PlatformError] | None:
        return DuplicateDetected if answer.status == 409 else None


def _receipt(values: dict[str, Any]) -> Receipt:
    return Receipt(text_id(values["id"]), f"https://rig.example/{values['id']}")

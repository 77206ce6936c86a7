"""An alarm on its way: through the e-mail adapter or the webhook adapter, as settings of `[alarms]`
name them; and the heartbeat of the daemon.

It must not decide who is told what (`alarms.py`), nor wait long: nobody's post may wait for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import closing
from datetime import datetime
from html import escape
from typing import Any

from crosspost import __version__
from crosspost.adapters import Context
from crosspost.config import Config
from crosspost.post import Document, Outgoing, Post
from crosspost.wording import t

#: How long an alarm or a heartbeat waits for an answer, in seconds.
PATIENCE = 15.0


def tell(
    config: Config, way: str, options: Mapping[str, Any], subject: str, text: str, now: datetime
) -> None:
    """Send one alarm message by `way` ("email", "webhook"). Raises PlatformError."""
    context = Context(config, f"alarms.{way}", now=lambda: now)
    if way == "webhook":
        _call(options, context, config.office.name, subject, text)
    else:
        _mail(options, context, _letter(subject, text, config.office.language))


def _call(
    options: Mapping[str, Any], context: Context, office: str, subject: str, text: str
) -> None:
    from crosspost.adapters.webhook import WebhookAdapter

    adapter = WebhookAdapter(WebhookAdapter.Settings.model_validate(dict(options)), context)
    adapter.upload_timeout = (PATIENCE, PATIENCE)
    with closing(adapter):
        adapter.tell("crosspost.alarm", {"subject": subject, "text": text, "office": office})


def _mail(options: Mapping[str, Any], context: Context, post: Post) -> None:
    from crosspost.adapters.email import EmailAdapter

    adapter = EmailAdapter(EmailAdapter.Settings.model_validate(dict(options)), context)
    adapter.patience = PATIENCE
    now = context.now()
    key = hashlib.sha256(f"{now.isoformat()} {post.text}".encode()).hexdigest()
    with closing(adapter):
        adapter.publish(Outgoing(post, adapter.new_handle(f"alarm {key}", now), {}))


def _letter(subject: str, text: str, lang: str) -> Post:
    page = "".join(f"<p>{escape(line)}</p>" for line in text.splitlines() if line)
    document = Document(
        code="",
        revision=0,
        title=subject,
        html=page,
        text=text,
        summary=subject,
        source="",
        link="",
        lang=lang,
        urgency="urgent",
    )
    return Post(text=text, lang=lang, document=document)


def ping(url: str) -> str:
    """Call the heartbeat's address; "" when it took it, else what is wrong, without the address."""
    from crosspost.adapters import transport

    session = transport.new_session(f"crosspost/{__version__}")
    try:
        answer = transport.send(session, "GET", url, (PATIENCE, PATIENCE), {}, {})
    except (transport.NotSent, transport.Broken) as failure:
        return str(failure)
    finally:
        session.close()
    if 200 <= answer.status < 300:
        return ""
    return t("The monitor answers with HTTP status {status}.", status=answer.status)

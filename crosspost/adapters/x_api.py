"""X's API: its calls by OAuth 2.0 or 1.0a, its uploads, what its errors mean.

It must not know what a post is; `x.py` does. Facts: docs.x.com, openapi.json 2.167.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from crosspost import errors
from crosspost.adapters.base import USUAL_WORDS, Answer, Meaning
from crosspost.adapters.oauth import OAuthAdapter
from crosspost.adapters.oauth1 import Method, signature
from crosspost.adapters.uploads import File, Upload, UploadingAdapter
from crosspost.post import Video
from crosspost.retry import retry_time
from crosspost.wording import t

UPLOAD = "/2/media/upload"
#: Bytes of one piece of a video; X takes at most five million.
PIECE = 4_000_000


class XApi(UploadingAdapter, OAuthAdapter):
    """Calls to X as one account: the one whose token it is."""

    meanings = (
        Meaning(errors.BillingExhausted, 429, words="usage-capped"),
        Meaning(errors.DuplicateDetected, 403, words="duplicate", phases="publish"),
        Meaning(errors.AccountRestricted, 403, words="suspend|locked"),
        # self-serve apps may hardly answer
        Meaning(errors.RejectedContent, 403, words="reply", phases="publish"),
        Meaning(errors.MediaExpired, 400, words="media id", phases="publish"),
        Meaning(errors.MediaRejected, 400, phases="prepare"),
        Meaning(errors.Misconfigured, 400, phases="check find login edit delete"),
    )
    words_at = (("detail",), ("errors", 0, "message"), *USUAL_WORDS)
    more_words_at = (("errors",),)
    upload_life = timedelta(hours=23)  # X forgets after a day

    def api(
        self,
        method: Method,
        path: str,
        *,
        phase: str,
        query: dict[str, str] | None = None,
        **more: Any,
    ) -> Answer:
        """One call, by OAuth 2.0 or 1.0a, whatever the settings have; no body of ours is a form."""
        known, where = self.settings, self.url(f"{path}?{urlencode(query)}" if query else path)
        if known.api_key is None:
            return self.call_signed_in(method, where, phase=phase, **more)
        app = (known.api_key, known.api_secret)
        token = (known.access_token, known.access_token_secret)
        headers = {"Authorization": signature(method, where, app, token)}
        return self.call(method, where, phase=phase, headers=headers, **more)

    def ask_who(self, phase: str) -> Answer:
        return self.api("GET", "/2/users/me", phase=phase)

    def upload(self, file: File) -> Upload:
        if isinstance(file, Video):
            return self._upload_in_pieces(file)
        files = {"media": self.form_file(file)}
        about = {"media_category": "tweet_image"}
        answer = self.api("POST", UPLOAD, phase="prepare", files=files, data=about)
        name = self.id_in(answer, "prepare", "data", "id")
        described = {"id": name, "metadata": {"alt_text": {"text": file.alt}}}
        self.api("POST", "/2/media/metadata", phase="prepare", json=described)
        return Upload(name)

    def _upload_in_pieces(self, video: Video) -> Upload:
        """X has a field for the description of an image only."""
        about = {"media_type": video.mime, "total_bytes": video.size}
        about["media_category"] = "tweet_video"
        answer = self.api("POST", f"{UPLOAD}/initialize", phase="prepare", json=about)
        name = self.id_in(answer, "prepare", "data", "id")
        for number, start in enumerate(range(0, video.size, PIECE)):
            piece = (video.filename, self.piece_of(video, start, PIECE), video.mime)
            where, data = f"{UPLOAD}/{name}/append", {"segment_index": str(number)}
            self.api("POST", where, phase="prepare", files={"media": piece}, data=data)
        return self._state_in(self.api("POST", f"{UPLOAD}/{name}/finalize", phase="prepare"), name)

    def state_of(self, name: str) -> Upload | None:
        query = {"command": "STATUS", "media_id": name}
        answer = self.api("GET", UPLOAD, phase="prepare", ok=(200, 404), query=query)
        return None if answer.status == 404 else self._state_in(answer, name)

    def _state_in(self, answer: Answer, name: str) -> Upload:
        """Whether a video can be shown; where X says nothing of processing, it can."""
        state = answer.at("data", "processing_info", "state")
        if state == "failed":
            error = answer.at("data", "processing_info", "error")
            words = error.get("message") or error.get("name") if isinstance(error, dict) else "?"
            said = t("X cannot show the video: {reason}.", reason=self.said(str(words)))
            raise self.error(errors.MediaRejected, said)
        self.id_in(answer, "prepare", "data", "id")
        return Upload(name, state in (None, "succeeded"))

    def error_of(self, answer: Answer, phase: str) -> type[errors.PlatformError] | None:
        if answer.status == 401 and self._token is not None:
            return errors.AuthExpired  # what a login gave; a new one may be had
        return super().error_of(answer, phase)

    def searched(self, answer: Answer) -> str:
        return answer.text

    def until_of(self, answer: Answer) -> datetime | None:
        """When the day's own limit ends, if that is what is used up."""
        for limit in ("x-user-limit-24hour", "x-app-limit-24hour"):
            if answer.headers.get(f"{limit}-remaining") == "0":
                reset = {"x-rate-limit-reset": answer.headers.get(f"{limit}-reset", "")}
                return retry_time(reset, self.context.now())
        return None

"""Videos on their way to Bluesky: a service of its own takes one, makes it ready for every device,
and puts it into the account's server; until then no post can show it.

It must not publish anything, nor show the service more than a pass for this one purpose. Facts:
docs.bsky.app, "Uploading Video"; the lexicons `app.bsky.video` of bluesky-social/atproto.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from crosspost import errors
from crosspost.adapters.atproto import AtProtocolAdapter
from crosspost.adapters.base import Answer, Meaning, text_id
from crosspost.post import Video
from crosspost.wording import t

UPLOAD, STATUS = "app.bsky.video.uploadVideo", "app.bsky.video.getJobStatus"
#: The server gives a pass for at most half an hour; longer than an upload may take.
PASS_LIFE = timedelta(minutes=25)


class BlueskyVideos(AtProtocolAdapter):
    """What the service of videos is asked; the settings have `video_url`."""

    meanings: ClassVar[tuple[Meaning, ...]] = (
        # of the account: its e-mail address is not confirmed, it is too new, or it is not let in
        Meaning(errors.PermissionDenied, (401, 403), phases="video"),
        Meaning(errors.PermissionDenied, code="unconfirmed_email", phases="video"),
        Meaning(errors.QuotaExhausted, words="daily|upload limit", phases="video"),
        Meaning(errors.MediaRejected, 400, phases="video"),
        *AtProtocolAdapter.meanings,
    )

    def job_of(self, video: Video, did: str) -> str:
        """Give the service a video; its name for the work on it. One that it has already is worked
        on no more."""
        content = self.bytes_of(video)
        answer = self.call(
            "POST",
            f"{self.settings.video_url}/xrpc/{UPLOAD}",
            phase="video",
            ok=(200, 409),
            timeout=self.upload_timeout,
            headers={"Authorization": f"Bearer {self._pass()}", "Content-Type": video.mime},
            params={"did": did, "name": video.filename},
            data=content,
        )
        with self.reading(answer, "video"):
            return text_id(_status(answer)["jobId"])

    def blob_of(self, job: str) -> dict[str, Any] | None:
        """The server's reference to a video; None while the service works on it. Raises
        MediaRejected for one that it cannot use, MediaExpired for work that it has forgotten."""
        where = f"{self.settings.video_url}/xrpc/{STATUS}"
        answer = self.call("GET", where, phase="video", ok=(200, 400, 404), params={"jobId": job})
        if answer.status != 200:
            words = t("The uploaded video is gone; it is uploaded again.")
            raise self.error(errors.MediaExpired, words)
        with self.reading(answer, "video"):
            status = _status(answer)
            state, blob = text_id(status["state"]), status.get("blob")
            if blob:
                text_id(blob["ref"]["$link"])
        if state == "JOB_STATE_FAILED":
            reason = self.said(str(status.get("message") or status.get("error") or "?"))
            words = t("Bluesky does not take the video: {reason}.", reason=reason)
            raise self.error(errors.MediaRejected, words)
        return dict(blob) if blob else None

    def _pass(self) -> str:
        """What lets the service put a video into the account's server, and nothing else."""
        ends = int((self.context.now() + PASS_LIFE).timestamp())
        purpose = {"lxm": "com.atproto.repo.uploadBlob", "exp": str(ends)}
        query = {"aud": f"did:web:{self._host()}", **purpose}
        answer = self.call_as(
            "GET", "com.atproto.server.getServiceAuth", phase="prepare", params=query
        )
        with self.reading(answer, "prepare"):
            return text_id(self.json_of(answer, "prepare")["token"])

    def _host(self) -> str:
        """The server that the account lies on: the one that one logs in to may only lead there."""
        answer = self.call_as("GET", "com.atproto.server.getSession", phase="prepare")
        services = answer.at("didDoc", "service")
        for service in services if isinstance(services, list) else []:
            if str(service.get("id", "")).endswith("#atproto_pds"):
                return urlsplit(str(service["serviceEndpoint"])).hostname or ""
        return urlsplit(self.settings.base_url).hostname or ""


def _status(answer: Answer) -> dict[str, Any]:
    """How the work stands; the service gives it bare or by its name."""
    return dict(answer.data.get("jobStatus") or answer.data)

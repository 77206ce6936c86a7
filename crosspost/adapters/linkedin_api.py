"""LinkedIn's Community Management API: its calls, its uploads, what its errors mean.

It must not know what a post is; `linkedin.py` does. Facts: learn.microsoft.com, LinkedIn "Images
API", "Videos API", "Rate limiting".
"""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import quote

from crosspost import errors
from crosspost.adapters.base import Answer, Meaning, address, text_id
from crosspost.adapters.oauth import OAuthAdapter
from crosspost.adapters.uploads import File, Upload, UploadingAdapter
from crosspost.post import Video
from crosspost.quotas import Quota
from crosspost.wording import t

REFUSED = (400, 422)


class LinkedInApi(UploadingAdapter, OAuthAdapter):
    """Calls to LinkedIn for one page; the settings have `organization_id` and `version`."""

    renewed: ClassVar = {errors.RateLimited: Quota(None, "day")}  # "Rate limiting"
    token_hosts = (".linkedin.com", ".licdn.com")
    meanings = (
        Meaning(errors.AuthExpired, 401, words="EXPIRED_ACCESS_TOKEN"),
        Meaning(errors.DuplicateDetected, (409, 422), words="DUPLICATE_POST", phases="publish"),
        Meaning(errors.VersionRetired, 426),
        Meaning(errors.Misconfigured, REFUSED, phases="check find"),
        Meaning(errors.MediaRejected, REFUSED, phases="prepare"),
        Meaning(errors.RejectedContent, REFUSED),
    )

    @property
    def author(self) -> str:
        """The page's own name at LinkedIn."""
        return f"urn:li:organization:{self.settings.organization_id}"

    def headers(self) -> dict[str, str]:
        return {
            "LinkedIn-Version": self.settings.version,
            "X-Restli-Protocol-Version": "2.0.0",
        }

    def upload(self, file: File) -> Upload:
        if isinstance(file, Video):
            return self._upload_in_parts(file)
        content = self.bytes_of(file)
        about = {"initializeUploadRequest": {"owner": self.author}}
        path, action = "/rest/images", {"action": "initializeUpload"}
        answer = self.call_signed_in("POST", path, phase="prepare", params=action, json=about)
        name = self.id_in(answer, "prepare", "value", "image")
        where = self.address_in(answer, "prepare", "value", "uploadUrl")
        headers = {"Content-Type": file.mime} | self.signed_there(where, "prepare")
        self.call("PUT", where, phase="prepare", headers=headers, data=content)
        return self.state_of(name) or Upload(name, ready=False)

    def _upload_in_parts(self, video: Video) -> Upload:
        """A video: LinkedIn says which bytes go where; the addresses are the permission."""
        about = {"owner": self.author, "fileSizeBytes": video.size}
        about |= {"uploadCaptions": False, "uploadThumbnail": False}
        answer = self._act("initializeUpload", {"initializeUploadRequest": about})
        with self.reading(answer, "prepare"):
            value = answer.data["value"]
            name, token = text_id(value["video"]), str(value.get("uploadToken") or "")
            parts = [
                (address(part["uploadUrl"]), int(part["firstByte"]), int(part["lastByte"]))
                for part in value["uploadInstructions"]
            ]
        marks = [self._part(where, video, first, last) for where, first, last in parts]
        done = {"video": name, "uploadToken": token, "uploadedPartIds": marks}
        self._act("finalizeUpload", {"finalizeUploadRequest": done})
        return self.state_of(name) or Upload(name, ready=False)

    def _act(self, action: str, body: dict[str, Any]) -> Answer:
        query = {"action": action}
        return self.call_signed_in("POST", "/rest/videos", phase="prepare", params=query, json=body)

    def _part(self, where: str, video: Video, first: int, last: int) -> str:
        """LinkedIn's mark on a part that it has."""
        content = self.piece_of(video, first, last - first + 1)
        headers = {"Content-Type": "application/octet-stream"}
        answer = self.call("PUT", where, phase="prepare", headers=headers, data=content)
        with self.reading(answer, "prepare"):
            return str(answer.headers["ETag"]).strip('"')

    def state_of(self, name: str) -> Upload | None:
        kind = "videos" if name.startswith("urn:li:video:") else "images"
        path = f"/rest/{kind}/{quote(name, safe='')}"
        answer = self.call_signed_in("GET", path, phase="prepare", ok=(200, 404))
        if answer.status == 404:
            return None
        with self.reading(answer, "prepare"):
            state = str(answer.data["status"])
        if state == "PROCESSING_FAILED":
            words = t("LinkedIn cannot show one of the images.")
            if kind == "videos":
                words = t("LinkedIn cannot show the video.")
            raise self.error(errors.MediaRejected, words)
        return Upload(name, state == "AVAILABLE")

    def searched(self, answer: Answer) -> str:
        return answer.text

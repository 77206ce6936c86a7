"""TikTok: a video as a draft in the app's inbox, which a person finishes there; or, for an app that
TikTok has audited, posted at once.

It must not send the last piece of a video before all is decided: with it TikTok goes to work.
Facts: developers.tiktok.com, Content Posting API.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field

from crosspost import errors
from crosspost.adapters.base import text_id, web_link
from crosspost.adapters.oauth import OAuth, OAuthSettings
from crosspost.adapters.tiktok_api import TikTokApi
from crosspost.config import WebAddress
from crosspost.post import Account, Capabilities, CardMaker, Outgoing, Receipt, Reconcile, Video
from crosspost.quotas import Quota
from crosspost.rendering.measure import utf16
from crosspost.wording import t

#: Bytes of one piece; the last one takes the rest besides. TikTok allows 5 to 64 MB.
PIECE = 10_000_000
#: TikTok takes pieces for an hour after the beginning.
UPLOAD_LIFE = timedelta(minutes=55)


class TikTokSettings(OAuthSettings):
    """`mode`: "draft" leaves the last word, and the caption, to a person in the app; "direct" needs
    an app that TikTok has audited, and then `privacy` counts."""

    base_url: WebAddress = "https://open.tiktokapis.com/v2"
    mode: Literal["draft", "direct"] = "draft"
    privacy: Literal[
        "PUBLIC_TO_EVERYONE", "MUTUAL_FOLLOW_FRIENDS", "FOLLOWER_OF_CREATOR", "SELF_ONLY"
    ] = "PUBLIC_TO_EVERYONE"
    posts_per_day: int = Field(default=15, ge=0)  # by all programs of the account together


class TikTokAdapter(TikTokApi):
    """One account."""

    platform = "tiktok"
    title = "TikTok"
    Settings = TikTokSettings
    capabilities: Capabilities = Capabilities(
        max_length=2200,
        max_videos=1,
        video_bytes=1_000_000_000,
        video_seconds=600,
        video_types=("video/mp4", "video/quicktime", "video/webm"),
        video_codecs=("h264", "hevc", "vp8", "vp9"),
        needs_media=True,
        card=CardMaker.NONE,
        reconcile=Reconcile.TWO_PHASE,
        settle=timedelta(minutes=2),  # longer than our own time-out and the server's queue
    )
    quotas = (Quota(Decimal(15), timedelta(days=1), setting="posts_per_day"),)
    oauth = OAuth(
        authorize="https://www.tiktok.com/v2/auth/authorize/",
        token="/oauth/token/",  # noqa: S106 - an address
        scopes=("user.info.basic",),
        separator=",",
        pkce="hex",
        client_id="client_key",
    )
    measure = staticmethod(utf16)  # UTF-16 code units

    def scopes(self) -> tuple[str, ...]:
        wanted = "video.publish" if self.settings.mode == "direct" else "video.upload"
        return (*self.oauth.scopes, wanted)

    def check(self) -> Account:
        query = {"fields": "open_id,display_name"}
        answer = self.call_signed_in("GET", "/user/info/", phase="check", params=query)
        with self.reading(answer, "check"):
            name = str(answer.data["data"]["user"]["display_name"])
        if self.settings.mode == "draft":
            return Account(name, facts={t("mode"): t("drafts, to be finished in the app")})
        creator = self.creator("check")
        link = f"https://www.tiktok.com/@{creator.get('creator_username')}"
        return Account(name, link, {t("mode"): t("posted at once")})

    # --- publishing -------------------------------------------------------------------------------

    def prepare(self, outgoing: Outgoing) -> dict[str, Any]:
        """All of the video but its last piece. What TikTok calls the upload is kept, so that it
        goes on from there: only a few may be open at once."""
        video, upload = self.video_of(outgoing), dict(outgoing.prepared)
        if not upload.get("publish_id"):
            raise self.uploading(self._begun(outgoing, video))
        state = self.state_of(upload, "prepare")
        self.refuse_failed(state)
        if state.done or state.bytes == video.size:
            return upload  # an earlier attempt did it: `publish` will see
        if datetime.fromisoformat(str(upload["until"])) <= self.context.now():
            raise self.broken_off()
        # without the token: the address itself is the permission
        where, last = web_link(upload["upload_url"]), _start_of_last(video)
        for start in range((state.bytes or 0) // PIECE * PIECE, last, PIECE):
            size, ok = min(PIECE, last - start), (200, 201, 206)
            self.put_piece(where, video, start, size, phase="prepare", ok=ok)
        return upload

    def publish(self, outgoing: Outgoing) -> Receipt:
        """The last piece, and what TikTok makes of it at once."""
        video, upload = outgoing.post.videos[0], outgoing.prepared
        name = text_id(upload["publish_id"])
        state = self.state_of(upload, "prepare")
        self.refuse_failed(state)
        if state.done or state.bytes == video.size:
            raise self.out_already()
        where, start = web_link(upload["upload_url"]), _start_of_last(video)
        self.put_piece(where, video, start, video.size - start, phase="publish", ok=(201,))
        words = t("TikTok has the video and is working on it; it will be asked again.")
        try:
            state = self.state_of(upload, "outcome")
        except errors.PlatformError as error:
            raise self.error(errors.UnknownOutcome, words) from error
        self.refuse_failed(state)
        self.insist(state.done, errors.UnknownOutcome, words)
        return Receipt(name)

    def find(self, outgoing: Outgoing) -> Receipt | None:
        upload = outgoing.prepared
        if not upload.get("publish_id"):
            return None
        state = self.state_of(upload, "find")
        if state.done:
            return Receipt(text_id(upload["publish_id"]))
        short = state.bytes is not None and state.bytes < outgoing.post.videos[0].size
        if state.failed or short:
            return None  # TikTok could not use it, or the last piece never arrived
        raise self.error(errors.RetryLater, t("TikTok is still working on the video."))

    # --- uploading --------------------------------------------------------------------------------

    def _begun(self, outgoing: Outgoing, video: Video) -> dict[str, Any]:
        pieces = max(1, video.size // PIECE)
        source = {
            "source": "FILE_UPLOAD",
            "video_size": video.size,
            "chunk_size": video.size if pieces == 1 else PIECE,
            "total_chunk_count": pieces,
        }
        path, body = "/post/publish/inbox/video/init/", {"source_info": source}
        if self.settings.mode == "direct":
            self._refuse_forbidden(self.creator("prepare"), video)
            path = "/post/publish/video/init/"
            about = {"title": outgoing.post.text, "privacy_level": self.settings.privacy}
            body["post_info"] = about
        answer = self.call_signed_in("POST", path, phase="prepare", json=body)
        name = self.id_in(answer, "prepare", "data", "publish_id")
        where = self.address_in(answer, "prepare", "data", "upload_url")
        until = self.context.now() + UPLOAD_LIFE
        return {"publish_id": name, "upload_url": where, "until": until.isoformat()}

    def _refuse_forbidden(self, creator: dict[str, Any], video: Video) -> None:
        """What TikTok wants to be looked at before anything is posted at once."""
        privacy, allowed = self.settings.privacy, creator.get("privacy_level_options")
        allowed = allowed if isinstance(allowed, list) else [privacy]
        words = t(
            "TikTok does not let this app post so publicly; it allows: {allowed}.",
            allowed=", ".join(map(str, allowed)),
        )
        self.insist(privacy in allowed, errors.PermissionDenied, words)
        longest = creator.get("max_video_post_duration_sec")
        longest = longest if isinstance(longest, int) else video.milliseconds
        words = t("TikTok takes videos of at most {limit} seconds here.", limit=longest)
        self.insist(video.milliseconds <= longest * 1000, errors.MediaRejected, words)


def _start_of_last(video: Video) -> int:
    """Where the last piece begins."""
    return (max(1, video.size // PIECE) - 1) * PIECE

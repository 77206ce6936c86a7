"""`why`: the whole story of a delivery in plain words, told from the record.

Pure: views and entries go in, sentences come out. Every `kind` of entry has its sentence here; add
one for each new kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from crosspost.wording import t

Json = Mapping[str, Any]


def story(
    delivery: Json, entries: Sequence[Json], zone: tzinfo = UTC
) -> Iterator[tuple[str, str, str]]:
    """What happened to `delivery`, as (time in RFC 3339 UTC, who, sentence), oldest first.

    `entries` are the announcement's, as `Views.entries` gives them; those of other deliveries are
    left out. `zone` is that of times within sentences.
    """
    for record in entries:
        entry = record["entry"]
        if entry.get("delivery", delivery["id"]) == delivery["id"]:
            words = sentence(entry, zone)
            note = f' "{record["note"]}"' if record.get("note") else ""
            yield entry["at"], entry["by"], words + note


def sentence(entry: Json, zone: tzinfo = UTC) -> str:
    """One act in words, its times in `zone`."""
    data = entry.get("data", {})
    values = {
        "revision": entry.get("revision", ""),
        "fake": data.get("fake", ""),
        "origin": data.get("origin", ""),
        "channel": entry.get("channel", ""),
        "channels": entry.get("channel") or t("all channels"),
        "wall": str(data.get("wall", "")).replace("T", " "),
        "zone": data.get("zone", ""),
        "attempt": data.get("attempt", ""),
        "until": _clock(data.get("until", ""), zone),
        "reason": outcome_word(str(data.get("outcome", ""))),
        "id": data.get("remote_id", ""),
        "where": data.get("permalink", "") or data.get("remote_id", ""),
        "part": int(data.get("part", 0)) + 1,
        "order": data.get("order", ""),
        "amendment": data.get("amendment", ""),
        "given": data.get("given", ""),
        "needed": data.get("needed", ""),
        "verdict": _verdict(str(data.get("verdict", ""))),
    }
    return _sentences().get(entry["kind"], str(entry["kind"])).format(**values)


def _verdict(verdict: str) -> str:
    return {"agreed": t("agrees"), "objected": t("OBJECTS")}.get(verdict, verdict)


def _clock(stamp: str, zone: tzinfo) -> str:
    if not stamp:
        return ""
    return datetime.fromisoformat(stamp).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _sentences() -> dict[str, str]:
    return {
        "added": t("wrote it (revision {revision})."),
        "edited": t("edited it: revision {revision}."),
        "submitted": t("handed it in for approval."),
        "rejected": t("rejected it."),
        "approval_given": t("gave approval {given} of {needed}."),
        "emergency": t("published it at once in an EMERGENCY, with no approval by others."),
        "emergency_reviewed": t("looked at the emergency afterwards: {verdict}."),
        "returned": t("its approval is void: it waits for another."),
        "redacted": t("erased its text and images by order of law ({order})."),
        "corrected": t("it is corrected in public by announcement {amendment}."),
        "retracted": t("it is withdrawn in public by announcement {amendment}."),
        "queued": t("queued it for {channel}, for {wall} {zone}."),
        "approved": t("approved it."),
        "rescheduled": t("gave it another time: {wall} {zone}."),
        "rezoned": t("{zone} has other clock rules by now: {wall} there is another instant."),
        "cancelled": t("cancelled it."),
        "claimed": t("took it up: attempt {attempt}."),
        "publishing": t("began to send it (part {part})."),
        "part_published": t("part {part} is out: {where}"),
        "published": t("published it: {where}"),
        "postponed": t("it was not sent ({reason}); tried again from {until} on."),
        "refused": t("it was refused for good ({reason})."),
        "doubted": t("the answer was unclear ({reason}): it may be public."),
        "confirmed": t("found it there: {where}"),
        "disproved": t("looked twice and it is not there: it may be sent again."),
        "repeated": t("sends it again under the same key, which cannot make a second post."),
        "review_asked": t("cannot find out whether it is public: a person must look."),
        "questioned": t("an old copy of the database was restored: it may have been published."),
        "resolved_published": t("looked and says that it is public."),
        "resolved_not_published": t("looked and says that it is not public."),
        "given_up": t("gave it up."),
        "missed": t("its latest time passed before it could be sent."),
        "retried": t("let it go out after all."),
        "fake_added": t("made fake {fake} known."),
        "fake_removed": t("took fake {fake} back: it was none."),
        "held": t("put {channels} on hold."),
        "resumed": t("let {channels} go on."),
        "key_rotated": t("gave the record a new key, which the old one has signed."),
        "key_replaced": t("gave the record a new key, for the old one was lost."),
        "backed_up": t("made a backup of the database."),
        "restore_confirmed": t("confirmed that an older copy of the database is in use now."),
        "connected": t("logged in to {channels}."),
        "fork_witnessed": t("kept the proof that the ledger {origin} has two histories."),
        "alarms_read": t("read the alarms."),
        "alarmed": t("stopped it: it is not what was approved."),
    }


def outcome_word(kind: str) -> str:
    """A kind of outcome (`errors.py`) as an admin reads it."""
    return {
        "retry_later": t("the platform or the way to it did not work"),
        "rate_limited": t("the platform asks to wait"),
        "quota_exhausted": t("the platform's quota is used up"),
        "billing_exhausted": t("the account has no credit left"),
        "media_processing": t("the platform is still working on the images"),
        "media_rejected": t("the platform does not take an image"),
        "media_unreachable": t("the platform could not fetch an image"),
        "media_expired": t("an uploaded image expired"),
        "rejected_content": t("the platform does not take the text"),
        "duplicate_detected": t("the platform says that it has this post already"),
        "auth_expired": t("the session had expired"),
        "auth_revoked": t("the access was refused: the token or password is not valid"),
        "permission_denied": t("a right is missing on the platform"),
        "account_restricted": t("the platform has restricted the account"),
        "target_gone": t("the channel does not exist there any more"),
        "version_retired": t("the platform's interface has changed"),
        "not_supported": t("the platform cannot do that"),
        "partial_success": t("only a part went out"),
        "unknown_outcome": t("no clear answer came"),
        "misconfigured": t("the settings of the channel do not fit"),
        "daemon_died": t("the daemon ended in the middle of it"),
        "not_begun": t("the daemon was stopped, or it was too late"),
        "not_as_approved": t("it is not what was approved"),
        "same_id_twice": t("the platform named an earlier post"),
        "internal_error": t("a fault in crosspost"),
        "late": t("too late"),
        "restored": t("an old copy of the database was restored"),
        "partly_public": t("only a part of the thread is public"),
    }.get(kind, kind)


def cure(kind: str, *, by_login: bool = False) -> str:
    """What a person does about an outcome, with `{channel}` in it; "" where nothing helps but
    waiting, or changing the announcement. `by_login`: the channel's account is connected with
    `channels login`, so that its token is in no file."""
    if by_login and kind == "auth_revoked":
        return t("Log in again: {command}", command="crosspost channels login {channel}")
    settings = t(
        "Correct [channels.{channel}] in crosspost.toml and restart the daemon, "
        "then: crosspost channels check {channel}"
    )
    platform = t("Settle it with the platform, then: crosspost channels check {channel}")
    return {
        "auth_revoked": t(
            "Put a valid token or password for {channel} into .env and restart the daemon, "
            "then: crosspost channels check {channel}"
        ),
        "permission_denied": platform,
        "account_restricted": platform,
        "billing_exhausted": platform,
        "target_gone": settings,
        "misconfigured": settings,
        "version_retired": t("Install a newer crosspost and restart the daemon."),
    }.get(kind, "")


def advice(delivery: Json, *, number: int, daemon_runs: bool | None, by_login: bool = False) -> str:
    """What to do next, or that nothing is to be done; `by_login` as for `cure`."""
    status, outcome = delivery["status"], delivery.get("outcome") or ""
    cured = cure(outcome, by_login=by_login) if status in ("scheduled", "missed") else ""
    again = status == "scheduled" and outcome
    usual = t("Nothing to do: it is tried again by itself.") if again else _advice(status)
    if status == "failed" and outcome == "given_up":
        usual = t("Nothing to do: a person gave it up. If it is wanted after all: {command}",
                  command="crosspost retry {number} --channel {channel}")  # fmt: skip
    if again and cured:
        usual = t("It is then sent by itself, if that is not too late.")
    sentences = [cured, usual]
    if status in ("scheduled", "unconfirmed") and daemon_runs is False:
        sentences.append(
            t("No daemon is running, and it waits for one. Start it with: crosspost daemon")
        )
    told = "\n".join(sentence for sentence in sentences if sentence)
    return told.format(number=number, channel=delivery["channel"])


def _advice(status: str) -> str:
    return {
        "held": t(
            "It waits for approval. Look: crosspost preview {number}   "
            "Approve: crosspost approve {number}"
        ),
        "scheduled": t("Nothing to do: it goes out at its time."),
        "preparing": t("Nothing to do: it is being prepared."),
        "publishing": t("Nothing to do: it is being sent."),
        "unconfirmed": t("Do not post by hand: crosspost is finding out whether it is public."),
        "review": t(
            "Look at {channel}: is the post there? Do not post by hand; say what you saw:\n"
            'crosspost resolve {number} --channel {channel} --reason "..." and one of\n'
            "--published URL (it is there), --not-published (send it again), "
            "--give-up (leave it)"
        ),
        "published": t("Nothing to do."),
        "failed": t(
            "When the text or an image is refused, change it: crosspost edit {number}\n"
            "(other channels have published it? Then: crosspost add ... --to {channel})\n"
            "When the cause is gone: crosspost retry {number} --channel {channel}"
        ),
        "missed": t("If it is still useful: crosspost retry {number} --channel {channel}"),
        "cancelled": t("Nothing to do: it was taken back."),
    }[status]

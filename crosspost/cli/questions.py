"""What `init` asks about a channel, in words: a key of the configuration says little to an admin.

To teach it a key of a new platform, add it here; a key that it does not know is asked by its name.
"""

from __future__ import annotations

from crosspost.wording import t


def meaning(platform: str, key: str) -> str:
    """What is to be written for this key of a channel; "" when only its name is known."""
    return _of_platform().get((platform, key)) or _of_all().get(key, "")


def _of_platform() -> dict[tuple[str, str], str]:
    return {
        ("mastodon", "base_url"): t("address of your server, e.g. https://social.example.go.id"),
        ("matrix", "base_url"): t("address of your homeserver, e.g. https://matrix.example.go.id"),
        ("wordpress", "base_url"): t("address of the website, e.g. https://www.example.go.id"),
        ("telegram", "chat_id"): t("the channel: its @name, or its number"),
        ("telegram", "bot_token"): t("what @BotFather gave for the bot"),
        ("discord", "channel_id"): t("the channel's long number, by Copy Channel ID"),
        ("slack", "channel_id"): t("the channel's id, which begins with C"),
        ("slack", "bot_token"): t("the token that begins with xoxb-"),
        ("whatsapp", "recipients"): t("telephone numbers of who asked for it, commas between"),
        ("email", "recipients"): t("addresses of who gets it, commas between"),
        ("bluesky", "identifier"): t("handle of the account, e.g. office.bsky.social"),
    }


def _of_all() -> dict[str, str]:
    return {
        "page_id": t("the Page's number"),
        "account_id": t("number of the professional account"),
        "organization_id": t("number of the organisation's page"),
        "phone_number_id": t("the number that Meta gave to your telephone number"),
        "room_id": t("the internal room id, which begins with !"),
        "url": t("the address that gets each post, e.g. https://intranet.example/hook"),
        "username": t("the account's login name there"),
        "host": t("name of the mail server, e.g. mail.example.go.id"),
        "sender": t("e-mail address of the office, which it comes from"),
        "app_password": t("an app password, made in the account's settings"),
        "application_password": t("an application password, made in the user's profile"),
        "access_token": t("the access token that the platform showed"),
        "bot_token": t("the token of your bot"),
        "secret": t("the secret that both sides know, whsec_..."),
    }

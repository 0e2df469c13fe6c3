"""Notifications of Quay's repositories.

quay/quay: endpoints/api/repositorynotification.py, notifications/notificationmethod.py, whose webhook
sends no header but Content-Type: the secret has to stand in the address.
"""

from typing import Any

from registries.connectors.quay.api import QuayApi
from registries.connectors.reports import NativeWebhook, NewWebhook
from registries.oci import untrusted
from registries.oci.errors import InvalidDocument, NotFound, Unsupported
from registries.oci.reference import is_repository, parse_repository

_MOST_FAILURES = 3


async def list_notifications(api: QuayApi, path: str) -> list[NativeWebhook]:
    """Return a repository's webhooks, each with an id of the form `repository/uuid`.

    Addresses come without their query, in which secrets stand.
    """
    page = await api.get(_notifications(path), f"notifications of {path}")
    listed = untrusted.mapping(page.json).get("notifications")
    found = (_webhook(path, told) for told in untrusted.objects(listed))
    return [webhook for webhook in found if webhook is not None]


async def create_notification(api: QuayApi, wanted: NewWebhook) -> NativeWebhook:
    """Set up the webhook of a repository; one that is there for the same address is replaced."""
    path = wanted.project
    if not path:
        raise Unsupported(
            "Quay has notifications for each repository and none for all.",
            advice="Name the repository.",
        )
    before = [it for it in await list_notifications(api, path) if it.address == wanted.address]
    body = {
        "event": "repo_push",
        "method": "webhook",
        "config": {"url": wanted.address_with_secret},
        "eventConfig": {},
        "title": wanted.name,
    }
    made = await api.send("POST", _notifications(path), f"notifications of {path}", json=body)
    webhook = _webhook(path, untrusted.mapping(made.json))
    if webhook is None:
        raise InvalidDocument("Quay took the notification and does not say which it is.")
    # Only now: so there is no moment without one.
    for old in before:
        await delete_notification(api, old.id)
    return webhook


async def test_notification(api: QuayApi, webhook_id: str) -> str:
    """Let Quay send a sample, which names a repository and no tags of it."""
    await api.send("POST", f"{_notification(webhook_id)}/test", "notification")
    return "Quay has put a test notification in line."


async def delete_notification(api: QuayApi, webhook_id: str) -> None:
    """Remove a notification by the id that `list_notifications` gave it."""
    await api.send("DELETE", _notification(webhook_id), "notification")


def _notifications(path: str) -> str:
    return f"/repository/{parse_repository(path)}/notification/"


def _notification(webhook_id: str) -> str:
    path, _, uuid = webhook_id.rpartition("/")
    if not is_repository(path) or not uuid.replace("-", "").isalnum() or not uuid.isascii():
        raise NotFound("Quay has no such notification.")
    return _notifications(path) + uuid


def _webhook(path: str, told: dict[str, Any]) -> NativeWebhook | None:
    uuid = untrusted.text(told.get("uuid"))
    if uuid is None or told.get("method") != "webhook":
        return None
    address = untrusted.text(untrusted.mapping(told.get("config")).get("url")) or ""
    return NativeWebhook(
        id=f"{path}/{uuid}",
        name=untrusted.text(told.get("title")) or "",
        address=address.partition("?")[0],
        events=untrusted.texts(told.get("event")),
        scope=path,
        # Then it is sent no more, until somebody resets it (data/model/notification.py).
        enabled=(untrusted.size(told.get("number_of_failures")) or 0) < _MOST_FAILURES,
    )

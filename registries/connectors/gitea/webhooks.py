"""Webhooks of Gitea's organisations and of the account itself, which tell of packages, too.

go-gitea/gitea: routers/api/v1/utils/hook.go and services/webhook/{notifier,deliver}.go. A secret of a
hook signs what it sends, and no answer of the API holds it; a header could be read there.
"""

import re
from dataclasses import replace
from typing import Any

from registries.connectors.api import VendorApi, quoted
from registries.connectors.reports import NativeWebhook, NewWebhook
from registries.oci import untrusted
from registries.oci.errors import InvalidDocument, NotFound, Unsupported

_EVENT = "package"
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_ID = re.compile(r"(user|orgs/[A-Za-z0-9][A-Za-z0-9._-]*)/([0-9]{1,18})")
_LIMIT: dict[str, str | int] = {"limit": 50}


async def owners_of(api: VendorApi) -> list[str]:
    """Return the account's own name, and those of the organisations it belongs to."""
    own = untrusted.text(untrusted.mapping((await api.get("/user", "account")).json).get("login"))
    names = [own] if own else []
    async for page in api.linked_pages("/user/orgs", "organisations of the account", _LIMIT):
        for organisation in untrusted.objects(page.json):
            # Older ones have the name in `username` alone.
            name = organisation.get("name") or organisation.get("username")
            names += [name] if isinstance(name, str) else []
    return names


async def list_hooks(api: VendorApi, owner: str) -> list[NativeWebhook]:
    """Return an owner's webhooks, each with an id of the form `orgs/name/number`."""
    place = await _place(api, owner)
    what = f"webhooks of {owner}"
    pages = api.linked_pages(f"/{place}/hooks", what, _LIMIT)
    listed = [hook async for page in pages for hook in untrusted.objects(page.json)]
    return [hook for told in listed if (hook := _webhook(place, owner, told)) is not None]


async def create_hook(api: VendorApi, wanted: NewWebhook) -> NativeWebhook:
    """Set up the webhook of an owner; one that is there for the same address is replaced."""
    owner = wanted.project
    if not owner:
        raise Unsupported(
            "Gitea has webhooks for each owner of packages and none for all.",
            advice="Name the organisation or user.",
        )
    before = [it for it in await list_hooks(api, owner) if it.address == wanted.address]
    place = await _place(api, owner)
    body = {
        "type": "gitea",
        "name": wanted.name,
        "config": {"url": wanted.address, "content_type": "json", "secret": wanted.secret},
        "events": [_EVENT],
        "active": True,
    }
    made = await api.send("POST", f"/{place}/hooks", f"webhooks of {owner}", json=body)
    webhook = _webhook(place, owner, untrusted.mapping(made.json))
    if webhook is None:
        raise InvalidDocument("Gitea took the webhook and does not say which it is.")
    if _EVENT not in webhook.events:
        await delete_hook(api, webhook.id)
        raise Unsupported(
            "This Gitea sends no webhooks about packages.", advice="Update it, or rely on syncs."
        )
    # Only now: so there is no moment without one.
    for old in before:
        await delete_hook(api, old.id)
    return replace(webhook, name=wanted.name)


async def delete_hook(api: VendorApi, webhook_id: str) -> None:
    """Remove a webhook by the id that `list_hooks` gave it."""
    found = _ID.fullmatch(webhook_id)
    if found is None:
        raise NotFound("Gitea has no such webhook.")
    await api.send("DELETE", f"/{found[1]}/hooks/{found[2]}", "webhook")


async def _place(api: VendorApi, owner: str) -> str:
    """Return where an owner's webhooks are; of users only the account itself has any."""
    if _NAME.fullmatch(owner) is None:
        raise NotFound(f"{owner[:60]!r} is no name of an owner.")
    own = untrusted.mapping((await api.get("/user", "account")).json).get("login")
    if isinstance(own, str) and own.lower() == owner.lower():
        return "user"
    await api.get(f"/orgs/{quoted(owner)}", f"organisation {owner}")
    return f"orgs/{owner}"


def _webhook(place: str, owner: str, told: dict[str, Any]) -> NativeWebhook | None:
    number = untrusted.size(told.get("id"))
    if number is None:
        return None
    address = untrusted.text(untrusted.mapping(told.get("config")).get("url")) or ""
    return NativeWebhook(
        id=f"{place}/{number}",
        # Names came with version 1.26.
        name=untrusted.text(told.get("name")) or f"{owner} {number}",
        address=address.partition("?")[0],
        events=untrusted.texts(told.get("events")),
        scope=owner,
        enabled=told.get("active") is True,
    )

"""Webhooks of GitHub's organisations; users have none.

docs.github.com, "REST API endpoints for organization webhooks": for owners of the organisation, with a
classic token that has admin:org_hook. What is sent is signed with the secret, which is shown to nobody.
"""

import re
from dataclasses import replace
from typing import Any

from registries.connectors.api import quoted
from registries.connectors.ghcr.api import GithubApi
from registries.connectors.reports import NativeWebhook, NewWebhook
from registries.oci import untrusted
from registries.oci.errors import InvalidDocument, NotFound, Unsupported

# Either may be what tells of an image.
_EVENTS = ("package", "registry_package")
_ID = re.compile(r"([A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?)/([0-9]{1,18})")
_HUNDRED: dict[str, str | int] = {"per_page": 100}


async def list_hooks(api: GithubApi, organisation: str) -> list[NativeWebhook]:
    """Return an organisation's webhooks, each with an id of the form `organisation/number`."""
    what = f"webhooks of {organisation}"
    pages = api.linked_pages(_hooks(organisation), what, _HUNDRED)
    listed = [hook async for page in pages for hook in untrusted.objects(page.json)]
    return [hook for told in listed if (hook := _webhook(organisation, told)) is not None]


async def create_hook(api: GithubApi, wanted: NewWebhook) -> NativeWebhook:
    """Set up the webhook of an organisation; the one for the same address is changed."""
    organisation = wanted.project.lower()
    if not organisation:
        raise Unsupported(
            "GitHub has webhooks for each organisation and none for all.",
            advice="Name the organisation.",
        )
    config = {"url": wanted.address, "content_type": "json", "insecure_ssl": "0"}
    body = {
        "config": {**config, "secret": wanted.secret},
        "events": list(_EVENTS),
        "active": True,
    }
    what = f"webhooks of {organisation}"
    before = [it for it in await list_hooks(api, organisation) if it.address == wanted.address]
    if before:
        # It refuses a second one for the same address.
        made = await api.send("PATCH", _hook(before[0].id), what, json=body)
    else:
        made = await api.send("POST", _hooks(organisation), what, json={"name": "web", **body})
    webhook = _webhook(organisation, untrusted.mapping(made.json))
    if webhook is None:
        raise InvalidDocument("GitHub took the webhook and does not say which it is.")
    return replace(webhook, name=wanted.name)


async def ping_hook(api: GithubApi, webhook_id: str) -> str:
    """Let GitHub send its ping, which it does a moment later."""
    await api.send("POST", f"{_hook(webhook_id)}/pings", "webhook")
    return "GitHub has put a ping in line."


async def delete_hook(api: GithubApi, webhook_id: str) -> None:
    """Remove a webhook by the id that `list_hooks` gave it."""
    await api.send("DELETE", _hook(webhook_id), "webhook")


def _hooks(organisation: str) -> str:
    return f"/orgs/{quoted(organisation)}/hooks"


def _hook(webhook_id: str) -> str:
    found = _ID.fullmatch(webhook_id)
    if found is None:
        raise NotFound("GitHub has no such webhook.")
    return f"{_hooks(found[1])}/{found[2]}"


def _webhook(organisation: str, told: dict[str, Any]) -> NativeWebhook | None:
    number = untrusted.size(told.get("id"))
    if number is None:
        return None
    address = untrusted.text(untrusted.mapping(told.get("config")).get("url")) or ""
    return NativeWebhook(
        id=f"{organisation}/{number}",
        # All are called "web".
        name=f"{organisation} {number}",
        address=address.partition("?")[0],
        events=untrusted.texts(told.get("events")),
        scope=organisation,
        enabled=told.get("active") is True,
    )

"""What Portolan asks and does of a registry by Azure's Resource Manager."""

import asyncio
import re
from collections.abc import Awaitable
from typing import Any, TypeVar

from registries.connectors.acr.management import AcrManagement
from registries.connectors.acr.report import (
    answer_to,
    budget_of,
    facts_of,
    grants_of_admin,
    grants_of_roles,
    grants_of_tokens,
    offers_of,
    usage_of,
    warnings_of,
    webhook_of,
)
from registries.connectors.reports import NativeWebhook, NewWebhook, Report
from registries.oci import untrusted
from registries.oci.errors import InvalidDocument, RegistryError

T = TypeVar("T")

UNMANAGED = (
    "Azure tells of usage, access and webhooks only to an application that may manage: give tenant,"
    " subscription, resource group and its id and secret."
)
WEBHOOKS_WRITE = "Microsoft.ContainerRegistry/registries/webhooks/write"
# A test notification is on its way for a moment before its answer is known.
LOOKS, PAUSE_SECONDS = 3, 1.0
_ODD = re.compile(r"[^0-9a-zA-Z]")


class AcrResource:
    """One registry as Azure manages it."""

    def __init__(self, management: AcrManagement) -> None:
        self.management = management

    async def report(self) -> Report:
        """Return all that the credential may read; what it may not is named, and raises nothing.

        Raises `RegistryError` only where the registry itself cannot be read: then nothing can.
        """
        azure, unread = self.management, list[str]()
        registry = await azure.registry()
        usages, webhooks, tokens, maps, given, roles = await asyncio.gather(
            _tried(azure.usages(), [], "Usage", unread),
            _tried(azure.webhooks(), [], "Webhooks", unread),
            _tried(azure.tokens(), [], "Tokens", unread),
            _tried(azure.scope_maps(), [], "Scope maps", unread),
            _tried(azure.role_assignments(), [], "Role assignments", unread),
            _tried(azure.role_definitions(), [], "Names of roles", unread),
        )
        return Report(
            facts=facts_of(registry),
            usage=usage_of(usages),
            access=(
                *grants_of_roles(given, roles),
                *grants_of_tokens(tokens, maps),
                *grants_of_admin(registry),
            ),
            webhooks=tuple(it for entry in webhooks if (it := webhook_of(entry)) is not None),
            warnings=warnings_of(registry),
            unread=tuple(unread),
            offers=offers_of(registry),
            requests_per_minute=budget_of(registry),
        )

    async def create_webhook(self, wanted: NewWebhook) -> NativeWebhook:
        """Set up the webhook that notifies Portolan and return it; one of its name is replaced."""
        location = untrusted.text((await self.management.registry()).get("location"))
        if location is None:
            raise InvalidDocument("Azure does not say where this registry is.")
        body = {
            "location": location,
            "properties": {
                "serviceUri": wanted.address,
                "customHeaders": {"Authorization": wanted.authorization},
                "actions": ["push", "delete"],
                "status": "enabled",
                "scope": "",
            },
        }
        name = webhook_name(wanted.name)
        found = webhook_of(await self.management.put_webhook(name, body))
        return found or NativeWebhook(name, name, wanted.address, ("push", "delete"))

    async def ping_webhook(self, name: str) -> str:
        """Let Azure send a test notification; returns how it was answered, a sentence."""
        event = await self.management.ping(name)
        for look in range(LOOKS if event else 0):
            if look:
                await asyncio.sleep(PAUSE_SECONDS)
            if (status := answer_to(event, await self.management.events(name))) is not None:
                return f"Azure sent a test notification, which was answered with {status}."
        return "Azure sends a test notification; how it was answered is not known yet."


async def _tried(
    work: Awaitable[list[Any]], otherwise: list[Any], what: str, unread: list[str]
) -> list[Any]:
    try:
        return await work
    except RegistryError as error:
        unread.append(f"{what} could not be read: {error}")
        return otherwise


def webhook_name(text: str) -> str:
    """Return a name that a webhook can have in Azure: five to fifty letters and digits."""
    letters = _ODD.sub("", text)
    return f"portolan{letters.removeprefix('portolan')}"[:50]

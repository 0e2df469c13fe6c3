"""A registry as Azure's Resource Manager knows it: tier, usage, webhooks, tokens, who has which role.

Source: Azure/azure-rest-api-specs specification/containerregistry (2023-07-01) and
specification/authorization (2022-04-01). It is another host than the registry, asked with an
application's token of Entra that is good for nothing else.
"""

import re
from fnmatch import fnmatchcase
from types import TracebackType
from typing import Any, Self

from yarl import URL

from registries.connectors.acr.entra import Entra, cloud_of, elsewhere, is_application
from registries.connectors.api import VendorApi, quoted
from registries.connectors.api_sign_in import TokenSignIn
from registries.oci import untrusted
from registries.oci.connection import Connection, InvalidConnection
from registries.oci.errors import NotFound, TooManyPages
from registries.oci.transport import Stats, Transport

_API, _AUTHORIZATION = "2023-07-01", "2022-04-01"
_SUBSCRIPTION = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_GROUP = re.compile(r"[\w.()-]{1,90}")
_NAME = re.compile(r"[0-9a-zA-Z]{1,50}")
_PAGES = 100


class AcrManagement:
    """One registry's resource in Azure; an async context manager. All methods raise `RegistryError`."""

    def __init__(
        self,
        connection: Connection,
        entra: Entra,
        application: tuple[str, str],
        resource: str,
        stats: Stats,
    ) -> None:
        cloud = cloud_of(connection.origin.host or "")
        url = connection.options.get("management") or cloud.management
        transport = Transport(elsewhere(connection, url), stats=stats)
        scope = f"{str(transport.connection.origin).rstrip('/')}/.default"
        sign_in = TokenSignIn(lambda: entra.token(application, scope))
        self.resource = resource
        self._api = VendorApi(transport, sign_in, label="Azure Resource Manager")

    async def __aenter__(self) -> Self:
        await self._api.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._api.__aexit__(kind, error, trace)

    async def registry(self) -> dict[str, Any]:
        """Return the resource itself: location, sku, properties."""
        return untrusted.mapping((await self._api.get(self._url(""), "this registry")).json)

    async def usages(self) -> list[dict[str, Any]]:
        """Return figures with their limits."""
        found = await self._api.get(self._url("/listUsages"), "the usage of this registry")
        return list(untrusted.objects(untrusted.mapping(found.json).get("value")))

    async def webhooks(self) -> list[dict[str, Any]]:
        """Return the webhooks, without address and headers, which hold secrets."""
        return await self._list("/webhooks", "webhooks")

    async def tokens(self) -> list[dict[str, Any]]:
        """Return the registry's own tokens."""
        return await self._list("/tokens", "tokens")

    async def scope_maps(self) -> list[dict[str, Any]]:
        """Return what tokens may be allowed."""
        return await self._list("/scopeMaps", "scope maps")

    async def role_assignments(self) -> list[dict[str, Any]]:
        """Return who has which role here, also by the resource group, subscription and above."""
        path = "/providers/Microsoft.Authorization/roleAssignments"
        return await self._list(path, "role assignments", **{"$filter": "atScope()"})

    async def role_definitions(self) -> list[dict[str, Any]]:
        """Return what the roles are called and allow."""
        return await self._list(
            "/providers/Microsoft.Authorization/roleDefinitions", "role definitions"
        )

    async def may(self, action: str) -> bool:
        """Say whether the credential may do this, a provider's operation such as `…/webhooks/write`."""
        path = "/providers/Microsoft.Authorization/permissions"
        wanted = action.lower()

        def names(patterns: object) -> bool:
            return any(
                fnmatchcase(wanted, pattern.lower()) for pattern in untrusted.texts(patterns)
            )

        return any(
            names(it.get("actions")) and not names(it.get("notActions"))
            for it in await self._list(path, "permissions")
        )

    async def put_webhook(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create a webhook or replace the one of this name, and return it."""
        url = self._url(f"/webhooks/{_webhook(name)}")
        return untrusted.mapping((await self._api.send("PUT", url, "webhooks", json=body)).json)

    async def delete_webhook(self, name: str) -> None:
        """Remove a webhook; raises `NotFound`."""
        await self._api.send("DELETE", self._url(f"/webhooks/{_webhook(name)}"), f"webhook {name}")

    async def ping(self, name: str) -> str:
        """Let a webhook send a test notification; return the event's id, which may be empty."""
        url = self._url(f"/webhooks/{_webhook(name)}/ping")
        found = await self._api.send("POST", url, f"webhook {name}")
        return untrusted.text(untrusted.mapping(found.json).get("id")) or ""

    async def events(self, name: str) -> list[dict[str, Any]]:
        """Return what a webhook sent last, with the answers it got."""
        url = self._url(f"/webhooks/{_webhook(name)}/listEvents")
        found = await self._api.send("POST", url, f"events of webhook {name}", repeatable=True)
        return list(untrusted.objects(untrusted.mapping(found.json).get("value")))

    async def switch_admin_user(self, *, on: bool) -> None:
        """Switch the registry's admin user on or off."""
        body = {"properties": {"adminUserEnabled": on}}
        await self._api.send("PATCH", self._url(""), "changes of this registry", json=body)

    def _url(self, path: str, **query: str) -> URL:
        version = _AUTHORIZATION if "Microsoft.Authorization" in path else _API
        return self._api.url(self.resource + path, {"api-version": version, **query})

    async def _list(self, path: str, what: str, **query: str) -> list[dict[str, Any]]:
        url: URL | None = self._url(path, **query)
        found: list[dict[str, Any]] = []
        for _ in range(_PAGES):
            if url is None:
                return found
            page = untrusted.mapping((await self._api.get(url, what)).json)
            found.extend(untrusted.objects(page.get("value")))
            url = self._api.following(page.get("nextLink"), url)
        raise TooManyPages(f"The listing of {what} has more than {_PAGES} pages.")


def resource_of(connection: Connection) -> str | None:
    """Return the registry's path in Azure's Resource Manager, None if nobody said where it is.

    Raises `InvalidConnection` for what can be no subscription, group or registry.
    """
    options = connection.options
    subscription, group = options.get("subscription", ""), options.get("resource_group", "")
    if not subscription or not group:
        return None
    # `contoso-a1b2c3.azurecr.io` is the registry contoso, since names of registries have no dash.
    label = (connection.origin.host or "").partition(".")[0].partition("-")[0]
    name = options.get("registry") or label
    if _SUBSCRIPTION.fullmatch(subscription) is None:
        raise InvalidConnection("A subscription is given by its id, not by its name.")
    if _GROUP.fullmatch(group) is None or _NAME.fullmatch(name) is None:
        raise InvalidConnection("The resource group or the registry's name cannot be one in Azure.")
    return (
        f"/subscriptions/{subscription}/resourceGroups/{quoted(group)}"
        f"/providers/Microsoft.ContainerRegistry/registries/{name}"
    )


def application_of(connection: Connection) -> tuple[str, str] | None:
    """Return the application that manages: the one given for it, else the one that signs in."""
    if (given := connection.api_credentials) is not None:
        return given
    own = connection.credentials
    return own if own is not None and is_application(own[0]) else None


def _webhook(name: str) -> str:
    if _NAME.fullmatch(name) is None:
        raise NotFound(f"{name[:60]!r} is no webhook of a registry in Azure.")
    return name

"""Azure Container Registry.

Sources: Azure/acr docs/AAD-OAuth.md, Azure/acr-cli docs/swagger.yaml, and
MicrosoftDocs/azure-management-docs articles/container-registry (skus, rbac, webhook reference).
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import ClassVar

from registries.connectors.abilities import Ability, Field, Power
from registries.connectors.acr.changes import AcrChanges
from registries.connectors.acr.entra import CLOUDS, Entra, cloud_of, is_application
from registries.connectors.acr.listing import AcrListing, locks_of
from registries.connectors.acr.management import AcrManagement, application_of, resource_of
from registries.connectors.acr.report import ADMIN_OFF, ADMIN_ON, budget_of_tier
from registries.connectors.acr.resource import UNMANAGED, WEBHOOKS_WRITE, AcrResource
from registries.connectors.acr.sign_in import AcrAuthenticator, Application
from registries.connectors.reports import NativeWebhook, NewWebhook, Report
from registries.connectors.standard import StandardConnector
from registries.oci.client import Ping
from registries.oci.connection import Connection
from registries.oci.errors import AccessDenied, AuthenticationFailed, RegistryError, Unsupported
from registries.oci.listings import TagListing
from registries.oci.outlines import Lock, ManifestListing, RepositoryFacts
from registries.oci.reference import Digest, parse_digest, parse_tag
from registries.oci.transport import Transport

_NO_CATALOG = (
    "In a registry with permissions for each repository (ABAC) the account needs the role Container"
    " Registry Repository Catalog Lister; else give the repositories to watch by name."
)


class AcrConnector(StandardConnector):
    """A registry of Azure, and with a management credential what Azure knows about it."""

    kind: ClassVar[str] = "acr"
    label: ClassVar[str] = "Azure Container Registry"
    judges_access: ClassVar[bool] = True
    own_permissions: ClassVar[str] = (
        "the roles assigned in Azure, and the registry's own tokens with their scope maps"
    )
    abilities: ClassVar[frozenset[Ability]] = frozenset(
        {
            Ability.CATALOG,
            Ability.BULK,
            Ability.UNTAGGED,
            Ability.DELETE_TAG,
            Ability.DELETE_MANIFEST,
            Ability.DELETE_REPOSITORY,
            Ability.LOCKS,
            Ability.WEBHOOKS,
            Ability.PINGS,
            Ability.ACCESS,
            Ability.USAGE,
        }
    )
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "tenant",
            "Tenant",
            "The directory's id or domain, for a service principal that signs in by Microsoft Entra ID.",
        ),
        Field(
            "subscription",
            "Subscription",
            "Its id, for what Azure itself tells: usage, access, webhooks.",
        ),
        Field("resource_group", "Resource group", "The one that the registry is in."),
        Field(
            "api_username",
            "Application that manages",
            "The id of a service principal with a role such as Reader or Contributor on the registry."
            " Empty: the one above.",
        ),
        Field("api_secret", "Its secret"),
        Field(
            "tier",
            "Service tier",
            "Basic, Standard or Premium, which takes twice as many requests a minute. Empty: what"
            " Azure tells the application that manages, else Standard.",
            advanced=True,
        ),
        Field(
            "registry",
            "Name in Azure",
            "Where it is not the first part of the address.",
            advanced=True,
        ),
        Field("login", "Sign-in host", "Only for other clouds of Azure.", advanced=True),
        Field("management", "Management host", "Only for other clouds of Azure.", advanced=True),
    )
    # "Service tier features and limits": reads a minute that one identity has, Basic and Standard.
    requests_per_minute: ClassVar[int | None] = 5_000

    remedies: ClassVar[Mapping[str, str]] = {
        ADMIN_ON: "Switch the admin user off",
        ADMIN_OFF: "Switch the admin user on",
    }

    def __init__(self, connection: Connection, repositories: Sequence[str] = ()) -> None:
        self._entra: Entra | None = None
        super().__init__(connection, repositories)
        self._resource = self._managed()
        self._listing = AcrListing(self._transport)
        self._changes = AcrChanges(self._transport, self._listing)

    @classmethod
    def prepared(cls, connection: Connection) -> Connection:
        """Return the connection with the budget of the service tier given, else of the one told."""
        given = budget_of_tier(connection.options.get("tier", ""))
        return super().prepared(
            replace(connection, vendor_budget=given or connection.vendor_budget)
        )

    @classmethod
    def home(cls, host: str) -> str | None:
        """Return the address of a registry under one of Azure's own names."""
        known = any(host.endswith(cloud.registries) for cloud in CLOUDS)
        return f"https://{host}" if known else None

    @classmethod
    def recognises(cls, host: str, ping: Ping) -> bool:  # noqa: ARG003  home() knows the host
        """Say whether the challenge is Azure's, for a registry behind a name of one's own."""
        return any(ping.service.endswith(cloud.registries) for cloud in CLOUDS)

    @classmethod
    def web_page(
        cls,
        connection: Connection,
        path: str,  # noqa: ARG003  the portal names no page of a repository that can be linked to
        tag: str | None = None,  # noqa: ARG003
        digest: str | None = None,  # noqa: ARG003
    ) -> str | None:
        """Return the portal's page on the registry's repositories, if its place in Azure is known."""
        resource = resource_of(connection)
        if resource is None:
            return None
        portal = cloud_of(connection.origin.host or "").portal
        return f"{portal}/#@{connection.options.get('tenant', '')}/resource{resource}/repository"

    def _managed(self) -> AcrResource | None:
        """Return the registry as Azure manages it, None without a credential or its place there."""
        connection = self._connection
        resource, application = resource_of(connection), application_of(connection)
        if self._entra is None or resource is None or application is None:
            return None
        stats = self._transport.stats
        return AcrResource(AcrManagement(connection, self._entra, application, resource, stats))

    def _sign_in(self, transport: Transport) -> AcrAuthenticator:
        connection = transport.connection
        if tenant := connection.options.get("tenant"):
            self._entra = Entra(connection, tenant, transport.stats)
        credentials = connection.credentials
        if self._entra is None or credentials is None or not is_application(credentials[0]):
            return AcrAuthenticator(transport)
        return AcrAuthenticator(transport, Application(self._entra, credentials))

    def _sessions(self) -> tuple[AbstractAsyncContextManager[object], ...]:
        management = self._resource.management if self._resource is not None else None
        others = (self._entra, management)
        return (*(session for session in others if session is not None), self._client)

    # Reading ------------------------------------------------------------------------------------

    async def _catalog(self, page_size: int = 1000) -> AsyncIterator[tuple[str, ...]]:
        try:
            async for page in self._listing.catalog(page_size):
                yield page
        except (AccessDenied, AuthenticationFailed) as error:
            error.advice = _NO_CATALOG
            raise

    async def tags(self, path: str) -> TagListing:
        """Return the tags of a repository with digests, push times and locks."""
        return await self._listing.tags(path)

    async def manifests(
        self, path: str, wanted: Collection[Digest] | None = None
    ) -> ManifestListing:
        """Return outlines; a complete listing has the manifests without a tag, too."""
        return await self._listing.manifests(path, wanted)

    async def repository_facts(self, path: str) -> RepositoryFacts:
        """Return a repository's locks: a request of its own, so only for who looks at that one."""
        found = await self._listing.attributes(path, "", path)
        return RepositoryFacts(locks=locks_of(found))

    # Changing -----------------------------------------------------------------------------------

    async def delete_tag(self, path: str, tag: str) -> None:
        """Take a tag away; its manifest and other tags stay. Raises `NotFound` and `Locked`."""
        await self._changes.delete_tag(path, tag)

    async def delete_manifest(self, path: str, digest: str) -> None:
        """Delete a manifest with every tag on it. Raises `NotFound` and `Locked`."""
        await self._changes.delete_manifest(path, digest)

    async def delete_repository(self, path: str) -> None:
        """Delete a repository with all it holds. Raises `NotFound` and `Locked`."""
        await self._changes.delete_repository(path)

    async def set_locks(
        self, path: str, locks: Lock, *, tag: str | None = None, digest: str | None = None
    ) -> None:
        """Lock a repository, or one tag or manifest of it, against exactly this."""
        if tag is not None:
            await self._changes.set_locks(path, f"/_tags/{parse_tag(tag)}", locks, f"{path}:{tag}")
        elif digest is not None:
            part = f"/_manifests/{parse_digest(digest)}"
            await self._changes.set_locks(path, part, locks, f"{path} {digest}")
        else:
            await self._changes.set_locks(path, "", locks, path)

    # What Azure tells --------------------------------------------------------------------------

    async def powers(self) -> tuple[Power, ...]:
        """Return what the credential may do; the role of the one that manages decides on webhooks."""
        *others, webhooks = await super().powers()
        if self._resource is None:
            return *others, Power("webhooks", False, UNMANAGED)
        try:
            allowed = await self._resource.management.may(WEBHOOKS_WRITE)
        except RegistryError:
            return *others, webhooks
        told = "The roles of the application that manages {} it."
        return *others, Power("webhooks", allowed, told.format("allow" if allowed else "forbid"))

    async def report(self) -> Report:
        """Return tier, usage, webhooks, tokens and roles, as far as the credential may read them."""
        if self._resource is None:
            return Report(unread=(UNMANAGED,))
        return await self._resource.report()

    async def create_webhook(self, wanted: NewWebhook) -> NativeWebhook:
        """Set up the webhook that notifies Portolan of pushes and deletions."""
        return await self._the_resource().create_webhook(wanted)

    async def ping_webhook(self, webhook_id: str) -> str:
        """Let Azure send a test notification; returns how it was answered, a sentence."""
        return await self._the_resource().ping_webhook(webhook_id)

    async def delete_webhook(self, webhook_id: str) -> None:
        """Remove a webhook of the registry."""
        await self._the_resource().management.delete_webhook(webhook_id)

    async def remedy(self, code: str) -> str:
        """Switch the admin user on or off; returns what was done, a sentence."""
        if code not in self.remedies:
            raise self._unsupported("do that")
        await self._the_resource().management.switch_admin_user(on=code == ADMIN_OFF)
        return f"The admin user was switched {'on' if code == ADMIN_OFF else 'off'}."

    def _the_resource(self) -> AcrResource:
        if self._resource is None:
            raise Unsupported(UNMANAGED, advice="Edit the registry's connection.")
        return self._resource

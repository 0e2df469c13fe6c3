"""Azure Container Registry.

Sources: Azure/acr docs/AAD-OAuth.md, Azure/acr-cli docs/swagger.yaml, and
MicrosoftDocs/azure-management-docs articles/container-registry (skus, rbac, webhook reference).
"""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from types import TracebackType
from typing import ClassVar, Self

from registries.connectors.abilities import Ability, Field
from registries.connectors.acr_changes import AcrChanges
from registries.connectors.acr_entra import CLOUDS, Entra, is_application
from registries.connectors.acr_listing import AcrListing, locks_of
from registries.connectors.acr_sign_in import AcrAuthenticator, Application
from registries.connectors.standard import StandardConnector
from registries.oci.client import Ping
from registries.oci.connection import Connection
from registries.oci.errors import AccessDenied, AuthenticationFailed
from registries.oci.listings import TagListing
from registries.oci.outlines import Lock, ManifestListing, RepositoryFacts
from registries.oci.reference import Digest, parse_digest, parse_tag
from registries.oci.transport import Transport

_NO_CATALOG = (
    "In a registry with permissions for each repository (ABAC) the account needs the role Container"
    " Registry Repository Catalog Lister; else give the repositories to watch by name."
)
_PREMIUM_REQUESTS = 10_000


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
        }
    )
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "tenant",
            "Tenant",
            "The directory's id or domain, for a service principal that signs in by Microsoft Entra ID.",
        ),
        Field(
            "tier",
            "Service tier",
            "Basic, Standard or Premium: Premium takes twice as many requests a minute.",
            advanced=True,
        ),
        Field("login", "Sign-in host", "Only for other clouds of Azure.", advanced=True),
    )
    # "Service tier features and limits": reads a minute that one identity has, Basic and Standard.
    requests_per_minute: ClassVar[int | None] = 5_000

    def __init__(self, connection: Connection, repositories: Sequence[str] = ()) -> None:
        self._entra: Entra | None = None
        super().__init__(connection, repositories)
        self._listing = AcrListing(self._transport)
        self._changes = AcrChanges(self._transport, self._listing)

    @classmethod
    def prepared(cls, connection: Connection) -> Connection:
        """Return the connection with the budget of its service tier, where none was set."""
        tier = connection.options.get("tier", "").strip().lower()
        if connection.requests_per_minute is None and tier == "premium":
            return replace(connection, requests_per_minute=_PREMIUM_REQUESTS)
        return super().prepared(connection)

    @classmethod
    def home(cls, host: str) -> str | None:
        """Return the address of a registry under one of Azure's own names."""
        known = any(host.endswith(cloud.registries) for cloud in CLOUDS)
        return f"https://{host}" if known else None

    @classmethod
    def recognises(cls, host: str, ping: Ping) -> bool:  # noqa: ARG003  home() knows the host
        """Say whether the challenge is Azure's, for a registry behind a name of one's own."""
        return any(ping.service.endswith(cloud.registries) for cloud in CLOUDS)

    def _sign_in(self, transport: Transport) -> AcrAuthenticator:
        connection = transport.connection
        if tenant := connection.options.get("tenant"):
            self._entra = Entra(connection, tenant, transport.stats)
        credentials = connection.credentials
        if self._entra is None or credentials is None or not is_application(credentials[0]):
            return AcrAuthenticator(transport)
        return AcrAuthenticator(transport, Application(self._entra, credentials))

    async def __aenter__(self) -> Self:
        self._opened = AsyncExitStack()
        if self._entra is not None:
            await self._opened.enter_async_context(self._entra)
        await super().__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await super().__aexit__(kind, error, trace)
        await self._opened.__aexit__(kind, error, trace)

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

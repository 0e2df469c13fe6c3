"""Quay, at quay.io and of one's own: an API for those with a token, the standard for all others.

quay/quay: endpoints/api, endpoints/v2. Robots sign in to the registry only; the API takes OAuth tokens,
which the registry takes, too, as the password of a user name of their own (auth/credential_consts.py).
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import ClassVar

from registries.connectors.abilities import Ability, Field, Power
from registries.connectors.base import RepositoryPage
from registries.connectors.by_owner import OwnersConnector
from registries.connectors.powers import powers_of
from registries.connectors.quay.api import QuayApi
from registries.connectors.quay.notifications import (
    create_notification,
    delete_notification,
    test_notification,
)
from registries.connectors.quay.registry import catalog, delete, may_push
from registries.connectors.quay.report import QuayReport
from registries.connectors.quay.tags import Gathered
from registries.connectors.reports import NativeWebhook, NewWebhook, Report
from registries.connectors.selection import namespaces_of
from registries.oci.addresses import read_url
from registries.oci.client import Ping
from registries.oci.connection import Connection
from registries.oci.errors import (
    AccessDenied,
    AuthenticationFailed,
    NotFound,
    RegistryError,
    ServerFailed,
    Unsupported,
)
from registries.oci.listings import TagListing
from registries.oci.reference import is_repository, parse_digest, parse_repository, parse_tag

_HOME = "https://quay.io"
_OAUTH_USER = "$oauthtoken"
_NEEDS_TOKEN = "Give an API token: an OAuth token of an application of the organisation."  # noqa: S105


class QuayConnector(OwnersConnector):
    """A Quay. Without an API token it is listed by the standard, as is any other registry."""

    kind: ClassVar[str] = "quay"
    label: ClassVar[str] = "Quay"
    judges_access: ClassVar[bool] = True
    own_permissions: ClassVar[str] = "the teams, robots and permissions of its repositories"
    abilities: ClassVar[frozenset[Ability]] = frozenset(
        {
            Ability.CATALOG,
            Ability.BULK,
            Ability.DELETE_TAG,
            Ability.DELETE_MANIFEST,
            Ability.DELETE_REPOSITORY,
            Ability.WEBHOOKS,
            Ability.PINGS,
            Ability.ACCESS,
            Ability.USAGE,
        }
    )
    webhooks_are_for: ClassVar[str] = "repository"
    # What no tag points at is collected as garbage.
    last_tag_holds: ClassVar[bool] = True
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "namespaces",
            "Namespaces",
            help="Organisations and users whose repositories are listed, separated by spaces. Empty"
            " for those of the token's user.",
        ),
        Field(
            "api_secret",
            "API token",
            help="An OAuth token. Without it tags come as names only, one by one, and nothing is"
            " told of access and quotas.",
        ),
    )

    def __init__(self, connection: Connection, repositories: Sequence[str] = ()) -> None:
        super().__init__(connection, repositories)
        given = connection.api_credentials
        self._token = given[1].strip() if given else None
        # Who has neither reads what is public, which the API tells everybody.
        self._has_api = self._token is not None or connection.credentials is None
        self._api = QuayApi(self._transport, self._token, label=self.label)
        self._namespaces = namespaces_of(connection.options.get("namespaces", ""), repositories)

    @classmethod
    def prepared(cls, connection: Connection) -> Connection:
        """Return the connection; where there is only an API token, that signs in to the registry."""
        connection, token = super().prepared(connection), connection.api_credentials
        if token is None or connection.credentials is not None:
            return connection
        return replace(connection, username=_OAUTH_USER, password=token[1].strip())

    @classmethod
    def home(cls, host: str) -> str | None:
        """Return quay.io for itself; others' Quays have names of their own."""
        return _HOME if host in ("quay.io", "www.quay.io") else None

    @classmethod
    def recognises(cls, host: str, ping: Ping) -> bool:  # noqa: ARG003  anybody's host
        """Say whether its token server is where Quay's is."""
        try:
            return read_url(ping.realm).path == "/v2/auth"
        except ValueError:
            return False

    @classmethod
    def web_page(
        cls,
        connection: Connection,
        path: str,
        tag: str | None = None,  # noqa: ARG003  tags have no page that every version knows
        digest: str | None = None,
    ) -> str | None:
        """Return the page of a repository's tags, or of a manifest."""
        page = f"{connection.origin}/repository/{path}"
        return f"{page}/manifest/{digest}" if digest else f"{page}?tab=tags"

    # Reading ------------------------------------------------------------------------------------

    async def _check_sign_in(self) -> str:
        if self._connection.credentials is None:
            # It gives no token to those who are nobody and ask for nothing.
            await self._client.probe()
            return "Quay lets anonymous visitors read what is public."
        return await super()._check_sign_in()

    async def _listings(self) -> AsyncIterator[AsyncIterator[RepositoryPage]]:
        if not self._has_api:
            yield self._cataloged()
            return
        for namespace in await self._listed_namespaces():
            yield self._repositories_of(namespace)

    async def _repositories_of(self, namespace: str) -> AsyncIterator[RepositoryPage]:
        async for listed in self._api.repositories(namespace):
            yield RepositoryPage(self._selection.of_catalog(self._paths(listed)))

    async def _listed_namespaces(self) -> tuple[str, ...]:
        if self._namespaces:
            return self._namespaces
        if self._token is not None:
            try:
                return await self._api.namespaces()
            except (AccessDenied, AuthenticationFailed) as error:
                raise Unsupported(
                    "The API token does not tell which namespaces its user has.",
                    advice="Name the namespaces to list, or give it the right to read the user.",
                ) from error
        raise Unsupported(
            "Quay lists repositories by namespace.",
            advice="Name the namespaces to list, or the repositories to watch.",
        )

    def _paths(self, listed: Sequence[dict[str, object]]) -> list[str]:
        paths = []
        for repository in listed:
            names = (repository.get("namespace"), repository.get("name"))
            path = "/".join(name for name in names if isinstance(name, str))
            if is_repository(path) and all(names):
                paths.append(path)
            else:
                self.stats.invalid_names += 1
        return paths

    async def _catalog(self, page_size: int = 100) -> AsyncIterator[tuple[str, ...]]:  # noqa: ARG002
        within = tuple(f"{namespace}/" for namespace in self._namespaces)
        async for paths in catalog(self._client, self._transport):
            yield tuple(path for path in paths if not within or path.startswith(within))

    async def tags(self, path: str) -> TagListing:
        """Return tags with digests, times and sizes; names only where there is no API token."""
        if not self._has_api:
            return await super().tags(path)
        gathered, problem, first = Gathered(), None, True
        try:
            async for listed in self._api.tags(parse_repository(path)):
                gathered.add(listed)
                first = False
            if gathered.repeated:
                # The latest come first: one that was pushed meanwhile moved all others on.
                raise ServerFailed(
                    f"Something was pushed while tags of {path} were listed, so that there is a gap.",
                    advice="The next sync lists them again.",
                )
        except RegistryError as error:
            if first and isinstance(error, NotFound):
                raise
            problem = error
        self.stats.invalid_names += gathered.invalid
        return TagListing(
            tuple(gathered.names),
            complete=problem is None,
            problem=problem,
            digests=gathered.digests,
            facts=gathered.facts,
            manifests=gathered.manifests(),
        )

    # Changing -----------------------------------------------------------------------------------

    async def delete_tag(self, path: str, tag: str) -> None:
        """Take a tag away; Quay keeps it for a while, and brings it back on its own page."""
        if self._token is None:
            await delete(self._client, self._transport, path, parse_tag(tag))
            return
        address = f"/repository/{parse_repository(path)}/tag/{parse_tag(tag)}"
        await self._api.send("DELETE", address, f"{path}:{tag}")

    async def delete_manifest(self, path: str, digest: str) -> None:
        """Delete all tags of a manifest, which is all there is to delete of it."""
        await delete(self._client, self._transport, path, parse_digest(digest))

    async def delete_repository(self, path: str) -> None:
        """Delete a repository with all it holds; raises `Unsupported` without an API token."""
        self._need_token("delete repositories")
        address = f"/repository/{parse_repository(path)}"
        await self._api.send("DELETE", address, f"repository {path}")

    def _need_token(self, what: str) -> None:
        if self._token is None:
            told = f"Quay lets Portolan {what} only with an API token."
            raise Unsupported(told, advice=_NEEDS_TOKEN)

    # Its own ------------------------------------------------------------------------------------

    async def powers(self) -> tuple[Power, ...]:
        """Return what the credential may do; who may push to a repository may delete there."""
        known = {power.name: power for power in await powers_of(self, self._client)}
        known["delete"] = await self._may_delete()
        if self._token is None:
            told = "Notifications are set up with an API token only, and there is none."
            known["webhooks"] = Power("webhooks", False, told)
        return tuple(known.values())

    async def _may_delete(self) -> Power:
        try:
            async for page in self.repositories():
                # Of a name that was only given nobody knows whether it is there.
                for path in page.paths if page.listed else ():
                    may = await may_push(self._transport, path)
                    if may is None:
                        break
                    verb = "grants" if may else "refuses"
                    told = f"The token server {verb} pushing to {path}, which deleting needs."
                    return Power("delete", may, told)
        except RegistryError:
            pass
        return Power("delete", None, "The registry does not say before it is tried.")

    async def report(self) -> Report:
        """Return teams, members, robots, permissions, quotas and notifications."""
        if self._token is None:
            return Report(unread=("Quay tells of access and quotas with an API token only.",))
        namespaces = await self._listed_namespaces()
        paths: list[str] = []
        async for page in self.repositories():
            paths += page.paths
        return await QuayReport(self._api).read(namespaces, paths)

    async def create_webhook(self, wanted: NewWebhook) -> NativeWebhook:
        """Set up the notification of pushes to a repository; one that is there is replaced."""
        self._need_token("set up notifications")
        return await create_notification(self._api, wanted)

    async def ping_webhook(self, webhook_id: str) -> str:
        """Let Quay send a test notification."""
        self._need_token("test notifications")
        return await test_notification(self._api, webhook_id)

    async def delete_webhook(self, webhook_id: str) -> None:
        """Remove a notification."""
        self._need_token("remove notifications")
        await delete_notification(self._api, webhook_id)

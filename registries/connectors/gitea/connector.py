"""Gitea and Forgejo: container images are packages of a user or an organisation.

A tag is a version of a package and holds a manifest of its own: with a manifest's last tag goes the
manifest. Names and tags are kept in lower case. Content and names are read by the OCI Distribution
API; when a tag was pushed only Gitea's own API tells. Facts: go-gitea/gitea
routers/api/packages/container, routers/api/v1/packages, and a Gitea 1.26 that was asked.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import ClassVar

from registries.connectors.abilities import Ability, Field
from registries.connectors.api import VendorApi, quoted
from registries.connectors.api_sign_in import FixedSignIn, basic
from registries.connectors.base import RepositoryPage
from registries.connectors.by_owner import OwnersConnector
from registries.connectors.gitea.versions import Version, parse_versions
from registries.connectors.gitea.webhooks import create_hook, delete_hook, list_hooks, owners_of
from registries.connectors.reports import NativeWebhook, NewWebhook, Report
from registries.oci.addresses import read_url
from registries.oci.client import Ping
from registries.oci.connection import Connection
from registries.oci.errors import NotFound, RegistryError, Unsupported
from registries.oci.listings import TagListing
from registries.oci.outlines import TagFacts
from registries.oci.reference import is_repository, parse_repository

# The most that it gives unless its owner allows more ([api] MAX_RESPONSE_ITEMS).
PAGE = 50


class GiteaConnector(OwnersConnector):
    """A Gitea or Forgejo. With `owners` only their packages are listed, else all that it shows."""

    kind: ClassVar[str] = "gitea"
    label: ClassVar[str] = "Gitea / Forgejo"
    judges_access: ClassVar[bool] = True
    own_permissions: ClassVar[str] = (
        "who owns the packages, and the rights on packages of the organisation's teams"
    )
    abilities: ClassVar[frozenset[Ability]] = frozenset(
        {
            Ability.CATALOG,
            Ability.DELETE_TAG,
            Ability.DELETE_MANIFEST,
            Ability.DELETE_REPOSITORY,
            Ability.WEBHOOKS,
        }
    )
    webhooks_are_for: ClassVar[str] = "organisation or user"
    last_tag_holds: ClassVar[bool] = True
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "owners",
            "Owners",
            "Users and organisations whose packages are listed, with commas between. Leave empty "
            "for all that the account sees.",
        ),
    )

    def __init__(self, connection: Connection, repositories: Sequence[str] = ()) -> None:
        super().__init__(connection, repositories)
        names = self._connection.options.get("owners", "").replace(",", " ").split()
        self._owners = tuple(dict.fromkeys(name.lower() for name in names))
        # The same credential, said to the API without the token server in between.
        given = self._connection.credentials
        self._api = VendorApi(
            self._transport,
            FixedSignIn(basic(*given) if given else None),
            label="Gitea",
            base="/api/v1",
            owns_transport=False,
        )

    @classmethod
    def recognises(cls, host: str, ping: Ping) -> bool:  # noqa: ARG003  it is known by its challenge
        """Say whether it sends to Gitea's own token server (GitLab names the same service)."""
        try:
            return ping.service == "container_registry" and read_url(ping.realm).path == "/v2/token"
        except ValueError:
            return False

    @classmethod
    def web_page(
        cls, connection: Connection, path: str, tag: str | None = None, digest: str | None = None
    ) -> str | None:
        """Return the page of the package, or of the version that is this tag or manifest."""
        owner, _, name = path.partition("/")
        page = f"{connection.url}/{quoted(owner)}/-/packages/container/{quoted(name)}"
        version = tag or digest
        return f"{page}/{quoted(version)}" if version else page

    async def _listings(self) -> AsyncIterator[AsyncIterator[RepositoryPage]]:
        if not self._owners:
            yield self._cataloged()
        for owner in self._owners:
            yield self._packages_of(owner)

    async def _packages_of(self, owner: str) -> AsyncIterator[RepositoryPage]:
        seen: set[str] = set()
        async for versions in self._versions(owner):
            paths = {f"{owner}/{version.package}" for version in versions} - seen
            seen |= paths
            known = sorted(path for path in paths if is_repository(path))
            self.stats.invalid_names += len(paths) - len(known)
            yield RepositoryPage(self._selection.of_catalog(known))

    async def tags(self, path: str) -> TagListing:
        """Return the tags, with when each was pushed as far as Gitea's API tells it."""
        listing = await self._client.tags(path)
        return replace(listing, facts=await self._pushed(path)) if listing.names else listing

    async def _pushed(self, path: str) -> dict[str, TagFacts]:
        facts: dict[str, TagFacts] = {}
        try:
            async for versions in self._versions_of(path):
                facts |= {it.name: TagFacts(pushed_at=it.created) for it in versions if it.is_tag}
        except RegistryError:
            return facts  # the names are known, and the API may be closed to this credential
        return facts

    async def delete_tag(self, path: str, tag: str) -> None:
        """Delete the version that this tag is; a manifest that has no other tag goes with it."""
        await self._client.delete_manifest(path, tag)

    async def delete_repository(self, path: str) -> None:
        """Delete a package with all versions: at once, or one by one where it is an older Gitea."""
        owner, name = _parts(path)
        package = f"/packages/{quoted(owner)}/container/{quoted(name)}"
        versions = [it async for page in self._versions_of(path) for it in page]
        if not versions:
            raise NotFound(f"Gitea has no package {path}.")
        try:
            await self._api.send("DELETE", package, f"package {path}")
        except (NotFound, Unsupported):
            for version in versions:
                what = f"version {version.name} of {path}"
                await self._api.send("DELETE", f"{package}/{quoted(version.name)}", what)

    # Its own ------------------------------------------------------------------------------------

    async def report(self) -> Report:
        """Return the webhooks of the owners, as far as the credential may read them."""
        webhooks: list[NativeWebhook] = []
        unread: list[str] = []
        for owner in self._owners or await owners_of(self._api):
            try:
                webhooks += await list_hooks(self._api, owner)
            except RegistryError as error:
                unread.append(f"Webhooks of {owner}: {error}")
        return Report(webhooks=tuple(webhooks), unread=tuple(unread))

    async def create_webhook(self, wanted: NewWebhook) -> NativeWebhook:
        """Set up the webhook of an organisation, or of the account's own packages."""
        return await create_hook(self._api, wanted)

    async def delete_webhook(self, webhook_id: str) -> None:
        """Remove a webhook."""
        await delete_hook(self._api, webhook_id)

    def _versions_of(self, path: str) -> AsyncIterator[list[Version]]:
        owner, name = _parts(path)
        return self._versions(owner, name)

    async def _versions(self, owner: str, package: str = "") -> AsyncIterator[list[Version]]:
        """Yield the versions of one package or of all; the API finds it by a part of its name."""
        query: dict[str, str | int] = {"type": "container", "limit": PAGE}
        if package:
            query["q"] = package
        what = f"packages of {owner}"
        async for page in self._api.linked_pages(f"/packages/{quoted(owner)}", what, query):
            found = parse_versions(page.json)
            yield [it for it in found if not package or it.package == package]


def _parts(path: str) -> tuple[str, str]:
    owner, _, name = parse_repository(path).partition("/")
    return owner, name

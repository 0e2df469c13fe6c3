"""GitHub's container registry, ghcr.io.

It has no catalog; GitHub's API lists the packages of an organisation or a user, and a package's
versions with their tags, a hundred a page. A version is a manifest, named by its digest; neither
its type nor its size is told, so that documents are read once each. Tags come and go with versions:
there is no way to take one away alone (docs.github.com, "REST API endpoints for packages").
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from registries.connectors.abilities import Ability, Field
from registries.connectors.api import Document, quoted
from registries.connectors.base import RepositoryPage
from registries.connectors.by_owner import OwnersConnector
from registries.connectors.ghcr.api import GithubApi, read_version
from registries.connectors.ghcr.webhooks import create_hook, delete_hook, list_hooks, ping_hook
from registries.connectors.overlapping import overlapping_pages
from registries.connectors.reports import NativeWebhook, NewWebhook, Report
from registries.oci import untrusted
from registries.oci.client import Ping
from registries.oci.connection import Connection, InvalidConnection
from registries.oci.errors import (
    AccessDenied,
    AuthenticationFailed,
    NotFound,
    RegistryError,
    Unsupported,
)
from registries.oci.listings import TagListing
from registries.oci.outlines import TagFacts
from registries.oci.pages import PageGuard, next_page
from registries.oci.reference import (
    Digest,
    is_digest,
    is_repository,
    is_tag,
    parse_digest,
    parse_repository,
)

_HOST = "ghcr.io"
_API = "https://api.github.com"
_HOOKS_ADVICE = "Give a classic token of an owner of the organisation, with admin:org_hook."
_OWNER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")


class GhcrConnector(OwnersConnector):
    """The packages of organisations and users; the password is a classic token."""

    kind: ClassVar[str] = "ghcr"
    label: ClassVar[str] = "GitHub Container Registry"
    judges_access: ClassVar[bool] = True
    own_permissions: ClassVar[str] = "the access settings of its packages and their owners"
    abilities: ClassVar[frozenset[Ability]] = frozenset(
        {
            Ability.CATALOG,
            Ability.BULK,
            Ability.DELETE_MANIFEST,
            Ability.DELETE_REPOSITORY,
            Ability.WEBHOOKS,
            Ability.PINGS,
        }
    )
    webhooks_are_for: ClassVar[str] = "organisation"
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "owners",
            "Owners",
            "Organisations and users whose packages are listed, with commas between. Empty: those"
            " of the patterns below, else the user himself.",
        ),
        Field(
            "api",
            "API",
            f"GitHub's API, where it is not {_API}: https://HOST/api/v3 of an Enterprise Server.",
            advanced=True,
        ),
    )

    def __init__(self, connection: Connection, repositories: Sequence[str] = ()) -> None:
        super().__init__(connection, repositories)
        api = connection.options.get("api", "").strip()
        if not api and connection.origin.host != _HOST:
            raise InvalidConnection("Give the address of GitHub's API for this registry.")
        self._api = GithubApi(self._connection, api or _API, self.stats)
        self._owners = _owners(connection, repositories)
        self._places: dict[str, str] = {}
        self._asking = asyncio.Lock()

    def _sessions(self) -> tuple[AbstractAsyncContextManager[object], ...]:
        return self._client, self._api

    @property
    def has_budget(self) -> bool:
        """GitHub's API has one, whatever the owner says of the registry."""
        return True

    @classmethod
    def home(cls, host: str) -> str | None:
        """Return the address of ghcr.io."""
        return f"https://{_HOST}" if host == _HOST else None

    @classmethod
    def recognises(cls, host: str, ping: Ping) -> bool:  # noqa: ARG003  a proxy has its own name
        """Say whether the token server is GitHub's."""
        return ping.service == _HOST

    @classmethod
    def web_page(
        cls,
        connection: Connection,
        path: str,
        tag: str | None = None,  # noqa: ARG003  only GitHub knows the numbers of versions
        digest: str | None = None,  # noqa: ARG003
    ) -> str | None:
        """Return the package's page: the registry sends browsers there, to user or organisation."""
        return f"{connection.origin}/{path}"

    # Reading ------------------------------------------------------------------------------------

    async def _listings(self) -> AsyncIterator[AsyncIterator[RepositoryPage]]:
        for owner in self._named_owners():
            yield self._repositories_of(owner)

    async def _repositories_of(self, owner: str) -> AsyncIterator[RepositoryPage]:
        async for page in self._packages(owner):
            paths = []
            for package in untrusted.objects(page.json):
                # Names of accounts have capitals, paths of the registry have none.
                path = f"{owner.lower()}/{untrusted.text(package.get('name')) or ''}"
                if is_repository(path):
                    paths.append(path)
                else:
                    self.stats.invalid_names += 1
            yield RepositoryPage(self._selection.of_catalog(paths))

    def _named_owners(self) -> tuple[str, ...]:
        if not self._owners:
            raise Unsupported(
                "Nothing says whose packages to list.",
                advice="Name the owners, or the repositories to watch.",
            )
        if self._connection.credentials is None:
            raise AuthenticationFailed(
                "GitHub lists packages to nobody without a token.",
                advice="Give a user name and a classic token with read:packages, or name the"
                " repositories to watch.",
            )
        return self._owners

    async def _packages(self, owner: str) -> AsyncIterator[Document]:
        query: dict[str, str | int] = {"package_type": "container", "per_page": 100}
        place = await self._place(owner)
        async for page in self._api.linked_pages(
            f"{place}/packages", f"packages of {owner}", query
        ):
            yield page

    async def _place(self, owner: str) -> str:
        """Return where an owner's packages are, which differs for organisations and users."""
        async with self._asking:
            if owner not in self._places:
                answer = await self._api.get(f"/users/{quoted(owner)}", f"account {owner}")
                is_user = untrusted.mapping(answer.json).get("type") == "User"
                self._places[owner] = f"/{'users' if is_user else 'orgs'}/{quoted(owner)}"
        return self._places[owner]

    async def _package(self, path: str) -> str:
        owner, _, name = parse_repository(path).partition("/")
        if not name:
            raise NotFound(f"{path} is no package: the owner's name comes first.")
        return f"{await self._place(owner)}/packages/container/{quoted(name)}"

    async def tags(self, path: str) -> TagListing:
        """Return tags with digests; without a token, the names that the registry itself lists."""
        if self._connection.credentials is None:
            return await super().tags(path)
        digests: dict[str, Digest] = {}
        facts: dict[str, TagFacts] = {}
        first = True
        try:
            async for versions in self._versions(path):
                for version in versions:
                    self._read(version, digests, facts)
                first = False
        except RegistryError as problem:
            if first and isinstance(problem, NotFound):
                raise
            return TagListing(tuple(digests), False, problem, digests, facts)
        return TagListing(tuple(digests), digests=digests, facts=facts)

    async def _versions(self, path: str) -> AsyncIterator[list[dict[str, Any]]]:
        address, what = f"{await self._package(path)}/versions", f"versions of {path}"
        guard = PageGuard(self._connection.limits.pages)

        async def ask(number: int, size: int) -> tuple[list[Any], bool]:
            later = {"page": number} if number > 1 else {}
            url = self._api.url(address, {"per_page": size, "state": "active", **later})
            page = await self._api.get(url, what)
            guard.admit(url, page.body, holds_names=bool(page.json))
            more = next_page(page.headers.getall("Link", ()), url) is not None
            return list(untrusted.objects(page.json)), more

        def key(version: dict[str, Any]) -> str | None:
            return untrusted.text(version.get("name"))

        async for versions in overlapping_pages(ask, key, what):
            yield versions

    def _read(
        self, version: dict[str, object], digests: dict[str, Digest], facts: dict[str, TagFacts]
    ) -> None:
        digest, tags, pushed_at = read_version(version)
        for tag in tags:
            if is_tag(tag) and is_digest(digest):
                digests[tag] = Digest(digest)
                facts[tag] = TagFacts(pushed_at)
            else:
                self.stats.invalid_names += 1

    # Changing -----------------------------------------------------------------------------------

    async def delete_manifest(self, path: str, digest: str) -> None:
        """Delete a version with its tags; a package's only one goes with the package.

        GitHub deletes no package's last tagged version, even where others are left: that is
        `Unsupported`, in its own words.
        """
        digest = parse_digest(digest)
        found: object = None
        seen = 0
        async for versions in self._versions(path):
            for version in versions:
                seen += 1
                if version.get("name") == digest:
                    found = version.get("id")
            if found is not None and seen > 1:
                break
        if not isinstance(found, int):
            missing = NotFound(f"GitHub has no {digest} in {path}.")
            missing.is_proof = True
            raise missing
        if seen == 1:
            await self.delete_repository(path)
            return
        address = f"{await self._package(path)}/versions/{found}"
        await self._api.send("DELETE", address, f"{path} {digest}")

    async def delete_repository(self, path: str) -> None:
        """Delete a package with all its versions; GitHub can bring it back for thirty days."""
        await self._api.send("DELETE", await self._package(path), path)

    # Its own ------------------------------------------------------------------------------------

    async def report(self) -> Report:
        """Return the webhooks of the organisations, as far as the token may read them."""
        webhooks: list[NativeWebhook] = []
        unread: list[str] = []
        for owner in self._named_owners():
            if (await self._place(owner)).startswith("/users/"):
                continue
            try:
                webhooks += await list_hooks(self._api, owner)
            except RegistryError as error:
                unread.append(f"Webhooks of {owner}: {error} {_HOOKS_ADVICE}")
        return Report(webhooks=tuple(webhooks), unread=tuple(unread))

    async def create_webhook(self, wanted: NewWebhook) -> NativeWebhook:
        """Set up the webhook of an organisation; raises `Unsupported` for a user's packages."""
        if _OWNER.fullmatch(wanted.project):
            place = await self._place(wanted.project.lower())
            if place.startswith("/users/"):
                raise Unsupported(
                    f"{wanted.project} is a user, and GitHub has webhooks for organisations only.",
                    advice="Syncs find what changed.",
                )
        try:
            return await create_hook(self._api, wanted)
        except (AccessDenied, NotFound) as error:
            # GitHub says of what a token may not see that it is not there.
            error.advice = _HOOKS_ADVICE
            raise

    async def ping_webhook(self, webhook_id: str) -> str:
        """Let GitHub send its ping."""
        return await ping_hook(self._api, webhook_id)

    async def delete_webhook(self, webhook_id: str) -> None:
        """Remove a webhook."""
        await delete_hook(self._api, webhook_id)


def _owners(connection: Connection, repositories: Sequence[str]) -> tuple[str, ...]:
    """Return whose packages are listed; raises `InvalidConnection` for names no account has."""
    named = connection.options.get("owners", "").replace(",", " ").split()
    for name in named:
        if not _OWNER.fullmatch(name):
            raise InvalidConnection(f"{name!r} is no account's name at GitHub.")
    if not named:
        named = [text.strip().partition("/")[0] for text in repositories if "/" in text]
        named = [name for name in named if _OWNER.fullmatch(name)]
    if not named and connection.username and _OWNER.fullmatch(connection.username):
        named = [connection.username]
    return tuple(dict.fromkeys(name.lower() for name in named))

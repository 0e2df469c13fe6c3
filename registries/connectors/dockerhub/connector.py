"""Docker Hub: a registry whose pulls are rationed, and an API beside it that lists for nothing.

docs.docker.com: Docker Hub API; docker/docs: content/manuals/docker-hub/usage/pulls.md. Deleting is in
no documentation, but in Docker's own client (docker/hub-tool, pkg/hub/{tags,repositories}.go).
"""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import ClassVar, Self

from registries.connectors.abilities import Ability, Field, Power
from registries.connectors.api import quoted
from registries.connectors.base import RepositoryPage
from registries.connectors.by_owner import OwnersConnector
from registries.connectors.dockerhub.api import HubApi
from registries.connectors.dockerhub.report import read_report
from registries.connectors.dockerhub.tags import Gathered
from registries.connectors.powers import powers_of
from registries.connectors.reports import Report
from registries.connectors.selection import namespaces_of
from registries.oci import untrusted
from registries.oci.connection import Connection
from registries.oci.errors import NotFound, RegistryError, ServerFailed, Unsupported
from registries.oci.listings import TagListing
from registries.oci.outlines import RepositoryFacts
from registries.oci.reference import is_repository, parse_repository, parse_tag
from registries.oci.transport import Transport

_REGISTRY, _API = "https://registry-1.docker.io", "https://hub.docker.com"
_HOMES = frozenset(
    {
        "docker.io",
        "index.docker.io",
        "registry.docker.io",
        "registry-1.docker.io",
        "hub.docker.com",
        "registry.hub.docker.com",
    }
)
_OFFICIAL = "library"
_WILDCARD = re.compile(r"[*?\[]")


class DockerHubConnector(OwnersConnector):
    """Docker Hub: everything is listed by its API, and nothing is pulled for it."""

    kind: ClassVar[str] = "dockerhub"
    label: ClassVar[str] = "Docker Hub"
    judges_access: ClassVar[bool] = True
    own_permissions: ClassVar[str] = "the owners, collaborators and teams set at Docker Hub"
    abilities: ClassVar[frozenset[Ability]] = frozenset(
        {
            Ability.CATALOG,
            Ability.BULK,
            Ability.PULLS,
            Ability.DELETE_TAG,
            Ability.DELETE_REPOSITORY,
            Ability.ACCESS,
            Ability.USAGE,
        }
    )
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "namespaces",
            "Namespaces",
            help="Whose repositories are listed: users and organisations, separated by spaces."
            " Empty for the account's own.",
        ),
        Field("api_url", "Address of the API", help=f"{_API} if empty.", advanced=True),
    )
    pulls_are_rationed: ClassVar[bool] = True

    def __init__(self, connection: Connection, repositories: Sequence[str] = ()) -> None:
        # What docker calls `nginx` is `library/nginx` there.
        named = [
            name if "/" in name or _WILDCARD.search(name) else f"{_OFFICIAL}/{name}"
            for name in (text.strip() for text in repositories)
            if name
        ]
        super().__init__(connection, named)
        options, account = self._connection.options, self._connection.username
        own = (account,) if account and is_repository(account) else ()
        self._namespaces = namespaces_of(options.get("namespaces", ""), named) or own
        api = replace(self._connection, url=options.get("api_url") or _API)
        self._api = HubApi(Transport(api, stats=self.stats), label=self.label)

    @classmethod
    def home(cls, host: str) -> str | None:
        """Return Docker Hub's registry for the names that people know it by."""
        return _REGISTRY if host in _HOMES else None

    @classmethod
    def web_page(
        cls,
        connection: Connection,  # noqa: ARG003  there is one Docker Hub
        path: str,
        tag: str | None = None,
        digest: str | None = None,
    ) -> str | None:
        """Return the page of a repository's tags, or of an image if both tag and digest are given."""
        if tag and digest:
            return f"{_API}/layers/{path}/{tag}/images/{digest.replace(':', '-')}"
        official = path.removeprefix(f"{_OFFICIAL}/")
        page = f"{_API}/_/{official}/tags" if official != path else f"{_API}/r/{path}/tags"
        return f"{page}?name={quoted(tag)}" if tag else page

    def _sessions(self) -> tuple[AbstractAsyncContextManager[object], ...]:
        return self._client, self._api

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        # One budget for both, and as many requests at a time as the API is found to take.
        self._api.transport.pace = self._transport.pace
        return self

    # Reading ------------------------------------------------------------------------------------

    async def _check_sign_in(self) -> str:
        told = await super()._check_sign_in()
        await self._api.sign_in.header()
        return told

    async def _listings(self) -> AsyncIterator[AsyncIterator[RepositoryPage]]:
        if not self._namespaces:
            raise Unsupported(
                "Docker Hub has no list of all its repositories.",
                advice="Name the namespaces to list, or the repositories to watch.",
            )
        for namespace in self._namespaces:
            yield self._repositories_of(namespace)

    async def _repositories_of(self, namespace: str) -> AsyncIterator[RepositoryPage]:
        url, what = f"/namespaces/{quoted(namespace)}/repositories", f"repositories of {namespace}"
        # By name, so that a push does not move a repository from one page to another.
        async for _, results in self._api.pages(url, what, {"ordering": "name"}):
            facts: dict[str, RepositoryFacts] = {}
            for repository in untrusted.objects(results):
                path = f"{namespace}/{untrusted.text(repository.get('name'))}"
                if is_repository(path) and untrusted.text(repository.get("name")):
                    facts[path] = RepositoryFacts(untrusted.size(repository.get("pull_count")))
                else:
                    self.stats.invalid_names += 1
            wanted = self._selection.of_catalog(facts)
            yield RepositoryPage(wanted, facts={path: facts[path] for path in wanted})

    async def tags(self, path: str) -> TagListing:
        """Return tags with digests, facts and outlines of what they point at."""
        gathered, problem, first, count, fewer = Gathered(), None, True, 0, False
        url = f"{self._repository(path, 'namespaces', '/repositories')}/tags"
        try:
            async for page, results in self._api.pages(url, f"tags of {path}"):
                gathered.add(results)
                before, count = count, untrusted.size(page.json.get("count")) or 0
                fewer, first = fewer or count < before, False
            if fewer or len(gathered.names) + gathered.invalid < count:
                # Tags are listed by when they were pushed: one pushed meanwhile slips to the front,
                # and where one was deleted, all behind it move up and one slips between two pages.
                raise ServerFailed(
                    f"Tags of {path} were pushed or deleted while they were listed, so that there is"
                    " a gap.",
                    advice="The next sync lists them again.",
                )
        except RegistryError as error:
            if first and isinstance(error, NotFound):
                raise
            problem = error
        await self._find_digests(path, gathered)
        self.stats.invalid_names += gathered.invalid
        return TagListing(
            tuple(gathered.names),
            complete=problem is None,
            problem=problem,
            digests=gathered.digests,
            facts=gathered.facts,
            manifests=gathered.manifests(),
        )

    async def _find_digests(self, path: str, gathered: Gathered) -> None:
        """Ask by HEAD, which is not counted as a pull, what old tags point at."""

        async def find(name: str) -> None:
            try:
                head = await self._client.head_manifest(path, name)
            except RegistryError:
                return
            if head is not None:
                gathered.point(name, head.digest, gathered.undigested[name])

        await asyncio.gather(*map(find, gathered.undigested))

    def _repository(self, path: str, before: str, between: str) -> str:
        namespace, _, name = parse_repository(path).partition("/")
        if not name or "/" in name:
            raise NotFound(f"Docker Hub has no {path}: its names have two parts.")
        return f"/{before}/{quoted(namespace)}{between}/{quoted(name)}"

    # Changing -----------------------------------------------------------------------------------

    async def delete_tag(self, path: str, tag: str) -> None:
        """Take a tag away; what it pointed at stays."""
        address = f"{self._repository(path, 'repositories', '')}/tags/{parse_tag(tag)}/"
        await self._api.send("DELETE", address, f"{path}:{tag}")

    async def delete_manifest(self, path: str, digest: str) -> None:  # noqa: ARG002
        """Refuse it: Docker Hub offers no such thing."""
        raise self._unsupported("delete manifests, only tags")

    async def delete_repository(self, path: str) -> None:
        """Delete a repository with all it holds."""
        address = f"{self._repository(path, 'repositories', '')}/"
        await self._api.send("DELETE", address, f"repository {path}")

    # Its own ------------------------------------------------------------------------------------

    async def powers(self) -> tuple[Power, ...]:
        """Return what the credential may do, as far as the registry's tokens and the API tell."""
        known = {power.name: power for power in await powers_of(self, self._client)}
        if self._connection.credentials is None:
            known["delete"] = Power("delete", False, "Nothing is deleted without signing in.")
        else:
            told = (
                "Docker Hub does not say before it is tried; the token needs the right to delete."
            )
            known["delete"] = Power("delete", None, told)
        return tuple(known.values())

    async def report(self) -> Report:
        """Return what is left of the pull quota and of the API's, and members of organisations."""
        others = [name for name in self._namespaces if name != self._connection.username]
        return await read_report(self._transport, self._api, others)

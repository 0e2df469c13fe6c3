"""GitLab's container registry, on GitLab.com and of installations of one's own.

The registry has no catalog for people; GitLab's API lists repositories by group or project
(docs.gitlab.com, "Container registry API"), but tags by name only. GitLab's registry has an API of
its own beside the standard's, which lists a thousand tags with digest, type and size (container-registry
docs/spec/gitlab/api.md, "List Repository Tags"). Registries without a metadata database do not have
it; there tags are listed by the standard.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import ClassVar
from urllib.parse import quote

from registries.connectors.abilities import Ability, Field
from registries.connectors.api import Document, VendorApi, quoted, split_address
from registries.connectors.base import RepositoryPage
from registries.connectors.by_owner import OwnersConnector
from registries.connectors.gitlab.api import REALM, api_at, where_tokens_are
from registries.connectors.gitlab.tags import GitlabListing, read_repository
from registries.oci import untrusted
from registries.oci.client import Ping
from registries.oci.connection import Connection
from registries.oci.errors import (
    AccessDenied,
    AuthenticationFailed,
    NotFound,
    RegistryError,
    Unsupported,
)
from registries.oci.failures import error_codes
from registries.oci.listings import TagListing
from registries.oci.pages import PageGuard, next_page
from registries.oci.reference import is_repository, parse_repository, parse_tag

_HOST, _HOME = "registry.gitlab.com", "https://gitlab.com"
_HUNDRED: dict[str, str | int] = {"per_page": 100}
# Whose groups are listed where none are named: what a reporter may read.
_OWN_GROUPS: dict[str, str | int] = {**_HUNDRED, "top_level_only": "true", "min_access_level": 20}


class GitlabConnector(OwnersConnector):
    """The registry of a GitLab; the password is a personal, group or project access token."""

    kind: ClassVar[str] = "gitlab"
    label: ClassVar[str] = "GitLab"
    judges_access: ClassVar[bool] = True
    own_permissions: ClassVar[str] = "the members of its projects and groups"
    abilities: ClassVar[frozenset[Ability]] = frozenset(
        {
            Ability.CATALOG,
            Ability.BULK,
            Ability.DELETE_TAG,
            Ability.DELETE_MANIFEST,
            Ability.DELETE_REPOSITORY,
        }
    )
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "groups",
            "Groups",
            "Groups whose repositories are listed, with all below them: paths, with commas between."
            " With no projects either: all groups that the token's owner belongs to.",
        ),
        Field("projects", "Projects", "Single projects to list, with commas between."),
        Field(
            "api_secret",
            "API token",
            "A token with read_api (to delete repositories: api), where the password has only"
            " read_registry.",
        ),
        Field(
            "api",
            "GitLab's address",
            "Where GitLab itself is, if not where its registry says.",
            advanced=True,
        ),
    )
    # docs.gitlab.com, "Rate limits on GitLab.com": authenticated traffic of a user.
    requests_per_minute: ClassVar[int | None] = 2000

    def __init__(self, connection: Connection, repositories: Sequence[str] = ()) -> None:
        super().__init__(connection, repositories)
        self._address = self._connection.options.get("api", "").strip()
        if not self._address and connection.origin.host == _HOST:
            self._address = _HOME
        self._api: VendorApi | None = None
        self._opening = asyncio.Lock()
        # By path, the numbers of project and repository.
        self._numbers: dict[str, tuple[int, int]] = {}
        self._lists_digests = True

    @classmethod
    def home(cls, host: str) -> str | None:
        """Return the address of GitLab.com's registry."""
        return f"https://{_HOST}" if host == _HOST else None

    @classmethod
    def recognises(cls, host: str, ping: Ping) -> bool:  # noqa: ARG003  anybody's host
        """Say whether the token server is a GitLab's."""
        return ping.service == "container_registry" and ping.realm.endswith(REALM)

    @classmethod
    def web_page(
        cls,
        connection: Connection,
        path: str,
        tag: str | None = None,  # noqa: ARG003  pages go by numbers, which only GitLab knows
        digest: str | None = None,  # noqa: ARG003
    ) -> str | None:
        """Return a project's page, or its group's where a path does not say which part is which."""
        own = _HOME if connection.origin.host == _HOST else ""
        address = connection.options.get("api", "").strip() or own
        group, _, rest = path.partition("/")
        if not address or not rest:
            return None
        origin, below = split_address(address)
        page = f"groups/{quote(group)}/-/container_registries"
        return f"{origin}{below}/{page if '/' in rest else f'{quote(path)}/container_registry'}"

    # GitLab itself ------------------------------------------------------------------------------

    async def _gitlab(self) -> VendorApi:
        """Return the API of the GitLab that this registry belongs to."""
        async with self._opening:
            if self._api is None:
                address = self._address
                if not address:
                    address = where_tokens_are(self._connection, await self._client.probe())
                api = api_at(address, self._connection, self.stats)
                self._api = await self._opened.enter_async_context(api)
        return self._api

    # Reading ------------------------------------------------------------------------------------

    async def _listings(self) -> AsyncIterator[AsyncIterator[RepositoryPage]]:
        # A project may be named beside a group that it lies in.
        seen: set[str] = set()
        async for place in self._places():
            yield self._repositories_of(place, seen)

    async def _repositories_of(self, place: str, seen: set[str]) -> AsyncIterator[RepositoryPage]:
        async for page in self._listed(place):
            paths = [path for path in self._read(page) if path not in seen]
            seen.update(paths)
            yield RepositoryPage(self._selection.of_catalog(paths))

    async def _places(self) -> AsyncIterator[str]:
        """Yield the groups and projects to list, as paths of the API."""
        named = False
        for option in ("groups", "projects"):
            for name in self._connection.options.get(option, "").replace(",", " ").split():
                named = True
                yield f"/{option}/{quoted(name.strip('/'))}"
        if named:
            return
        api = await self._gitlab()
        async for page in api.linked_pages("/groups", "a list of groups", _OWN_GROUPS):
            for group in untrusted.objects(page.json):
                if (number := untrusted.size(group.get("id"))) is not None:
                    yield f"/groups/{number}"

    async def _listed(self, place: str) -> AsyncIterator[Document]:
        api = await self._gitlab()
        what = f"repositories of {place.lstrip('/')}"
        async for page in api.linked_pages(f"{place}/registry/repositories", what, _HUNDRED):
            yield page

    def _read(self, page: Document) -> list[str]:
        paths = []
        for entry in untrusted.objects(page.json):
            path, numbers = read_repository(entry)
            if not is_repository(path):
                self.stats.invalid_names += 1
                continue
            paths.append(path)
            if numbers is not None:
                self._numbers[path] = numbers
        return paths

    async def tags(self, path: str) -> TagListing:
        """Return tags with digests where the registry lists those, else their names."""
        try:
            return await self._tags(path)
        except NotFound as missing:
            # GitLab remembers repositories of which its registry holds nothing any more.
            if path in self._numbers and missing.is_proof:
                return TagListing()
            raise

    async def _tags(self, path: str) -> TagListing:
        if self._lists_digests:
            try:
                listing = await self._own_tags(path)
            except (AccessDenied, AuthenticationFailed, Unsupported):
                listing = None
            if listing is not None:
                return listing
        found = await super().tags(path)
        # Whoever may read it by the standard, and not so, is not offered this API at all.
        self._lists_digests = False
        return found

    async def _own_tags(self, path: str) -> TagListing | None:
        """Return what the registry's own API lists, None where there is no such API."""
        scope, _ = self._transport.repository(path)
        url = self._transport.url(f"/gitlab/v1/repositories/{path}/tags/list/?n=1000")
        guard = PageGuard(self._connection.limits.pages)
        listing = GitlabListing()
        first = True
        try:
            while True:
                answer = await self._transport.listing(url, scope)
                if first and answer.status == 404 and not error_codes(answer.body):
                    return None
                if answer.status != 200:
                    raise answer.failure(f"tags of {path}")
                count = listing.add(answer.body)
                guard.admit(url, answer.body, holds_names=count > 0)
                following = next_page(answer.headers.getall("Link", ()), url)
                if following is None:
                    return listing.result(self.stats)
                url, first = following, False
        except RegistryError as problem:
            if first and isinstance(
                problem, NotFound | AccessDenied | AuthenticationFailed | Unsupported
            ):
                raise
            return listing.result(self.stats, problem)

    # Changing -----------------------------------------------------------------------------------

    async def delete_tag(self, path: str, tag: str) -> None:
        """Take a tag away; its manifest stays until GitLab's garbage collection."""
        await self._client.delete_manifest(path, parse_tag(tag))

    async def delete_repository(self, path: str) -> None:
        """Have a repository deleted, which GitLab does a little later."""
        parse_repository(path)
        api = await self._gitlab()
        if path not in self._numbers:
            await self._find(path)
        if path not in self._numbers:
            raise NotFound(f"GitLab has no repository {path}.")
        project, repository = self._numbers[path]
        await api.send("DELETE", f"/projects/{project}/registry/repositories/{repository}", path)

    async def _find(self, path: str) -> None:
        """Look a repository up in the projects that its path may lie in, the nearest first."""
        parts = path.split("/")
        for length in range(len(parts), 1, -1):
            project = quoted("/".join(parts[:length]))
            try:
                async for page in self._listed(f"/projects/{project}"):
                    self._read(page)
            except NotFound:
                continue
            return

"""Google Artifact Registry, and gcr.io, which it serves.

A repository's path is PROJECT/REPOSITORY/IMAGE, on gcr.io PROJECT/IMAGE. To list everything, its
API needs one request for a thousand images of a repository, tagged or not, whatever their names: so
listing repositories brings their tags along, which are kept until they are asked for. An image asked
for alone is listed by the registry's own `tags/list`, which is one request where the API would list
all that lie beside it.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import quote

from registries.connectors.abilities import Ability, Field
from registries.connectors.api import VendorApi, quoted
from registries.connectors.base import RepositoryPage
from registries.connectors.gar.images import GoogleListing, read_docker_image
from registries.connectors.gar.places import GCR, Place, location_of, place_of
from registries.connectors.gar.removal import Removal, Tagged
from registries.connectors.gar.sign_in import GoogleAccount
from registries.connectors.standard import StandardConnector
from registries.oci import untrusted
from registries.oci.client import Ping
from registries.oci.connection import Connection, InvalidConnection
from registries.oci.errors import NotFound, RegistryError, TooManyPages, Unsupported
from registries.oci.listings import TagListing
from registries.oci.pages import PageGuard, next_page
from registries.oci.reference import is_repository, parse_digest, parse_repository, parse_tag
from registries.oci.transport import Transport

_API = "https://artifactregistry.googleapis.com"
_LOCATION = re.compile(r"[a-z][a-z0-9-]*")


class GarConnector(StandardConnector):
    """One location of Google Artifact Registry, with the projects named or the key's own."""

    kind: ClassVar[str] = "gar"
    label: ClassVar[str] = "Google Artifact Registry"
    judges_access: ClassVar[bool] = True
    own_permissions: ClassVar[str] = "the IAM roles on its projects and repositories"
    index_holds: ClassVar[bool] = True
    abilities: ClassVar[frozenset[Ability]] = frozenset(
        {
            Ability.CATALOG,
            Ability.BULK,
            Ability.UNTAGGED,
            Ability.DELETE_TAG,
            Ability.DELETE_MANIFEST,
            Ability.DELETE_REPOSITORY,
        }
    )
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "projects",
            "Projects",
            "Ids of the projects to list, with commas between. Empty: the project that the service"
            " account belongs to.",
        ),
        Field("location", "Location", "Where the address does not say it.", advanced=True),
        Field("api", "API", f"Another address than {_API}.", advanced=True),
        Field(
            "token_url", "Token server", "Another address than the key's own says.", advanced=True
        ),
    )

    def __init__(self, connection: Connection, repositories: Sequence[str] = ()) -> None:
        super().__init__(connection, repositories)
        options = connection.options
        self._host = connection.origin.host or ""
        self._location = options.get("location", "").strip() or location_of(self._host)
        if not _LOCATION.fullmatch(self._location):
            raise InvalidConnection(
                "Give the registry's address as LOCATION-docker.pkg.dev, or its location."
            )
        self._removal = Removal(self._client, self._transport)
        self._account = GoogleAccount(self._connection, self.stats)
        there = replace(
            self._connection,
            url=options.get("api", "").strip() or _API,
            username=None,
            password=None,
        )
        transport = Transport(there, stats=self.stats)
        self._api = VendorApi(transport, self._account.sign_in(), label="Google's API")
        # What listing the repositories has brought along, until it is asked for.
        self._listed: dict[str, TagListing] = {}

    def _sessions(self) -> tuple[AbstractAsyncContextManager[object], ...]:
        return self._client, self._api

    @property
    def has_budget(self) -> bool:
        """One process does it all: no other has what listing the repositories brought along."""
        return True

    @classmethod
    def home(cls, host: str) -> str | None:
        """Return the address of a registry under Google's own names."""
        return f"https://{host}" if location_of(host) else None

    @classmethod
    def recognises(cls, host: str, ping: Ping) -> bool:  # noqa: ARG003  a proxy has its own name
        """Say whether the token server is that of one of Google's registries."""
        return bool(location_of(ping.service))

    @classmethod
    def web_page(
        cls,
        connection: Connection,
        path: str,
        tag: str | None = None,  # noqa: ARG003  the console names images by digest
        digest: str | None = None,
    ) -> str | None:
        """Return the page in Google's console."""
        host = connection.origin.host or ""
        if (found := place_of(path, host, location_of(host))) is None or not found[0].location:
            return None
        place, image = found
        page = "/".join((place.project, place.location, place.repository, quoted(image)))
        at = f"/{quote(digest)}" if digest else ""
        return f"https://console.cloud.google.com/artifacts/docker/{page}{at}"

    # Reading ------------------------------------------------------------------------------------

    async def _try_listing(self) -> str:
        # Not their images, of which a whole repository's would be read.
        for project in self._projects():
            await anext(aiter(self._places(project)), None)
        return "The repositories can be listed."

    async def _listings(self) -> AsyncIterator[AsyncIterator[RepositoryPage]]:
        for project in self._projects():
            async for place in self._places(project):
                yield self._images_of(place)

    async def _images_of(self, place: Place) -> AsyncIterator[RepositoryPage]:
        at = datetime.now(UTC)
        listings, problem = await self._images(place)
        wanted = self._selection.of_catalog(listings)
        for path in wanted:
            self._listed[path] = replace(listings[path].result(self.stats, problem), at=at)
        yield RepositoryPage(wanted)
        if problem is not None:
            raise problem

    def _projects(self) -> list[str]:
        named = self._connection.options.get("projects", "").replace(",", " ").split()
        account = None if named else self._account.service_account()
        if not named and account and account.project:
            named = [account.project]
        if not named:
            raise Unsupported(
                "Nothing says which projects to list.",
                advice="Name the projects, or the repositories to watch.",
            )
        return named

    async def _places(self, project: str) -> AsyncIterator[Place]:
        path = f"/v1/projects/{quoted(project)}/locations/{self._location}/repositories"
        async for page in self._pages(path, f"repositories of project {project}"):
            for entry in untrusted.objects(page.get("repositories")):
                name = (untrusted.text(entry.get("name")) or "").rpartition("/")[2]
                if name and _holds_images(entry) and self._is_here(name):
                    prefix = f"{project}/" if self._host in GCR else f"{project}/{name}/"
                    yield Place(project, self._location, name, prefix)

    def _is_here(self, repository: str) -> bool:
        """Say whether a repository is reached by the host that was given."""
        return repository == self._host if self._host in GCR else True

    async def _images(self, place: Place) -> tuple[dict[str, GoogleListing], RegistryError | None]:
        """Return the images of a repository by path, and what cut their listing short."""
        found: dict[str, GoogleListing] = {}
        what = f"images of {place.project}/{place.repository}"
        try:
            async for page in self._pages(f"{place.address}/dockerImages", what):
                for entry in untrusted.objects(page.get("dockerImages")):
                    read = read_docker_image(entry)
                    if read is None or not is_repository(path := place.prefix + read[0]):
                        self.stats.invalid_names += 1
                        continue
                    found.setdefault(path, GoogleListing()).add(read[1], entry.get("tags"))
        except NotFound:  # deleted since it was listed
            return found, None
        except RegistryError as problem:
            return found, problem
        return found, None

    async def _pages(self, path: str, what: str) -> AsyncIterator[Mapping[str, Any]]:
        """Yield the pages of a listing, 1000 entries each, which is Google's largest."""
        token = ""
        seen: set[str] = set()
        while True:
            query = {"pageSize": "1000"} | ({"pageToken": token} if token else {})
            page = untrusted.mapping((await self._api.get(path, what, query)).json)
            yield page
            token = untrusted.text(page.get("nextPageToken")) or ""
            if not token:
                return
            if token in seen or len(seen) >= self._connection.limits.pages:
                raise TooManyPages("The listing repeats itself: its nextPageToken is endless.")
            seen.add(token)

    async def tags(self, path: str) -> TagListing:
        """Return what listing the repositories brought along, else what the registry lists."""
        listed = self._listed.pop(path, None)
        if listed is not None:
            return listed
        found, problem = await self._tags_list(path)
        return found.result(self.stats, problem)

    async def _tags_list(self, path: str) -> tuple[GoogleListing, RegistryError | None]:
        scope, base = self._transport.repository(path)
        url = self._transport.url(f"{base}/tags/list")
        guard = PageGuard(self._connection.limits.pages)
        listing = GoogleListing()
        first = True
        try:
            while True:
                answer = await self._transport.listing(url, scope)
                if answer.status != 200:
                    raise answer.failure(f"tags of {path}")
                document = untrusted.load_object(answer.body, "listing")
                guard.admit(url, answer.body, holds_names=bool(document.get("tags")))
                listing.add_tag_page(document)
                following = next_page(answer.headers.getall("Link", ()), url)
                if following is None:
                    return listing, None
                url, first = following, False
        except RegistryError as problem:
            if first and isinstance(problem, NotFound):
                raise
            return listing, problem

    # Changing -----------------------------------------------------------------------------------

    async def delete_tag(self, path: str, tag: str) -> None:
        """Take a tag away; its manifest and other tags stay."""
        await self._removal.delete(path, parse_tag(tag))

    async def delete_manifest(self, path: str, digest: str) -> None:
        """Delete a manifest after its tags, without which Google deletes none.

        Where Google then keeps it all the same, it gets its tags back: `tags_taken` of the error
        names those that could not be put back. Raises `NotFound` and `Unsupported`.
        """
        digest = parse_digest(digest)
        try:
            # What an index holds may be refused here, before a tag is touched.
            await self._removal.delete(path, digest)
        except Tagged:
            listing, problem = await self._tags_list(path)
            if problem is not None:
                raise problem from None
            await self._removal.require_unheld(path, digest, listing.indexes_near(digest))
            await self._removal.delete_with_tags(path, digest, listing.tags_of(digest))

    async def delete_repository(self, path: str) -> None:
        """Delete an image with all its tags and versions, which Google may do a little later."""
        found = place_of(parse_repository(path), self._host, self._location)
        if found is None:
            raise NotFound(f"{path} names no image of a repository.")
        place, image = found
        address = f"{place.address}/packages/{quoted(image)}"
        answer = untrusted.mapping((await self._api.send("DELETE", address, path)).json)
        if error := untrusted.mapping(answer.get("error")):
            said = untrusted.text(error.get("message")) or "no reason given"
            raise Unsupported(f"Google does not delete {path}: {said[:200].rstrip('.')}.")


def _holds_images(repository: Mapping[str, Any]) -> bool:
    """Say whether a repository has images of its own; a virtual one only shows those of others."""
    is_virtual = repository.get("mode") == "VIRTUAL_REPOSITORY"
    return repository.get("format") == "DOCKER" and not is_virtual

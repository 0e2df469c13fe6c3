"""Harbor 2: projects, artifacts with everything about them, deletes and webhooks by its API.

goharbor/harbor: api/v2.0/swagger.yaml and src/server/v2.0/handler. Credentials are a robot's, or a
user's; with single sign-on a user's CLI secret.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import ClassVar

from registries.connectors.abilities import Ability, Power
from registries.connectors.api import quoted
from registries.connectors.base import RepositoryPage
from registries.connectors.harbor.api import HarborApi
from registries.connectors.harbor.artifacts import Gathered
from registries.connectors.harbor.report import HarborReport
from registries.connectors.harbor.webhooks import create_policy, delete_policy
from registries.connectors.powers import powers_of
from registries.connectors.reports import NativeWebhook, NewWebhook, Report
from registries.connectors.standard import StandardConnector
from registries.oci import untrusted
from registries.oci.client import Ping
from registries.oci.connection import Connection
from registries.oci.errors import NotFound, RegistryError
from registries.oci.listings import TagListing
from registries.oci.outlines import RepositoryFacts
from registries.oci.reference import is_repository, parse_digest, parse_repository, parse_tag

_PROJECTS_AT_A_TIME = 16
_ADMIN, _MAINTAINER = 1, 4


class HarborConnector(StandardConnector):
    """A Harbor, of which everything is read by its API."""

    kind: ClassVar[str] = "harbor"
    label: ClassVar[str] = "Harbor"
    judges_access: ClassVar[bool] = True
    own_permissions: ClassVar[str] = "the members and robots of its projects"
    webhooks_are_for: ClassVar[str] = "project"
    abilities: ClassVar[frozenset[Ability]] = frozenset(
        {
            Ability.CATALOG,
            Ability.BULK,
            Ability.UNTAGGED,
            Ability.PULLS,
            Ability.DELETE_TAG,
            Ability.DELETE_MANIFEST,
            Ability.DELETE_REPOSITORY,
            Ability.WEBHOOKS,
            Ability.ACCESS,
            Ability.USAGE,
            Ability.SCANS,
        }
    )

    def __init__(self, connection: Connection, repositories: Sequence[str] = ()) -> None:
        super().__init__(connection, repositories)
        self._api = HarborApi(self._transport, label=self.label)

    @classmethod
    def recognises(cls, host: str, ping: Ping) -> bool:  # noqa: ARG003  anybody's host
        """Say whether this is Harbor's token service, whose name is fixed in its source."""
        return ping.service == "harbor-registry"

    @classmethod
    def web_page(
        cls,
        connection: Connection,
        path: str,
        tag: str | None = None,  # noqa: ARG003  tags have no page of their own
        digest: str | None = None,
    ) -> str | None:
        """Return the page of a repository; its portal looks the project up by name as well as id."""
        project, _, repository = path.partition("/")
        page = f"{connection.origin}/harbor/projects/{project}/repositories/{quoted(repository)}"
        return f"{page}/artifacts-tab/artifacts/{digest}" if digest else page

    # Reading ------------------------------------------------------------------------------------

    async def _try_listing(self) -> str:
        async for projects in self._projects():
            return "The projects can be listed." if projects else "There are no projects yet."
        return "There are no projects yet."

    async def _listings(self) -> AsyncIterator[AsyncIterator[RepositoryPage]]:
        # By project, since a robot gets only those of public projects from the listing of all.
        async for projects in self._projects():
            for at in range(0, len(projects), _PROJECTS_AT_A_TIME):
                yield self._repositories_of_some(projects[at : at + _PROJECTS_AT_A_TIME])

    async def _repositories_of_some(self, projects: list[str]) -> AsyncIterator[RepositoryPage]:
        problem: RegistryError | None = None
        for pages, failed in await asyncio.gather(*map(self._repositories_of, projects)):
            for page in pages:
                yield page
            problem = problem or failed
        if problem is not None:
            raise problem

    async def _projects(self) -> AsyncIterator[list[str]]:
        async for page in self._api.pages("/projects", "a list of projects"):
            yield [
                name
                for project in untrusted.objects(page.json)
                if is_repository(name := untrusted.text(project.get("name")) or "")
            ]

    async def _repositories_of(
        self, project: str
    ) -> tuple[list[RepositoryPage], RegistryError | None]:
        """Return the pages as far as they came, and what cut them short."""
        pages: list[RepositoryPage] = []
        listing = self._api.pages(
            f"/projects/{quoted(project)}/repositories", f"repositories of project {project}"
        )
        try:
            async for page in listing:
                pages += [self._page_of(page.json)]
        except NotFound:  # deleted since it was listed
            return pages, None
        except RegistryError as problem:
            return pages, problem
        return pages, None

    def _page_of(self, listed: object) -> RepositoryPage:
        facts: dict[str, RepositoryFacts] = {}
        for repository in untrusted.objects(listed):
            name = repository.get("name")  # with the project's
            if isinstance(name, str) and is_repository(name):
                facts[name] = RepositoryFacts(untrusted.size(repository.get("pull_count")))
            else:
                self.stats.invalid_names += 1
        wanted = self._selection.of_catalog(facts)
        return RepositoryPage(wanted, facts={path: facts[path] for path in wanted})

    async def tags(self, path: str) -> TagListing:
        """Return tags, digests, facts and outlines of all artifacts, also untagged ones."""
        gathered, problem, first = Gathered(), None, True
        query = {
            # All there is, not only what no index lists.
            "q": "base=*",
            "with_tag": "true",
            "with_accessory": "true",
            "with_immutable_status": "true",
            "with_scan_overview": "true",
        }
        try:
            url = f"{self._repository(path)}/artifacts"
            async for page in self._api.pages(url, f"tags of {path}", query, seen=gathered.listed):
                gathered.add(page.json)
                first = False
            if not gathered.outlines:
                # It lists nothing where there is no such repository, too.
                first = True
                await self._api.get(self._repository(path), f"repository {path}")
        except RegistryError as error:
            if first and isinstance(error, NotFound):
                raise
            problem = error
        self.stats.invalid_names += gathered.invalid
        return TagListing(
            tuple(gathered.digests),
            complete=problem is None,
            problem=problem,
            digests=gathered.digests,
            facts=gathered.facts,
            manifests=gathered.manifests(complete=problem is None),
        )

    def _repository(self, path: str) -> str:
        """Return the address of a repository: its name quoted twice, since nginx unquotes it once."""
        project, _, name = parse_repository(path).partition("/")
        if not name:
            raise NotFound(f"Harbor has no {path}: its repositories are in projects.")
        return f"/projects/{quoted(project)}/repositories/{quoted(name, times=2)}"

    # Changing -----------------------------------------------------------------------------------

    async def delete_tag(self, path: str, tag: str) -> None:
        """Take a tag away; raises `AccessDenied` for an immutable one."""
        reference = f"{self._repository(path)}/artifacts/{parse_tag(tag)}/tags/{tag}"
        await self._api.send("DELETE", reference, f"{path}:{tag}")

    async def delete_manifest(self, path: str, digest: str) -> None:
        """Delete a manifest with its tags and signatures; raises `AccessDenied` if it is protected."""
        reference = f"{self._repository(path)}/artifacts/{parse_digest(digest)}"
        await self._api.send("DELETE", reference, f"{path}@{digest}")

    async def delete_repository(self, path: str) -> None:
        """Delete a repository with all it holds."""
        await self._api.send("DELETE", self._repository(path), f"repository {path}")

    # Its own ------------------------------------------------------------------------------------

    async def powers(self) -> tuple[Power, ...]:
        """Return what the credential may do; a member's role in a project tells what tokens do not."""
        known = {power.name: power for power in await powers_of(self, self._client)}
        project, roles = await self._roles()
        known["delete"] = _delete(known["delete"], project, roles)
        if _ADMIN in roles:
            told = f"The account is an administrator of project {project}."
            known["webhooks"] = Power("webhooks", True, told)
        return tuple(known.values())

    async def _roles(self) -> tuple[str, set[int]]:
        """Return a project and the account's roles in it; a robot has none, nor who rules all."""
        try:
            async for projects in self._projects():
                for project in projects:
                    about = await self._api.get(f"/projects/{quoted(project)}", "project")
                    roles = untrusted.mapping(about.json).get("current_user_role_ids")
                    found = roles if isinstance(roles, list) else []
                    return project, {role for role in found if isinstance(role, int)}
        except RegistryError:
            return "", set()
        return "", set()

    async def report(self) -> Report:
        """Return members, robots, quotas and webhooks, as far as the credential may read them."""
        return await HarborReport(self._api).read()

    async def create_webhook(self, wanted: NewWebhook) -> NativeWebhook:
        """Set up the webhook of a project; the policy of that name is replaced."""
        return await create_policy(self._api, wanted)

    async def delete_webhook(self, webhook_id: str) -> None:
        """Remove a webhook policy, which is named as `project/id`."""
        await delete_policy(self._api, webhook_id)


def _delete(told: Power, project: str, roles: set[int]) -> Power:
    """Return what is known of deleting: tokens tell only of whole repositories.

    A robot may have the right to delete artifacts and tags, and not that one.
    """
    if told.allowed is True:
        return told
    if roles & {_ADMIN, _MAINTAINER}:
        return Power("delete", True, f"The account's role in project {project} allows it there.")
    if told.allowed is False and not roles:
        detail = "Whole repositories: no. For artifacts and tags Harbor says when it is tried."
        return Power("delete", None, detail)
    return told

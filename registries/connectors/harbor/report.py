"""What Harbor tells besides content: members, robots, quotas and webhooks of its projects.

goharbor/harbor: api/v2.0/swagger.yaml, `ProjectMemberEntity`, `Robot`, `Quota`, `GeneralInfo`; quotas
of all projects and the robots of the system are for administrators of all (handler/quota.go, robot.go).
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

from registries.connectors.api import quoted
from registries.connectors.harbor.api import HarborApi
from registries.connectors.harbor.webhooks import list_policies
from registries.connectors.reports import NativeGrant, NativeWebhook, Report, Usage
from registries.oci import untrusted
from registries.oci.errors import RegistryError

T = TypeVar("T")

ROLES = {1: "Project admin", 2: "Developer", 3: "Guest", 4: "Maintainer", 5: "Limited guest"}
_AT_A_TIME = 16
_NAMED = 3
_LAST_SECOND = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


class HarborReport:
    """Reads all of it once; what may not be read is told instead of raised."""

    def __init__(self, api: HarborApi) -> None:
        self._api = api
        self._unread: dict[str, list[str]] = {}

    async def read(self) -> Report:
        """Return the report; raises when not even the projects can be listed."""
        projects = [it async for it in self._objects("/projects", "list of projects")]
        named = [(name, it) for it in projects if (name := untrusted.text(it.get("name")))]
        quotas = await self._try("quotas", "", self._quotas)
        robots = await self._try("robots of the system", "", lambda: self._robots({}))
        grants, usage, webhooks = list(robots or ()), list(quotas or ()), []
        for at in range(0, len(named), _AT_A_TIME):
            some = named[at : at + _AT_A_TIME]
            for access, hooks, quota in await asyncio.gather(
                *(self._project(name, it, with_quota=quotas is None) for name, it in some)
            ):
                grants += access
                webhooks += hooks
                usage += quota
        if quotas is None and len(usage) == len(named):
            del self._unread["quotas"]
        return Report(
            facts=(*await self._facts(named[0][0] if named else ""), ("Projects", str(len(named)))),
            usage=tuple(usage),
            access=tuple(grants),
            webhooks=tuple(webhooks),
            unread=tuple(self._told()),
        )

    async def _project(
        self, name: str, project: dict[str, Any], *, with_quota: bool
    ) -> tuple[list[NativeGrant], list[NativeWebhook], list[Usage]]:
        number = untrusted.size(project.get("project_id"))
        level = {"q": f"Level=project,ProjectID={number}"}
        members = await self._try("members", name, lambda: self._members(name))
        robots = await self._try("robots", name, lambda: self._robots(level))
        hooks = await self._try("webhooks", name, lambda: list_policies(self._api, name))
        usage = await self._try("quotas", name, lambda: self._summary(name)) if with_quota else None
        return [*(members or ()), *(robots or ())], hooks or [], usage or []

    async def _members(self, project: str) -> list[NativeGrant]:
        path = f"/projects/{quoted(project)}/members"
        return [
            NativeGrant(
                principal=name,
                principal_kind="group" if member.get("entity_type") == "g" else "user",
                role=_role(member),
                scope=f"project {project}",
                source="member",
            )
            async for member in self._objects(path, f"members of project {project}")
            if (name := untrusted.text(member.get("entity_name")))
        ]

    async def _robots(self, query: dict[str, str]) -> list[NativeGrant]:
        robots = [robot async for robot in self._objects("/robots", "robots", query)]
        return [grant for robot in robots for grant in robot_grants(robot)]

    async def _quotas(self) -> list[Usage]:
        return [
            usage
            async for quota in self._objects("/quotas", "quotas")
            for usage in _storage(quota, untrusted.mapping(quota.get("ref")).get("name"))
        ]

    async def _summary(self, project: str) -> list[Usage]:
        """Return one project's quota, which its members may see, too."""
        page = await self._api.get(f"/projects/{quoted(project)}/summary", "summary")
        quota = untrusted.mapping(untrusted.mapping(page.json).get("quota"))
        return list(_storage(quota, project))

    async def _facts(self, project: str) -> tuple[tuple[str, str], ...]:
        """Return the version, how people sign in, and the scanner of a project."""
        about = await self._about("/systeminfo")
        scanner = await self._about(f"/projects/{quoted(project)}/scanner") if project else {}
        told = {
            "Version": about.get("harbor_version"),
            "Sign-in": about.get("auth_mode"),
            "Scanner": scanner.get("name"),
        }
        return tuple(
            (name, text) for name, value in told.items() if (text := untrusted.text(value))
        )

    async def _about(self, path: str) -> dict[str, Any]:
        try:
            return untrusted.mapping((await self._api.get(path, "facts")).json)
        except RegistryError:
            return {}

    async def _objects(
        self, path: str, what: str, query: dict[str, str] | None = None
    ) -> AsyncIterator[dict[str, Any]]:
        async for page in self._api.pages(path, what, query):
            for found in untrusted.objects(page.json):
                yield found

    async def _try(
        self, what: str, project: str, read: Callable[[], Awaitable[list[T]]]
    ) -> list[T] | None:
        """Return what is read, None where it may not be."""
        try:
            return await read()
        except RegistryError:
            self._unread.setdefault(what, []).append(project)
            return None

    def _told(self) -> Iterator[str]:
        for what, projects in self._unread.items():
            named = [project for project in projects if project]
            of = f" of {', '.join(named[:_NAMED])}" if named else ""
            more = f" and {len(named) - _NAMED} more projects" if len(named) > _NAMED else ""
            yield f"The {what}{of}{more} may not be read with this credential."


def robot_grants(robot: dict[str, Any]) -> Iterator[NativeGrant]:
    """Return what a robot may do, a grant for each project it is for."""
    name = untrusted.text(robot.get("name"))
    if name is None:
        return
    for permission in untrusted.objects(robot.get("permissions")):
        kind = untrusted.text(permission.get("kind"))
        namespace = untrusted.text(permission.get("namespace")) or ""
        project = "all projects" if namespace == "*" else f"project {namespace}"
        yield NativeGrant(
            principal=name,
            principal_kind="robot",
            role="Robot",
            scope="the system" if kind == "system" else project,
            source="robot account",
            actions=tuple(_actions(permission.get("access"))),
            ends=_ends(robot.get("expires_at")),
            enabled=robot.get("disable") is not True,
        )


def _actions(access: object) -> Iterator[str]:
    for rule in untrusted.objects(access):
        resource, action = untrusted.text(rule.get("resource")), untrusted.text(rule.get("action"))
        if resource and action and rule.get("effect") != "deny":
            yield f"{resource} {action}"


def _ends(seconds: object) -> str:
    """Return a Unix time as RFC 3339; -1 is for ever."""
    whole = untrusted.size(seconds)
    if not whole or whole >= _LAST_SECOND:
        return ""
    return datetime.fromtimestamp(whole, UTC).isoformat()


def _role(member: dict[str, Any]) -> str:
    number = member.get("role_id")
    known = ROLES.get(number) if isinstance(number, int) else None
    return known or untrusted.text(member.get("role_name")) or f"Role {number}"[:40]


def _storage(quota: dict[str, Any], project: object) -> Iterator[Usage]:
    used = untrusted.size(untrusted.mapping(quota.get("used")).get("storage"))
    # -1 is no limit.
    limit = untrusted.size(untrusted.mapping(quota.get("hard")).get("storage"))
    if used is not None:
        scope = f"project {untrusted.text(project) or ''}".strip()
        yield Usage("Storage", used, limit, "bytes", scope)

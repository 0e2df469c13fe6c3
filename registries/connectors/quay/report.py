"""What Quay tells besides content: teams, members, robots and quotas of organisations, and who may do
what with repositories.

quay/quay: endpoints/api/organization.py, robot.py, permission.py. Robots are asked for without their
tokens, which Quay would give along.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from typing import Any, TypeVar

from registries.connectors.api import quoted
from registries.connectors.quay.api import QuayApi
from registries.connectors.quay.notifications import list_notifications
from registries.connectors.reports import NativeGrant, NativeWebhook, Report, Usage
from registries.oci import untrusted
from registries.oci.errors import NotFound, RegistryError

T = TypeVar("T")

# Three requests for each repository.
MOST_REPOSITORIES = 100
_AT_A_TIME = 16
_NAMED = 3


class QuayReport:
    """Reads all of it once; what may not be read is told instead of raised."""

    def __init__(self, api: QuayApi) -> None:
        self._api = api
        self._unread: dict[str, list[str]] = {}

    async def read(self, namespaces: Sequence[str], paths: Sequence[str]) -> Report:
        """Return the report on namespaces, and on the first of the repositories."""
        access: list[NativeGrant] = []
        usage: list[Usage] = []
        webhooks: list[NativeWebhook] = []
        for namespace in namespaces:
            grants, quotas = await self._namespace(namespace)
            access += grants
            usage += quotas
        some = paths[:MOST_REPOSITORIES]
        for at in range(0, len(some), _AT_A_TIME):
            for grants, hooks in await asyncio.gather(
                *map(self._repository, some[at : at + _AT_A_TIME])
            ):
                access += grants
                webhooks += hooks
        return Report(
            usage=tuple(usage),
            access=tuple(access),
            webhooks=tuple(webhooks),
            unread=tuple(self._told(len(paths))),
        )

    async def _namespace(self, namespace: str) -> tuple[list[NativeGrant], list[Usage]]:
        path = f"/organization/{quoted(namespace)}"
        about = await self._try("teams", namespace, partial(self._asked, path))
        if not about:  # a user's namespace
            return [], []
        grants = list(_teams(about[0].get("teams"), namespace))
        members = partial(self._asked, f"{path}/members", "members")
        for told in await self._try("members", namespace, members) or ():
            grants += _account(told, "user", namespace)
        without = {"permissions": "true", "token": "false"}
        robots = partial(self._asked, f"{path}/robots", "robots", **without)
        for told in await self._try("robots", namespace, robots) or ():
            grants += _account(told, "robot", namespace)
        return grants, list(_quota(about[0].get("quota_report"), namespace))

    async def _repository(self, path: str) -> tuple[list[NativeGrant], list[NativeWebhook]]:
        grants: list[NativeGrant] = []
        for kind in ("user", "team"):
            address = f"/repository/{path}/permissions/{kind}/"
            told = await self._try("permissions", path, partial(self._asked, address))
            given = untrusted.mapping((told or [{}])[0].get("permissions")).values()
            grants += [it for each in given if (it := _permission(each, kind, path)) is not None]
        hooks = await self._try("notifications", path, lambda: list_notifications(self._api, path))
        return grants, hooks or []

    async def _asked(self, path: str, key: str = "", **query: str) -> list[dict[str, Any]]:
        """Return the objects under a key, or the whole answer; nothing for what is not there."""
        try:
            page = await self._api.get(path, "its answer", query)
        except NotFound:
            return []
        told = untrusted.mapping(page.json)
        return list(untrusted.objects(told.get(key))) if key else [told]

    async def _try(
        self, what: str, where: str, read: Callable[[], Awaitable[list[T]]]
    ) -> list[T] | None:
        try:
            return await read()
        except RegistryError:
            named = self._unread.setdefault(what, [])
            if where not in named:
                named.append(where)
            return None

    def _told(self, repositories: int) -> Iterator[str]:
        for what, where in self._unread.items():
            more = f" and {len(where) - _NAMED} more" if len(where) > _NAMED else ""
            of = ", ".join(where[:_NAMED])
            yield f"The {what} of {of}{more} may not be read with this token."
        if repositories > MOST_REPOSITORIES:
            yield (
                f"Permissions and notifications were read of the first {MOST_REPOSITORIES} of"
                f" {repositories:,} repositories."
            )


def _teams(teams: object, namespace: str) -> Iterator[NativeGrant]:
    """Yield what each team may do in its organisation: admin, creator or member."""
    for told in map(untrusted.mapping, untrusted.mapping(teams).values()):
        if name := untrusted.text(told.get("name")):
            role = untrusted.text(told.get("role")) or "member"
            yield NativeGrant(name, "team", role, f"organisation {namespace}", "team")


def _account(told: dict[str, Any], kind: str, namespace: str) -> Iterator[NativeGrant]:
    """Yield a member or a robot, with the teams it is in."""
    if name := untrusted.text(told.get("name")):
        teams = (untrusted.text(team.get("name")) for team in untrusted.objects(told.get("teams")))
        source = ", ".join(f"team {team}" for team in teams if team) or "account"
        role = "member" if kind == "user" else "robot"
        yield NativeGrant(name, kind, role, f"organisation {namespace}", source)


def _permission(permission: object, kind: str, path: str) -> NativeGrant | None:
    told = untrusted.mapping(permission)
    name, role = untrusted.text(told.get("name")), untrusted.text(told.get("role"))
    if name is None or role is None:
        return None
    kind = "robot" if told.get("is_robot") is True else kind
    return NativeGrant(name, kind, role, path, "permission of the repository")


def _quota(report: object, namespace: str) -> Iterator[Usage]:
    told = untrusted.mapping(report)
    used = untrusted.size(told.get("quota_bytes"))
    if used is not None:
        # Where none is configured it is null.
        limit = untrusted.size(told.get("configured_quota"))
        yield Usage("Storage", used, limit or None, "bytes", f"organisation {namespace}")

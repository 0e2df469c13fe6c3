"""What Docker Hub tells besides content: pulls left, requests left, members of organisations.

docker/docs: content/manuals/docker-hub/usage/pulls.md (the headers, the repository to ask at, and that
HEAD is not counted); Docker Hub API, "Rate limiting" and "List org members".
"""

import re
from collections.abc import Mapping, Sequence

from registries.connectors.api import quoted
from registries.connectors.dockerhub.api import HubApi
from registries.connectors.reports import NativeGrant, Report, Usage
from registries.oci import untrusted
from registries.oci.errors import NotFound, RegistryError
from registries.oci.transport import Transport

_PROBE = "ratelimitpreview/test"
_LIMIT = re.compile(r"(\d{1,12})(?:;w=(\d{1,9}))?")


async def read_report(registry: Transport, api: HubApi, organisations: Sequence[str]) -> Report:
    """Return the report; what may not be read is told, nothing is raised."""
    facts: list[tuple[str, str]] = []
    usage: list[Usage] = []
    access: list[NativeGrant] = []
    unread: list[str] = []
    try:
        pulls, told = await _pulls(registry)
        usage += pulls
        facts.append(("Pulls", told))
    except RegistryError as error:
        unread.append(f"How many pulls are left could not be read: {error}")
    for organisation in organisations:
        try:
            access += await _members(api, organisation)
        except NotFound:  # a user's namespace
            continue
        except RegistryError:
            unread.append(f"The members of {organisation} may not be read with this credential.")
    return Report(
        facts=tuple(facts), usage=tuple(usage), access=tuple(access), unread=tuple(unread)
    )


async def _pulls(registry: Transport) -> tuple[list[Usage], str]:
    url = registry.url(f"/v2/{_PROBE}/manifests/latest")
    scope = f"repository:{_PROBE}:pull"
    answer = await registry.request("HEAD", url, scope=scope, limit=0)
    if answer.status != 200:
        raise answer.failure("the pull quota")
    return pulls_left(answer.headers)


def pulls_left(headers: Mapping[str, str]) -> tuple[list[Usage], str]:
    """Return the pulls used of the quota (`100;w=21600`), and how many are left, in words.

    No header means no limit. Whose quota it is, an account's or an address's, Docker says besides.
    """
    limit = _LIMIT.match(headers.get("ratelimit-limit", ""))
    left = _LIMIT.match(headers.get("ratelimit-remaining", ""))
    if limit is None or left is None:
        return [], "Not limited"
    seconds = int(limit[2] or 0)
    window = f" in {seconds / 3600:g} hours" if seconds else ""
    source = untrusted.scrub(headers.get("docker-ratelimit-source", ""))[:80]
    used = max(0, int(limit[1]) - int(left[1]))
    return (
        [Usage(f"Pulls{window}", used, int(limit[1]), "count", source)],
        f"{left[1]} of {limit[1]} left{window}",
    )


async def _members(api: HubApi, organisation: str) -> list[NativeGrant]:
    path, what = f"/orgs/{quoted(organisation)}/members", f"members of {organisation}"
    members = [
        member
        async for _, results in api.pages(path, what)
        for member in untrusted.objects(results)
    ]
    return [
        NativeGrant(
            principal=name,
            principal_kind="user",
            role=untrusted.text(member.get("role")) or "Member",
            scope=f"organisation {organisation}",
            source=", ".join(untrusted.texts(member.get("groups"))) or "member",
            enabled=member.get("role") != "Invitee",
        )
        for member in members
        if (name := untrusted.text(member.get("username")) or untrusted.text(member.get("email")))
    ]

"""Where Quay's registry differs from the standard: its catalog and its deletes.

quay/quay: endpoints/v2/{catalog,manifest,v2auth}.py. Its token server knows the actions pull, push and
`*` and refuses to give a token at all for any other scope; and it creates a repository for whoever asks
for the right to push to one that is not there.
"""

from collections.abc import AsyncIterator

from yarl import URL

from registries.oci.client import RegistryClient
from registries.oci.errors import NotFound, Unsupported
from registries.oci.listings import parse_names
from registries.oci.pages import PageGuard, next_page
from registries.oci.reference import is_repository
from registries.oci.tokens import actions_in
from registries.oci.transport import Transport

_PAGE = 100  # the largest Quay gives


async def catalog(client: RegistryClient, transport: Transport) -> AsyncIterator[tuple[str, ...]]:
    """Yield what the catalog lists to whoever is signed in: to nobody it is empty."""
    await client.ping()
    url: URL | None = transport.url(f"/v2/_catalog?n={_PAGE}")
    guard = PageGuard(transport.limits.pages)
    while url is not None:
        answer = await transport.listing(url, "")
        if answer.status != 200:
            raise answer.failure("a catalog")
        names = parse_names(answer.body, answer.content_type, "repositories")
        guard.admit(url, answer.body, holds_names=bool(names))
        paths = tuple(name for name in names if isinstance(name, str) and is_repository(name))
        transport.stats.invalid_names += len(names) - len(paths)
        yield paths
        url = next_page(answer.headers.getall("Link", ()), url)


async def delete(client: RegistryClient, transport: Transport, path: str, reference: str) -> None:
    """Delete a tag, or all tags of a digest, with the right to push.

    Raises `NotFound`, and `Unsupported` where an old Quay does not delete tags so.
    """
    what = f"{path} {reference}"
    if await client.head_manifest(path, reference) is None:
        raise NotFound(f"The registry has no {what}.")
    url = transport.url(f"/v2/{path}/manifests/{reference}")
    answer = await transport.request("DELETE", url, scope=_pushing(path), limit=0)
    if answer.status in (400, 405):
        raise Unsupported(
            f"Quay does not delete {what} without its API.", advice="Give an API token."
        )
    if answer.status not in (200, 202, 204):
        raise answer.failure(what)


async def may_push(transport: Transport, path: str) -> bool | None:
    """Say whether a repository that is known to be there may be pushed to, if the token tells."""
    granted = actions_in(await transport.auth.prepare(_pushing(path)), path)
    return None if granted is None else "push" in granted


def _pushing(path: str) -> str:
    return f"repository:{path}:pull,push"

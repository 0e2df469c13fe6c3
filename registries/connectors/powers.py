"""What the credential may do, found out without doing any of it.

Docker's token scheme tells by itself: a token asked for with too many rights comes with fewer.
Where a registry signs in otherwise, reading is tried, and the rest is said to be unknown.
"""

from registries.connectors.abilities import Ability, Power
from registries.connectors.base import Connector
from registries.oci.client import RegistryClient
from registries.oci.errors import RegistryError


async def powers_of(connector: Connector, client: RegistryClient) -> tuple[Power, ...]:
    """Return list, pull, delete and webhooks, in this order."""
    listed, path = await _listed(connector)
    if path is None:
        unknown = "Nothing could be listed to try it on."
        return (
            listed,
            Power("pull", None, unknown),
            Power("delete", None, unknown),
            webhooks_of(connector),
        )
    try:
        granted = await client.granted(path)
    except RegistryError:
        granted = None
    return (
        listed,
        await _pull(connector, path, granted),
        _delete(connector, path, granted),
        webhooks_of(connector),
    )


async def _listed(connector: Connector) -> tuple[Power, str | None]:
    try:
        async for page in connector.repositories():
            if page.paths:
                how = (
                    "The repositories can be listed." if page.listed else "They are given by name."
                )
                return Power("list", page.listed or None, how), page.paths[0]
    except RegistryError as error:
        return Power("list", False, f"{error} {error.advice}"), None
    return Power("list", True, "It can be listed, and holds no repositories yet."), None


async def _pull(connector: Connector, path: str, granted: frozenset[str] | None) -> Power:
    if granted is not None:
        told = f"The token server {'grants' if 'pull' in granted else 'refuses'} it on {path}."
        return Power("pull", "pull" in granted, told)
    try:
        names = (await connector.tags(path)).names
        if not names:
            return Power("pull", None, f"{path} has no tag to try it on.")
        await connector.head(path, names[0])
    except RegistryError as error:
        return Power("pull", False, f"{error} {error.advice}")
    return Power("pull", True, f"{path}:{names[0]} could be read.")


def _delete(connector: Connector, path: str, granted: frozenset[str] | None) -> Power:
    if Ability.DELETE_MANIFEST not in connector.abilities:
        return Power("delete", False, f"{connector.label} deletes nothing by an API.")
    if granted is None:
        return Power("delete", None, "The registry does not say before it is tried.")
    told = f"The token server {'grants' if 'delete' in granted else 'refuses'} it on {path}."
    return Power("delete", "delete" in granted, told)


def webhooks_of(connector: Connector) -> Power:
    """Return whether webhooks can be set up by the registry's API, as far as the kind tells."""
    if Ability.WEBHOOKS in connector.abilities:
        return Power("webhooks", None, "The registry does not say before it is tried.")
    return Power(
        "webhooks", False, "They are set up by hand: the registry's Notifications page says how."
    )

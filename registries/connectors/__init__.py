"""The kinds of registries Portolan can connect to, in one table."""

from collections.abc import Sequence

from registries.connectors import detection
from registries.connectors.abilities import Ability, Field, Power
from registries.connectors.acr import AcrConnector
from registries.connectors.base import CheckStep, Connector, RepositoryPage
from registries.connectors.distribution import DistributionConnector
from registries.connectors.dockerhub import DockerHubConnector
from registries.connectors.ecr import EcrConnector
from registries.connectors.gar import GarConnector
from registries.connectors.ghcr import GhcrConnector
from registries.connectors.gitea import GiteaConnector
from registries.connectors.gitlab import GitlabConnector
from registries.connectors.harbor import HarborConnector
from registries.connectors.quay import QuayConnector
from registries.connectors.zot import ZotConnector
from registries.oci.connection import Connection, InvalidConnection

# In the order in which they are asked whether a registry is theirs, and in which forms list them.
CONNECTORS: dict[str, type[Connector]] = {
    connector.kind: connector
    for connector in (
        AcrConnector,
        HarborConnector,
        DockerHubConnector,
        QuayConnector,
        GhcrConnector,
        GitlabConnector,
        EcrConnector,
        GarConnector,
        GiteaConnector,
        ZotConnector,
        DistributionConnector,
    )
}
# What a registry is taken for that no vendor recognises as its own.
FALLBACK = DistributionConnector.kind

__all__ = [
    "CONNECTORS",
    "FALLBACK",
    "Ability",
    "CheckStep",
    "Connector",
    "Field",
    "Power",
    "RepositoryPage",
    "connect",
    "detect",
]


def connect(kind: str, connection: Connection, repositories: Sequence[str] = ()) -> Connector:
    """Return a connector to use with `async with`.

    `repositories` are exact names and patterns such as `team-a/*`; none means all. Raises
    `InvalidConnection` for an unknown kind or a name no repository can have.
    """
    try:
        connector = CONNECTORS[kind]
    except KeyError:
        known = ", ".join(sorted(CONNECTORS))
        raise InvalidConnection(f"{kind!r} is not a kind of registry; known: {known}.") from None
    return connector(connection, repositories)


async def detect(connection: Connection) -> detection.Found:
    """Return the kind of the registry at an address, and the address at which to dial it.

    Raises `RegistryError` when nothing answers there.
    """
    return await detection.detect(connection, CONNECTORS, FALLBACK)

"""The kinds of registries Portolan can connect to, in one table."""

from collections.abc import Sequence

from registries.connectors.base import CheckStep, Connector, RepositoryPage
from registries.connectors.distribution import DistributionConnector
from registries.oci.connection import Connection, InvalidConnection

CONNECTORS: dict[str, type[Connector]] = {
    DistributionConnector.kind: DistributionConnector,
}

__all__ = ["CONNECTORS", "CheckStep", "Connector", "RepositoryPage", "connect"]


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

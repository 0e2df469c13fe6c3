"""Which kind of registry answers at an address: by its name, else by how it introduces itself."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from registries.connectors.base import Connector
from registries.oci.client import RegistryClient
from registries.oci.connection import Connection


@dataclass(frozen=True, slots=True)
class Found:
    """The kind, and the address to dial, which may differ from the one people know (docker.io)."""

    kind: str
    url: str


def at_home(url: str, connectors: Mapping[str, type[Connector]]) -> Found | None:
    """Return the kind of a registry whose host is a vendor's own name; nothing is asked for that."""
    host = Connection(url, allow_private=True).origin.host or ""
    for kind, connector in connectors.items():
        if dialled := connector.home(host):
            return Found(kind, dialled)
    return None


async def detect(
    connection: Connection, connectors: Mapping[str, type[Connector]], fallback: str
) -> Found:
    """Return the kind of the registry; plain Distribution's where no vendor recognises its own.

    Raises `RegistryError` when nothing answers at the address.
    """
    if found := at_home(connection.url, connectors):
        return found
    # Who asks does not yet say who he is: a kind is known by what it tells everybody.
    async with RegistryClient(replace(connection, username=None, password=None)) as client:
        ping = await client.probe()
    host = connection.origin.host or ""
    for kind, connector in connectors.items():
        if connector.recognises(host, ping):
            return Found(kind, connection.url)
    return Found(fallback, connection.url)

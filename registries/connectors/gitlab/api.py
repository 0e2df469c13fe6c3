"""Which GitLab a registry belongs to, and its API."""

from dataclasses import replace

from registries.connectors.api import VendorApi, split_address
from registries.connectors.api_sign_in import FixedSignIn
from registries.oci.addresses import read_url
from registries.oci.auth import same_domain
from registries.oci.client import Ping
from registries.oci.connection import Connection
from registries.oci.errors import Unsupported
from registries.oci.transport import Stats, Transport

# Where a GitLab gives its registry's tokens (docs.gitlab.com, "Container registry administration").
REALM = "/jwt/auth"


def api_at(address: str, connection: Connection, stats: Stats) -> VendorApi:
    """Return the API of the GitLab at an address, not opened yet.

    The token is the second credential, else the password.
    """
    origin, below = split_address(address)
    token = (connection.api_credentials or connection.credentials or ("",))[-1]
    there = replace(connection, url=origin, username=None, password=None)
    return VendorApi(
        Transport(there, stats=stats),
        FixedSignIn(None),
        label="GitLab's API",
        base=f"{below}/api/v4",
        headers={"PRIVATE-TOKEN": token} if token else {},
    )


def where_tokens_are(connection: Connection, ping: Ping) -> str:
    """Return the address of a registry's token server, which is GitLab itself.

    It gets a token, so it has to be one that may have the password, too; raises `Unsupported`.
    """
    origin = connection.origin
    try:
        realm = read_url(ping.realm)
        host, is_safe = realm.host or "", realm.scheme == "https" or connection.is_plain
    except ValueError:
        host, is_safe = "", False
    is_trusted = host in connection.trusted_realms or same_domain(host, origin.host or "")
    if not host or not is_safe or not is_trusted or not realm.path.endswith(REALM):
        raise Unsupported(
            "The registry does not say where its GitLab is.",
            advice="Give GitLab's address, or the repositories to watch by name.",
        )
    return f"{realm.origin()}{realm.path.removesuffix(REALM)}"

"""Which registries take Portolan's tokens: those that send docker to its token server.

Each is asked itself (OCI Distribution 1.1, "Determining Support": `GET /v2/` and its challenge). What a
registry says there is where docker sends the credential, so nothing else is worth believing: a
helper set up for a registry with another token server would hand our token to that one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv6Address
from urllib.parse import urlsplit

import httpx

from portolan import VERSION
from portolan.addresses import is_here
from portolan.references import is_registry
from portolan.server import Server

TIMEOUT_SECONDS = 4
AT_ONCE = 16
_IP_V6 = re.compile(r"\[([0-9a-fA-F:.]+)\](?::[0-9]{1,5})?")
_REALM = re.compile(r'\brealm="([^"]*)"', re.IGNORECASE)


def hosts_served(server: Server) -> list[str]:
    """Hosts, as docker writes them, of the registries that one sees and whose challenge names this
    server; one that cannot be reached from here is left out."""
    rows = server.pages("/registries", fields="host")
    listed = dict.fromkeys(str(row["host"]).partition("/")[0] for row in rows)
    # Of anything else, such as `registry.example.com@evil.example`, another part may be asked.
    hosts = [host for host in listed if _is_host(host)]
    return [host for host, realm in _challenges(hosts) if _is_ours(realm, server.address)]


def _is_host(text: str) -> bool:
    address = _IP_V6.fullmatch(text)
    if address is None:
        return is_registry(text)
    try:
        IPv6Address(address[1])
    except ValueError:
        return False
    return True


def _challenges(hosts: Iterable[str]) -> list[tuple[str, str]]:
    with (
        httpx.Client(
            timeout=TIMEOUT_SECONDS,
            follow_redirects=False,
            headers={"User-Agent": f"portolan/{VERSION}"},
        ) as http,
        ThreadPoolExecutor(AT_ONCE) as pool,
    ):
        listed = list(hosts)
        realms = pool.map(lambda host: _realm(http, host), listed)
        return list(zip(listed, realms, strict=True))


def _realm(http: httpx.Client, host: str) -> str:
    """The token server that a registry names; empty without one."""
    for scheme in (
        ("https", "http") if is_here(urlsplit(f"//{host}").hostname or "") else ("https",)
    ):
        try:
            with http.stream("GET", f"{scheme}://{host}/v2/") as response:
                challenge = response.headers.get("WWW-Authenticate", "")
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            continue
        return realm_in(challenge)
    return ""


def realm_in(challenge: str) -> str:
    """The token server of a challenge (`Bearer realm="…"`); empty where there is not just one: of
    two, docker might take the other one."""
    found = _REALM.findall(challenge)
    return found[0] if len(found) == 1 and challenge.lower().startswith("bearer") else ""


def _is_ours(realm: str, address: str) -> bool:
    return realm == f"{address}/auth/token"

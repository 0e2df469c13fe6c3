"""Which registries take Portolan's tokens: those that send docker to its token server.

Each is asked itself (OCI Distribution 1.1, "Determining Support": `GET /v2/` and its challenge). What a
registry says there is where docker sends the credential, so nothing else is worth believing: a
helper set up for a registry with another token server would hand our token to that one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx

from portolan import VERSION
from portolan.addresses import is_here
from portolan.server import Server

TIMEOUT_SECONDS = 4
AT_ONCE = 16
_REALM = re.compile(r'\brealm="([^"]*)"', re.IGNORECASE)


def hosts_served(server: Server) -> list[str]:
    """Hosts, as docker writes them, of the registries that one sees and whose challenge names this
    server; one that cannot be reached from here is left out."""
    rows = server.pages("/registries", fields="host")
    hosts = dict.fromkeys(str(row["host"]).partition("/")[0] for row in rows)
    return [host for host, realm in _challenges(hosts) if _is_ours(realm, server.address)]


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
        found = _REALM.search(challenge)
        return found[1] if found and challenge.lower().startswith("bearer") else ""
    return ""


def _is_ours(realm: str, address: str) -> bool:
    return realm == f"{address}/auth/token"

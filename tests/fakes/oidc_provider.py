"""A provider of OpenID Connect: another's implementation (oidc-provider-mock), as a process.

Discovery, authorization, token, userinfo and keys are all real; only its sign-in page lets
everybody be whoever he says.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

import requests

ID = "harbourmaster"


class Browser(Protocol):
    """What a Django test client can, as far as it is needed here."""

    def get(self, path: str, /) -> Any: ...
    def post(self, path: str, /) -> Any: ...


@dataclass(frozen=True)
class OidcProvider:
    url: str
    id: str = ID

    def say(self, sub: str, **claims: Any) -> None:
        """What it says of somebody from now on."""
        requests.put(f"{self.url}/users/{sub}", json=claims, timeout=5).raise_for_status()

    def settings(self, **app: object) -> dict[str, dict[str, Any]]:
        """Django's SOCIALACCOUNT_PROVIDERS with this provider."""
        settings = {
            "server_url": self.url,
            "scope": ["openid", "profile", "email"],
            "groups_claim": "groups",
            "verified_email": False,
            "oauth_pkce_enabled": True,
            **app,
        }
        return {
            "openid_connect": {
                "APPS": [
                    {
                        "provider_id": self.id,
                        "name": "Harbourmaster",
                        "client_id": "portolan",
                        "secret": "a secret of the client",
                        "settings": settings,
                    }
                ]
            }
        }

    def leave_for(self, browser: Browser, query: str = "") -> str:
        """Press the button at Portolan; returns the address at the provider that it leads to."""
        left = browser.post(f"/accounts/oidc/{self.id}/login/{query}")
        assert left.status_code == 302, left.content.decode()
        address: str = left.headers["Location"]
        assert address.startswith(self.url), address
        return address

    def come_back_from(self, address: str, sub: str | None) -> str:
        """Sign in there as somebody, or turn back (None); returns the address at Portolan that it
        leads to."""
        form = {"action": "deny"} if sub is None else {"sub": sub}
        answer = requests.post(address, data=form, allow_redirects=False, timeout=5)
        assert answer.status_code == 302, answer.text
        parts = urlsplit(answer.headers["Location"])
        if "state=" in parts.query:
            return f"{parts.path}?{parts.query}"
        # A refusal says it as well (RFC 6749, 4.1.2.1); this provider forgets to.
        state = parse_qs(urlsplit(address).query)["state"][0]
        return f"{parts.path}?{parts.query}&state={state}"

    def sign_in(self, browser: Browser, sub: str | None, query: str = "") -> Any:
        """The whole way round; returns Portolan's last answer."""
        return browser.get(self.come_back_from(self.leave_for(browser, query), sub))


@contextlib.contextmanager
def oidc_provider(name: str = ID) -> Iterator[OidcProvider]:
    """Runs until the context ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        provider = OidcProvider(f"http://127.0.0.1:{port}", name)
        _wait_for(provider, process)
        yield provider
    finally:
        process.terminate()
        process.wait(10)


def _wait_for(provider: OidcProvider, process: subprocess.Popen[bytes]) -> None:
    discovery = f"{provider.url}/.well-known/openid-configuration"
    for _attempt in range(200):
        assert process.poll() is None, "oidc-provider-mock did not start"
        with contextlib.suppress(requests.ConnectionError):
            requests.get(discovery, timeout=5).raise_for_status()
            return
        time.sleep(0.1)
    raise TimeoutError("oidc-provider-mock did not answer")

"""Single sign-on from the environment: any number of OpenID Connect providers, and GitHub.

    OIDC_PROVIDERS=keycloak,entra
    OIDC_KEYCLOAK_ISSUER=https://sso.example.com/realms/main
    OIDC_KEYCLOAK_CLIENT_ID=portolan
    OIDC_KEYCLOAK_CLIENT_SECRET_FILE=/run/secrets/keycloak

What makes no sense is refused when Portolan starts, with the variable's name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from dashboard import env

GITHUB = "https://github.com"
_DISCOVERY = "/.well-known/openid-configuration"
_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
# allauth finds a provider by its kind as well as by its name.
_RESERVED = {"github", "openid_connect"}
_DOMAIN = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")


@dataclass(frozen=True, slots=True)
class Provider:
    """One OpenID Connect provider. `id` stands in addresses and in the rules that map its groups."""

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    groups_claim: str
    scopes: tuple[str, ...]
    vouches_for_email: bool

    @property
    def app(self) -> dict[str, Any]:
        """The provider as allauth's settings have it."""
        return {
            "provider_id": self.id,
            "name": self.name,
            "client_id": self.client_id,
            "secret": self.client_secret,
            "settings": {
                "server_url": self.issuer,
                "scope": ["openid", "profile", "email", *self.scopes],
                "groups_claim": self.groups_claim,
                "verified_email": self.vouches_for_email,
                "oauth_pkce_enabled": True,
            },
        }


def oidc_providers() -> list[Provider]:
    """The providers that OIDC_PROVIDERS names, each with its own variables."""
    names = env.words("OIDC_PROVIDERS")
    if len(names) != len(set(names)):
        raise ImproperlyConfigured("OIDC_PROVIDERS names a provider twice.")
    return [_provider(name) for name in names]


def github_app() -> dict[str, Any] | None:
    """GitHub's app for allauth, None without GITHUB_CLIENT_ID."""
    client_id = env.text("GITHUB_CLIENT_ID", "")
    if not client_id:
        return None
    return {"client_id": client_id, "secret": env.text("GITHUB_CLIENT_SECRET"), "name": "GitHub"}


def allauth_providers(
    oidc: Iterable[Provider], github: dict[str, Any] | None
) -> dict[str, dict[str, Any]]:
    """SOCIALACCOUNT_PROVIDERS."""
    providers: dict[str, dict[str, Any]] = {
        "openid_connect": {"APPS": [provider.app for provider in oidc]}
    }
    if github is not None:
        providers["github"] = {"APPS": [github], "SCOPE": ["read:user", "user:email"]}
    return providers


def origins(oidc: Iterable[Provider], github: dict[str, Any] | None) -> list[str]:
    """Where signing in leads to: browsers hold a form's redirects to form-action, too."""
    addresses = [provider.issuer for provider in oidc] + ([GITHUB] if github else [])
    parts = [urlsplit(address) for address in addresses]
    return sorted({f"{part.scheme}://{part.netloc}" for part in parts})


def signup_domains() -> list[str]:
    """SIGNUP_DOMAINS: whoever has a verified address there may come in by single sign-on."""
    domains = [word.lower().removeprefix("@") for word in env.words("SIGNUP_DOMAINS")]
    for domain in domains:
        if not _DOMAIN.fullmatch(domain):
            raise ImproperlyConfigured(
                f"SIGNUP_DOMAINS takes domains such as example.com, not {domain!r}."
            )
    return domains


def _provider(name: str) -> Provider:
    if not _ID.fullmatch(name) or name in _RESERVED:
        raise ImproperlyConfigured(
            f"OIDC_PROVIDERS takes names of lower-case letters, digits and hyphens, not {name!r}."
        )
    prefix = f"OIDC_{name.upper().replace('-', '_')}"
    return Provider(
        id=name,
        name=env.text(f"{prefix}_NAME", name.capitalize()),
        issuer=_issuer(f"{prefix}_ISSUER"),
        client_id=env.text(f"{prefix}_CLIENT_ID"),
        client_secret=env.text(f"{prefix}_CLIENT_SECRET"),
        groups_claim=env.text(f"{prefix}_GROUPS_CLAIM", "groups"),
        scopes=tuple(env.words(f"{prefix}_SCOPES")),
        vouches_for_email=env.flag(f"{prefix}_VOUCHES_FOR_EMAIL", default=False),
    )


def _issuer(variable: str) -> str:
    """The issuer's address. Its answers are believed because TLS says who gives them, so plain http
    is for a provider on this machine only."""
    address = env.text(variable).removesuffix(_DISCOVERY).rstrip("/")
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        host = ""
    if not host or parts.query or parts.fragment or "@" in parts.netloc or " " in address:
        raise ImproperlyConfigured(
            f"{variable} must be an address, such as https://sso.example.com."
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_this_machine(host)):
        raise ImproperlyConfigured(f"{variable} must begin with https://.")
    return address


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

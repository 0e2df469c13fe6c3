"""System checks: what is wrong with this installation, before it shows. `manage.py check`.

Ids are stable (`portolan.E001`), so that an operator may silence one by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connections

from webhooks.outbound.allowed import Allowed

SHORTEST_SECRET_KEY = 50
FEWEST_CHARACTERS = 5  # Django's own measure of a key that somebody typed


@register(Tags.security)
def secret_key_is_strong(**_: Any) -> list[CheckMessage]:
    """Sessions and password links are only as good as the key that signs them."""
    key = settings.SECRET_KEY
    if len(key) >= SHORTEST_SECRET_KEY and len(set(key)) >= FEWEST_CHARACTERS:
        return []
    return [
        Error(
            f"SECRET_KEY is shorter than {SHORTEST_SECRET_KEY} characters, or all alike.",
            hint="Make one: python -c 'import secrets; print(secrets.token_urlsafe(50))'",
            id="portolan.E001",
        )
    ]


@register(Tags.urls)
def public_url_is_an_origin(**_: Any) -> list[CheckMessage]:
    """Links in mails and the token server's name are made from PORTOLAN_URL."""
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme in {"http", "https"} and parts.hostname and not (parts.path or parts.query):
        return []
    return [
        Error(
            f"PORTOLAN_URL is {settings.PUBLIC_URL!r}, which is not an address people can open.",
            hint="Give scheme and host, such as https://portolan.example.com, without a path.",
            id="portolan.E002",
        )
    ]


@register(Tags.security)
def strangers_see_https(**_: Any) -> list[CheckMessage]:
    """Plain http is for trying out on one's own machine."""
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme != "http" or not parts.hostname or _is_this_machine(parts.hostname):
        return []
    return [
        checks.Warning(
            f"PORTOLAN_URL is {settings.PUBLIC_URL}: passwords travel readable by all on the way.",
            hint="Put a proxy that speaks TLS before Portolan and give its https:// address.",
            id="portolan.W001",
        )
    ]


@register(Tags.security)
def debug_is_off(**_: Any) -> list[CheckMessage]:
    """DEBUG shows settings and code to whoever meets an error."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    if not settings.DEBUG or _is_this_machine(host):
        return []
    return [
        Error(
            "DEBUG is on at an address that others can reach.",
            hint="Remove DEBUG from the environment.",
            id="portolan.E003",
        )
    ]


@register(Tags.security)
def opened_networks_are_networks(**_: Any) -> list[CheckMessage]:
    """A network that cannot be read would open nothing, and stop every delivery."""
    try:
        Allowed.parse(settings.WEBHOOK_ALLOWED_NETWORKS)
    except ValueError as error:
        return [
            Error(
                f"WEBHOOK_ALLOWED_NETWORKS cannot be read: {error}.",
                hint="Give networks such as 10.0.0.0/8 and host names, separated by commas.",
                id="portolan.E006",
            )
        ]
    return []


@register(Tags.database)
def trigram_search_is_there(
    databases: Sequence[str] | None = None,
    **_: Any,
) -> list[CheckMessage]:
    """Search needs pg_trgm, which some packages of PostgreSQL leave out (postgresql-contrib)."""
    return [message for alias in databases or () for message in _check_trigrams(alias)]


def _check_trigrams(alias: str) -> list[CheckMessage]:
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'pg_trgm'")
            if cursor.fetchone():
                return []
    except DatabaseError as error:
        return [
            Error(
                f"PostgreSQL does not answer: {str(error).strip()}",
                hint="Check DATABASE_URL, and that the server is running.",
                id="portolan.E004",
            )
        ]
    return [
        Error(
            "PostgreSQL has no pg_trgm extension, which search needs.",
            hint="Install PostgreSQL's contrib modules (Debian: part of postgresql-NN).",
            id="portolan.E005",
        )
    ]


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False

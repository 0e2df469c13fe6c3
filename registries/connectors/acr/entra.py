"""Microsoft Entra ID: who a service principal is, in all of Azure's clouds.

Client credentials flow: learn.microsoft.com, "Microsoft identity platform and the OAuth 2.0 client
credentials flow". Its token server is another host than the registry, so it gets its own transport.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

from registries.oci import untrusted
from registries.oci.connection import Connection, InvalidConnection
from registries.oci.errors import AuthenticationFailed, InvalidDocument
from registries.oci.tokens import seconds_left
from registries.oci.transport import Answer, Sending, Stats, Transport

_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_TENANT = re.compile(r"[0-9a-zA-Z](?:[0-9a-zA-Z.-]{0,252}[0-9a-zA-Z])?")
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
# Which reason Entra had, as its support pages list them; the text around it may name anything.
_REASON = re.compile(r"AADSTS\d{1,9}")
# With this user name the password is a refresh token that somebody already exchanged.
NOBODY = "00000000-0000-0000-0000-000000000000"
# What an access token is good for when nobody says: Entra's shortest.
_LIFETIME = 3600.0


@dataclass(frozen=True, slots=True)
class Cloud:
    """One of Azure's clouds: how its registries are named, where one signs in and manages."""

    registries: str
    login: str
    management: str
    portal: str


CLOUDS = (
    Cloud(
        ".azurecr.io",
        "https://login.microsoftonline.com",
        "https://management.azure.com",
        "https://portal.azure.com",
    ),
    Cloud(
        ".azurecr.cn",
        "https://login.partner.microsoftonline.cn",
        "https://management.chinacloudapi.cn",
        "https://portal.azure.cn",
    ),
    Cloud(
        ".azurecr.us",
        "https://login.microsoftonline.us",
        "https://management.usgovcloudapi.net",
        "https://portal.azure.us",
    ),
)


def cloud_of(host: str) -> Cloud:
    """Return the cloud of a registry's host; the public one for a host under another name."""
    return next((cloud for cloud in CLOUDS if host.endswith(cloud.registries)), CLOUDS[0])


def is_application(username: str | None) -> bool:
    """Say whether a user name is the id of an application in Entra, not an admin user or a token."""
    return bool(username and _GUID.fullmatch(username) and username != NOBODY)


class Entra:
    """Access tokens of Microsoft Entra ID for one tenant; an async context manager.

    `connection` is the registry's: its limits and its trust hold here, too, its credentials do not
    come along unless a caller passes them.
    """

    def __init__(self, connection: Connection, tenant: str, stats: Stats) -> None:
        if _TENANT.fullmatch(tenant) is None:
            raise InvalidConnection(
                "The tenant is a directory's id, or its domain such as example.onmicrosoft.com."
            )
        self._tenant = tenant
        url = connection.options.get("login") or cloud_of(connection.origin.host or "").login
        self._transport = Transport(elsewhere(connection, url), stats=stats)

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    async def token(self, application: tuple[str, str], scope: str) -> tuple[str, float]:
        """Return an access token of an application (its id and secret), and its seconds to live.

        Raises `AuthenticationFailed` for what Entra does not accept, with its own reason's number.
        """
        form = {
            "grant_type": "client_credentials",
            "client_id": application[0],
            "client_secret": application[1],
            "scope": scope,
        }
        answer = await post_form(self._transport, f"/{self._tenant}/oauth2/v2.0/token", form)
        if answer.status in (400, 401, 403):
            reason = _REASON.search(answer.body.decode("utf-8", "replace"))
            said = f" ({reason[0]})" if reason else ""
            raise AuthenticationFailed(
                f"Microsoft Entra ID does not accept the application or its secret{said}.",
                advice="Check tenant, application id and secret, and whether the secret has expired.",
            )
        if answer.status != 200:
            raise answer.failure("a token of Microsoft Entra ID")
        return token_in(answer.body, "access_token", "Microsoft Entra ID")


def elsewhere(connection: Connection, url: str) -> Connection:
    """Return a connection to another host of the same cloud, without the registry's credentials."""
    return replace(
        connection,
        url=url,
        username=None,
        password=None,
        api_username=None,
        api_secret=None,
        requests_per_minute=None,
    )


async def post_form(transport: Transport, path: str, form: Mapping[str, str]) -> Answer:
    """Return the answer to a form, which may be sent again: asking for a token changes nothing."""
    sending = Sending(_FORM, urlencode(form).encode(), repeatable=True)
    limit = transport.limits.token_bytes
    return await transport.send("POST", transport.url(path), None, limit=limit, sending=sending)


def token_in(body: bytes, key: str, who: str) -> tuple[str, float]:
    """Return the token in an answer and for how many seconds it is good, or raise."""
    document = untrusted.load_object(body, f"answer of {who}")
    token = document.get(key)
    if not isinstance(token, str) or _TOKEN.fullmatch(token) is None:
        raise InvalidDocument(f"{who} answered without a token.")
    lifetime = untrusted.size(document.get("expires_in"))
    return token, float(lifetime or 0) or seconds_left(token) or _LIFETIME

"""Signing in to Google's API: with a service account's key, or a token that somebody else got.

A key signs a claim, for which Google's token server gives a token of an hour (RFC 7523;
developers.google.com, "Using OAuth 2.0 for Server to Server Applications").
"""

import base64
import binascii
from dataclasses import dataclass, field, replace
from time import time

import jwt
import orjson
from yarl import URL

from registries.connectors.api import VendorApi
from registries.connectors.api_sign_in import FixedSignIn, SignIn, TokenSignIn
from registries.oci import untrusted
from registries.oci.addresses import read_url
from registries.oci.connection import Connection
from registries.oci.errors import AuthenticationFailed, InvalidDocument, Unsupported
from registries.oci.transport import Stats, Transport

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_TOKEN_URI = "https://oauth2.googleapis.com/token"  # noqa: S105  an address
_HOUR = 3600.0
_ADVICE = (
    "Give _json_key as the user name and a service account's JSON key as the password, or"
    " oauth2accesstoken and an access token."
)


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """A service account by its key file; `project` is the one it belongs to, empty if not said."""

    email: str
    key_id: str
    private_key: str = field(repr=False)
    token_uri: str
    project: str


def parse_key(text: str) -> ServiceAccount:
    """Return the account of a JSON key; raises `AuthenticationFailed` for anything else."""
    try:
        document = untrusted.mapping(orjson.loads(text))
    except orjson.JSONDecodeError:
        document = {}
    named = {
        name: untrusted.text(document.get(name)) or ""
        for name in ("client_email", "private_key_id", "private_key", "token_uri", "project_id")
    }
    if not named["client_email"] or not named["private_key"]:
        raise AuthenticationFailed(
            "The password is not the JSON key of a service account.", advice=_ADVICE
        )
    return ServiceAccount(
        named["client_email"],
        named["private_key_id"],
        named["private_key"],
        named["token_uri"] or _TOKEN_URI,
        named["project_id"],
    )


class GoogleAccount:
    """As whom a connection speaks to Google's API."""

    def __init__(self, connection: Connection, stats: Stats) -> None:
        self._connection = connection
        self._stats = stats

    def service_account(self) -> ServiceAccount | None:
        """Return the account whose key was given, None where none was."""
        username, password = self._connection.credentials or ("", "")
        if username == "_json_key_base64":
            try:
                password = base64.b64decode(password, validate=False).decode()
            except (binascii.Error, ValueError):
                password = ""
        elif username != "_json_key":
            return None
        return parse_key(password)

    def sign_in(self) -> SignIn:
        """Return how to sign in; what is wrong with the credential is raised when it is used."""
        username, password = self._connection.credentials or ("", "")
        if username == "oauth2accesstoken":
            return FixedSignIn(f"Bearer {password}")
        return TokenSignIn(self._fetch)

    async def _fetch(self) -> tuple[str, float]:
        account = self.service_account()
        if account is None:
            raise AuthenticationFailed(
                "Google's API gives nothing to anonymous visitors.", advice=_ADVICE
            )
        address = self._token_server(account)
        connection = replace(
            self._connection, url=str(address.origin()), username=None, password=None
        )
        transport = Transport(connection, stats=self._stats)
        form = {"grant_type": _GRANT, "assertion": assertion(account, str(address), time())}
        async with VendorApi(
            transport, FixedSignIn(None), label="Google's token server"
        ) as token_server:
            try:
                answer = await token_server.send(
                    "POST", address.raw_path, "a token", form=form, repeatable=True
                )
            except Unsupported:
                raise AuthenticationFailed(
                    f"Google does not accept the key of {account.email}.",
                    advice="Check that the key was not deleted or disabled, and this machine's clock.",
                ) from None
        return read_token(answer.json)

    def _token_server(self, account: ServiceAccount) -> URL:
        """Return where the claim goes: Google's own host, unless an operator named another."""
        named = self._connection.options.get("token_url", "").strip()
        try:
            address = read_url(named or account.token_uri)
        except ValueError:
            raise AuthenticationFailed(
                "What is to be Google's token server is no address.",
                advice="Leave the token server out, or give its whole address.",
            ) from None
        is_google = address.scheme == "https" and (address.host or "").endswith(".googleapis.com")
        if not named and not is_google:
            raise AuthenticationFailed(
                f"The key names {address.host} as its token server, which is not Google's.",
                advice="If that is right, give its address as the token server.",
            )
        return address.with_query(None).with_fragment(None)


def assertion(account: ServiceAccount, audience: str, now: float) -> str:
    """Return the claim that the key signs (RS256), good for an hour; `now` is a Unix time.

    Raises `AuthenticationFailed` for a key that signs nothing.
    """
    claims = {
        "iss": account.email,
        "scope": _SCOPE,
        "aud": audience,
        "iat": int(now),
        "exp": int(now + _HOUR),
    }
    try:
        return jwt.encode(
            claims, account.private_key, algorithm="RS256", headers={"kid": account.key_id}
        )
    except (ValueError, TypeError, jwt.PyJWTError):
        raise AuthenticationFailed(
            "The private key in the service account's JSON cannot be read.", advice=_ADVICE
        ) from None


def read_token(answer: object) -> tuple[str, float]:
    """Return an access token and for how many seconds it is good; raises `InvalidDocument`."""
    document = untrusted.mapping(answer)
    token = document.get("access_token")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token:
        raise InvalidDocument("Google's token server answered without a token.")
    return token, float(untrusted.size(document.get("expires_in")) or _HOUR)

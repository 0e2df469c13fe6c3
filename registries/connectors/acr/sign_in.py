"""Signing in to a registry of Azure: its token server, by password or by way of Microsoft Entra ID.

Sources: Azure/acr docs/AAD-OAuth.md and docs/Token-BasicAuth.md. A user name and password (admin
user, repository token, service principal, refresh token) are Docker's own flow. With a tenant, an
application's token of Entra is exchanged for a refresh token, and that for tokens with rights.

A registry with permissions for each repository (ABAC) silently drops wildcards, so every right is
asked for by its exact name; those asked for in the same moment share a token.
"""

import asyncio
import re
from dataclasses import dataclass
from functools import partial
from time import monotonic

from registries.connectors.acr.entra import Entra, post_form, token_in
from registries.connectors.api_sign_in import TokenSignIn
from registries.oci.auth import Authenticator, Bearer, Token, read_token
from registries.oci.errors import AccessDenied, AuthenticationFailed
from registries.oci.transport import Transport

# Tokens travel in a header of which servers take eight kilobytes; sixteen long names fit.
SHARED = 16
_LONGEST_NAMES = 2048
_READING = re.compile(r"repository:([^:]+):(?:pull|metadata_read)")


@dataclass(frozen=True, slots=True)
class Application:
    """A service principal that signs in by Entra: the tenant's token server, its id and secret."""

    entra: Entra
    credentials: tuple[str, str]
    scope: str = "https://containerregistry.azure.net/.default"


class AcrAuthenticator(Authenticator):
    """Tokens for reading are asked for in batches, and for an application by Entra's token."""

    def __init__(self, transport: Transport, application: Application | None = None) -> None:
        super().__init__(transport.connection, transport.fetch_token)
        self._transport = transport
        self._application = application
        self._service = ""
        self._refresh = TokenSignIn(self._exchange)
        self._names: list[str] = []
        self._batch: asyncio.Task[Token] | None = None

    async def _obtain(self, scope: str, bearer: Bearer, wanted: str) -> str:
        reading = _READING.fullmatch(scope)
        if reading is None or wanted not in scope:
            return await super()._obtain(scope, bearer, wanted)
        task = self._under_way.get(scope) or self._join(reading[1], bearer)
        try:
            return (await asyncio.shield(task)).header
        except (AuthenticationFailed, AccessDenied):
            # One name nobody may read must not take the others along.
            return await super()._obtain(scope, bearer, scope)

    def _join(self, name: str, bearer: Bearer) -> "asyncio.Task[Token]":
        """Return the token request under way for this name, with all that ask in this moment."""
        names = self._names
        is_full = len(names) >= SHARED or sum(map(len, names)) + len(name) > _LONGEST_NAMES
        if self._batch is None or is_full:
            self._names = names = []
            self._batch = asyncio.create_task(self._request_batch(names, bearer))
        names.append(name)
        for action in ("pull", "metadata_read"):
            scope = f"repository:{name}:{action}"
            self._under_way[scope] = self._batch
            self._batch.add_done_callback(partial(self._settle, scope))
        return self._batch

    async def _request_batch(self, names: list[str], bearer: Bearer) -> Token:
        if self._names is names:
            self._batch = None
        scopes = " ".join(f"repository:{name}:pull,metadata_read" for name in names)
        return await self._request_token(bearer, scopes)

    async def _request_token(self, bearer: Bearer, scope: str) -> Token:
        if self._application is None:
            return await super()._request_token(bearer, scope)
        self._service = bearer.service or self._connection.origin.host or ""
        started = monotonic()
        for renew in (False, True):
            header = await self._refresh.header(renew=renew)
            form = {
                "grant_type": "refresh_token",
                "service": self._service,
                "scope": scope,
                "refresh_token": header.removeprefix("Bearer "),
            }
            answer = await post_form(self._transport, "/oauth2/token", form)
            if answer.status == 200:
                return read_token(answer.body, started)
            if answer.status != 401:
                break
        if answer.status in (401, 403):
            raise AccessDenied("The registry's token server does not let this application in.")
        raise answer.failure("the token server")

    async def _exchange(self) -> tuple[str, float]:
        """Return a refresh token of the registry for the application's token of Entra."""
        application = self._application
        if application is None:
            raise AuthenticationFailed(
                "The registry asks for an application of Microsoft Entra ID."
            )
        token, _ = await application.entra.token(application.credentials, application.scope)
        form = {"grant_type": "access_token", "service": self._service, "access_token": token}
        answer = await post_form(self._transport, "/oauth2/exchange", form)
        if answer.status in (401, 403):
            raise AccessDenied(
                "The registry does not let this application in.",
                advice="Assign it a role on the registry, such as AcrPull, and wait a few minutes.",
            )
        if answer.status != 200:
            raise answer.failure("an exchange of tokens")
        return token_in(answer.body, "refresh_token", "The registry's token server")

"""Signing in to ECR's registry: a password that Amazon's API gives for twelve hours."""

import asyncio
import base64
import binascii
from collections.abc import Iterable
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from registries.connectors.api_sign_in import basic
from registries.connectors.ecr.api import EcrApi
from registries.oci import untrusted
from registries.oci.auth import Authenticator
from registries.oci.challenges import Challenge
from registries.oci.connection import Connection
from registries.oci.errors import InvalidDocument
from registries.oci.transport import Transport

_LIFETIME_SECONDS = 12 * 3600.0
_MARGIN_SECONDS = 300.0


class EcrAuthenticator(Authenticator):
    """Basic with the password of `get_authorization_token`, for every scope alike.

    The access key itself never goes to the registry: it signs requests to the API, nothing else.
    """

    def __init__(self, connection: Connection, transport: Transport, api: EcrApi) -> None:
        super().__init__(connection, transport.fetch_token)
        self._api = api
        self._given = ""
        self._ends = float("-inf")
        self._asking = asyncio.Lock()

    @property
    def method(self) -> str:
        """The way the registry wants, which is always the same."""
        return "basic"

    def ready(self, scope: str) -> str | None:  # noqa: ARG002  one for all
        """Return the header if it is at hand."""
        return self._given if monotonic() < self._ends else None

    async def prepare(self, scope: str) -> str | None:
        """Return the header, from Amazon if there is none."""
        async with self._asking:
            if (given := self.ready(scope)) is None:
                given = await self._renew()
        return given

    async def answer(
        self,
        challenges: Iterable[Challenge],  # noqa: ARG002  it is always the same
        scope: str,
        sent: str | None,
    ) -> str:
        """Return a header that is newer than the one that was refused."""
        async with self._asking:
            given = self.ready(scope)
            if given is None or given == sent:
                given = await self._renew()
        if given == sent:
            raise self.refusal()
        return given

    async def _renew(self) -> str:
        header, lifetime = read_password(
            await self._api.call("get_authorization_token"), datetime.now(UTC)
        )
        self._given, self._ends = header, monotonic() + lifetime - _MARGIN_SECONDS
        return header


def read_password(answer: dict[str, Any], now: datetime) -> tuple[str, float]:
    """Return the header and for how many seconds it is good.

    `authorizationToken` is base64 of `AWS:<password>` (Amazon ECR API Reference,
    "GetAuthorizationToken"). Raises `InvalidDocument`.
    """
    given = next(untrusted.objects(answer.get("authorizationData")), {})
    try:
        pair = base64.b64decode(str(given.get("authorizationToken")), validate=True).decode("ascii")
        username, _, password = pair.partition(":")
    except (binascii.Error, ValueError):
        username = password = ""
    if not password or not pair.isprintable():
        raise InvalidDocument("Amazon ECR gave no password for its registry.")
    ends = given.get("expiresAt")
    if not isinstance(ends, datetime):
        return basic(username, password), _LIFETIME_SECONDS
    return basic(username, password), (ends.astimezone(UTC) - now).total_seconds()

"""Trying out a connection before it is stored: dial it, sign in, read its catalog, find out its kind.

This talks to the network and therefore happens before, never inside, the transaction that stores it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError

from registries.connection_secrets import api_secret_for, password_for
from registries.connectors import FALLBACK, CheckStep, Power, connect, detect
from registries.connectors.detection import Found
from registries.models import Registry
from registries.oci.connection import Connection, InvalidConnection, Limits
from registries.oci.errors import RegistryError
from registries.registry_settings import RegistrySettings, cleaned

# Somebody waits for the result of a check: one attempt, and no waiting for minutes.
PATIENCE = Limits(
    connect_seconds=8, stall_seconds=15, total_seconds=20, attempts=1, patience_seconds=5
)

# Connections tried out at the same time.
CHECKED_TOGETHER = 8


@dataclass(frozen=True, slots=True)
class ConnectionCheck:
    """What trying out these settings showed, step by step.

    In `settings` the kind is known, if any could be told. `powers` says what the credential may do,
    once all went well.
    """

    settings: RegistrySettings
    steps: tuple[CheckStep, ...]
    powers: tuple[Power, ...] = ()

    @property
    def failure(self) -> CheckStep | None:
        """The step that failed first; None when all went well.

        A catalog that cannot be read counts, too, although content could be: Portolan would have
        nothing to show. With repositories given by name the catalog is not tried.
        """
        return next((step for step in self.steps if step.ok is False), None)

    @property
    def passed(self) -> bool:
        return bool(self.steps) and self.failure is None


def check_connection(
    settings: RegistrySettings, *, stored: Registry | None = None
) -> ConnectionCheck:
    """Try a connection out: dial it, sign in, read its catalog, and find out its kind where none is
    given. Changes nothing, anywhere.

    `stored` is the registry that is being changed: its password is used where none is given.
    Raises ValidationError for settings that make no sense. What the registry does wrong is no
    exception but a failed step.
    """
    settings = cleaned(settings)
    return asyncio.run(_tried(settings, _connection(settings, stored)))


def check_connections(
    asked: Sequence[tuple[RegistrySettings, Registry | None]],
) -> list[ConnectionCheck | ValidationError]:
    """Try out several at the same time, each as `check_connection` does; what that raises of one is
    in its place."""
    prepared: list[tuple[RegistrySettings, Connection] | ValidationError] = []
    for settings, stored in asked:
        try:
            clean = cleaned(settings)
            prepared.append((clean, _connection(clean, stored)))
        except ValidationError as error:
            prepared.append(error)
    return asyncio.run(_all_tried(prepared))


async def _all_tried(
    prepared: Sequence[tuple[RegistrySettings, Connection] | ValidationError],
) -> list[ConnectionCheck | ValidationError]:
    room = asyncio.Semaphore(CHECKED_TOGETHER)

    async def one(
        given: tuple[RegistrySettings, Connection] | ValidationError,
    ) -> ConnectionCheck | ValidationError:
        if isinstance(given, ValidationError):
            return given
        try:
            async with room:
                return await _tried(*given)
        except ValidationError as error:
            return error

    return list(await asyncio.gather(*(one(given) for given in prepared)))


async def _tried(settings: RegistrySettings, dialled: Connection) -> ConnectionCheck:
    if not settings.kind:
        settings = await _with_kind(settings, dialled)
        dialled = replace(dialled, url=settings.url, options=settings.options)
    try:
        steps, powers = await _check(settings, dialled)
    except InvalidConnection as error:  # a setting of its kind that can be none
        raise ValidationError(str(error)) from None
    return ConnectionCheck(settings, tuple(steps), powers)


async def _with_kind(settings: RegistrySettings, dialled: Connection) -> RegistrySettings:
    """The settings with the kind of what answers there, and the address at which it does.

    Where nothing answers they are plain Distribution's: the check then says what is wrong.
    """
    try:
        found = await detect(dialled)
    except RegistryError:
        found = Found(FALLBACK, settings.url)
    public_host = settings.public_host
    if found.url != settings.url:
        public_host = public_host or settings.url.partition("://")[2]
    settings = replace(settings, kind=found.kind, url=found.url, public_host=public_host)
    return cleaned(settings)


async def _check(
    settings: RegistrySettings, dialled: Connection
) -> tuple[list[CheckStep], tuple[Power, ...]]:
    async with connect(settings.kind, dialled, settings.repository_names) as connector:
        steps = await connector.check()
        passed = all(step.ok for step in steps)
        return steps, await connector.powers() if passed else ()


def _connection(settings: RegistrySettings, stored: Registry | None) -> Connection:
    return Connection(
        url=settings.url,
        username=settings.username or None,
        password=password_for(settings, stored),
        ca_certificate=settings.ca_certificate or None,
        allow_private=settings.allow_private,
        options=settings.options,
        api_username=settings.api_username or None,
        api_secret=api_secret_for(settings, stored),
        limits=PATIENCE,
    )

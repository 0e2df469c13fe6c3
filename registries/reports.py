"""Reading what a vendor tells of a registry besides its content, and keeping it for the screens.

Nothing in Portolan decides by a report. Whoever calls these has authorised, where a person asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from django.utils import timezone

from registries.connection_checks import PATIENCE
from registries.connectors import CONNECTORS, Ability, Connector, connect
from registries.connectors.reports import NativeWebhook, Report
from registries.models import Registry, RegistryReport
from registries.oci.connection import InvalidConnection
from registries.oci.errors import RegistryError, Unsupported

Value = TypeVar("Value")

# After a sync it is read again when it is as old as this.
AGE = timedelta(hours=1)
_TOLD = frozenset({Ability.ACCESS, Ability.USAGE, Ability.WEBHOOKS})


def tells(registry: Registry) -> bool:
    """Whether registries of this kind tell anything besides their content."""
    connector = CONNECTORS.get(registry.kind)
    return connector is not None and bool(connector.abilities & _TOLD)


def is_due(registry: Registry, at: datetime) -> bool:
    """Whether it is time to ask again."""
    last = RegistryReport.objects.filter(registry=registry).values_list("read_at", flat=True)
    return tells(registry) and not last.filter(read_at__gt=at - AGE).exists()


def read_report(registry: Registry) -> RegistryReport:
    """Ask the vendor, and store what it told; a failure is stored beside what was told before."""
    stored = RegistryReport.objects.filter(registry=registry).first()
    stored = stored or RegistryReport(registry=registry)
    stored.read_at = timezone.now()
    try:
        report = ask(registry, lambda connector: connector.report())
    except RegistryError as error:
        stored.problem = f"{error} {error.advice}"
    else:
        stored.problem, stored.told_at = "", stored.read_at
        stored.data = _without_secrets(report).as_json()
    # By an upsert: the task and the button may read at the same time.
    RegistryReport.objects.bulk_create(
        [stored],
        update_conflicts=True,
        unique_fields=["registry"],
        update_fields=["data", "read_at", "told_at", "problem"],
    )
    return stored


def ask(registry: Registry, what: Callable[[Connector], Awaitable[Value]]) -> Value:
    """What a connector of the registry answers, while somebody waits; raises RegistryError."""
    connection = replace(registry.connection(), limits=PATIENCE)

    async def answer() -> Value:
        async with connect(registry.kind, connection) as connector:
            return await what(connector)

    try:
        return asyncio.run(answer())
    except InvalidConnection as error:
        raise Unsupported(str(error), advice="Change the registry's settings.") from None


def _without_secrets(report: Report) -> Report:
    return replace(report, webhooks=tuple(map(_with_its_host, report.webhooks)))


def _with_its_host(webhook: NativeWebhook) -> NativeWebhook:
    """A webhook's address is a secret: whoever has it can post there. Its host is none."""
    try:
        host = urlsplit(webhook.address).hostname or ""
    except ValueError:
        host = ""
    return replace(webhook, address=host)

"""Grants as lists show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import CharField, F, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from access.models import Grant
from access.models.roles import ENDS_OR_NEVER
from access.principals import Principal
from access.scopes import Scope
from dashboard.pagination import Column
from dashboard.views.access.asking import Asker

SOON = timedelta(days=30)

COLUMNS = {
    "granted": Column(F("granted_at"), datetime, descending_first=True),
    "ends": Column(ENDS_OR_NEVER, datetime),
    "principal": Column(
        Coalesce(
            "user__username",
            "team__name",
            "service_principal__name",
            Value(""),
            output_field=CharField(),
        ),
        str,
        alone=True,
    ),
}


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant, and whether who looks at it may manage access where it holds."""

    grant: Grant
    principal: Principal
    scope: Scope
    managed: bool
    ends_soon: bool


def rows_of(grants: Iterable[Grant], one: Asker) -> list[GrantRow]:
    """Load the grants with `with_names`."""
    soon = timezone.now() + SOON
    return [
        GrantRow(
            grant,
            Principal.holding(grant),
            grant.scope,
            one.manages(grant.scope),
            grant.until is not None and grant.until <= soon,
        )
        for grant in grants
    ]

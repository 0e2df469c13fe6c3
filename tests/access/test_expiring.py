"""Secrets that end soon are told of, once at each threshold."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from access import expiring
from access.models import AuditEntry, Secret, ServicePrincipal, User
from registries.actor import SYSTEM
from webhooks.models import Event

pytestmark = pytest.mark.django_db


def secret(days: float, *, kind: str = "sp", **fields: Any) -> Secret:
    """A secret that ends in so many days; a machine's unless said otherwise."""
    if kind in ("sp", "oidc"):
        machine, _ = ServicePrincipal.objects.get_or_create(name="pipeline")
        fields["service_principal"] = machine
    if kind == "sp":
        fields.setdefault("slot", 1)
    return Secret.objects.create(
        kind=kind,
        key_id=f"k{Secret.objects.count()}",
        created_by="anna",
        expires_at=timezone.now() + timedelta(days=days),
        **fields,
    )


def warn(in_days: float = 0) -> int:
    return expiring.warn(timezone.now() + timedelta(days=in_days), actor=SYSTEM)


def test_a_secret_is_told_of_fourteen_and_three_days_before_its_end() -> None:
    secret(15, label="deploy")
    told = [warn(day) for day in range(16)]
    assert [day for day, count in enumerate(told) if count] == [1, 12]
    first, second = Event.objects.order_by("id")
    assert (first.topic, first.data["owner"], first.data["days"]) == (
        "credential.expiring",
        "sp:pipeline",
        13,
    )
    assert first.data["name"] == "deploy"
    assert second.data["days"] == 2
    assert AuditEntry.objects.filter(event="credential expiring").count() == 2


def test_a_secret_that_is_new_and_short_lived_is_told_of_once() -> None:
    secret(2)
    assert [warn(), warn()] == [1, 0]


def test_a_personal_token_is_told_of_too() -> None:
    secret(10, kind="pat", user=User.objects.create_user("viktor"))
    assert warn() == 1
    assert Event.objects.get().data["owner"] == "user:viktor"


def test_of_what_works_no_more_or_for_long_nothing_is_told() -> None:
    now = timezone.now()
    secret(10, slot=1, revoked_at=now)
    secret(-1, slot=1)
    secret(20, slot=2)
    secret(0.01, kind="oidc")
    assert warn() == 0
    assert not Event.objects.exists()

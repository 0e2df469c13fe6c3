"""The ground of the permission tests: one of everything, in a registry called harbour, and a registry
called elsewhere with the same.

It is made once for a module, in a transaction that stays open: each test works in a savepoint.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from pytest_django.plugin import DjangoDbBlocker

from access import keyring
from access.models import (
    AccessRequest,
    AccessReview,
    AuditEntry,
    ClaimRule,
    Membership,
    ReviewItem,
    Role,
    Secret,
    ServicePrincipal,
    Team,
    TrustRule,
    User,
)
from access.policy import SHELL
from access.scopes import Scope
from registries.actor import SYSTEM
from registries.connectors.reports import NativeWebhook, Report
from registries.events import RegistryChanged, emit
from registries.models import Mirror, Registry, RegistryReport, SyncRun
from tests import catalog
from tests.audit_log import begin_anew
from tests.cast import give
from tests.webhooks import outbox
from webhooks.inbound.secrets import create_secret
from webhooks.models import Follow


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, object]]:
    whole = transaction.atomic()
    # As of Django's own tests: what must begin a transaction does not mind this one.
    setattr(whole, "_from_testcase", True)  # noqa: B010  unknown to the stubs
    with django_db_blocker.unblock(), whole:
        begin_anew()
        yield make()
        transaction.set_rollback(True)


@pytest.fixture
def ground(made: dict[str, object], db: None) -> dict[str, object]:
    """What addresses and forms of the table name in braces: ids, and the digest of an image."""
    return made


def make() -> dict[str, object]:
    """What `ground` gives, made for good."""
    harbour = _registry("harbour")
    elsewhere = _registry("elsewhere")
    digest = _image(harbour)
    _image(elsewhere)
    _vendor("azure")
    person = User.objects.create_user("paula", "paula@example.com")
    grant = give(person, "pusher", Scope("harbour", "team-a/*"))
    crew = Team.objects.create(name="crew")
    Team.objects.create(name="others")
    member = Membership.objects.create(team=crew, user=person)
    rule = ClaimRule.objects.create(team=crew, provider="company", value="crew")
    machine = ServicePrincipal.objects.create(name="ci", team=crew)
    TrustRule.objects.create(
        name="deploy",
        service_principal=machine,
        issuer="https://ci.example.com",
        audience="portolan",
        subject="repo:acme/shop:*",
    )
    Role.objects.create(name="own-role", label="Own", actions=["content read"])
    webhook = outbox.webhook("harbour")
    token = _secret(Secret.Kind.PERSONAL, user=person)
    return {
        "token": token.key_id,
        "digest": digest,
        "start": digest[:19],
        "run": _run(harbour).pk,
        "grant": grant.pk,
        "person": person.pk,
        "member": member.pk,
        "rule": rule.pk,
        "key": _secret(Secret.Kind.SERVICE, service_principal=machine, slot=1).key_id,
        "request": AccessRequest.objects.create(
            user=person, role=Role.objects.get(name="reader"), registry=harbour, reason="to look"
        ).pk,
        "review": (review := _review(harbour, grant.pk)).pk,
        "item": review.items.get().pk,
        "entry": _entry("harbour"),
        "mirror": _mirror(harbour).pk,
        "follow": Follow.objects.create(user=person, registry=harbour).pk,
        "webhook": str(webhook.pk),
        "inbound": create_secret(harbour, rights=SHELL, actor=SYSTEM).secret.pk,
        "delivery": outbox.delivery(webhook).pk,
    }


def _registry(name: str) -> Registry:
    return catalog.registry(name, sync_interval=None)


def _vendor(name: str) -> None:
    """A registry of a kind that tells something, where nobody answers."""
    registry = catalog.registry(name, sync_interval=None, kind="acr")
    webhook = NativeWebhook(f"portolan{name}", f"portolan{name}", "", ("push",))
    report = Report(webhooks=(webhook,), offers=("acr-admin-enabled",))
    RegistryReport.objects.create(registry=registry, data=report.as_json())


def _image(registry: Registry) -> str:
    app = catalog.repository(registry, "team-a/app")
    image = catalog.image(app)
    catalog.tag(app, "1.0", image)
    catalog.recount(registry)
    return str(image.manifest.digest)


def _mirror(registry: Registry) -> Mirror:
    """Of two places in one registry: the right there is a right at both ends."""
    return Mirror.objects.create(
        source=registry, source_path="team-a/*", target=registry, target_path="copy/*"
    )


def _run(registry: Registry) -> SyncRun:
    return SyncRun.objects.create(
        registry=registry,
        trigger=SyncRun.Trigger.SCHEDULE,
        state=SyncRun.State.SUCCEEDED,
        finished_at=timezone.now(),
        actor_kind="system",
        actor_label="Portolan",
    )


def _secret(kind: Secret.Kind, **whose: Any) -> Secret:
    end = timezone.now() + timedelta(days=30)
    with transaction.atomic():
        return keyring.add(kind, expires_at=end, actor=SYSTEM, **whose).secret


def _review(registry: Registry, grant: int) -> AccessReview:
    review = AccessReview.objects.create(
        registry=registry, opened_by="anna", due=timezone.localdate() + timedelta(days=9)
    )
    ReviewItem.objects.create(
        review=review, grant_id=grant, principal="user:paula", role="pusher", scope="harbour/x"
    )
    return review


def _entry(registry: str) -> int:
    with transaction.atomic():
        emit([RegistryChanged(registry, timezone.now(), ())], actor=SYSTEM)
    return AuditEntry.objects.order_by("-number")[0].number

"""What a vendor tells of a registry: read, kept, and read again in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from registries import reports, tasks
from registries.actor import SYSTEM
from registries.connectors.acr import AcrConnector
from registries.connectors.reports import NativeWebhook, Report
from registries.models import ApiCredential, Registry, RegistryReport, SyncRun
from registries.secret import Secret
from registries.sync.run import request_run
from tests import catalog
from tests.fakes.azure import (
    MANAGER,
    MANAGER_SECRET,
    SUBSCRIPTION,
    TENANT,
    FakeEntra,
    FakeManagement,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def azure() -> Iterator[FakeManagement]:
    with FakeEntra() as entra, FakeManagement(entra) as fake:
        yield fake


@pytest.fixture
def registry(db: None, azure: FakeManagement) -> Registry:
    azure.forbidden.clear()
    azure.admin_user = True
    azure.webhooks.clear()
    return at(azure)


def at(azure: FakeManagement) -> Registry:
    """A registry of Azure, managed by the fake."""
    options = {
        "tenant": TENANT,
        "subscription": SUBSCRIPTION,
        "resource_group": "harbours",
        "registry": "contoso",
        "login": azure.entra.url,
        "management": azure.url,
    }
    registry = catalog.registry(
        "harbour", kind="acr", options=options, url="http://127.0.0.1:9", allow_private=True
    )
    ApiCredential.objects.create(registry=registry, username=MANAGER, secret=Secret(MANAGER_SECRET))
    return registry


def test_a_report_is_kept_and_replaced(registry: Registry, azure: FakeManagement) -> None:
    assert reports.read_report(registry).problem == ""
    first = RegistryReport.objects.get()
    assert ("Admin user", "On") in first.report.facts
    azure.admin_user = False
    reports.read_report(registry)
    assert ("Admin user", "Off") in RegistryReport.objects.get().report.facts


def test_the_tier_that_is_told_sets_the_budget_of_the_next_connection(
    registry: Registry, azure: FakeManagement, monkeypatch: pytest.MonkeyPatch
) -> None:
    def budget() -> int | None:
        return AcrConnector.prepared(registry.connection()).requests_per_minute

    assert budget() == 5_000
    reports.read_report(registry)
    assert budget() == 10_000
    monkeypatch.setattr(azure, "tier", "Standard")
    reports.read_report(registry)
    assert budget() == 5_000
    monkeypatch.setattr(azure, "tier", "Of tomorrow")
    reports.read_report(registry)
    assert budget() == 5_000
    registry.requests_per_minute = 60
    assert budget() == 60


def test_a_failure_is_kept_beside_what_was_told_before(
    registry: Registry, azure: FakeManagement
) -> None:
    reports.read_report(registry)
    told = RegistryReport.objects.get()
    credential = ApiCredential.objects.get()
    credential.secret = Secret("wrong")
    credential.save()
    reports.read_report(registry)
    after = RegistryReport.objects.get()
    assert "AADSTS7000215" in after.problem
    assert (after.data, after.told_at) == (told.data, told.told_at)
    assert after.read_at > told.read_at


def test_a_setting_that_can_be_none_is_a_problem_in_words(registry: Registry) -> None:
    registry.options |= {"subscription": "ours"}
    registry.save()
    assert "by its id" in reports.read_report(registry).problem


def test_an_address_is_kept_as_its_host(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = "https://chat.example/hooks/secret-path?token=hush"
    webhooks = tuple(NativeWebhook("1", "chat", it, ()) for it in (address, "http://[", ""))
    monkeypatch.setattr(reports, "ask", lambda *_: Report(webhooks=webhooks))
    reports.read_report(registry)
    kept = RegistryReport.objects.get()
    assert [it.address for it in kept.report.webhooks] == ["chat.example", "", ""]
    assert "hush" not in str(kept.data)


def test_a_report_is_due_after_an_hour_and_only_where_something_is_told(
    registry: Registry,
) -> None:
    now = timezone.now()
    assert reports.is_due(registry, now)
    RegistryReport.objects.create(registry=registry, read_at=now)
    assert not reports.is_due(registry, now + timedelta(minutes=59))
    assert reports.is_due(registry, now + timedelta(minutes=61))
    assert not reports.is_due(catalog.registry("plain"), now)


def test_the_task_reads_and_takes_a_removed_registry_calmly(registry: Registry) -> None:
    tasks.read_report(registry.pk)
    assert RegistryReport.objects.get().told_at is not None
    tasks.read_report(registry.pk + 1)
    assert RegistryReport.objects.count() == 1


def test_a_sync_is_followed_by_a_report_where_one_is_due(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(tasks.read_report, "delay", asked.append)
    monkeypatch.setattr("registries.sync.run.execute_run", lambda _run, **_how: [])
    for one in (registry, catalog.registry("plain")):
        run = request_run(one, trigger=SyncRun.Trigger.MANUAL, actor=SYSTEM)
        tasks.sync_registry(run.pk)
    assert asked == [registry.pk]
    RegistryReport.objects.create(registry=registry)
    tasks.sync_registry(SyncRun.objects.get(registry=registry).pk)
    assert asked == [registry.pk]

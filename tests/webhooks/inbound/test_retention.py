"""Notifications are kept for as long as the settings say, pulls for two days."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import Settings

from registries.models import Registry
from tests.webhooks.inbound.telling import tell
from webhooks.inbound import retention
from webhooks.models import Notification


def kept() -> set[str]:
    return set(Notification.objects.values_list("event_id", flat=True))


@pytest.fixture
def some(harbour: Registry) -> None:
    for days in (1, 5, 40):
        for verb in ("push", "pull"):
            told = tell(harbour, verb, "app", tag="1", event_id=f"{verb} {days}")
            received = timezone.now() - timedelta(days=days)
            Notification.objects.filter(pk=told.pk).update(received_at=received, state="done")


def test_old_ones_go_and_pulls_sooner(some: None, settings: Settings) -> None:
    settings.EVENT_RETENTION_DAYS = 30
    assert retention.forget_old(timezone.now()) == 3
    assert kept() == {"push 1", "pull 1", "push 5"}


def test_with_no_limit_all_but_pulls_are_kept(some: None, settings: Settings) -> None:
    settings.EVENT_RETENTION_DAYS = 0
    retention.forget_old(timezone.now())
    assert kept() == {"push 1", "pull 1", "push 5", "push 40"}


def test_many_go_in_several_short_statements(
    some: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.EVENT_RETENTION_DAYS = 2
    monkeypatch.setattr(retention, "TOGETHER", 2)
    retention.forget_old(timezone.now() + timedelta(hours=1))
    assert kept() == {"push 1", "pull 1"}

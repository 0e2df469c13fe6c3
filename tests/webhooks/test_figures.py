"""How the last day is counted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests import catalog
from tests.webhooks import outbox
from webhooks import figures
from webhooks.figures import days_of, together
from webhooks.models import Delivery

pytestmark = pytest.mark.django_db
STATE = Delivery.State


@pytest.fixture(autouse=True)
def harbour(db: None) -> None:
    catalog.registry("harbour")


def test_a_day_has_24_hours_and_forgets_what_was_before(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    now = timezone.now()
    one, other = outbox.webhook(), outbox.webhook(name="Silent")
    for minutes, state, tries in (
        (1, STATE.DELIVERED, 1),
        (59, STATE.GIVEN_UP, 9),
        (61, STATE.WAITING, 2),
        (62, STATE.WAITING, 0),  # nobody tried yet
        (63, STATE.HELD, 0),
        (24 * 60 - 1, STATE.DELIVERED, 1),
        (24 * 60 + 1, STATE.DELIVERED, 1),
    ):
        outbox.delivery(one, state, at=now - timedelta(minutes=minutes), tries=tries)
    with django_assert_num_queries(1):
        days = days_of([one.pk, other.pk], now=now)
    counted = {at: (hour.delivered, hour.failed) for at, hour in enumerate(days[one.pk].hours)}
    assert len(counted) == 24
    assert {at: n for at, n in counted.items() if any(n)} == {0: (1, 0), 22: (0, 1), 23: (1, 1)}
    assert days[one.pk].percent == 50
    assert days[other.pk].percent is None
    assert together(days.values(), now=now) == days[one.pk]


def test_all_but_one_is_not_all() -> None:
    hours = tuple(figures.Hour(timezone.now(), 999, 0) for _ in range(23))
    assert figures.Day((*hours, figures.Hour(timezone.now(), 0, 1))).percent == 99
    assert figures.Day(hours).percent == 100


def test_no_more_than_the_newest_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "COUNTED", 2)
    webhook = outbox.webhook()
    for state in (STATE.GIVEN_UP, STATE.DELIVERED, STATE.DELIVERED):
        outbox.delivery(webhook, state)
    other = outbox.webhook(name="Other")
    now = timezone.now()
    assert days_of([webhook.pk], now=now)[webhook.pk].delivered == 2
    shared = days_of([webhook.pk, other.pk], now=now)
    assert (shared[webhook.pk].delivered, shared[webhook.pk].failed) == (1, 0)


def test_nothing_wanted_asks_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert days_of([], now=timezone.now()) == {}

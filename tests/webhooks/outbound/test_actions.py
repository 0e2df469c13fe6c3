"""What people do with deliveries, and how long they are kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import Q, QuerySet
from django.utils import timezone

from access.models import AuditEntry
from registries.actor import Actor
from registries.models import Registry
from tests import catalog
from tests.webhooks.outbound.messages import event, subscription
from webhooks.catalog import Topic
from webhooks.models import Attempt, Delivery, Event, Subscription
from webhooks.outbound import actions, retention

pytestmark = pytest.mark.django_db
State = Delivery.State
ANNA = Actor("user", "7", "anna")


@pytest.fixture
def one() -> Subscription:
    return subscription(registry=catalog.registry("harbour"))


def delivery(one: Subscription, state: Delivery.State, *, hours_ago: float = 1) -> Delivery:
    """A delivery that was tried three times, or waits for its fourth."""
    at = timezone.now() - timedelta(hours=hours_ago)
    told = event(uid=None, at=at)
    told.uid = Event._meta.get_field("uid").get_default()
    told.save()
    ended = None if state in (State.WAITING, State.HELD) else at
    due = timezone.now() + timedelta(hours=5)
    return Delivery.objects.create(
        event=told, subscription=one, state=state, tries=3, due_at=due, ended_at=ended, reason="no"
    )


def sent_again() -> QuerySet[AuditEntry]:
    """Of other tests too: the log cannot be emptied of what was committed."""
    return AuditEntry.objects.filter(event="deliveries sent again")


@pytest.mark.parametrize("state", [State.DELIVERED, State.GIVEN_UP, State.WAITING])
def test_a_delivery_is_sent_again_from_the_first_try(
    one: Subscription, state: Delivery.State
) -> None:
    chosen, other = delivery(one, state), delivery(one, State.GIVEN_UP)
    assert actions.redeliver(one, [chosen.pk], actor=ANNA) == 1
    chosen.refresh_from_db()
    assert (chosen.state, chosen.tries, chosen.ended_at) == ("waiting", 0, None)
    assert chosen.due_at <= timezone.now()
    other.refresh_from_db()
    assert other.state == State.GIVEN_UP
    entry = sent_again().latest("number")
    assert (entry.actor_label, entry.new) == (
        "anna",
        {"subscription": one.name, "deliveries": 1},
    )


def test_a_delivery_of_another_subscription_is_not_sent(one: Subscription) -> None:
    others, before = delivery(subscription(), State.GIVEN_UP), sent_again().count()
    assert actions.redeliver(one, [others.pk], actor=ANNA) == 0
    others.refresh_from_db()
    assert others.state == State.GIVEN_UP
    assert sent_again().count() == before


def test_what_failed_since_a_time_is_sent_again(one: Subscription) -> None:
    recent, old = delivery(one, State.GIVEN_UP), delivery(one, State.GIVEN_UP, hours_ago=9)
    done = delivery(one, State.DELIVERED)
    since = timezone.now() - timedelta(hours=2)
    nothing, everything = Q(pk__in=()), Q(event__repository="team/app")
    assert actions.redeliver_failed_since(one, since, readable=nothing, actor=ANNA) == 0
    assert actions.redeliver_failed_since(one, since, readable=everything, actor=ANNA) == 1
    states = dict(Delivery.objects.values_list("pk", "state"))
    assert states == {recent.pk: "waiting", old.pk: "given up", done.pk: "delivered"}


def test_what_is_sent_again_while_paused_is_held(one: Subscription) -> None:
    Subscription.objects.update(state="paused")
    one.refresh_from_db()
    chosen = delivery(one, State.GIVEN_UP)
    assert actions.redeliver(one, [chosen.pk], actor=ANNA) == 1
    chosen.refresh_from_db()
    assert chosen.state == State.HELD


def test_a_ping_goes_to_the_one_subscription(one: Subscription) -> None:
    subscription()
    sent = actions.ping(one, actor=ANNA)
    assert Delivery.objects.get() == sent
    assert (sent.subscription, sent.state, sent.event.topic) == (one, "waiting", "ping")


def test_a_preview_is_what_would_be_sent(one: Subscription) -> None:
    headers, body = actions.preview(Subscription(form="acr"), event())
    assert headers["Content-Type"].startswith("application/json")
    assert '"action":"push"' in body
    for topic in Topic:
        assert actions.preview(one, actions.example(topic, "harbour", "team/app"))[1]


# How long they are kept ------------------------------------------------------------------------------


def test_old_events_go_with_all_that_was_sent_of_them(
    one: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    old = [delivery(one, State.DELIVERED, hours_ago=100) for _ in range(5)]
    waiting = delivery(one, State.WAITING, hours_ago=100)
    new = delivery(one, State.GIVEN_UP)
    for each in (*old, new):
        Attempt.objects.create(delivery=each, seconds=0.1, status=200, request_body="{}")
    assert retention.forget_before(timezone.now() - timedelta(hours=50)) == 5
    assert set(Delivery.objects.values_list("pk", flat=True)) == {waiting.pk, new.pk}
    assert Event.objects.count() == 2
    assert Attempt.objects.get().delivery == new
    assert Registry.objects.exists()

"""The outbox brought to its receivers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from access.models import AuditEntry, Membership, Team, User
from registries.actor import SYSTEM
from registries.events import TagCreated, emit
from registries.models import Registry
from tests import catalog
from tests.fakes.receiver import FakeReceiver
from tests.webhooks.outbound.messages import DIGEST, subscription
from webhooks import tasks
from webhooks.models import Attempt, Delivery, Event, Subscription
from webhooks.outbound import sign
from webhooks.outbound.claim import Claims
from webhooks.outbound.deliver import deliver_due, deliver_in_turn
from webhooks.outbound.stopping import STEADY, STEADY_FAILURES, fails_steadily, mail_owners
from webhooks.outbound.turn import Turn

pytestmark = pytest.mark.django_db
State = Delivery.State


@pytest.fixture(scope="module")
def listening() -> Iterator[FakeReceiver]:
    with FakeReceiver() as receiver:
        yield receiver


@pytest.fixture
def receiver(listening: FakeReceiver, settings: Settings) -> FakeReceiver:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.1"]
    settings.WEBHOOK_TIMEOUT_SECONDS = 1
    listening.received.clear()
    return listening


@pytest.fixture
def harbour() -> Registry:
    return catalog.registry("harbour")


def push(*tags: str) -> None:
    at = timezone.now()
    with transaction.atomic():
        emit([TagCreated("harbour", at, "team/app", tag, DIGEST) for tag in tags], actor=SYSTEM)


def subscribed(receiver: FakeReceiver, path: str = "/ok", **fields: Any) -> Subscription:
    return subscription(receiver.url(path), **fields)


def states() -> list[str]:
    return list(Delivery.objects.order_by("id").values_list("state", flat=True))


# What arrives --------------------------------------------------------------------------------------


def test_a_message_arrives_signed_and_its_attempt_is_kept(
    receiver: FakeReceiver, harbour: Registry
) -> None:
    one = subscribed(
        receiver, "/ok/1", registry=harbour, headers=json.dumps({"Authorization": "Bearer deep"})
    )
    push("1.2")
    deliver_due()

    (came,) = receiver.received
    told = Event.objects.get(topic="push")
    assert came.path == "/ok/1"
    assert came.headers["webhook-id"] == f"evt_{told.uid.hex}"
    assert came.headers["authorization"] == "Bearer deep"
    assert json.loads(came.body)["subject"] == "team/app:1.2"
    one.refresh_from_db()
    sign.verify(one.secret.reveal(), came.headers, came.body, at=timezone.now())

    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.tries, delivery.reason) == ("delivered", 1, "")
    assert delivery.ended_at is not None
    attempt = Attempt.objects.get()
    assert (attempt.status, attempt.error, attempt.address) == (200, "", "127.0.0.1")
    assert attempt.request_body == came.body.decode()
    assert attempt.request_headers["webhook-signature"] == came.headers["webhook-signature"]
    assert (attempt.response_body, attempt.response_cut) == ("said 200", False)
    assert 0 < attempt.seconds < 5


def test_values_of_custom_headers_are_in_no_row(receiver: FakeReceiver, harbour: Registry) -> None:
    subscribed(receiver, headers=json.dumps({"X-Token": "deep-secret"}))
    push("1")
    deliver_due()
    attempt = Attempt.objects.get()
    assert attempt.request_headers["X-Token"] == "…"
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(a)::text FROM webhooks_attempt a")
        assert "deep-secret" not in cursor.fetchone()[0]


def test_while_a_secret_is_replaced_messages_carry_both_signatures(
    receiver: FakeReceiver, harbour: Registry
) -> None:
    old, new = sign.make_secret(), sign.make_secret()
    one = subscribed(receiver, secret=new, old_secret=old)
    Subscription.objects.update(old_secret_until=timezone.now() + timedelta(hours=1))
    push("1")
    deliver_due()
    came = receiver.received[0]
    for secret in (old, new):
        sign.verify(secret, came.headers, came.body, at=timezone.now())

    Subscription.objects.filter(pk=one.pk).update(old_secret_until=timezone.now())
    push("2")
    deliver_due()
    came = receiver.received[1]
    with pytest.raises(sign.BadSignature):
        sign.verify(old, came.headers, came.body, at=timezone.now())


@pytest.mark.parametrize("form", Subscription.Form)
def test_each_form_arrives(
    receiver: FakeReceiver, harbour: Registry, form: Subscription.Form
) -> None:
    subscribed(receiver, form=form)
    push("1")
    deliver_due()
    assert json.loads(receiver.received[0].body)
    assert receiver.received[0].headers["content-type"].startswith("application/")


def test_what_became_due_while_it_ran_goes_out_too(
    receiver: FakeReceiver, harbour: Registry
) -> None:
    subscribed(receiver)
    push(*map(str, range(500)))
    assert deliver_due() is False
    assert set(states()) == {"delivered"}
    assert len(set(receiver.ids())) == len(receiver.received) == 500


def test_nothing_due_is_nothing_done(receiver: FakeReceiver, harbour: Registry) -> None:
    subscribed(receiver, state="paused")
    push("1")
    assert deliver_due() is False
    assert receiver.received == []
    assert states() == ["held"]


# What fails ----------------------------------------------------------------------------------------


def test_what_fails_is_tried_again_with_the_same_id_until_it_is_given_up(
    receiver: FakeReceiver, harbour: Registry, settings: Settings
) -> None:
    settings.WEBHOOK_RETRY_SECONDS = [0.0, 0.0]
    subscribed(receiver, "/status/500")
    push("1")
    deliver_due()
    assert len(receiver.received) == 3
    assert len(set(receiver.ids())) == 1
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.tries) == ("given up", 3)
    assert delivery.reason == "It answered 500."
    assert Attempt.objects.count() == 3


def test_the_next_try_waits_for_its_time(receiver: FakeReceiver, harbour: Registry) -> None:
    subscribed(receiver, "/status/503?after=900")
    push("1")
    before = timezone.now()
    deliver_due()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.tries) == ("waiting", 1)
    assert timedelta(seconds=890) < delivery.due_at - before < timedelta(seconds=1000)
    deliver_due()
    assert len(receiver.received) == 1


def test_who_asks_to_slow_down_gets_nothing_else_meanwhile(
    receiver: FakeReceiver, harbour: Registry
) -> None:
    subscribed(receiver, "/status/429?after=900")
    push("1")
    deliver_due()
    push("2", "3")
    deliver_due()
    assert len(receiver.received) == 1
    Subscription.objects.update(slow_until=timezone.now())
    deliver_due()
    assert len(receiver.received) == 2  # one at a time, while it fails


def test_a_hanging_receiver_delays_nobody_else(receiver: FakeReceiver, harbour: Registry) -> None:
    subscribed(receiver, "/hang", name="hangs")
    subscribed(receiver, "/ok", name="works")
    push(*map(str, range(100)))
    deliver_due(longest=2)
    works = Delivery.objects.filter(subscription__name="works")
    assert set(works.values_list("state", flat=True)) == {"delivered"}
    # What was not sent after all costs no try, and is due.
    hangs = Delivery.objects.filter(subscription__name="hangs")
    assert hangs.filter(tries=0, due_at__lte=timezone.now()).count() >= 90


def test_an_address_that_is_refused_is_an_attempt_with_its_reason(
    receiver: FakeReceiver, harbour: Registry, settings: Settings
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    subscribed(receiver)
    push("1")
    deliver_due()
    assert receiver.received == []
    assert "not of the public internet" in Attempt.objects.get().error


def test_secrets_that_do_not_open_are_said_and_nobody_else_waits(
    receiver: FakeReceiver, harbour: Registry
) -> None:
    broken = subscribed(receiver, "/broken")
    subscribed(receiver, "/ok")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE webhooks_subscription SET secret = 'v1:lost:AAAA' WHERE id = %s", [broken.pk]
        )
    push("1")
    deliver_due()
    assert [one.path for one in receiver.received] == ["/ok"]
    delivery = Delivery.objects.get(subscription=broken)
    assert delivery.state == "waiting"
    assert "ENCRYPTION_KEYS" in delivery.reason


def test_a_subscription_removed_while_it_is_sent_takes_nothing_else_along(
    receiver: FakeReceiver, harbour: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    leaving = subscribed(receiver, "/ok/leaving")
    subscribed(receiver, "/ok/staying")
    push("1")
    take = Claims.take

    def taken_and_left(self: Claims, *args: Any, **kwargs: Any) -> Any:
        batch = take(self, *args, **kwargs)
        Subscription.objects.filter(pk=leaving.pk).delete()
        return batch

    monkeypatch.setattr(Claims, "take", taken_and_left)
    deliver_due()
    assert states() == ["delivered"]
    assert Attempt.objects.count() == 1


# Leases --------------------------------------------------------------------------------------------


def claims(seconds: float) -> Claims:
    return Claims(lease=timedelta(seconds=seconds), first=2)


def test_what_is_claimed_is_nobody_elses_until_the_lease_ends(
    receiver: FakeReceiver, harbour: Registry
) -> None:
    subscribed(receiver)
    push("1")
    assert len(claims(-1).take({}, most=10)) == 1
    assert len(claims(60).take({}, most=10)) == 1  # the first worker died
    assert len(claims(60).take({}, most=10)) == 0


def test_a_claim_takes_no_more_than_there_is_room_in_a_lane(
    receiver: FakeReceiver, harbour: Registry
) -> None:
    full, narrow = subscribed(receiver), subscribed(receiver)
    push(*map(str, range(10)))
    batch = claims(60).take({full.pk: 0, narrow.pk: 3}, most=100)
    assert [claimed.subscription for claimed in batch.claimed] == [narrow.pk] * 3


# Stopping ------------------------------------------------------------------------------------------


def test_410_stops_the_subscription_and_holds_the_rest(
    receiver: FakeReceiver, harbour: Registry
) -> None:
    one = subscribed(receiver, "/status/410")
    switched = AuditEntry.objects.filter(event="subscription switched")
    before = set(switched.values_list("number", flat=True))  # other tests' stay in the log
    push("1")
    push("2")
    Delivery.objects.filter(event__tag="2").update(due_at=timezone.now() + timedelta(hours=1))
    deliver_due()
    one.refresh_from_db()
    assert one.state == Subscription.State.STOPPED
    assert "410" in one.state_reason
    assert sorted(states()) == ["given up", "held"]
    (entry,) = switched.exclude(number__in=before)
    assert entry.actor_label == "Portolan"


def test_failing_steadily_is_for_a_day_and_some_attempts() -> None:
    now = timezone.now()
    assert fails_steadily(now - STEADY, STEADY_FAILURES, at=now)
    assert not fails_steadily(now - STEADY + timedelta(seconds=1), STEADY_FAILURES, at=now)
    assert not fails_steadily(now - STEADY, STEADY_FAILURES - 1, at=now)


def test_steady_failure_stops_it_and_tells_its_team_by_mail(
    receiver: FakeReceiver,
    harbour: Registry,
    owner: User,
    viewer: User,
    outsider: User,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.EMAIL_CONFIG_SET = True
    told: list[Any] = []
    monkeypatch.setattr(tasks.tell_of_stop, "apply_async", lambda args, **_: told.extend(args))
    team = Team.objects.create(name="crew")
    Membership.objects.create(team=team, user=viewer)
    one = subscribed(receiver, "/status/500", team=team, created_by=owner)
    Subscription.objects.update(failing_since=timezone.now() - STEADY, failures=STEADY_FAILURES - 1)
    push("1")
    with django_capture_on_commit_callbacks(execute=True):
        deliver_due()
    one.refresh_from_db()
    assert one.state == Subscription.State.STOPPED
    assert "No attempt succeeded since" in one.state_reason
    assert states() == ["held"]
    assert told == [str(one.pk)]

    assert mail_owners(one.pk) == 1
    assert mail.outbox[0].to == [viewer.email]
    assert one.name in mail.outbox[0].subject
    assert one.state_reason in mail.outbox[0].body
    assert f"/webhooks/{one.pk}/" in mail.outbox[0].body


def test_one_success_forgives_all_failures(receiver: FakeReceiver, harbour: Registry) -> None:
    one = subscribed(receiver)
    Subscription.objects.update(failing_since=timezone.now() - timedelta(days=9), failures=99)
    push("1")
    deliver_due()
    one.refresh_from_db()
    assert (one.state, one.failures, one.failing_since) == ("active", 0, None)


def test_failures_are_counted_from_the_first(receiver: FakeReceiver, harbour: Registry) -> None:
    one = subscribed(receiver, "/status/500")
    push("1", "2")
    deliver_due()
    one.refresh_from_db()
    assert one.failures == 2
    assert one.failing_since == Attempt.objects.earliest("id").at


# Turns ---------------------------------------------------------------------------------------------


def test_one_loop_delivers_at_a_time_and_the_others_leave_it_to_that(
    receiver: FakeReceiver, harbour: Registry
) -> None:
    subscribed(receiver)
    push("1")
    turn = Turn()
    assert turn.take()
    assert deliver_in_turn() is False
    assert receiver.received == []
    turn.give_back()
    assert deliver_in_turn() is False
    assert len(receiver.received) == 1


def test_what_became_due_as_a_loop_ended_is_said(
    receiver: FakeReceiver, harbour: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribed(receiver)
    give_back = Turn.give_back

    def given_back_late(self: Turn) -> None:
        push("2")  # its wake finds the turn taken
        give_back(self)

    monkeypatch.setattr(Turn, "give_back", given_back_late)
    assert deliver_in_turn() is True


def test_without_a_cache_it_is_always_our_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise ConnectionError

    for name in ("add", "set", "get"):
        monkeypatch.setattr(cache, name, away, raising=False)
    turn = Turn()
    assert turn.take()
    turn.keep()
    turn.give_back()

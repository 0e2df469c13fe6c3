"""What happened becomes rows of the outbox, in the transaction of the change."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoCaptureOnCommitCallbacks

from access.events import AccessGranted, AccessRevoked, SignedIn
from access.scopes import Scope
from registries.actor import SYSTEM, Actor
from registries.events import (
    ArtifactGone,
    Event,
    ImagePulled,
    ImageQuarantined,
    RepositoryAppeared,
    RepositoryGone,
    SyncEnded,
    TagCreated,
    TagDeleted,
    TagMoved,
    emit,
)
from registries.models import Manifest, Registry
from tests import catalog
from tests.catalog import NOON
from tests.webhooks.outbound.messages import DIGEST, OLD_DIGEST, subscription
from webhooks import tasks, wake
from webhooks.catalog import Topic
from webhooks.models import Delivery, Subscription
from webhooks.models import Event as Stored
from webhooks.outbound.enqueue import scopes_above

pytestmark = pytest.mark.django_db
State = Delivery.State


@pytest.fixture
def harbour() -> Registry:
    return catalog.registry("harbour")


def happen(*events: Event, actor: Actor = SYSTEM) -> None:
    with transaction.atomic():
        emit(events, actor=actor)


def created(repository: str = "team/app", tag: str = "1.2", at: datetime = NOON) -> TagCreated:
    return TagCreated("harbour", at, repository, tag, DIGEST)


def told_to(one: Subscription) -> list[str]:
    """What a subscription is told, in order."""
    return list(
        Delivery.objects.filter(subscription=one)
        .order_by("event_id")
        .values_list("event__topic", flat=True)
    )


# What is said --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "topics"),
    [
        (created(), ["tag.created", "push"]),
        (TagMoved("harbour", NOON, "team/app", "1", OLD_DIGEST, DIGEST), ["tag.moved", "push"]),
        (TagDeleted("harbour", NOON, "team/app", "1", OLD_DIGEST), ["tag.deleted"]),
        (ArtifactGone("harbour", NOON, "team/app", DIGEST), ["delete"]),
        (RepositoryAppeared("harbour", NOON, "team/app"), ["repository.appeared"]),
        (RepositoryGone("harbour", NOON, "team/app"), ["repository.gone"]),
        (ImageQuarantined("harbour", NOON, "team/app", DIGEST, "1"), ["quarantine"]),
        (SyncEnded("harbour", NOON, 1, "failed"), ["sync.failed"]),
        (SyncEnded("harbour", NOON, 1, "succeeded"), []),
        (SyncEnded("harbour", NOON, 1, "partial"), []),
        (AccessGranted("", NOON, "user:a", "reader", "*", "", ""), ["access.granted"]),
        (AccessRevoked("", NOON, "user:a", "reader", "*", ""), ["access.revoked"]),
        (SignedIn("", NOON, "anna", "password"), []),
    ],
)
def test_each_event_says_what_its_topics_are(event: Event, topics: list[str]) -> None:
    happen(event)
    assert list(Stored.objects.order_by("id").values_list("topic", flat=True)) == topics


def test_a_message_holds_who_what_and_where(harbour: Registry) -> None:
    image = catalog.image(catalog.repository(harbour, "team/app"))
    manifest = image.manifest
    moved = TagMoved("harbour", NOON, "team/app", "1", OLD_DIGEST, manifest.digest)
    happen(moved, actor=Actor("user", "7", "anna"))
    told = Stored.objects.get(topic="push")
    assert (told.registry, told.repository, told.tag) == ("harbour", "team/app", "1")
    assert (told.digest, told.old_digest, told.at) == (manifest.digest, OLD_DIGEST, NOON)
    assert (told.actor_kind, told.actor_id, told.actor_label) == ("user", "7", "anna")
    assert told.data == {
        "host": "harbour.example.com",
        "media_type": manifest.media_type,
        "size": manifest.size,
        "kind": "image",
    }


def test_a_chart_is_told_as_a_chart(harbour: Registry) -> None:
    repository = catalog.repository(harbour, "charts/web")
    digest = catalog.artifact(repository, "web", Manifest.Kind.CHART).manifest.digest
    happen(
        TagCreated("harbour", NOON, "charts/web", "1", digest),
        ArtifactGone("harbour", NOON, "charts/web", digest),
    )
    topics = Stored.objects.order_by("id").values_list("topic", flat=True)
    assert list(topics) == ["tag.created", "chart.push", "chart.delete"]


def test_texts_that_the_database_does_not_take_do_not_break_the_change(harbour: Registry) -> None:
    subscription(topics=(Topic.ACCESS_GRANTED,))
    nasty = Actor("user", "7", "an\x00na" * 100)
    happen(AccessGranted("", NOON, "user:\x00", "reader", "*", "", "r\x00" * 9), actor=nasty)
    happen(AccessGranted("", NOON, "user:a", "reader", "not a scope", "", ""))
    told = Stored.objects.get()
    assert told.data["reason"] == "r" * 9
    assert told.actor_label.startswith("annaanna")


# Who is told ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "tag", "tells"),
    [
        ("", "", True),
        ("", "*", True),
        ("team/*", "", True),
        ("team/app", "", True),
        ("tea/*", "", False),
        ("team", "", False),
        ("team/app/*", "", False),
        ("team/ap", "", False),
        ("team/app", "1.2", True),
        ("team/app", "1.*", True),
        ("team/app", "1", False),
        ("team/app", "1.3*", False),
        ("", "%", False),
        ("", "_.2", False),
        ("", "1%*", False),
    ],
)
def test_a_subscription_is_told_of_its_scope_and_tags(
    harbour: Registry, path: str, tag: str, tells: bool
) -> None:
    here = subscription(registry=harbour, path=path, tag=tag)
    elsewhere = subscription(registry=catalog.registry("other"), path=path, tag=tag)
    happen(created())
    assert bool(told_to(here)) is tells
    assert told_to(elsewhere) == []


def test_a_subscription_to_everything_is_told_of_every_registry(harbour: Registry) -> None:
    everything = subscription(topics=(Topic.PUSH, Topic.SYNC_FAILED))
    happen(created(), SyncEnded("other", NOON, 1, "failed"))
    assert told_to(everything) == ["push", "sync.failed"]


def test_a_tag_filter_leaves_out_what_has_no_tag(harbour: Registry) -> None:
    tagged = subscription(registry=harbour, tag="1.*", topics=(Topic.DELETE,))
    every = subscription(registry=harbour, tag="*", topics=(Topic.DELETE,))
    happen(ArtifactGone("harbour", NOON, "team/app", DIGEST))
    assert told_to(tagged) == []
    assert told_to(every) == ["delete"]


def test_a_grant_is_told_where_it_holds_and_above(harbour: Registry) -> None:
    topics = (Topic.ACCESS_GRANTED,)
    above, here, below = (
        subscription(registry=harbour, path=path, topics=topics)
        for path in ("", "team/*", "team/app")
    )
    happen(AccessGranted("harbour", NOON, "user:a", "reader", "harbour/team/*", "", ""))
    assert told_to(above) == told_to(here) == ["access.granted"]
    assert told_to(below) == []


def test_pulls_are_kept_only_for_who_asked_for_them(harbour: Registry) -> None:
    one = subscription(registry=harbour, path="team/*", topics=(Topic.PULL,))
    happen(
        ImagePulled("harbour", NOON, "team/app", DIGEST, "1"),
        ImagePulled("harbour", NOON, "other/app", DIGEST, "1"),
    )
    assert told_to(one) == ["pull"]
    assert Stored.objects.get().repository == "team/app"


def test_what_a_paused_or_stopped_subscription_would_be_told_is_held(harbour: Registry) -> None:
    for state in Subscription.State:
        subscription(registry=harbour, state=state)
    happen(created())
    states = dict(Delivery.objects.values_list("subscription__state", "state"))
    assert states == {"active": "waiting", "paused": "held", "stopped": "held"}


@given(st.lists(st.sampled_from(["a", "b", "team", "app"]), min_size=1, max_size=4).map("/".join))
def test_scopes_above_a_path_are_those_that_contain_it(path: str) -> None:
    scopes = scopes_above(path)
    assert all(Scope("harbour", scope).contains(Scope("harbour", path)) for scope in scopes)
    assert len(scopes) == path.count("/") + 2


# How it goes in ------------------------------------------------------------------------------------


def test_what_says_nothing_costs_no_statement(harbour: Registry) -> None:
    from webhooks.outbound import enqueue

    with CaptureQueriesContext(
        connection,
    ) as queries:
        enqueue.record([SignedIn("", NOON, "anna", "password")], SYSTEM)
    assert len(queries) == 0


def test_ten_thousand_events_cost_as_many_statements_as_one(harbour: Registry) -> None:
    for number in range(50):
        subscription(registry=harbour, path=f"team-{number}/*")
    events = [created(f"team-{number % 100}/app", str(number)) for number in range(10_000)]
    with CaptureQueriesContext(connection) as one:
        happen(created())
    with CaptureQueriesContext(connection) as many:
        happen(*events)
    assert len(many) == len(one)
    assert Stored.objects.count() == 20_002
    assert Delivery.objects.count() == 5_000


def test_a_change_that_is_rolled_back_tells_nobody(harbour: Registry) -> None:
    subscription(registry=harbour)
    with transaction.atomic():
        emit([created()], actor=SYSTEM)
        transaction.set_rollback(True)
    assert not Stored.objects.exists()


def test_a_worker_is_woken_after_the_commit_if_there_is_something_to_send(
    harbour: Registry,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    woken: list[object] = []
    monkeypatch.setattr(wake, "now", woken.append)
    with django_capture_on_commit_callbacks(execute=True):
        happen(created())
    assert woken == []
    subscription(registry=harbour)
    with django_capture_on_commit_callbacks(execute=True):
        happen(created())
    assert woken == [tasks.deliver]

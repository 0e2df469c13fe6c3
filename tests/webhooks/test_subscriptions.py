"""Who may make webhooks, what is refused, what the audit log keeps, and where secrets may go."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from pytest_django import Settings

from access.models import AuditEntry, Grant, Role, User
from access.policy import rights_of
from access.scopes import Scope
from access.shortcuts import actor_of
from tests import catalog
from tests.cast import give
from tests.webhooks import outbox
from webhooks.care import manageable
from webhooks.catalog import Topic
from webhooks.models import Delivery, Event, Subscription
from webhooks.subscription_settings import OF_REPOSITORIES, SubscriptionSettings, Where
from webhooks.subscriptions import (
    change_subscription,
    create_subscription,
    remove_subscription,
    rotate_signing_secret,
)
from webhooks.switching import pause_subscription, resume_subscription

pytestmark = pytest.mark.django_db(transaction=True)

PATTERN = SubscriptionSettings(
    name="Deploy",
    where=Where.parse("harbour/team-a/*"),
    topics=(Topic.PUSH, Topic.DELETE),
    form=Subscription.Form.STRUCTURED,
    url="https://ci.example.com/hook/s3cret",
    headers={"Authorization": "Bearer s3cret"},
)
TOKEN = "s3cret"


@pytest.fixture(autouse=True)
def registries(db: None) -> None:
    catalog.registry("harbour")
    catalog.registry("elsewhere")


@pytest.fixture(autouse=True)
def woken(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The tasks that would be woken."""
    tasks: list[object] = []
    monkeypatch.setattr("webhooks.wake.after_commit", tasks.append)
    return tasks


@pytest.fixture
def made(owner: User) -> Subscription:
    return create_subscription(PATTERN, **asking(owner)).subscription


def asking(user: User) -> dict[str, Any]:
    user = User.objects.get(pk=user.pk)
    return {"rights": rights_of(user), "actor": actor_of(user)}


def keeper(user: User, scope: str, *actions: str) -> dict[str, Any]:
    """He has a role of just these actions there."""
    role = Role.objects.create(
        name=f"role-{Role.objects.count()}", label="Role", actions=list(actions)
    )
    give(user, role.name, Scope.parse(scope))
    return asking(user)


def last_entry() -> AuditEntry:
    return AuditEntry.objects.latest("number")


def fresh(subscription: Subscription) -> Subscription:
    return Subscription.objects.get(pk=subscription.pk)


def held(subscription: Subscription) -> Delivery:
    event = Event.objects.create(topic=Topic.PUSH, actor_kind="system", actor_label="Portolan")
    return Delivery.objects.create(
        event=event, subscription=subscription, state=Delivery.State.HELD, reason="paused"
    )


# Making ---------------------------------------------------------------------------------------


def test_a_webhook_is_made_with_a_secret_of_256_bits_that_is_told_once(owner: User) -> None:
    signed = create_subscription(PATTERN, creator=owner, **asking(owner))
    prefix, _underscore, encoded = signed.secret.partition("_")
    assert (prefix, len(base64.b64decode(encoded, validate=True))) == ("whsec", 32)
    assert signed.secret not in repr(signed)
    stored = fresh(signed.subscription)
    assert stored.signing_secrets(timezone.now()) == (signed.secret,)
    assert stored.url.reveal() == PATTERN.url
    assert json.loads(stored.headers.reveal()) == PATTERN.headers
    assert (stored.host, stored.created_by) == ("ci.example.com", owner)


def test_what_is_stored_cannot_be_read_in_the_database(made: Subscription) -> None:
    row = Subscription.objects.filter(pk=made.pk).values().get()
    assert TOKEN not in json.dumps(row, default=lambda value: getattr(value, "_text", str(value)))


def test_the_audit_log_keeps_what_is_no_secret(made: Subscription) -> None:
    entry = last_entry()
    assert (entry.event, entry.registry, entry.target) == (
        "subscription created",
        "harbour",
        "webhook:Deploy",
    )
    assert entry.new is not None
    assert entry.new["where"] == "harbour/team-a/*"
    assert TOKEN not in json.dumps([entry.old, entry.new])


@pytest.mark.parametrize(
    ("granted_on", "may"),
    [
        ("harbour", True),
        ("harbour/team-a/*", True),
        ("harbour/team-a/app", False),
        ("harbour/team-b/*", False),
        ("elsewhere", False),
    ],
)
def test_it_takes_the_right_on_the_whole_scope(outsider: User, granted_on: str, may: bool) -> None:
    rights = keeper(outsider, granted_on, "webhook manage", "content read")
    if may:
        assert create_subscription(PATTERN, **rights)
    else:
        with pytest.raises(PermissionDenied, match="webhook manage"):
            create_subscription(PATTERN, **rights)
        assert not Subscription.objects.exists()


def test_who_may_everything_but_that_makes_none(viewer: User) -> None:
    with pytest.raises(PermissionDenied):
        create_subscription(PATTERN, **asking(viewer))


@pytest.mark.parametrize(
    ("topic", "needed"),
    [
        (Topic.ACCESS_GRANTED, "access manage"),
        (Topic.ACCESS_REVOKED, "access manage"),
        (Topic.CREDENTIAL_EXPIRING, "access manage"),
        (Topic.SYNC_FAILED, "registry read"),
        *((topic, "content read") for topic in OF_REPOSITORIES),
    ],
)
def test_a_topic_takes_the_right_to_see_what_it_tells(
    outsider: User, topic: Topic, needed: str
) -> None:
    wanted = replace(PATTERN, where=Where.parse("harbour"), topics=(topic,))
    with pytest.raises(PermissionDenied, match=needed):
        create_subscription(wanted, **keeper(outsider, "harbour", "webhook manage"))
    with pytest.raises(PermissionDenied, match=needed):
        create_subscription(wanted, **keeper(outsider, "elsewhere", needed))
    assert create_subscription(wanted, **keeper(outsider, "harbour", needed))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": "a" * 101}, "name"),
        ({"topics": ()}, "topics"),
        ({"topics": (Topic.PING,)}, "topics"),
        ({"topics": (Topic.SYNC_FAILED,)}, "topics"),
        ({"topics": (Topic.DELETE,), "where": Where.parse("harbour/team-a/app:v1")}, "topics"),
        ({"url": None}, "url"),
        ({"url": "http://ci.example.com/"}, "url"),
        ({"headers": {"Host": "evil.example"}}, "headers"),
        ({"where": Where.parse("nowhere/team")}, "scope"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    owner: User, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        create_subscription(replace(PATTERN, **change), **asking(owner))
    assert list(refused.value.message_dict) == [field]
    assert not Subscription.objects.exists()


def test_plain_http_is_taken_where_the_operator_opened_networks(
    owner: User, settings: Settings
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = ("10.0.0.0/8",)
    plain = replace(PATTERN, url="http://jenkins/hook")
    assert create_subscription(plain, **asking(owner)).subscription.host == "jenkins"


@pytest.mark.parametrize(
    ("text", "scope", "tag"),
    [
        ("*", "*", ""),
        ("harbour", "harbour", ""),
        ("harbour/team/app:*", "harbour/team/app", ""),
        ("harbour/team/app:v1.*", "harbour/team/app", "v1.*"),
        (" harbour/team/*:latest ", "harbour/team/*", "latest"),
        ("*:latest", "*", "latest"),
    ],
)
def test_a_place_and_a_filter_of_tags_are_one_text(text: str, scope: str, tag: str) -> None:
    where = Where.parse(text)
    assert (str(where.scope), where.tag) == (scope, tag)
    assert Where.parse(str(where)) == where


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":v1",
        "Harbour",
        "harbour/team/app:",
        "harbour/a:b:c",
        "harbour/a:.x",
        "harbour/a:*v",
        "harbour/a:v*1",
        "harbour/a:" + "v" * 129,
        "harbour/te*m",
    ],
)
def test_another_text_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Where.parse(text)
    assert len(refused.value.messages) == 1


# Changing -------------------------------------------------------------------------------------

KEEPING = replace(PATTERN, url=None, headers=None)


def test_a_change_leaves_secrets_as_they_are_and_is_logged(owner: User, made: Subscription) -> None:
    change_subscription(made, replace(KEEPING, name="Release"), **asking(owner))
    changed = fresh(made)
    assert (changed.name, changed.url.reveal()) == ("Release", PATTERN.url)
    assert json.loads(changed.headers.reveal()) == PATTERN.headers
    entry = last_entry()
    assert (entry.old, entry.new) == (
        {"name": "Deploy"},
        {"subscription": "Deploy", "name": "Release"},
    )


def test_one_that_changes_nothing_is_not_logged(owner: User, made: Subscription) -> None:
    before = last_entry().number
    change_subscription(made, KEEPING, **asking(owner))
    assert last_entry().number == before


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/hook", "https://ci.example.com:444/hook"],
)
def test_stored_headers_do_not_go_to_another_host(
    owner: User, made: Subscription, url: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        change_subscription(made, replace(KEEPING, url=url), **asking(owner))
    assert list(refused.value.message_dict) == ["headers"]
    assert fresh(made).url.reveal() == PATTERN.url
    change_subscription(made, replace(KEEPING, url=url, headers={}), **asking(owner))
    assert (fresh(made).url.reveal(), fresh(made).headers.reveal()) == (url, "")
    assert last_entry().new is not None
    assert TOKEN not in json.dumps(last_entry().new)


def test_another_path_on_the_same_host_keeps_them(owner: User, made: Subscription) -> None:
    change_subscription(made, replace(KEEPING, url="https://ci.example.com/other"), **asking(owner))
    assert json.loads(fresh(made).headers.reveal()) == PATTERN.headers
    assert last_entry().new == {"subscription": "Deploy", "address": "changed"}


def test_moving_it_takes_the_right_where_it_was_and_where_it_goes(
    outsider: User, made: Subscription
) -> None:
    moved = replace(KEEPING, where=Where.parse("elsewhere"))
    for scope in ("harbour/team-a/*", "elsewhere"):
        Grant.objects.filter(user=outsider).delete()
        with pytest.raises(PermissionDenied):
            change_subscription(
                made, moved, **keeper(outsider, scope, "webhook manage", "content read")
            )
    both = keeper(outsider, "harbour", "webhook manage", "content read")
    assert change_subscription(made, moved, **both).registry is not None


def test_one_that_tells_of_access_is_managed_by_who_manages_that(
    owner: User, outsider: User, made: Subscription
) -> None:
    """Or who manages webhooks would have grants told to an address of his own."""
    change_subscription(made, replace(KEEPING, topics=(Topic.ACCESS_GRANTED,)), **asking(owner))
    rights = keeper(outsider, "harbour", "webhook manage", "content read")
    assert not manageable(rights["rights"]).exists()
    for act in (pause_subscription, remove_subscription, rotate_signing_secret):
        with pytest.raises(PermissionDenied, match="access manage"):
            act(made, **rights)
    rights = keeper(outsider, "harbour", "access manage")
    assert list(manageable(rights["rights"])) == [made]


@pytest.mark.parametrize(
    ("scope", "seen"),
    [
        ("*", True),
        ("harbour", True),
        ("harbour/team-a/*", True),
        ("harbour/team-a/app", False),
        ("elsewhere", False),
    ],
)
def test_one_knows_of_those_that_one_may_manage(
    outsider: User, made: Subscription, scope: str, seen: bool
) -> None:
    rights = keeper(outsider, scope, "webhook manage", "content read")
    assert manageable(rights["rights"]).exists() is seen


# Going on -------------------------------------------------------------------------------------


def test_it_pauses_and_sends_what_it_held(
    owner: User, made: Subscription, woken: list[object]
) -> None:
    pause_subscription(made, reason="a release", **asking(owner))
    paused = fresh(made)
    assert (paused.state, paused.state_reason) == ("paused", "a release")
    assert last_entry().event == "subscription switched"
    waiting = held(made)
    _subscription, number = resume_subscription(made, send_held=True, **asking(owner))
    waiting.refresh_from_db()
    assert (number, waiting.state, waiting.tries) == (1, "waiting", 0)
    assert waiting.due_at <= timezone.now()
    assert len(woken) == 1


def test_it_goes_on_without_what_it_held(
    owner: User, made: Subscription, woken: list[object]
) -> None:
    Subscription.objects.filter(pk=made.pk).update(state="stopped", failing_since=timezone.now())
    left = held(made)
    resume_subscription(made, send_held=False, **asking(owner))
    left.refresh_from_db()
    assert (left.state, left.ended_at is None) == ("given up", False)
    assert "Left out" in left.reason
    assert (fresh(made).state, fresh(made).failing_since) == ("active", None)
    assert woken == []


def test_what_waits_is_held_while_it_is_paused(owner: User, made: Subscription) -> None:
    waiting = held(made)
    Delivery.objects.update(state="waiting")
    pause_subscription(made, reason="a release", **asking(owner))
    waiting.refresh_from_db()
    assert (waiting.state, waiting.reason) == ("held", "a release")


def test_what_it_was_wider_for_does_not_go_to_an_address_of_who_is_left_with_it(
    outsider: User, made: Subscription
) -> None:
    """It told an owner of grants; narrowed, it is in the hands of a team."""
    mine = outbox.delivery(made, Delivery.State.WAITING)
    others = [
        outbox.delivery(made, Delivery.State.WAITING, of=outbox.event(repository="team-b/app")),
        outbox.delivery(made, Delivery.State.HELD, of=outbox.event(Topic.ACCESS_GRANTED)),
        outbox.delivery(made, Delivery.State.HELD, of=outbox.event(Topic.SYNC_FAILED, "")),
    ]
    done = outbox.delivery(made, of=outbox.event(repository="team-b/app"))
    team = keeper(outsider, "harbour/team-a/*", "webhook manage", "content read")
    moved = replace(KEEPING, url="https://mine.example/", headers={})
    change_subscription(made, moved, **team)
    states = dict(Delivery.objects.values_list("pk", "state"))
    assert states == {
        mine.pk: "waiting",
        done.pk: "delivered",
        **{delivery.pk: "given up" for delivery in others},
    }


def test_who_may_not_manage_it_switches_nothing(viewer: User, made: Subscription) -> None:
    rights = asking(viewer)
    with pytest.raises(PermissionDenied):
        pause_subscription(made, **rights)
    with pytest.raises(PermissionDenied):
        resume_subscription(made, send_held=True, **rights)
    with pytest.raises(PermissionDenied):
        rotate_signing_secret(made, **rights)
    with pytest.raises(PermissionDenied):
        remove_subscription(made, **rights)
    assert fresh(made).state == "active"


def test_two_secrets_sign_for_a_day_after_a_rotation(owner: User, made: Subscription) -> None:
    first = made.secret.reveal()
    second = rotate_signing_secret(made, **asking(owner)).secret
    now = timezone.now()
    assert fresh(made).signing_secrets(now) == (second, first)
    assert fresh(made).signing_secrets(now + timedelta(hours=25)) == (second,)
    third = rotate_signing_secret(made, **asking(owner)).secret
    assert fresh(made).signing_secrets(now) == (third, second)
    assert last_entry().event == "signing secret rotated"
    assert "whsec" not in json.dumps([last_entry().old, last_entry().new])


def test_removing_it_takes_its_deliveries_along(owner: User, made: Subscription) -> None:
    held(made)
    remove_subscription(made, **asking(owner))
    assert not Subscription.objects.exists()
    assert not Delivery.objects.exists()
    assert last_entry().event == "subscription removed"


# From a file, without its address -----------------------------------------------------------------


WITHOUT = replace(PATTERN, url=None, headers=None)


def test_a_webhook_whose_address_is_not_there_yet_is_stopped_and_holds_back(owner: User) -> None:
    made = create_subscription(WITHOUT, host="ci.example.com", **asking(owner)).subscription
    stored = fresh(made)
    assert (stored.host, stored.url.reveal()) == ("ci.example.com", "")
    assert stored.state == Subscription.State.STOPPED
    assert "without its address" in stored.state_reason
    with pytest.raises(ValidationError, match="no address yet"):
        resume_subscription(stored, send_held=True, **asking(owner))
    assert fresh(made).state == Subscription.State.STOPPED


def test_it_goes_on_once_it_has_an_address(owner: User) -> None:
    made = create_subscription(WITHOUT, host="ci.example.com", **asking(owner)).subscription
    change_subscription(made, replace(WITHOUT, name="Other"), **asking(owner))
    assert fresh(made).host == "ci.example.com"
    change_subscription(made, replace(WITHOUT, url=PATTERN.url), **asking(owner))
    resume_subscription(made, send_held=True, **asking(owner))
    assert fresh(made).url.reveal() == PATTERN.url
    assert fresh(made).state == Subscription.State.ACTIVE


def test_headers_that_came_before_their_address_do_not_follow_it_to_any_host(owner: User) -> None:
    with_headers = replace(WITHOUT, headers=PATTERN.headers)
    made = create_subscription(with_headers, host="ci.example.com", **asking(owner)).subscription
    with pytest.raises(ValidationError, match="stored headers are not sent there"):
        change_subscription(made, replace(WITHOUT, url=PATTERN.url), **asking(owner))


def test_without_address_and_host_there_is_no_webhook(owner: User) -> None:
    with pytest.raises(ValidationError, match="Say where it is sent"):
        create_subscription(WITHOUT, **asking(owner))

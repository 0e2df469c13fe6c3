"""Rights are remembered between requests, and never longer than they hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access import authentication, secret_owners
from access.actions import Action
from access.authentication import Credentials, WrongCredentials, authenticate
from access.models import AdminAccount, Grant, Membership, Role, Secret, ServicePrincipal, Team
from access.models import User as Person
from access.remembered import Remembered, stamp
from access.scopes import Scope
from registries.models import Registry
from tests.access.tokens import asking

pytestmark = pytest.mark.django_db(transaction=True)
SHOP = Scope("harbour", "team-a/shop")


@pytest.fixture
def harbour(db: None) -> Registry:
    return Registry.objects.create(name="harbour", url="https://registry.example.com")


@pytest.fixture
def ci(harbour: Registry) -> Credentials:
    """A pusher that has just been asked for, and is remembered."""
    login = asking.login(asking.machine("ci", "pusher", Scope("harbour", "team-a/*")))
    presented = Credentials(*login)
    assert may_push(presented)
    return presented


def may_push(presented: Credentials) -> bool:
    return authenticate(presented).rights.may(Action.CONTENT_WRITE, SHOP)


def test_who_asked_a_moment_ago_costs_one_statement(
    ci: Credentials, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, ask = [], authentication._ask

    def counted(key_id: str) -> object:
        asked.append(key_id)
        return ask(key_id)

    monkeypatch.setattr(authentication, "_ask", counted)
    with CaptureQueriesContext(connection) as captured:  # sees all but that one
        assert may_push(ci)
    assert (len(asked), len(captured)) == (1, 0)


def test_a_connection_on_which_nothing_was_prepared_is_replaced(ci: Credentials) -> None:
    assert may_push(ci)
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")  # what a pooler's other connection looks like
    assert may_push(ci)


def test_a_revoked_grant_counts_from_the_next_request_on(ci: Credentials) -> None:
    Grant.objects.all().delete()
    assert not may_push(ci)


def test_a_grant_made_since_counts_too(ci: Credentials) -> None:
    other = Scope("harbour", "team-b/web")
    assert not authenticate(ci).rights.may(Action.CONTENT_WRITE, other)
    machine = ServicePrincipal.objects.get()
    Grant.objects.create(service_principal=machine, role=Role.objects.get(name="pusher"))
    assert authenticate(ci).rights.may(Action.CONTENT_WRITE, other)


def test_a_role_that_allows_less_allows_less_at_once(ci: Credentials) -> None:
    Role.objects.filter(name="pusher").update(actions=[Action.CONTENT_READ.text])
    assert not may_push(ci)


def test_a_machine_that_was_disabled_is_refused_at_once(ci: Credentials) -> None:
    ServicePrincipal.objects.update(disabled_at=timezone.now())
    with pytest.raises(WrongCredentials) as refused:
        authenticate(ci)
    assert refused.value.because == "the service principal is disabled"


def test_a_revoked_secret_is_refused_though_its_owner_is_remembered(ci: Credentials) -> None:
    Secret.objects.update(revoked_at=timezone.now())
    with pytest.raises(WrongCredentials):
        authenticate(ci)


def test_a_grant_that_ends_is_not_remembered_beyond_its_end(ci: Credentials) -> None:
    end = timezone.now() + timedelta(minutes=5)
    Grant.objects.update(until=end)
    assert may_push(ci)
    with patch("django.utils.timezone.now", return_value=end):
        assert not may_push(ci)


def test_a_change_that_is_rolled_back_leaves_nothing_behind(ci: Credentials) -> None:
    with transaction.atomic():
        Grant.objects.all().delete()
        assert not may_push(ci)
        transaction.set_rollback(True)
    assert may_push(ci)


def test_the_public_is_remembered_as_well(harbour: Registry) -> None:
    def may_pull() -> bool:
        return secret_owners.rights_of_public().may(Action.CONTENT_READ, SHOP)

    assert not may_pull()
    grant = Grant.objects.create(is_public=True, role=Role.objects.get(name="puller"))
    assert may_pull()
    grant.delete()
    assert not may_pull()


CHANGES: dict[str, Callable[[], object]] = {
    "a grant is made": lambda: Grant.objects.create(
        is_public=True, role=Role.objects.get(name="reader")
    ),
    "a grant is changed": lambda: Grant.objects.update(until=timezone.now()),
    "a grant is revoked": lambda: Grant.objects.all().delete(),
    "a role is changed": lambda: Role.objects.filter(name="reader").update(actions=["audit read"]),
    "somebody joins a team": lambda: Membership.objects.create(
        team=Team.objects.get(), user=Person.objects.get(username="newcomer")
    ),
    "somebody leaves a team": lambda: Membership.objects.all().delete(),
    "a team is removed": lambda: Team.objects.all().delete(),
    "somebody is switched off": lambda: Person.objects.update(is_active=False),
    "somebody is made an owner": lambda: Person.objects.update(is_superuser=True),
    "somebody is renamed": lambda: Person.objects.filter(username="member").update(username="me"),
    "a machine is disabled": lambda: ServicePrincipal.objects.update(disabled_at=timezone.now()),
    "an admin account is switched off": lambda: AdminAccount.objects.update(enabled_at=None),
    "a registry is removed": lambda: Registry.objects.all().delete(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_the_stamp_is_renewed_when(change: Callable[[], object], harbour: Registry) -> None:
    member = Person.objects.create(username="member")
    Person.objects.create(username="newcomer")
    Membership.objects.create(team=Team.objects.create(name="shop"), user=member)
    Grant.objects.create(user=member, role=Role.objects.get(name="reader"), registry=harbour)
    ServicePrincipal.objects.create(name="ci")
    AdminAccount.objects.create(registry=harbour, enabled_at=timezone.now())
    before = stamp()
    change()
    assert stamp() != before


def test_a_sign_in_does_not_renew_the_stamp(harbour: Registry) -> None:
    person = Person.objects.create(username="member")
    before = stamp()
    person.last_login = timezone.now()
    person.save(update_fields=["last_login"])
    assert stamp() == before


def test_without_a_stamp_nothing_is_remembered() -> None:
    values = iter(range(9))
    remembered: Remembered[int] = Remembered(ends=lambda _value: None)
    assert remembered.get("key", None, lambda: next(values)) == 0
    assert remembered.get("key", None, lambda: next(values)) == 1


def test_memory_is_bounded() -> None:
    remembered: Remembered[int] = Remembered(ends=lambda _value: None)
    with patch("access.remembered.MOST", 3):
        for key in range(10):
            assert remembered.get(key, 1, lambda key=key: key) == key  # type: ignore[misc]
            assert len(remembered._kept) <= 3


def test_a_connection_that_died_is_replaced_without_anybody_noticing(ci: Credentials) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    finally:
        other.close()
    assert may_push(ci)

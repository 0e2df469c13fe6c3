"""Registries' shared admin accounts: off by default, two passwords, each replaced by itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from access import admin_accounts
from access.admin_accounts import make_password, passwords_of, switch_off, switch_on
from access.authentication import Credentials, WrongCredentials, authenticate
from access.models import AdminAccount, AuditEntry, Grant, Role, User
from access.policy import rights_of
from access.scopes import Scope
from access.shortcuts import actor_of
from registries.models import Registry
from tests import catalog
from tests.cast import give

pytestmark = pytest.mark.django_db


@pytest.fixture
def harbour(db: None) -> Registry:
    return catalog.registry("harbour")


def asking(user: User) -> dict[str, Any]:
    user = User.objects.get(pk=user.pk)
    return {"rights": rights_of(user), "actor": actor_of(user)}


def works(text: str) -> bool:
    try:
        return authenticate(Credentials("harbour", text)).admin_of == "harbour"
    except WrongCredentials:
        return False


def test_it_is_off_and_has_no_password_until_somebody_switches_it_on(
    owner: User, harbour: Registry
) -> None:
    assert admin_accounts.account_of(harbour) is None
    assert passwords_of(harbour) == [None, None]
    with pytest.raises(ValidationError, match="off"):
        make_password(harbour, slot=1, **asking(owner))


def test_the_two_passwords_are_replaced_each_by_itself(owner: User, harbour: Registry) -> None:
    switch_on(harbour, **asking(owner))
    one, two = (make_password(harbour, slot=slot, **asking(owner)) for slot in (1, 2))
    assert works(one.text)
    assert works(two.text)

    other = make_password(harbour, slot=1, **asking(owner))
    assert [works(text) for text in (one.text, two.text, other.text)] == [False, True, True]
    assert passwords_of(harbour) == [other.secret, two.secret]


def test_a_password_is_shown_once_and_never_stored(owner: User, harbour: Registry) -> None:
    switch_on(harbour, **asking(owner))
    issued = make_password(harbour, slot=1, **asking(owner))
    assert issued.text not in repr(issued)
    assert issued.text not in str(list(AuditEntry.objects.values()))
    assert issued.text not in str(passwords_of(harbour))


def test_switched_off_no_password_works_and_switched_on_they_do_again(
    owner: User, harbour: Registry
) -> None:
    switch_on(harbour, **asking(owner))
    text = make_password(harbour, slot=2, **asking(owner)).text
    switch_off(harbour, **asking(owner))
    assert not works(text)
    switch_on(harbour, **asking(owner))
    assert works(text)


def test_the_log_has_the_switching_and_the_passwords(owner: User, harbour: Registry) -> None:
    before = getattr(AuditEntry.objects.order_by("number").last(), "number", 0)
    switch_on(harbour, **asking(owner))
    switch_on(harbour, **asking(owner))  # says nothing
    make_password(harbour, slot=1, **asking(owner))
    make_password(harbour, slot=1, **asking(owner))
    switch_off(harbour, **asking(owner))
    entries = AuditEntry.objects.filter(number__gt=before).order_by("number")
    assert list(entries.values_list("event", "actor_label")) == [
        ("admin account switched", "anna"),
        ("secret created", "anna"),
        ("secret revoked", "anna"),
        ("secret created", "anna"),
        ("admin account switched", "anna"),
    ]
    assert {entry.target.split()[0] for entry in entries} == {"admin:harbour"}


@pytest.mark.parametrize("slot", [0, 3, -1])
def test_there_are_two_places(owner: User, harbour: Registry, slot: int) -> None:
    switch_on(harbour, **asking(owner))
    with pytest.raises(ValidationError):
        make_password(harbour, slot=slot, **asking(owner))


@pytest.mark.parametrize("scope", [None, Scope("elsewhere"), Scope("harbour", "team-a/*")])
def test_who_does_not_own_all_of_the_registry_touches_nothing(
    outsider: User, harbour: Registry, scope: Scope | None
) -> None:
    catalog.registry("elsewhere")
    if scope is not None:
        give(outsider, "owner", scope)
    for act in (switch_on, switch_off):
        with pytest.raises(PermissionDenied):
            act(harbour, **asking(outsider))
    with pytest.raises(PermissionDenied):
        make_password(harbour, slot=1, **asking(outsider))
    assert not AdminAccount.objects.exists()


def test_an_owner_of_the_registry_may_do_all_of_it(outsider: User, harbour: Registry) -> None:
    give(outsider, "owner", Scope("harbour"))
    switch_on(harbour, **asking(outsider))
    assert works(make_password(harbour, slot=1, **asking(outsider)).text)


def test_who_only_manages_access_stops_it_and_does_not_hand_it_out(
    owner: User, outsider: User, harbour: Registry
) -> None:
    keeper = Role.objects.create(name="keeper", label="Keeper", actions=["access manage"])
    Grant.objects.create(user=outsider, role=keeper, registry=harbour)
    switch_on(harbour, **asking(owner))
    text = make_password(harbour, slot=1, **asking(owner)).text
    with pytest.raises(PermissionDenied, match="content write"):
        make_password(harbour, slot=2, **asking(outsider))
    switch_off(harbour, **asking(outsider))
    assert not works(text)
    with pytest.raises(PermissionDenied, match="content write"):
        switch_on(harbour, **asking(outsider))


def test_it_goes_with_its_registry(owner: User, harbour: Registry) -> None:
    switch_on(harbour, **asking(owner))
    text = make_password(harbour, slot=1, **asking(owner)).text
    harbour.delete()
    assert not works(text)

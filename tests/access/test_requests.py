"""Somebody asks, an owner answers; asking gives nothing by itself."""

from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from access import requests
from access.models import AccessRequest, AuditEntry, Grant, Role, User
from access.policy import rights_of
from access.scopes import Scope
from access.shortcuts import actor_of
from tests import catalog
from tests.cast import give

pytestmark = pytest.mark.django_db(transaction=True)
TEAM_A = Scope("harbour", "team-a/*")


@pytest.fixture(autouse=True)
def harbour(db: None) -> None:
    catalog.registry("harbour")


def asking(by: User, role: str = "pusher", scope: Scope = TEAM_A) -> AccessRequest:
    by = User.objects.get(pk=by.pk)
    found = Role.objects.get(name=role)
    return requests.ask(user=by, role=found, scope=scope, reason="to ship", actor=actor_of(by))


def granting(request: AccessRequest, by: User) -> AccessRequest:
    by = User.objects.get(pk=by.pk)
    return requests.grant_request(
        request.pk, until=None, answer="Welcome.", rights=rights_of(by), actor=actor_of(by)
    )


def refusing(request: AccessRequest, by: User, answer: str = "Not yet.") -> AccessRequest:
    by = User.objects.get(pk=by.pk)
    return requests.refuse_request(
        request.pk, answer=answer, rights=rights_of(by), actor=actor_of(by)
    )


def last_entry() -> tuple[str, str]:
    entry = AuditEntry.objects.latest("number")
    return entry.event, entry.target


def test_asking_gives_nothing_and_is_remembered(viewer: User) -> None:
    asked = asking(viewer)
    assert asked.state == "open"
    assert Grant.objects.filter(user=viewer).count() == 1
    assert last_entry() == ("access requested", "user:viktor pusher harbour/team-a/*")


def test_nobody_asks_for_what_he_may_not_know_of(outsider: User) -> None:
    for scope in (TEAM_A, Scope("nowhere", "team-a/*")):
        with pytest.raises(ValidationError, match="no registry of this name"):
            asking(outsider, scope=scope)


def test_nobody_asks_for_what_he_has_or_asked_for(viewer: User) -> None:
    with pytest.raises(ValidationError, match="already"):
        asking(viewer, "puller")
    asking(viewer)
    with pytest.raises(ValidationError, match="waits"):
        asking(viewer)
    assert asking(viewer, scope=Scope("harbour", "team-b/*"))


def test_no_one_floods_the_owners(viewer: User) -> None:
    for number in range(requests.OPEN_LIMIT):
        asking(viewer, scope=Scope("harbour", f"team-{number}/*"))
    with pytest.raises(ValidationError, match="withdraw some"):
        asking(viewer)


def test_an_owner_grants_and_the_log_has_both(owner: User, viewer: User) -> None:
    answered = granting(asking(viewer), owner)
    assert (answered.state, answered.answered_by) == ("granted", "anna")
    grant = Grant.objects.get(user=viewer, role__name="pusher")
    assert (str(grant.scope), grant.reason) == ("harbour/team-a/*", "to ship")
    events = AuditEntry.objects.order_by("-number").values_list("event", flat=True)[:2]
    assert list(events) == ["request answered", "access granted"]


def test_who_may_not_grant_it_cannot_answer(viewer: User, outsider: User) -> None:
    asked = asking(viewer)
    for answer in (granting, refusing):
        with pytest.raises(PermissionDenied):
            answer(asked, outsider)
    assert AccessRequest.objects.get().state == "open"


def test_an_owner_of_another_place_cannot_answer(viewer: User, outsider: User) -> None:
    give(outsider, "owner", Scope("harbour", "team-b/*"))
    asked = asking(viewer)
    for answer in (granting, refusing):
        with pytest.raises(PermissionDenied):
            answer(asked, outsider)


def test_nobody_grants_himself_by_asking(viewer: User) -> None:
    with pytest.raises(PermissionDenied):
        granting(asking(viewer), viewer)


def test_a_refusal_says_why(owner: User, viewer: User) -> None:
    asked = asking(viewer)
    with pytest.raises(ValidationError, match="why"):
        refusing(asked, owner, answer="")
    assert refusing(asked, owner).answer == "Not yet."
    assert last_entry()[0] == "request answered"
    assert not Grant.objects.filter(user=viewer, role__name="pusher").exists()


def test_a_request_is_answered_once(owner: User, viewer: User) -> None:
    asked = asking(viewer)
    refusing(asked, owner)
    with pytest.raises(ValidationError, match="already"):
        granting(asked, owner)
    assert asking(viewer).pk != asked.pk


def test_who_was_switched_off_gets_nothing(owner: User, viewer: User) -> None:
    asked = asking(viewer)
    User.objects.filter(pk=viewer.pk).update(is_active=False)
    with pytest.raises(ValidationError, match="switched off"):
        granting(asked, owner)


def test_only_whoever_asked_withdraws(viewer: User, outsider: User) -> None:
    asked = asking(viewer)
    with pytest.raises(PermissionDenied):
        requests.withdraw(asked.pk, user=outsider, actor=actor_of(outsider))
    requests.withdraw(asked.pk, user=viewer, actor=actor_of(viewer))
    assert AccessRequest.objects.get().state == "withdrawn"

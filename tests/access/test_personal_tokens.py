"""A person's tokens: his own alone, with an end, and never wider than he is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from pytest_django import Settings

from access import personal_tokens
from access.actions import Action, parsed
from access.models import AuditEntry, Secret, User
from access.personal_tokens import create_token, revoke_token
from access.policy import rights_of
from access.scopes import Scope
from access.secrets import parse
from access.shortcuts import actor_of
from tests import catalog
from tests.cast import give

pytestmark = pytest.mark.django_db(transaction=True)
TEAM_A = Scope("harbour", "team-a/*")
READ, WRITE = Action.CONTENT_READ, Action.CONTENT_WRITE


@pytest.fixture(autouse=True)
def harbour(db: None) -> None:
    catalog.registry("harbour")
    catalog.registry("elsewhere")


def made(user: User, by: User | None = None, **changes: Any) -> Secret:
    by = by or user
    said: dict[str, Any] = {
        "label": "laptop",
        "expires_at": timezone.now() + timedelta(days=30),
    } | changes
    issued = create_token(user=user, rights=rights_of(by), actor=actor_of(by), **said)
    presented = parse(issued.text)
    assert presented is not None
    assert presented.matches(issued.secret.digest)
    return issued.secret


def test_a_token_allows_less_than_its_owner(viewer: User) -> None:
    token = made(viewer, actions=[READ], scopes=[TEAM_A])
    scopes = [Scope.parse(text) for text in token.scopes]
    rights = rights_of(viewer).narrowed(parsed(token.actions), scopes)
    assert rights.may(READ, Scope("harbour", "team-a/app"))
    assert not rights.may(READ, Scope("harbour", "team-b/app"))
    assert not rights.may(Action.CATALOG_LIST, TEAM_A)


def test_a_token_makes_no_wider_token(viewer: User) -> None:
    through_a_token = rights_of(viewer).narrowed(frozenset({READ}), [TEAM_A])
    with pytest.raises(PermissionDenied, match="signed in"):
        create_token(
            user=viewer,
            label="wider",
            expires_at=timezone.now() + timedelta(days=1),
            rights=through_a_token,
            actor=actor_of(viewer),
        )
    assert not Secret.objects.exists()


def test_nobody_makes_anothers_token_not_even_an_owner(owner: User, viewer: User) -> None:
    with pytest.raises(PermissionDenied):
        made(viewer, by=owner)
    assert not Secret.objects.exists()


def test_it_ends_within_the_setting(viewer: User, settings: Settings) -> None:
    settings.PERSONAL_TOKEN_MAX_DAYS = 10
    assert made(viewer, expires_at=timezone.now() + timedelta(days=9))
    for end, says in ((11, "At most 10 days"), (-1, "future")):
        with pytest.raises(ValidationError, match=says):
            made(viewer, expires_at=timezone.now() + timedelta(days=end))


def test_it_says_what_it_is_for(viewer: User) -> None:
    with pytest.raises(ValidationError, match="what the token is for"):
        made(viewer, label=" ")


def test_a_registry_that_one_may_not_know_of_is_as_none(viewer: User, outsider: User) -> None:
    give(outsider, "reader", TEAM_A)
    outsider = User.objects.get(pk=outsider.pk)
    messages = set()
    for name in ("elsewhere", "nowhere"):
        with pytest.raises(ValidationError) as refused:
            made(outsider, scopes=[Scope(name)])
        messages.add(refused.value.messages[0].replace(name, "X"))
    assert len(messages) == 1


def test_a_token_that_could_do_nothing_is_not_made(viewer: User, outsider: User) -> None:
    with pytest.raises(ValidationError, match="none of this anywhere"):
        made(viewer, actions=[WRITE])
    give(outsider, "reader", TEAM_A)
    outsider = User.objects.get(pk=outsider.pk)
    with pytest.raises(ValidationError, match="none of this on"):
        made(outsider, actions=[READ], scopes=[Scope("harbour", "team-b/*")])


def test_there_is_an_end_to_how_many(viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personal_tokens, "LIVE_LIMIT", 2)
    first, _second = made(viewer), made(viewer)
    with pytest.raises(ValidationError, match="revoke some first"):
        made(viewer)
    revoke_token(first, rights=rights_of(viewer), actor=actor_of(viewer))
    assert made(viewer)


def test_who_is_switched_off_gets_none(viewer: User) -> None:
    rights = rights_of(viewer)
    viewer.is_active = False
    viewer.save()
    with pytest.raises(ValidationError, match="switched off"):
        create_token(
            user=viewer,
            label="laptop",
            expires_at=timezone.now() + timedelta(days=1),
            rights=rights,
            actor=actor_of(viewer),
        )


def test_one_revokes_ones_own_and_an_owner_anybodys(
    owner: User, viewer: User, outsider: User
) -> None:
    first, second = made(viewer), made(viewer)
    with pytest.raises(PermissionDenied):
        revoke_token(first, rights=rights_of(outsider), actor=actor_of(outsider))
    revoke_token(first, rights=rights_of(viewer), actor=actor_of(viewer))
    revoke_token(second, rights=rights_of(owner), actor=actor_of(owner))
    assert not Secret.objects.filter(revoked_at=None).exists()
    entry = AuditEntry.objects.latest("number")
    assert (entry.event, entry.actor_label) == ("secret revoked", "anna")
    assert entry.target == f"user:viktor {second.key_id}"


def test_who_owns_a_part_revokes_nobody_elses(viewer: User, outsider: User) -> None:
    token = made(viewer)
    give(outsider, "owner", Scope("harbour"))
    outsider = User.objects.get(pk=outsider.pk)
    with pytest.raises(PermissionDenied):
        revoke_token(token, rights=rights_of(outsider), actor=actor_of(outsider))

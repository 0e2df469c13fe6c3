"""Two places for a machine's secrets: created, replaced without a gap, ended, revoked, forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone

from access import keyring
from access.machine_secrets import (
    create_secret,
    end_secret,
    revoke_secret,
    rotate_secret,
    secrets_of,
)
from access.models import AuditEntry, Grant, Membership, Role, Secret, ServicePrincipal, Team, User
from access.policy import rights_of
from access.secrets import parse
from access.shortcuts import actor_of
from registries.actor import SYSTEM

pytestmark = pytest.mark.django_db(transaction=True)
YEAR = timedelta(days=365)


@pytest.fixture
def machine(db: None) -> ServicePrincipal:
    team = Team.objects.create(name="platform")
    made = ServicePrincipal.objects.create(name="ci", team=team)
    Grant.objects.create(service_principal=made, role=Role.objects.get(name="pusher"))
    return made


def asking(user: User) -> dict[str, Any]:
    return {"rights": rights_of(user), "maintainer": user, "actor": actor_of(user)}


def made(machine: ServicePrincipal, by: User) -> keyring.Issued:
    return create_secret(machine, expires_at=timezone.now() + YEAR, **asking(by))


def test_the_text_is_returned_once_and_only_its_digest_is_kept(
    owner: User, machine: ServicePrincipal
) -> None:
    issued = made(machine, owner)
    presented = parse(issued.text)
    assert presented is not None
    assert presented.matches(issued.secret.digest)
    assert issued.text not in repr(issued)
    stored = Secret.objects.filter(pk=issued.secret.pk).values().get()
    assert not any(issued.text in str(value) for value in stored.values())
    for entry in AuditEntry.objects.values():
        assert issued.text not in str(entry)


def test_there_are_two_places_and_no_third(owner: User, machine: ServicePrincipal) -> None:
    assert [made(machine, owner).secret.slot for _ in range(2)] == [1, 2]
    with pytest.raises(ValidationError, match="Both places"):
        made(machine, owner)
    assert machine.secrets.count() == 2


def test_rotating_lets_the_old_one_work_on_for_a_while(
    owner: User, machine: ServicePrincipal
) -> None:
    old = made(machine, owner).secret
    now = timezone.now()
    new = rotate_secret(
        old, expires_at=now + YEAR, overlap=timedelta(hours=6), **asking(owner)
    ).secret
    old.refresh_from_db()
    assert new.slot == 2
    assert old.expires_at is not None
    assert timedelta(hours=5) < old.expires_at - now < timedelta(hours=7)
    assert keyring.is_live(old, now)
    assert not keyring.is_live(old, now + timedelta(hours=7))
    entry = AuditEntry.objects.latest("number")
    assert (entry.event, entry.target) == ("secret ends", f"sp:ci {old.key_id}")


def test_rotating_never_lengthens_the_old_ones_life(owner: User, machine: ServicePrincipal) -> None:
    soon = timezone.now() + timedelta(minutes=5)
    old = create_secret(machine, expires_at=soon, **asking(owner)).secret
    rotate_secret(old, expires_at=None, overlap=timedelta(days=7), **asking(owner))
    old.refresh_from_db()
    assert old.expires_at == soon


def test_rotating_at_once_ends_the_old_one(owner: User, machine: ServicePrincipal) -> None:
    old = made(machine, owner).secret
    rotate_secret(old, expires_at=None, overlap=timedelta(0), **asking(owner))
    old.refresh_from_db()
    assert old.revoked_at is not None


def test_rotating_takes_no_secret_that_somebody_uses(
    owner: User, machine: ServicePrincipal
) -> None:
    first, second = made(machine, owner).secret, made(machine, owner).secret
    with pytest.raises(ValidationError, match="Both places"):
        rotate_secret(first, expires_at=None, **asking(owner))
    second.refresh_from_db()
    assert second.revoked_at is None


def test_the_place_of_a_secret_that_ended_is_free(owner: User, machine: ServicePrincipal) -> None:
    ended = made(machine, owner).secret
    Secret.objects.filter(pk=ended.pk).update(expires_at=timezone.now())
    assert secrets_of(machine) == [None, None]
    assert made(machine, owner).secret.slot == 1


def test_an_end_is_made_earlier_and_never_later(owner: User, machine: ServicePrincipal) -> None:
    secret = made(machine, owner).secret
    before = secret.expires_at
    assert before is not None
    end_secret(secret, at=before + YEAR, **asking(owner))
    secret.refresh_from_db()
    assert secret.expires_at == before
    end_secret(secret, at=before - timedelta(days=1), **asking(owner))
    secret.refresh_from_db()
    assert secret.expires_at == before - timedelta(days=1)


def test_revoking_twice_is_one_event(owner: User, machine: ServicePrincipal) -> None:
    secret = made(machine, owner).secret
    for _ in range(2):
        revoke_secret(secret, **asking(owner))
    assert (
        AuditEntry.objects.filter(event="secret revoked", target__contains=secret.key_id).count()
        == 1
    )


def test_a_maintainer_of_the_team_does_it_too(outsider: User, machine: ServicePrincipal) -> None:
    assert machine.team
    Membership.objects.create(team=machine.team, user=outsider, is_maintainer=True)
    secret = made(machine, outsider).secret
    rotate_secret(secret, expires_at=None, **asking(outsider))
    revoke_secret(secret, **asking(outsider))


def test_nobody_else_does(
    outsider: User, viewer: User, machine: ServicePrincipal, owner: User
) -> None:
    secret = made(machine, owner).secret
    assert machine.team
    Membership.objects.create(team=machine.team, user=viewer)  # a member, no maintainer
    elsewhere = Team.objects.create(name="other")
    Membership.objects.create(team=elsewhere, user=outsider, is_maintainer=True)
    for user in (viewer, outsider):
        with pytest.raises(PermissionDenied):
            made(machine, user)
        with pytest.raises(PermissionDenied):
            rotate_secret(secret, expires_at=None, **asking(user))
        with pytest.raises(PermissionDenied):
            revoke_secret(secret, **asking(user))


def test_who_only_manages_access_gets_no_secret_of_a_machine_that_may_more(
    outsider: User, machine: ServicePrincipal, owner: User
) -> None:
    role = Role.objects.create(name="doorkeeper", label="Doorkeeper", actions=["access manage"])
    Grant.objects.create(user=outsider, role=role)
    with pytest.raises(PermissionDenied, match="content write"):
        made(machine, outsider)
    revoke_secret(made(machine, owner).secret, **asking(outsider))


def test_a_secret_does_not_end_before_it_begins(owner: User, machine: ServicePrincipal) -> None:
    with pytest.raises(ValidationError, match="future"):
        create_secret(machine, expires_at=timezone.now(), **asking(owner))


def test_exchanged_secrets_are_forgotten_a_day_after_their_end(
    owner: User, machine: ServicePrincipal
) -> None:
    now = timezone.now()
    with transaction.atomic():
        exchanged = keyring.add(
            Secret.Kind.EXCHANGED,
            service_principal=machine,
            expires_at=now + timedelta(minutes=15),
            actor=SYSTEM,
        ).secret
    kept = made(machine, owner).secret
    assert keyring.forget_ended(now + timedelta(hours=23)) == 0
    assert keyring.forget_ended(now + timedelta(hours=25)) == 1
    assert not Secret.objects.filter(pk=exchanged.pk).exists()
    assert Secret.objects.filter(pk=kept.pk).exists()

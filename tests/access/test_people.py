"""People are invited, changed and deactivated by who could grant all that they have."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.exceptions import PermissionDenied, ValidationError

from access import people
from access.models import AuditEntry, Grant, Membership, Role, Team, User
from access.policy import rights_of
from access.shortcuts import actor_of
from registries.actor import Actor
from tests.cast import give, signed_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def doorkeeper(db: None) -> User:
    """Manages access on everything, and may do nothing else."""
    user = User.objects.create_user("dora", "dora@example.com", "a passphrase of some length")
    role = Role.objects.create(name="doorkeeper", label="Doorkeeper", actions=["access manage"])
    Grant.objects.create(user=user, role=role)
    return user


def inviting(by: User, username: str = "nina", email: str = "nina@example.com") -> User:
    return people.invite(username=username, email=email, rights=rights_of(by), actor=actor_of(by))


def changing(by: User, person: User, email: str) -> User:
    return people.change_person(
        person,
        email=email,
        first_name="",
        last_name="",
        rights=rights_of(by),
        actor=actor_of(by),
    )


def test_an_owner_invites_and_the_log_remembers(owner: User) -> None:
    person = inviting(owner)
    assert not person.has_usable_password()
    assert not person.is_superuser
    assert not person.is_staff
    assert EmailAddress.objects.get(user=person).email == "nina@example.com"
    entry = AuditEntry.objects.latest("number")
    assert (entry.event, entry.target, entry.actor_label) == ("person invited", "user:nina", "anna")


def test_who_cannot_manage_access_invites_nobody(viewer: User) -> None:
    with pytest.raises(PermissionDenied):
        inviting(viewer)
    assert not User.objects.filter(username="nina").exists()


@pytest.mark.parametrize(
    ("username", "email"),
    [
        ("ANNA", "new@example.com"),
        ("nina", "Anna@Example.com"),
        ("nina", "no address"),
        ("nina", ""),
        ("", "nina@example.com"),
        ("ni na", "nina@example.com"),
    ],
)
def test_a_name_and_an_address_are_one_persons(owner: User, username: str, email: str) -> None:
    with pytest.raises(ValidationError):
        inviting(owner, username, email)
    assert User.objects.count() == 1


def test_another_address_ends_the_older_one(owner: User, viewer: User) -> None:
    EmailAddress.objects.create(user=viewer, email=viewer.email, primary=True, verified=True)
    changing(owner, viewer, "new@example.com")
    (address,) = EmailAddress.objects.filter(user=viewer)
    assert (address.email, address.verified) == ("new@example.com", False)
    entry = AuditEntry.objects.latest("number")
    assert entry.old == {"email": "viktor@example.com"}
    assert entry.new == {"user": "viktor", "email": "new@example.com"}


def test_an_address_that_somebody_has_is_not_taken_over(owner: User, viewer: User) -> None:
    with pytest.raises(ValidationError, match="Somebody has this"):
        changing(owner, viewer, "ANNA@example.com")


def test_nobody_reaches_for_the_account_of_who_has_more(
    owner: User, viewer: User, outsider: User, doorkeeper: User
) -> None:
    """With another's address or a new link one could sign in as him."""
    give(outsider, "owner")
    rights, actor = rights_of(doorkeeper), actor_of(doorkeeper)
    acts: list[Callable[[User], object]] = [
        lambda person: changing(doorkeeper, person, "mine@example.com"),
        lambda person: people.authorise_link(person, rights=rights, actor=actor),
        lambda person: people.remove_second_factors(person, rights=rights, actor=actor),
        lambda person: people.deactivate(person, rights=rights, actor=actor),
        lambda person: people.reactivate(person, rights=rights, actor=actor),
        lambda person: people.make_superuser(person, rights=rights, actor=actor),
        lambda person: people.unmake_superuser(person, rights=rights, actor=actor),
    ]
    for person in (owner, viewer, outsider):
        for act in acts:
            with pytest.raises(PermissionDenied):
                act(person)
    assert set(User.objects.filter(is_active=True)) == {owner, viewer, outsider, doorkeeper}


def test_what_somebody_has_through_a_team_counts_as_well(
    outsider: User, doorkeeper: User, owner: User
) -> None:
    people.authorise_link(outsider, rights=rights_of(doorkeeper), actor=actor_of(doorkeeper))
    team = Team.objects.create(name="platform")
    Membership.objects.create(team=team, user=outsider)
    Grant.objects.create(team=team, role=Role.objects.get(name="pusher"))
    with pytest.raises(PermissionDenied, match="content write"):
        people.authorise_link(outsider, rights=rights_of(doorkeeper), actor=actor_of(doorkeeper))


def test_deactivating_ends_sessions_and_the_rights(owner: User, viewer: User) -> None:
    client = signed_in(viewer)
    key = client.session.session_key
    UserSession.objects.create(user=viewer, session_key=key, ip="127.0.0.1", user_agent="x")
    people.deactivate(viewer, rights=rights_of(owner), actor=actor_of(owner))
    assert client.get("/").status_code == 302
    assert not UserSession.objects.filter(user=viewer).exists()
    viewer.refresh_from_db()
    assert rights_of(viewer).entitlements == ()
    people.reactivate(viewer, rights=rights_of(owner), actor=actor_of(owner))
    assert client.get("/").status_code == 302  # the old session does not come back


def test_the_last_owner_stays(owner: User, viewer: User) -> None:
    with pytest.raises(ValidationError, match="last owner"):
        people.deactivate(owner, rights=rights_of(owner), actor=actor_of(owner))
    with pytest.raises(ValidationError, match="last owner"):
        people.unmake_superuser(owner, rights=rights_of(owner), actor=actor_of(owner))
    owner.refresh_from_db()
    assert owner.is_active
    assert owner.is_superuser
    people.make_superuser(viewer, rights=rights_of(owner), actor=actor_of(owner))
    people.unmake_superuser(owner, rights=rights_of(owner), actor=actor_of(owner))
    owner.refresh_from_db()
    assert not owner.is_superuser


def test_making_an_owner_takes_one(owner: User, viewer: User, outsider: User) -> None:
    with pytest.raises(PermissionDenied):
        people.make_superuser(outsider, rights=rights_of(viewer), actor=actor_of(viewer))
    people.make_superuser(outsider, rights=rights_of(owner), actor=actor_of(owner))
    outsider.refresh_from_db()
    assert outsider.is_superuser
    assert AuditEntry.objects.latest("number").new == {"user": "otto", "owner": "yes"}


def test_one_changes_oneself_and_nobody_else(viewer: User, owner: User) -> None:
    people.change_oneself(
        viewer, email=viewer.email, first_name="Viktor", last_name="", actor=actor_of(viewer)
    )
    viewer.refresh_from_db()
    assert viewer.first_name == "Viktor"
    for actor in (actor_of(viewer), Actor("service_principal", str(owner.pk), "robot")):
        with pytest.raises(PermissionDenied):
            people.change_oneself(owner, email="x@x.org", first_name="", last_name="", actor=actor)


def test_a_lost_phone_is_helped(owner: User, viewer: User) -> None:
    Authenticator.objects.create(user=viewer, type="totp", data={"secret": "x"})
    rights, actor = rights_of(owner), actor_of(owner)
    assert people.remove_second_factors(viewer, rights=rights, actor=actor) == 1
    assert AuditEntry.objects.latest("number").old == {"second factors": "totp"}
    assert people.remove_second_factors(viewer, rights=rights, actor=actor) == 0

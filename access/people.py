"""People: inviting, changing, deactivating, making owners of everything.

Whoever may change another's address or make him a new link could sign in as him, so each of these
takes who could grant all that the other has.
"""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from access import accounts, grants, keyring, owners
from access.actions import ALL, Action
from access.events import PersonChanged, PersonInvited
from access.models import Grant, Secret, User
from access.policy import Rights
from access.scopes import EVERYTHING
from registries.actor import Actor
from registries.events import emit
from registries.transactions import durable


@durable
def invite(
    *,
    username: str,
    email: str,
    first_name: str = "",
    last_name: str = "",
    rights: Rights,
    actor: Actor,
) -> User:
    """An account without a password; its link lets the person set one. Raises ValidationError for
    bad fields and for a name or an address that somebody has."""
    rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    person = User(username=username, first_name=first_name, last_name=last_name)
    _check_address(email, person)
    if User.objects.filter(username__iexact=username).exists():
        raise ValidationError({"username": _("Somebody has this user name.")})
    person.set_unusable_password()
    person.full_clean(exclude=["email"])
    person.save(force_insert=True)
    accounts.set_address(person, email)
    emit([PersonInvited("", timezone.now(), person.username, email)], actor=actor)
    return person


@durable
def change_person(
    person: User, *, email: str, first_name: str, last_name: str, rights: Rights, actor: Actor
) -> User:
    """Another's name and address."""
    require_mastery_of(person, rights)
    return _change(person, email, first_name, last_name, actor)


@durable
def change_oneself(
    person: User, *, email: str, first_name: str, last_name: str, actor: Actor
) -> User:
    """One's own name and address. The screen asks for the password again before the latter."""
    if (actor.kind, actor.id) != ("user", str(person.pk)):
        raise PermissionDenied(_("This is for one's own account."))
    return _change(person, email, first_name, last_name, actor)


@durable
def deactivate(person: User, *, rights: Rights, actor: Actor) -> None:
    """Nobody signs in as this person any more; what he did stays. Sessions end at once, and his
    tokens for good: whoever comes back makes new ones. Raises ValidationError for the last owner."""
    require_mastery_of(person, rights)
    owners.lock()
    person = User.objects.select_for_update().get(pk=person.pk)
    if not person.is_active:
        return
    was_owner = person.pk in owners.owner_ids()
    person.is_active = False
    person.save(update_fields=["is_active"])
    if was_owner:
        owners.require_one()
    for session in UserSession.objects.filter(user=person):
        session.end()
    for token in Secret.objects.filter(user=person, revoked_at=None).select_related("user"):
        keyring.withdraw(token, actor=actor)
    _tell(person, {"active": "yes"}, {"active": "no"}, actor)


@durable
def reactivate(person: User, *, rights: Rights, actor: Actor) -> None:
    """Lets a person in again, with the grants that he has: that is granting them."""
    require_mastery_of(person, rights)
    person = User.objects.select_for_update().get(pk=person.pk)
    if person.is_active:
        return
    person.is_active = True
    person.save(update_fields=["is_active"])
    _tell(person, {"active": "no"}, {"active": "yes"}, actor)


@durable
def make_superuser(person: User, *, rights: Rights, actor: Actor) -> None:
    """Owner of everything for good, by flag: whatever happens to roles and grants."""
    _require_everything(rights)
    person = User.objects.select_for_update().get(pk=person.pk)
    if not person.is_active:
        raise ValidationError(_("%s is deactivated.") % person.get_username())
    _set_superuser(person, True, actor)


@durable
def unmake_superuser(person: User, *, rights: Rights, actor: Actor) -> None:
    """Takes the flag; grants stay. Raises ValidationError for the last owner."""
    _require_everything(rights)
    owners.lock()
    person = User.objects.select_for_update().get(pk=person.pk)
    was_owner = person.pk in owners.owner_ids()
    _set_superuser(person, False, actor)
    if was_owner:
        owners.require_one()


@durable
def remove_second_factors(person: User, *, rights: Rights, actor: Actor) -> int:
    """For who lost phone and recovery codes: the password alone lets in again. Returns how many
    factors there were."""
    require_mastery_of(person, rights)
    kinds = [str(one.type) for one in Authenticator.objects.filter(user=person)]
    Authenticator.objects.filter(user=person).delete()
    if kinds:
        had = ", ".join(sorted(set(kinds)))
        _tell(person, {"second factors": had}, {"second factors": "none"}, actor)
    return len(kinds)


@durable
def authorise_link(person: User, *, rights: Rights, actor: Actor) -> None:
    """Before a one-time link is made for somebody: whoever has it can set his password. Of who was
    never here, older links end: the invitation may have gone astray."""
    require_mastery_of(person, rights)
    if not person.is_active:
        raise ValidationError(_("%s is deactivated.") % person.get_username())
    if person.last_login is None and not person.has_usable_password():
        # Links are bound to it, and there is a new random one each time.
        person.set_unusable_password()
        person.save(update_fields=["password"])
    _tell(person, {}, {"one-time link": "made"}, actor)


def require_mastery_of(person: User, rights: Rights) -> None:
    """Raises PermissionDenied unless who has these rights could grant all that the person has."""
    rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    if person.is_superuser:
        _require_everything(rights)
    teams = person.memberships.values("team_id")
    reaching = Grant.objects.filter(
        Q(user=person) | Q(team__in=teams) | Q(service_principal__team__in=teams)
    )
    for grant in reaching.select_related("role", "registry"):
        grants.require_mastery(rights, grant.role, grant.scope)


def masters(person: User, rights: Rights) -> bool:
    """Whether `require_mastery_of` lets pass."""
    try:
        require_mastery_of(person, rights)
    except PermissionDenied:
        return False
    return True


def _require_everything(rights: Rights) -> None:
    for action in ALL:
        rights.require(action, EVERYTHING)


def _change(person: User, email: str, first_name: str, last_name: str, actor: Actor) -> User:
    person = User.objects.select_for_update().get(pk=person.pk)
    old = _shown(person)
    if email.lower() != person.email.lower():
        _check_address(email, person)
    person.first_name, person.last_name = first_name, last_name
    person.full_clean(exclude=["email", "password"])
    person.save(update_fields=["first_name", "last_name"])
    if email != person.email:
        accounts.set_address(person, email)
    new = _shown(person)
    changed = {key for key in old if old[key] != new[key]}
    if changed:
        _tell(person, {key: old[key] for key in changed}, {key: new[key] for key in changed}, actor)
    return person


def _check_address(email: str, person: User) -> None:
    try:
        validate_email(email)
    except ValidationError as error:
        raise ValidationError({"email": error.messages}) from None
    if accounts.address_taken(email, by_other_than=person):
        raise ValidationError({"email": _("Somebody has this e-mail address.")})


def _set_superuser(person: User, flag: bool, actor: Actor) -> None:
    if person.is_superuser == flag:
        return
    person.is_superuser = flag
    person.save(update_fields=["is_superuser"])
    words = {True: "yes", False: "no"}
    _tell(person, {"owner": words[not flag]}, {"owner": words[flag]}, actor)


def _shown(person: User) -> dict[str, str]:
    return {
        "email": person.email,
        "first name": person.first_name,
        "last name": person.last_name,
    }


def _tell(person: User, old: dict[str, str], new: dict[str, str], actor: Actor) -> None:
    changed = PersonChanged("", timezone.now(), person.get_username(), old, new)
    emit([changed], actor=actor)

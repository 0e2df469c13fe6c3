"""Teams, and who is in them. Screens, API and commands call these, and decide nothing themselves.

Adding somebody to a team is granting all that the team has, so it takes who could grant all of it;
or a maintainer of the team, whom such a person trusted with exactly that.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import ProtectedError, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from access import grants, owners
from access.actions import Action
from access.events import MemberAdded, MemberRemoved, TeamChanged, TeamCreated, TeamRemoved
from access.models import Grant, Membership, Team, User
from access.policy import Rights
from access.scopes import EVERYTHING
from registries.actor import Actor
from registries.events import emit
from registries.transactions import durable


@durable
def create_team(*, name: str, description: str, rights: Rights, actor: Actor) -> Team:
    """Raises ValidationError for bad fields, PermissionDenied for who may not."""
    rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    team = Team(name=name, description=description)
    team.full_clean()
    team.save(force_insert=True)
    emit([TeamCreated("", timezone.now(), team.name, team.description)], actor=actor)
    return team


@durable
def change_team(team: Team, *, description: str, rights: Rights, actor: Actor) -> Team:
    """Another description. The name is part of addresses and grants, and stays."""
    rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    team = Team.objects.select_for_update().get(pk=team.pk)
    old, team.description = team.description, description
    team.full_clean()
    if team.description == old:
        return team
    team.save(update_fields=["description"])
    emit([TeamChanged("", timezone.now(), team.name, old, team.description)], actor=actor)
    return team


@durable
def remove_team(team: Team, *, rights: Rights, actor: Actor) -> None:
    """With its grants. Raises ValidationError while it owns machines, or for the last owner's."""
    rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    team = Team.objects.select_for_update().get(pk=team.pk)
    held = list(team.grants.values_list("pk", flat=True))
    grants.take(held, reason=_("The team was removed."), rights=rights, actor=actor)
    try:
        team.delete()
    except ProtectedError:
        raise ValidationError(
            _("%s owns machines: give them to another team, or remove them first.") % team.name
        ) from None
    emit([TeamRemoved("", timezone.now(), team.name)], actor=actor)


@durable
def add_member(
    *,
    team: Team,
    user: User,
    is_maintainer: bool = False,
    rights: Rights,
    maintainer: User | None = None,
    actor: Actor,
) -> Membership:
    """Put a person into a team, or change whether he maintains it.

    `maintainer` is who asks, where being the team's maintainer is enough to; leave it out for
    tokens, whose rights are narrower than their owner's. Making maintainers takes mastery.
    """
    team = Team.objects.select_for_update().get(pk=team.pk)
    old = team.memberships.filter(user=user).select_for_update().first()
    changes_maintainer = is_maintainer != (old is not None and old.is_maintainer)
    if changes_maintainer or not maintains(maintainer, team):
        require_mastery_of(team, rights)
    if not user.is_active:
        raise ValidationError(_("%s is deactivated.") % user.get_username())
    membership, _created = Membership.objects.update_or_create(
        team=team,
        user=user,
        # By hand from now on: a sign-in does not take it away.
        defaults={
            "is_maintainer": is_maintainer,
            "source": Membership.Source.MANUAL,
            "provider": "",
        },
    )
    added = MemberAdded(
        "", timezone.now(), team.name, user.get_username(), is_maintainer, "by hand"
    )
    emit([added], actor=actor)
    return membership


@durable
def remove_member(
    *,
    team: Team,
    user: User,
    rights: Rights,
    maintainer: User | None = None,
    actor: Actor,
) -> None:
    """Take a person out. A maintainer may take out members, and everybody himself. Who is not in it
    is no error; ValidationError for the last owner."""
    team = Team.objects.select_for_update().get(pk=team.pk)
    found = team.memberships.select_related("team", "user").select_for_update(of=("self",))
    membership = found.filter(user=user).first()
    leaves = maintainer is not None and maintainer.pk == user.pk
    if not leaves and (
        not maintains(maintainer, team) or (membership is not None and membership.is_maintainer)
    ):
        require_mastery_of(team, rights)
    if membership is not None:
        take_out(membership, because="by hand", actor=actor)


# Who may --------------------------------------------------------------------------------------


def visible_teams(user: User | None, rights: Rights) -> QuerySet[Team]:
    """One's own; all for who manages access everywhere. `user` is the person where being in a team
    counts; leave it out (None) for secrets, which allow nothing by membership."""
    if rights.may(Action.ACCESS_MANAGE, EVERYTHING):
        return Team.objects.all()
    if user is None:
        return Team.objects.none()
    return Team.objects.filter(pk__in=user.memberships.values("team_id"))


def maintains(user: User | None, team: Team) -> bool:
    """Whether this person was trusted with the team's members."""
    if user is None or not user.is_active:
        return False
    return team.memberships.filter(user=user, is_maintainer=True).exists()


def require_mastery_of(team: Team, rights: Rights) -> None:
    """Raises PermissionDenied unless who has these rights could grant all that being in the team
    gives: its grants, and those of the machines that it owns, whose secrets its members make."""
    rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    for grant in reach_of(team):
        grants.require_mastery(rights, grant.role, grant.scope)


def masters(team: Team, rights: Rights) -> bool:
    """Whether `require_mastery_of` lets pass."""
    try:
        require_mastery_of(team, rights)
    except PermissionDenied:
        return False
    return True


def lets_grant(team: Team) -> bool:
    """Whether being in the team lets one grant in turn."""
    return any(Action.ACCESS_MANAGE in grant.role.allowed for grant in reach_of(team))


def reach_of(team: Team) -> list[Grant]:
    held = Grant.objects.filter(Q(team=team) | Q(service_principal__team=team))
    return list(held.select_related("role", "registry"))


# Inside a transaction -------------------------------------------------------------------------


def take_out(membership: Membership, *, because: str, actor: Actor) -> None:
    """End a membership (load it with its team and user); ValidationError if that would leave
    nobody who owns everything."""
    team = membership.team
    gives_ownership = team.grants.filter(role__name="owner", registry=None).exists()
    if gives_ownership:
        owners.lock()
    Membership.objects.filter(pk=membership.pk).delete()
    if gives_ownership:
        owners.require_one()
    removed = MemberRemoved("", timezone.now(), team.name, membership.user.get_username(), because)
    emit([removed], actor=actor)

"""Service principals: made, changed, switched off and on, removed. A team owns each of them.

Whoever makes a machine's secret can act as the machine. So managing one takes who could grant all
that it has, or a maintainer of the team that owns it: to such a team it was given with all that.
A maintainer keeps it running and switches it off; he gives it nothing, and gives it to nobody.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from access import grants
from access.actions import Action
from access.events import MachineChanged, MachineCreated, MachineRemoved
from access.models import Grant, ServicePrincipal, Team, User
from access.models.machines import ServicePrincipalQuerySet
from access.policy import Rights
from access.scopes import EVERYTHING
from access.teams import maintains
from registries.actor import Actor
from registries.events import emit
from registries.models.registry import SLUG
from registries.transactions import durable


@durable
def create_machine(
    *,
    name: str,
    description: str = "",
    team: Team | None = None,
    rights: Rights,
    maintainer: User | None = None,
    actor: Actor,
) -> ServicePrincipal:
    """A machine that may do nothing yet and has no secret. Raises ValidationError for bad fields.

    `maintainer` is who asks, where maintaining the owning team is enough (here and below); leave it
    out for tokens, whose rights are narrower than their owner's.
    """
    if team is None or not maintains(maintainer, team):
        rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    machine = ServicePrincipal(name=name, description=description, team=team)
    try:
        SLUG(name)  # it is what the machine signs in as
    except ValidationError as error:
        raise ValidationError({"name": error.messages}) from None
    machine.full_clean(exclude=["disabled_at"])
    machine.save(force_insert=True)
    emit([MachineCreated("", timezone.now(), name, team.name if team else "")], actor=actor)
    return machine


@durable
def change_machine(
    machine: ServicePrincipal,
    *,
    description: str,
    team: Team | None,
    rights: Rights,
    maintainer: User | None = None,
    actor: Actor,
) -> ServicePrincipal:
    """Another description or owning team. The name is part of grants and sign-ins, and stays.

    Giving it to a team gives that team all that the machine may do: maintainers cannot.
    """
    machine = locked(machine)
    require_care(machine, rights, maintainer)
    if team != machine.team:
        require_mastery_of(machine, rights)
    old = _told(machine)
    machine.description, machine.team = description, team
    machine.full_clean(exclude=["disabled_at"])
    machine.save(update_fields=["description", "team"])
    _emit_change(machine, old, actor)
    return machine


@durable
def disable_machine(
    machine: ServicePrincipal, *, rights: Rights, maintainer: User | None = None, actor: Actor
) -> ServicePrincipal:
    """It may do nothing until it is enabled; its secrets and grants stay. Stopping a machine takes
    no more than managing access: nobody should have to wait for it."""
    machine = locked(machine)
    require_control(machine, rights, maintainer)
    return _switch(machine, on=False, actor=actor)


@durable
def enable_machine(
    machine: ServicePrincipal, *, rights: Rights, maintainer: User | None = None, actor: Actor
) -> ServicePrincipal:
    machine = locked(machine)
    require_care(machine, rights, maintainer)
    return _switch(machine, on=True, actor=actor)


@durable
def remove_machine(machine: ServicePrincipal, *, rights: Rights, actor: Actor) -> None:
    """With its secrets, trust rules and grants. Maintainers switch it off instead."""
    rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    machine = locked(machine)
    held = list(machine.grants.values_list("pk", flat=True))
    grants.take(held, reason=_("The machine was removed."), rights=rights, actor=actor)
    machine.delete()
    emit([MachineRemoved("", timezone.now(), machine.name)], actor=actor)


# Who may --------------------------------------------------------------------------------------


def visible_machines(user: User | None, rights: Rights) -> ServicePrincipalQuerySet:
    """Those of one's teams; all for who manages access everywhere. `user` is the person where being
    in a team counts; leave it out (None) for secrets, which allow nothing by membership."""
    if rights.may(Action.ACCESS_MANAGE, EVERYTHING):
        return ServicePrincipal.objects.all()
    if user is None:
        return ServicePrincipal.objects.none()
    return ServicePrincipal.objects.filter(team__in=user.memberships.values("team"))


def require_control(machine: ServicePrincipal, rights: Rights, maintainer: User | None) -> None:
    """Raises PermissionDenied unless these rights, or this maintainer, may stop the machine."""
    if machine.team is None or not maintains(maintainer, machine.team):
        rights.require(Action.ACCESS_MANAGE, EVERYTHING)


def require_care(machine: ServicePrincipal, rights: Rights, maintainer: User | None) -> None:
    """Raises PermissionDenied unless these rights, or this maintainer, may act as the machine."""
    if machine.team is None or not maintains(maintainer, machine.team):
        require_mastery_of(machine, rights)


def require_mastery_of(machine: ServicePrincipal, rights: Rights) -> None:
    """Raises PermissionDenied unless who has these rights could grant all that the machine has."""
    rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    for grant in Grant.objects.filter(service_principal=machine).select_related("role", "registry"):
        grants.require_mastery(rights, grant.role, grant.scope)


def may_care(machine: ServicePrincipal, rights: Rights, maintainer: User | None) -> bool:
    """Whether `require_care` lets pass."""
    try:
        require_care(machine, rights, maintainer)
    except PermissionDenied:
        return False
    return True


def ownable_teams(user: User | None, rights: Rights) -> QuerySet[Team]:
    """The teams that this person may make machines for (`user` as above)."""
    if rights.may(Action.ACCESS_MANAGE, EVERYTHING):
        return Team.objects.all()
    if user is None:
        return Team.objects.none()
    return Team.objects.filter(Q(memberships__user=user, memberships__is_maintainer=True))


# Inside a transaction -------------------------------------------------------------------------


def locked(machine: ServicePrincipal) -> ServicePrincipal:
    """The machine as it is now, for this transaction alone: its two places are given out once."""
    found = ServicePrincipal.objects.select_related("team").select_for_update(of=("self",))
    return found.get(pk=machine.pk)


def _switch(machine: ServicePrincipal, *, on: bool, actor: Actor) -> ServicePrincipal:
    if (machine.disabled_at is None) == on:
        return machine
    old = _told(machine)
    machine.disabled_at = None if on else timezone.now()
    machine.save(update_fields=["disabled_at"])
    _emit_change(machine, old, actor)
    return machine


def _told(machine: ServicePrincipal) -> dict[str, str]:
    return {
        "description": machine.description,
        "team": machine.team.name if machine.team else "",
        "state": "disabled" if machine.disabled_at else "enabled",
    }


def _emit_change(machine: ServicePrincipal, before: dict[str, str], actor: Actor) -> None:
    after = _told(machine)
    names = [name for name in after if after[name] != before[name]]
    if names:
        old, new = ({name: of[name] for name in names} for of in (before, after))
        emit([MachineChanged("", timezone.now(), machine.name, old, new)], actor=actor)

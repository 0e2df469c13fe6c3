"""Teams by single sign-on: whoever comes with a value in a claim belongs to the rule's team.

At every sign-in, in both directions: what the provider no longer says is taken away. Memberships
that a person made are left alone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from access import teams
from access.events import MemberAdded, TeamChanged
from access.models import ClaimRule, Membership, Team, User
from access.policy import Rights
from registries.actor import SYSTEM, Actor
from registries.events import Event, emit
from registries.transactions import durable

_log = logging.getLogger(__name__)


@transaction.atomic
def follow(user: User, *, provider: str, claims: Mapping[str, Any]) -> None:
    """Add and remove the memberships that this provider's claims make. Not durable: allauth decides
    around which of its own changes it runs."""
    wanted = _teams_by(provider, claims)
    held = {
        membership.team_id: membership
        for membership in user.memberships.select_related("team").select_for_update(of=("self",))
    }
    gained = [team for pk, team in wanted.items() if pk not in held]
    lost = [
        membership
        for membership in held.values()
        if membership.source == Membership.Source.CLAIM
        and membership.provider == provider
        and membership.team_id not in wanted
    ]
    _add(user, gained, provider)
    _remove(user, lost, provider)


@durable
def create_rule(
    *, team: Team, provider: str, claim: str, value: str, rights: Rights, actor: Actor
) -> ClaimRule:
    """From its next sign-in on, whoever has the value belongs to the team: that is granting all
    that the team has. Raises PermissionDenied, and ValidationError for bad fields."""
    team = Team.objects.select_for_update().get(pk=team.pk)
    teams.require_mastery_of(team, rights)
    rule = ClaimRule(team=team, provider=provider, claim=claim, value=value)
    rule.full_clean()
    before = _described(team)
    rule.save(force_insert=True)
    _tell_change(team, before, actor)
    return rule


@durable
def remove_rule(rule: ClaimRule, *, rights: Rights, actor: Actor) -> None:
    """Memberships that no other rule could have made end at once, others at the next sign-in."""
    team = Team.objects.select_for_update().get(pk=rule.team_id)
    teams.require_mastery_of(team, rights)
    before = _described(team)
    rule.delete()
    if not team.claim_rules.filter(provider=rule.provider).exists():
        made = team.memberships.filter(source=Membership.Source.CLAIM, provider=rule.provider)
        for membership in made.select_related("team", "user").select_for_update(of=("self",)):
            teams.take_out(membership, because=_("its rule was removed"), actor=actor)
    _tell_change(team, before, actor)


def values_of(claims: Mapping[str, Any], claim: str) -> frozenset[str]:
    """The values of a claim, which is a text or a list of them; `realm_access.roles` names one
    inside another. What is anything else has no values."""
    found: Any = claims.get(claim)
    if found is None and "." in claim:
        found = claims
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        found = [found]
    if not isinstance(found, list | tuple):
        return frozenset()
    return frozenset(value for value in found if isinstance(value, str) and value)


def _teams_by(provider: str, claims: Mapping[str, Any]) -> dict[int, Team]:
    rules = list(ClaimRule.objects.filter(provider=provider).select_related("team"))
    values = {claim: values_of(claims, claim) for claim in {rule.claim for rule in rules}}
    # Entra ID leaves groups out beyond 200 of them, and says where they could be asked for.
    left_out = claims.get("_claim_names")
    for claim in values:
        if isinstance(left_out, Mapping) and claim in left_out:
            _log.warning(
                "%s sent too many values of the claim %r to list them, so they count as none: let"
                " it send only the groups that are assigned to Portolan.",
                provider,
                claim,
            )
    return {rule.team_id: rule.team for rule in rules if rule.value in values[rule.claim]}


def _described(team: Team) -> str:
    """The team's description with who belongs to it by sign-on, as the audit log shows it."""
    rules = "; ".join(str(rule) for rule in team.claim_rules.order_by("pk"))
    return f"{team.description} [{rules}]" if rules else team.description


def _tell_change(team: Team, before: str, actor: Actor) -> None:
    changed = TeamChanged("", timezone.now(), team.name, before, _described(team))
    emit([changed], actor=actor)


def _add(user: User, gained: list[Team], provider: str) -> None:
    now = timezone.now()
    events: list[Event] = []
    for team in gained:
        Membership.objects.create(
            team=team, user=user, source=Membership.Source.CLAIM, provider=provider
        )
        because = _("by sign-on through %s") % provider
        events.append(MemberAdded("", now, team.name, user.get_username(), False, because))
    emit(events, actor=SYSTEM)


def _remove(user: User, memberships: list[Membership], provider: str) -> None:
    because = _("%s no longer says so") % provider
    for membership in memberships:
        try:
            with transaction.atomic():
                teams.take_out(membership, because=because, actor=SYSTEM)
        except ValidationError:
            # Somebody must be able to let others in; the log asks the operator to set it right.
            _log.warning(
                "%s stays in %s against what %s says: nobody else owns everything.",
                user.get_username(),
                membership.team.name,
                provider,
            )

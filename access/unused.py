"""Unused rights: grants of which no pull, push or delete was seen for a while, and the smaller role
that would be enough.

Only what registries tell is seen: docker tokens that Portolan issued, and notifications. Managing
and browsing leave no trace here, so this is a hint for people, and nothing is taken by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db.models import BooleanField, CharField, ExpressionWrapper, Value
from django.db.models.expressions import RawSQL

from access import grants
from access.actions import DOCKER
from access.models import Grant, Role
from access.models.roles import GrantQuerySet
from access.policy import Rights
from access.roles import BUILT_IN
from registries.actor import Actor
from registries.transactions import durable

# The verbs of a grant's uses: in its scope, by whoever holds it. A team's are its members', the
# public's are those of nobody signed in. Each name is looked up in the index that begins with it,
# and each member's by his id: a join of the two tables reads all people for every grant.
_USES = """
    FROM (
        SELECT 'user:' || username FROM access_user WHERE id = access_grant.user_id
        UNION ALL
        SELECT 'sp:' || name FROM access_serviceprincipal
        WHERE id = access_grant.service_principal_id
        UNION ALL
        SELECT 'user:' || (SELECT username FROM access_user WHERE id = user_id)
        FROM access_membership WHERE team_id = access_grant.team_id
        UNION ALL
        SELECT 'anonymous' WHERE access_grant.is_public
    ) holder (principal)
    CROSS JOIN LATERAL (
        SELECT verb FROM access_use
        WHERE access_use.principal = holder.principal AND last_at >= %s
          AND (access_grant.registry_id IS NULL
               OR access_use.registry_id = access_grant.registry_id)
          AND (
            access_grant.path IN ('', access_use.path)
            OR (right(access_grant.path, 2) = '/*'
                AND starts_with(access_use.path, left(access_grant.path, -1)))
          )
        OFFSET 0
    ) use"""
_USED = f"ARRAY(SELECT DISTINCT use.verb {_USES})"
# Of the verbs that its role allows. One comparison of all of them: the uses are looked for once.
_ALLOWED = """ARRAY(
    SELECT docker.verb
    FROM access_role role, unnest(%s::varchar[], %s::varchar[]) AS docker (verb, action)
    WHERE role.id = access_grant.role_id AND docker.action = ANY(role.actions)
)"""
_SPARE = f"NOT ({_ALLOWED} <@ {_USED})"
_SPARE_AT_ALL = f"{_ALLOWED} <> '{{}}' AND NOT EXISTS (SELECT {_USES})"
_HEARD = """EXISTS (
    SELECT 1 FROM access_use use
    WHERE access_grant.registry_id IS NULL OR use.registry_id = access_grant.registry_id
)"""


def less_used(among: GrantQuerySet, *, since: datetime, at_all: bool = False) -> GrantQuerySet:
    """Those of the grants, older than `since`, of whose role a docker verb was not seen since; with
    `at_all`, only those of which none was.

    Each has `used`, the verbs that were seen (none with `at_all`), and `heard`, whether anything
    was ever seen of its registry: where nothing was, silence proves nothing.
    """
    allowed = [list(DOCKER), [action.text for action in DOCKER.values()]]
    # Constants, with parameters.
    spare = RawSQL(_SPARE_AT_ALL if at_all else _SPARE, [*allowed, since], BooleanField())  # noqa: S611
    used = Value("{}") if at_all else RawSQL(_USED, [since])  # noqa: S611
    heard = RawSQL(_HEARD, [], BooleanField())  # noqa: S611
    return among.filter(spare, granted_at__lt=since).annotate(
        used=ExpressionWrapper(used, ArrayField(CharField())), heard=heard
    )


def used_verbs(grant: Grant) -> list[str]:
    """The docker verbs of its role that were seen, of a grant that `less_used` found."""
    seen: list[str] = getattr(grant, "used", [])
    return [
        verb for verb, action in DOCKER.items() if verb in seen and action in grant.role.allowed
    ]


def smaller_role(role: Role, verbs: Iterable[str], roles: Iterable[Role]) -> Role | None:
    """Of the built-in roles, the one that allows least, all of which the role at hand allows too,
    and yet is enough for these verbs; None if nothing was used or nothing smaller is enough."""
    needed = frozenset(DOCKER[verb] for verb in verbs)
    if not needed:
        return None
    enough = [
        one
        for one in roles
        if one.is_built_in and needed <= one.allowed and one.allowed < role.allowed
    ]
    order = {built_in.name: place for place, built_in in enumerate(BUILT_IN)}
    return min(enough, key=lambda one: (len(one.allowed), order.get(one.name, 99)), default=None)


@durable
def give_less(pk: int, role: Role, *, reason: str, rights: Rights, actor: Actor) -> Grant:
    """Put a smaller role in the place of the one that was granted, until the same end."""
    grant = Grant.objects.with_names().select_for_update(of=("self",)).get(pk=pk)
    less = grants.give(
        role=role,
        to=grant.user or grant.team or grant.service_principal,
        scope=grant.scope,
        until=grant.until,
        reason=reason or grant.reason,
        rights=rights,
        actor=actor,
    )
    grants.take([grant.pk], reason=reason, rights=rights, actor=actor)
    return less

"""Which past events somebody may read, by the rights he has now and not by those of then."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Q, Subquery

from access.actions import Action
from access.policy import Rights
from access.ranges import below, paths_in
from access.scopes import Extent, Scope
from registries.models import Registry
from webhooks.catalog import Topic
from webhooks.subscription_settings import TAKES


def told_to_manager(rights: Rights, *, through: str = "") -> Q:
    """The condition on events that who manages webhooks may read; `through` is the way to them, as
    "event__" from deliveries.

    A webhook that was narrowed, or given other topics, still has in its log what it told before.
    """
    ping = Q(**{f"{through}topic": Topic.PING.value})
    managed = rights.scopes(Action.WEBHOOK_MANAGE)
    if not managed:
        return ping
    condition = happened_in(managed, through=through) | _granted_in(managed, through)
    for action in dict.fromkeys(TAKES.values()):
        topics = [topic.value for topic, takes in TAKES.items() if takes is action]
        others = ~Q(**{f"{through}topic__in": topics})
        scopes = rights.scopes(action)
        there = happened_in(scopes, through=through) | _granted_in(scopes, through)
        condition &= others | there
    return condition | ping


def seen_by(rights: Rights) -> Q:
    """The condition on events of repositories whose activity who has these rights may see.

    They name tags, digests and who did it: more than a list of repositories tells.
    """
    return happened_in(rights.scopes(Action.CONTENT_READ))


def happened_in(scopes: Iterable[Scope], *, through: str = "") -> Q:
    """The condition on events in any of these scopes; no scope, no event."""
    by_registry: defaultdict[str, list[Scope]] = defaultdict(list)
    for scope in scopes:
        if scope.registry is None:
            # Not the empty Q(): beside an "or" that would vanish, instead of holding for all.
            return Q(pk__isnull=False)
        by_registry[scope.registry].append(scope)
    condition = Q(pk__in=())
    for registry, here in by_registry.items():
        there = Q(**{f"{through}registry": registry}) & paths_in(here, f"{through}repository")
        condition |= there & _since_connected(registry, through)
    return condition


def of_repository(path: str) -> Q:
    """The condition on events of one repository, or, with `shop/*`, of all below."""
    if not path.endswith("/*"):
        return Q(repository=path)
    first, end = below(path[:-1])
    return Q(repository__gte=first, repository__lt=end)


def _granted_in(scopes: Iterable[Scope], through: str) -> Q:
    """Grants on a path: they happened in no one repository, and say themselves where they hold."""
    condition = Q(pk__in=())
    topics = [Topic.ACCESS_GRANTED.value, Topic.ACCESS_REVOKED.value]
    for scope in scopes:
        if scope.extent is Extent.PATTERN:
            below = {f"{through}data__scope__startswith": f"{scope.registry}/{scope.prefix}"}
            there = Q(**{f"{through}topic__in": topics}, **below)
            condition |= there & _since_connected(scope.registry or "", through)
    return condition


def _since_connected(registry: str, through: str) -> Q:
    """Events have a registry's name and outlive it: what happened in another one that had the name
    before is told only to who may see everything."""
    connected = Registry.objects.filter(name=registry).values("created_at")
    return Q(**{f"{through}at__gte": Subquery(connected)})

"""Who may do what. One module judges for browser, API and docker, and explains itself.

Everybody's rights are the grants that reach him: his own, his teams', the public's. They are read
with one query; deciding is then memory, and listing is one condition in SQL. What nobody granted,
nobody may.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from access.actions import ALL, Action, parsed
from access.models import Grant, ServicePrincipal, User
from access.models.roles import GrantQuerySet
from access.ranges import paths_in
from access.scopes import EVERYTHING, Scope, widest
from registries.models import Registry, Repository
from registries.models.registry import RegistryQuerySet, RepositoryQuerySet

Someone = User | AnonymousUser | ServicePrincipal

# Any of these lets one know that a repository exists.
SEEING = (Action.CATALOG_LIST, Action.CONTENT_READ)


@dataclass(frozen=True, slots=True)
class Entitlement:
    """One grant as it reaches somebody, and by which way: the reason for a yes.

    Without a grant it is the flag of a superuser, made by `createsuperuser`.
    """

    actions: frozenset[Action]
    scope: Scope
    role: str
    grant: int | None = None
    team: str | None = None
    is_public: bool = False
    until: datetime | None = None

    def allows(self, action: Action, scope: Scope) -> bool:
        return action in self.actions and self.scope.contains(scope)


@dataclass(frozen=True, slots=True)
class Rights:
    """What one somebody may do, decided in memory. `registries` has the ids of registries named."""

    entitlements: tuple[Entitlement, ...] = ()
    registries: Mapping[str, int] = field(default_factory=dict)

    def may(self, action: Action, scope: Scope) -> bool:
        """Whether the action is allowed in all of the scope."""
        return any(one.allows(action, scope) for one in self.entitlements)

    def why(self, action: Action, scope: Scope) -> tuple[Entitlement, ...]:
        """Every entitlement that allows it, widest first; none is a no."""
        reasons = [one for one in self.entitlements if one.allows(action, scope)]
        return tuple(sorted(reasons, key=lambda one: (one.scope.extent, one.role)))

    def may_somewhere(self, action: Action, scope: Scope = EVERYTHING) -> bool:
        """Whether it is allowed in all or a part of the scope."""
        return any(action in one.actions and one.scope.touches(scope) for one in self.entitlements)

    def scopes(self, *actions: Action) -> tuple[Scope, ...]:
        """Where any of these actions is allowed, without scopes inside others."""
        wanted = set(actions)
        return widest(one.scope for one in self.entitlements if wanted & one.actions)

    def allowed_in(self, scope: Scope) -> frozenset[Action]:
        """All actions allowed in all of the scope."""
        covering = [one.actions for one in self.entitlements if one.scope.contains(scope)]
        return frozenset().union(*covering)

    def require(self, action: Action, scope: Scope) -> None:
        """Raises PermissionDenied, which the error page turns into a request for access."""
        if not self.may(action, scope):
            raise PermissionDenied(
                _("This needs the right to “%(action)s” on %(scope)s.")
                % {
                    "action": action.text,
                    "scope": _("everything") if scope == EVERYTHING else scope,
                },
                action,
                scope,
            )

    def narrowed(self, actions: frozenset[Action], scopes: Iterable[Scope]) -> Rights:
        """These rights as far as a token allows; nothing of either is no limit by it."""
        limits = tuple(scopes) or (EVERYTHING,)
        allowed = actions or ALL
        narrower = [
            _within(one, allowed & one.actions, meeting)
            for one in self.entitlements
            for limit in limits
            if (meeting := one.scope.meet(limit)) is not None and allowed & one.actions
        ]
        return Rights(tuple(narrower), self.registries)


def _within(one: Entitlement, actions: frozenset[Action], scope: Scope) -> Entitlement:
    return Entitlement(actions, scope, one.role, one.grant, one.team, one.is_public, one.until)


NO_RIGHTS = Rights()
_SUPERUSER = Entitlement(ALL, EVERYTHING, "owner")
# Whoever has a shell on the server has the database, too. For management commands alone.
SHELL = Rights((_SUPERUSER,))
_KEPT = "_rights"


# Rights of somebody ---------------------------------------------------------------------------


def rights_of(somebody: Someone) -> Rights:
    """The rights of a person, a machine or the anonymous public; read once for an object.

    A request has its own objects, so a change takes effect with the next request.
    """
    # By attribute, which a request's lazy user hands on to the person behind it.
    known = getattr(somebody, _KEPT, None)
    if isinstance(known, Rights):
        return known
    rights = _read(somebody)
    setattr(somebody, _KEPT, rights)
    return rights


def narrow(somebody: User | ServicePrincipal, rights: Rights) -> None:
    """Let this object have only these of its rights: it came with a token that allows less."""
    setattr(somebody, _KEPT, _with_ids(rights))


def _with_ids(rights: Rights) -> Rights:
    """The same, with the ids of registries that a token names and no grant does; what it says of
    registries that are not there is nothing."""
    named = {one.scope.registry for one in rights.entitlements if one.scope.registry}
    unknown = named - rights.registries.keys()
    if not unknown:
        return rights
    found = Registry.objects.filter(name__in=unknown).values_list("name", "pk")
    registries = {**rights.registries, **dict(found)}
    held = [
        one
        for one in rights.entitlements
        if one.scope.registry is None or one.scope.registry in registries
    ]
    return Rights(tuple(held), registries)


def _read(somebody: Someone) -> Rights:
    if isinstance(somebody, ServicePrincipal):
        if somebody.disabled_at is not None:
            return NO_RIGHTS
        return entitled_by(Grant.objects.reaching_machine(somebody))
    if isinstance(somebody, User):
        if not somebody.is_active:
            return NO_RIGHTS
        if somebody.is_superuser:
            return Rights((_SUPERUSER,))
        return entitled_by(Grant.objects.reaching_user(somebody))
    # Whoever does not sign in sees no screens; docker's anonymous token is public_rights().
    return NO_RIGHTS


def public_rights() -> Rights:
    """What everybody may do, also without signing in."""
    return entitled_by(Grant.objects.public())


def entitled_by(grants: GrantQuerySet) -> Rights:
    """The rights that these grants make, as far as they have not ended; one query."""
    rows = grants.live(timezone.now()).values_list(
        "pk",
        "role__name",
        "role__actions",
        "registry__name",
        "registry_id",
        "path",
        "team__name",
        "is_public",
        "until",
    )
    entitlements = []
    registries: dict[str, int] = {}
    for grant, role, actions, registry, registry_id, path, team, is_public, until in rows:
        scope = Scope(registry, path)
        if registry is not None and registry_id is not None:
            registries[registry] = registry_id
        entitlements.append(
            Entitlement(parsed(actions), scope, role, grant, team, is_public, until)
        )
    return Rights(tuple(entitlements), registries)


def may(somebody: Someone, action: Action, scope: Scope = EVERYTHING) -> bool:
    """Whether somebody may do something in all of a scope; the unknown may do nothing."""
    return rights_of(somebody).may(action, scope)


# What one may see, as conditions in SQL -------------------------------------------------------


def visible_registries(somebody: Someone) -> RegistryQuerySet:
    """The registries that one may know of: where any right holds in all or a part of them."""
    rights = rights_of(somebody)
    scopes = [one.scope for one in rights.entitlements]
    if EVERYTHING in scopes:
        return Registry.objects.all()
    ids = {rights.registries[scope.registry] for scope in scopes if scope.registry}
    return Registry.objects.filter(pk__in=ids)


def visible_repositories(somebody: Someone, *actions: Action) -> RepositoryQuerySet:
    """The repositories that one may know of (or do any of these actions in), those that vanished
    from their registry included."""
    rights = rights_of(somebody)
    return Repository.objects.filter(inside(rights, rights.scopes(*(actions or SEEING))))


def inside(rights: Rights, scopes: Iterable[Scope]) -> Q:
    """The condition on repositories that lie in these scopes: equalities and ranges, which the
    index on (registry, path) answers however many repositories there are."""
    by_registry: dict[int, list[Scope]] = {}
    for scope in scopes:
        if scope.registry is None:
            return Q()
        by_registry.setdefault(rights.registries[scope.registry], []).append(scope)
    condition = Q(pk__in=())
    for registry, here in by_registry.items():
        condition |= Q(registry=registry) & paths_in(here)
    return condition

"""Who may know of a mirror, and what of two registries a board is made of."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F, Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from access.actions import Action
from access.policy import Rights, Someone, rights_of, visible_registries
from access.scopes import Scope
from access.sight import Eyes
from dashboard.pagination import Column
from registries.mirroring.board import Asked, Board, Side, compare
from registries.mirroring.mirrors import MirrorSettings, cleaned, is_pattern
from registries.models import Mirror, Registry

# A list asks each of its mirrors how it stands: of a big one, how its beginning does.
GLANCE = 10_000
COLUMNS = {
    "source": Column(F("source__name"), str),
    "target": Column(F("target__name"), str),
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two places to compare, kept as a mirror or only asked for."""

    source: Registry
    source_path: str
    target: Registry
    target_path: str
    tags: str = ""
    mirror: Mirror | None = None

    @classmethod
    def of(cls, mirror: Mirror) -> Pair:
        return cls(
            mirror.source,
            mirror.source_path,
            mirror.target,
            mirror.target_path,
            mirror.tags,
            mirror,
        )

    @property
    def scopes(self) -> tuple[Scope, Scope]:
        return (
            Scope(self.source.name, self.source_path),
            Scope(self.target.name, self.target_path),
        )

    @property
    def is_pattern(self) -> bool:
        return is_pattern(self.source_path)

    @property
    def settings(self) -> MirrorSettings:
        return MirrorSettings(
            source=self.source,
            source_path=self.source_path,
            target=self.target,
            target_path=self.target_path,
            tags=self.tags,
        )

    def at_source(self, rest: str) -> str:
        """The path of a repository in the source, by the part that both sides share."""
        return self.source_path.removesuffix("*") + rest

    def at_target(self, rest: str) -> str:
        return self.target_path.removesuffix("*") + rest

    def board(self, user: Someone, asked: Asked) -> Board:
        """The board as far as somebody may look into both registries."""
        eyes = Eyes(rights_of(user).scopes(Action.CONTENT_READ))
        return compare(
            Side(self.source.pk, self.source_path, eyes.on(self.source)),
            Side(self.target.pk, self.target_path, eyes.on(self.target)),
            asked,
        )


def visible_mirrors(user: Someone, *, registry: str = "") -> QuerySet[Mirror]:
    """The mirrors of which one may see something at both ends, or manage both registries; with a
    registry's name, those with an end there.

    They are few: paths that may contain each other either way are judged in memory.
    """
    rights = rights_of(user)
    rows = Mirror.objects.values_list(
        "pk", "source__name", "source_path", "target__name", "target_path"
    ).order_by()
    known = [
        pk
        for pk, source, source_path, target, target_path in rows
        if _knows(rights, Scope(source, source_path)) and _knows(rights, Scope(target, target_path))
    ]
    found = Mirror.objects.filter(pk__in=known).select_related("source", "target")
    if registry:
        found = found.filter(Q(source__name=registry) | Q(target__name=registry))
    return found


def get_mirror_or_404(user: Someone, pk: int) -> Mirror:
    found = visible_mirrors(user).filter(pk=pk).first()
    if found is None:
        raise Http404(_("There is no such mirror."))
    return found


def require_looking(user: Someone, pair: Pair) -> None:
    """Raises PermissionDenied for who may not look into anything at one of the ends."""
    rights = rights_of(user)
    for scope in pair.scopes:
        if not rights.may_somewhere(Action.CONTENT_READ, scope):
            raise PermissionDenied(
                _("This needs the right to “%(action)s” on %(scope)s.")
                % {"action": Action.CONTENT_READ.text, "scope": scope},
                Action.CONTENT_READ,
                scope,
            )


def require_managing(rights: Rights, pair: Pair) -> None:
    """Raises PermissionDenied unless one manages both registries."""
    for registry in (pair.source, pair.target):
        rights.require(Action.REGISTRY_MANAGE, Scope(registry.name))


def manages(rights: Rights, pair: Pair) -> bool:
    return all(
        rights.may(Action.REGISTRY_MANAGE, Scope(registry.name))
        for registry in (pair.source, pair.target)
    )


def pair_of(user: Someone, source: Scope, target: Scope, tags: str) -> Pair:
    """The pair of what was typed; raises ValidationError for registries one may not know of."""
    return Pair(
        _registry(user, "source", source), source.path,
        _registry(user, "target", target), target.path,
        tags,
    )  # fmt: skip


def compared(user: Someone, pair: Pair) -> Pair:
    """The pair as it is stored, for who may look at it without keeping it. Raises ValidationError
    for what makes no sense, and PermissionDenied."""
    settings = cleaned(pair.settings)
    require_looking(user, pair)
    return replace(pair, tags=settings.tags)


def _registry(user: Someone, field: str, scope: Scope) -> Registry:
    if scope.registry is None:
        raise ValidationError({field: _("Name the registry, such as harbour/team-a/*.")})
    found = visible_registries(user).filter(name=scope.registry).first()
    if found is None:
        raise ValidationError({field: _("There is no registry “%s”.") % scope.registry})
    return found


def _knows(rights: Rights, scope: Scope) -> bool:
    return rights.may_somewhere(Action.CONTENT_READ, scope) or rights.may(
        Action.REGISTRY_MANAGE, Scope(scope.registry)
    )

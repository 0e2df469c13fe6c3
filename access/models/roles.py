"""Roles, and the grants that give them to somebody somewhere."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.actions import Action, parsed
from access.models.machines import ServicePrincipal
from access.models.people import Team, User
from access.reach import lying_in
from access.scopes import Scope
from registries.models import Registry

# What has no end is sorted as if it ended then.
NO_END = datetime(9999, 1, 1, tzinfo=UTC)
ENDS_OR_NEVER = Coalesce("until", models.Value(NO_END))


class Role(models.Model):
    """A set of actions under a name. Built-in ones are the same in every installation."""

    name = models.SlugField(_("name"), max_length=63, unique=True)
    label = models.CharField(_("label"), max_length=63)
    description = models.CharField(_("description"), max_length=255, blank=True)
    actions = ArrayField(models.CharField(max_length=32), verbose_name=_("actions"))
    is_built_in = models.BooleanField(default=False)

    class Meta:
        ordering = ("-is_built_in", "id")
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(actions__len__gt=0),
                name="role_allows_something",
                violation_error_message=_("A role needs one action at least."),
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def allowed(self) -> frozenset[Action]:
        return parsed(self.actions)


class GrantQuerySet(models.QuerySet["Grant"]):
    def live(self, at: datetime) -> GrantQuerySet:
        """Grants that have not ended."""
        return self.filter(models.Q(until__isnull=True) | models.Q(until__gt=at))

    def reaching_user(self, user: User) -> GrantQuerySet:
        """A person's own, his teams', and the public's."""
        teams = user.memberships.values("team_id")
        return self.filter(
            models.Q(user=user) | models.Q(team__in=teams) | models.Q(is_public=True)
        )

    def reaching_machine(self, machine: ServicePrincipal) -> GrantQuerySet:
        """A machine's own and the public's. Its team owns it, and lends it no rights."""
        return self.filter(models.Q(service_principal=machine) | models.Q(is_public=True))

    def held_by(self, somebody: User | Team | ServicePrincipal | None) -> GrantQuerySet:
        """A person's own and his teams', or what a team, a machine or the public (None) has; the
        public's are not repeated for everybody."""
        if isinstance(somebody, User):
            teams = somebody.memberships.values("team_id")
            return self.filter(models.Q(user=somebody) | models.Q(team__in=teams))
        if isinstance(somebody, Team):
            return self.filter(team=somebody)
        if isinstance(somebody, ServicePrincipal):
            return self.filter(service_principal=somebody)
        return self.public()

    def to_somebody_called(self, text: str) -> GrantQuerySet:
        """Those to whoever has this in the name; `user:`, `team:` and `sp:` narrow it, and
        `anonymous` is the public."""
        kind, colon, name = text.partition(":")
        fields = {"user": "user__username", "team": "team__name", "sp": "service_principal__name"}
        if text == "anonymous":
            return self.public()
        if colon and kind in fields:
            return self.filter(**{f"{fields[kind]}__icontains": name})
        condition = models.Q()
        for field in fields.values():
            condition |= models.Q(**{f"{field}__icontains": text})
        return self.filter(condition)

    def matching(
        self, *, called: str, within: Scope | None, role: str, until: datetime | None
    ) -> GrantQuerySet:
        """Those to somebody called so, that lie in a scope, of a role, and end by then; what is
        empty is any."""
        found = self.to_somebody_called(called) if called else self
        if within is not None:
            found = found.filter(lying_in([within]))
        if role:
            found = found.filter(role__name=role)
        return found if until is None else found.filter(until__lte=until)

    def public(self) -> GrantQuerySet:
        return self.filter(is_public=True)

    def with_names(self) -> GrantQuerySet:
        """With all that a list of grants shows."""
        return self.select_related("role", "registry", "user", "team", "service_principal")

    def touching(self, scope: Scope) -> GrantQuerySet:
        """Grants that cover all or a part of this scope."""
        if scope.registry is None:
            return self
        above = models.Q(registry__isnull=True)
        here = models.Q(registry__name=scope.registry)
        if scope.path:
            parts = scope.path.removesuffix("/*").split("/")
            patterns = ["/".join(parts[:end]) + "/*" for end in range(1, len(parts) + 1)]
            exact = models.Q(path__in=["", scope.path, *patterns[: len(parts) - 1]])
            if scope.prefix:
                exact |= models.Q(path__startswith=scope.prefix)
            here &= exact
        return self.filter(above | here)

    def covering(self, scope: Scope) -> GrantQuerySet:
        """Grants that cover all of this scope."""
        if scope.registry is None:
            return self.filter(registry__isnull=True)
        whole = models.Q(registry__isnull=True) | models.Q(registry__name=scope.registry, path="")
        if not scope.path:
            return self.filter(whole)
        parts = scope.path.removesuffix("/*").split("/")
        patterns = ["/".join(parts[:end]) + "/*" for end in range(1, len(parts))]
        return self.filter(
            whole | models.Q(registry__name=scope.registry, path__in=[*patterns, scope.path])
        )


class Grant(models.Model):
    """A role for a principal on a scope. Grants only add; taking one away deletes the row, and the
    audit log remembers."""

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="grants")
    team = models.ForeignKey(Team, models.CASCADE, null=True, related_name="grants")
    service_principal = models.ForeignKey(
        ServicePrincipal, models.CASCADE, null=True, related_name="grants"
    )
    is_public = models.BooleanField(
        default=False, help_text=_("For everybody, also without signing in.")
    )
    role = models.ForeignKey(Role, models.PROTECT, related_name="grants")
    registry = models.ForeignKey(Registry, models.CASCADE, null=True, related_name="+")
    path = models.CharField(max_length=257, db_collation="C", blank=True)
    until = models.DateTimeField(_("until"), null=True, blank=True)
    reason = models.CharField(_("reason"), max_length=255, blank=True)
    granted_at = models.DateTimeField(default=timezone.now)
    granted_by = models.CharField(max_length=255)

    objects = GrantQuerySet.as_manager()

    class Meta:
        verbose_name = _("grant")
        verbose_name_plural = _("grants")
        constraints = [
            models.CheckConstraint(
                condition=(
                    models.Q(user__isnull=False, team=None, service_principal=None, is_public=False)
                    | models.Q(
                        team__isnull=False, user=None, service_principal=None, is_public=False
                    )
                    | models.Q(
                        service_principal__isnull=False, user=None, team=None, is_public=False
                    )
                    | models.Q(is_public=True, user=None, team=None, service_principal=None)
                ),
                name="grant_has_one_principal",
            ),
            models.CheckConstraint(
                condition=models.Q(path="") | models.Q(registry__isnull=False),
                name="grant_path_has_registry",
            ),
            models.UniqueConstraint(
                fields=["user", "team", "service_principal", "role", "registry", "path"],
                name="grant_once",
                nulls_distinct=False,
            ),
        ]
        indexes = [
            # Who has access to a path: all grants of a registry, by path.
            models.Index(fields=["registry", "path"], name="grant_scope"),
            # Lists of grants: newest first, and what ends first.
            models.Index(fields=["granted_at", "id"], name="grant_by_date"),
            models.Index(ENDS_OR_NEVER, "id", name="grant_by_end"),
            # Grants that end soon, and those to be swept away.
            models.Index(
                fields=["until"], name="grant_ends", condition=models.Q(until__isnull=False)
            ),
            models.Index(fields=["id"], name="grant_public", condition=models.Q(is_public=True)),
        ]

    def __str__(self) -> str:
        return f"grant {self.pk}"

    @property
    def scope(self) -> Scope:
        return Scope(self.registry.name if self.registry else None, self.path)

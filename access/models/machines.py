"""Machines: service principals, the tokens of CI systems they trust, and registries' shared accounts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Count, Max, Min, OuterRef, Subquery
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models.people import Team
from registries.models import Registry

# Nobody's use comes after all others.
_LAST_USE = models.F("last_used_at").desc(nulls_last=True)


class ServicePrincipalQuerySet(models.QuerySet["ServicePrincipal"]):
    def with_use(self, at: datetime) -> ServicePrincipalQuerySet:
        """With `live_secrets` (how many work at that moment), `ends_at` (when the first of them
        ends) and `used_at` (when the machine last signed in, by secret or by a CI system's token)."""
        own = Secret.objects.filter(service_principal=OuterRef("pk")).order_by()
        lasting = models.Q(expires_at=None) | models.Q(expires_at__gt=at)
        live = own.filter(lasting, kind=Secret.Kind.SERVICE, revoked_at=None)
        rules = TrustRule.objects.filter(service_principal=OuterRef("pk")).order_by()
        return self.annotate(
            live_secrets=Coalesce(_of_each(live, Count("pk")), 0),
            ends_at=_of_each(live, Min("expires_at")),
            used_at=Greatest(_newest_use(own), _of_each(rules, Max("last_used_at"))),
        )


def _of_each(rows: models.QuerySet[Any], what: models.Aggregate) -> Subquery:
    """One figure of the rows that are a machine's."""
    return Subquery(rows.values("service_principal").annotate(figure=what).values("figure"))


def _newest_use(secrets: models.QuerySet[Secret]) -> Subquery:
    """The index has them in this order: of each machine one entry is read, however many secrets it
    had."""
    newest = secrets.order_by(_LAST_USE).values("last_used_at")[:1]
    return Subquery(newest)


class ServicePrincipal(models.Model):
    """A machine that signs in: a pipeline, a cluster, a scanner. A team owns it, so that it
    outlives whoever made it."""

    name = models.SlugField(_("name"), max_length=63, unique=True)
    description = models.CharField(_("description"), max_length=255, blank=True)
    team = models.ForeignKey(
        Team,
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name=_("owning team"),
        related_name="service_principals",
    )
    disabled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ServicePrincipalQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name = _("service principal")
        verbose_name_plural = _("service principals")

    def __str__(self) -> str:
        return self.name


class TrustRule(models.Model):
    """Which tokens of a CI system may be exchanged for a short-lived secret of a machine.

    `subject` may hold stars, each for any text: `repo:acme/shop:*`. It is compared with the token's
    `sub` and with nothing else, so it must not be left open by mistake.
    """

    name = models.SlugField(_("name"), max_length=63, unique=True)
    service_principal = models.ForeignKey(
        ServicePrincipal, models.CASCADE, related_name="trust_rules"
    )
    issuer = models.URLField(_("issuer"), max_length=255)
    audience = models.CharField(_("audience"), max_length=255)
    subject = models.CharField(_("subject"), max_length=512)
    lifetime_minutes = models.PositiveSmallIntegerField(_("lifetime in minutes"), default=15)
    allow_private = models.BooleanField(
        _("allow private addresses"),
        default=False,
        help_text=_("The issuer is on a private network."),
    )
    ca_certificate = models.TextField(_("certificate authority"), blank=True)
    disabled_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name",)
        verbose_name = _("trust rule")
        verbose_name_plural = _("trust rules")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(lifetime_minutes__gte=1, lifetime_minutes__lte=60),
                name="trust_rule_short_lived",
                violation_error_message=_("Between 1 and 60 minutes."),
            ),
            models.CheckConstraint(
                condition=~models.Q(subject__in=["", "*"]),
                name="trust_rule_subject_said",
                violation_error_message=_(
                    "Name the subject: a star alone would let every project of the issuer in."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SpentToken(models.Model):
    """A CI system's token that was exchanged, as a digest: it buys one secret and no second.

    In the database and not in the cache, which may forget while the token still holds.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    until = models.DateTimeField()

    class Meta:
        verbose_name = _("spent token")
        verbose_name_plural = _("spent tokens")
        indexes = [
            # Forgetting those that nobody could present any more.
            models.Index(fields=["until"], name="spent_token_until"),
        ]

    def __str__(self) -> str:
        return self.digest[:12]


class AdminAccount(models.Model):
    """A registry's shared account, for what cannot use anything better. Off unless switched on."""

    registry = models.OneToOneField(Registry, models.CASCADE, related_name="+")
    enabled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("admin account")
        verbose_name_plural = _("admin accounts")

    def __str__(self) -> str:
        return f"admin of {self.registry_id}"


class Secret(models.Model):
    """A password that a machine, or a person's tool, signs in with. Only its digest is kept.

    A service principal and an admin account have two places for live ones, so that one can be
    replaced while the other still works.
    """

    class Kind(models.TextChoices):
        PERSONAL = "pat", _("personal access token")
        SERVICE = "sp", _("secret of a service principal")
        ADMIN = "adm", _("password of an admin account")
        EXCHANGED = "oidc", _("exchanged for a CI token")

    kind = models.CharField(max_length=8, choices=Kind.choices)
    user = models.ForeignKey(
        "access.User", models.CASCADE, null=True, related_name="personal_tokens"
    )
    service_principal = models.ForeignKey(
        ServicePrincipal,
        models.CASCADE,
        null=True,
        related_name="secrets",
        db_index=False,  # that of its uses begins with it
    )
    admin_account = models.ForeignKey(
        AdminAccount, models.CASCADE, null=True, related_name="secrets"
    )
    slot = models.PositiveSmallIntegerField(null=True)
    label = models.CharField(_("name"), max_length=63, blank=True)
    key_id = models.CharField(
        max_length=16, unique=True, help_text=_("The part of it that may be seen.")
    )
    digest = models.CharField(max_length=96)
    # Narrower than its owner's rights; empty is as wide as those.
    actions = ArrayField(models.CharField(max_length=32), blank=True, default=list)
    scopes = ArrayField(models.CharField(max_length=320), blank=True, default=list)

    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=255)
    expires_at = models.DateTimeField(_("expires"), null=True)
    revoked_at = models.DateTimeField(null=True)
    warned_days = models.PositiveSmallIntegerField(
        null=True, help_text=_("The last threshold before its end that was told of.")
    )
    last_used_at = models.DateTimeField(null=True)
    last_used_from = models.GenericIPAddressField(null=True)

    class Meta:
        ordering = ("-created_at",)
        verbose_name = _("secret")
        verbose_name_plural = _("secrets")
        constraints = [
            models.CheckConstraint(
                condition=(
                    models.Q(kind="pat", user__isnull=False)
                    & models.Q(service_principal=None, admin_account=None, slot=None)
                    & models.Q(expires_at__isnull=False)
                )
                | (
                    models.Q(kind="sp", service_principal__isnull=False, slot__in=[1, 2])
                    & models.Q(user=None, admin_account=None)
                )
                | (
                    models.Q(kind="oidc", service_principal__isnull=False, slot=None)
                    & models.Q(user=None, admin_account=None, expires_at__isnull=False)
                )
                | (
                    models.Q(kind="adm", admin_account__isnull=False, slot__in=[1, 2])
                    & models.Q(user=None, service_principal=None)
                ),
                name="secret_has_one_owner",
            ),
            models.UniqueConstraint(
                fields=["service_principal", "slot"],
                condition=models.Q(kind="sp", revoked_at=None),
                name="secret_slot_of_machine",
            ),
            models.UniqueConstraint(
                fields=["admin_account", "slot"],
                condition=models.Q(kind="adm", revoked_at=None),
                name="secret_slot_of_admin",
            ),
        ]
        indexes = [
            # The credential board: what expires next.
            models.Index(
                fields=["expires_at"], name="secret_expires", condition=models.Q(revoked_at=None)
            ),
            # A machine's secrets, and when it signed in last.
            models.Index(
                "service_principal",
                _LAST_USE,
                name="secret_use_of_machine",
                condition=models.Q(service_principal__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key_id}"

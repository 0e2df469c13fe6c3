"""The credential board: whatever somebody signs in with, as one list. A view of the database, made
by migration 0005; nothing is written through it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models
from django.db.models.functions import Concat
from django.utils.translation import gettext_lazy as _

from access.models.machines import ServicePrincipal
from access.models.people import Team, User
from registries.models import Registry


class CredentialQuerySet(models.QuerySet["Credential"]):
    def live(self, at: datetime) -> CredentialQuerySet:
        """Those that are neither revoked nor over; their owner may be switched off."""
        lasting = models.Q(expires_at=None) | models.Q(expires_at__gt=at)
        return self.filter(lasting, revoked_at=None)

    def expired(self, at: datetime) -> CredentialQuerySet:
        return self.filter(revoked_at=None, expires_at__lte=at)

    def revoked(self) -> CredentialQuerySet:
        return self.exclude(revoked_at=None)

    def ending_by(self, at: datetime) -> CredentialQuerySet:
        return self.filter(expires_at__lte=at)

    def unused_since(self, at: datetime) -> CredentialQuerySet:
        """Those that nobody used since then, and that are older."""
        unused = models.Q(last_used_at=None) | models.Q(last_used_at__lt=at)
        return self.filter(unused, created_at__lt=at)

    def naming(self, text: str) -> CredentialQuerySet:
        """Those with this part in their owner, label, key id or team, in any case of letters.

        Owners are looked for among owners, which are fewer than secrets: a name that is joined to
        each secret takes the most of a list's time.
        """
        registries = Registry.objects.all()
        machines = ServicePrincipal.objects.all()
        kinds = Credential.Kind
        # One comparison of both words, as no label goes over two lines.
        return self.alias(words=Concat("label", models.Value("\n"), "key_id")).filter(
            models.Q(words__icontains=text)
            | models.Q(user__in=_called("user:", User.objects.all(), "username", text))
            | models.Q(service_principal__in=_called("sp:", machines, "name", text))
            | models.Q(service_principal__in=machines.filter(team__name__icontains=text))
            | models.Q(kind=kinds.ADMIN, registry__in=_called("admin:", registries, "name", text))
            | models.Q(
                kind=kinds.CONNECTION, registry__in=_called("registry:", registries, "name", text)
            )
        )


def _called(
    prefix: str, owners: models.QuerySet[Any], name: str, text: str
) -> models.QuerySet[Any]:
    """Those with this part in what the board calls them."""
    called = Concat(models.Value(prefix), name, output_field=models.CharField())
    found: models.QuerySet[Any] = owners.alias(called=called).filter(called__icontains=text)
    return found


class Credential(models.Model):
    """One secret of a machine, person or admin account, or what Portolan signs in to a registry
    with. Secrets exchanged for a CI token come and go within minutes and are not among them."""

    class Kind(models.TextChoices):
        PERSONAL = "pat", _("personal token")
        SERVICE = "sp", _("machine’s secret")
        ADMIN = "adm", _("admin account’s password")
        CONNECTION = "registry", _("connection to a registry")

    class State(models.TextChoices):
        LIVE = "live", _("live")
        OFF = "off", _("owner switched off")
        EXPIRED = "expired", _("ended")
        REVOKED = "revoked", _("revoked")

    id = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    key_id = models.CharField(max_length=16)
    label = models.CharField(max_length=255)
    owner = models.CharField(
        max_length=255, help_text=_("user:NAME, sp:NAME, admin:REGISTRY or registry:REGISTRY")
    )
    user = models.ForeignKey(User, models.DO_NOTHING, null=True, related_name="+")
    service_principal = models.ForeignKey(
        ServicePrincipal, models.DO_NOTHING, null=True, related_name="+"
    )
    team = models.ForeignKey(Team, models.DO_NOTHING, null=True, related_name="+")
    registry = models.ForeignKey(Registry, models.DO_NOTHING, null=True, related_name="+")
    is_off = models.BooleanField(help_text=_("Its owner is switched off."))
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=255)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    last_used_from = models.GenericIPAddressField(null=True)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        managed = False
        db_table = "access_credential"
        verbose_name = _("credential")
        verbose_name_plural = _("credentials")

    def __str__(self) -> str:
        return f"{self.kind} of {self.owner}"

    @property
    def owner_name(self) -> str:
        return self.owner.partition(":")[2]

    def state(self, at: datetime) -> State:
        if self.revoked_at is not None:
            return self.State.REVOKED
        if self.expires_at is not None and self.expires_at <= at:
            return self.State.EXPIRED
        return self.State.OFF if self.is_off else self.State.LIVE

"""What was done, and what was used. Both tables are partitioned by month, by the migration."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from registries.models import Registry


class AuditEntry(models.Model):
    """One change or refusal: who, from where, what, old and new. Written by `access.audit` alone.

    Append-only by a rule of the database, which also numbers the entries and chains each one to
    the one before by its hash.
    """

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=32)
    actor_id = models.CharField(max_length=255)
    actor_label = models.CharField(max_length=255)
    way = models.CharField(max_length=16, help_text=_("browser, api, docker, shell or system"))
    address = models.GenericIPAddressField(null=True)
    agent = models.CharField(max_length=255)
    event = models.CharField(max_length=64)
    registry = models.CharField(max_length=63)
    target = models.CharField(max_length=512)
    old = models.JSONField(null=True)
    new = models.JSONField(null=True)
    previous_hash = models.BinaryField()
    hash = models.BinaryField()

    class Meta:
        managed = False
        db_table = "access_auditentry"
        ordering = ("-number",)
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")

    def __str__(self) -> str:
        return f"#{self.number} {self.event}"


class TokenLogEntry(models.Model):
    """A docker token that was issued: to whom, for what. Written in batches, and no part of the
    audit log: there are thousands of times more of them."""

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField()
    principal = models.CharField(max_length=80, help_text=_("user:NAME, sp:NAME, admin, anonymous"))
    secret = models.CharField(max_length=16, help_text=_("key id of the secret, if any"))
    registry = models.ForeignKey(Registry, models.DO_NOTHING, db_constraint=False, related_name="+")
    address = models.GenericIPAddressField(null=True)
    access = models.JSONField(help_text=_("what the token allows: repository -> actions"))

    class Meta:
        managed = False
        db_table = "access_tokenlogentry"
        ordering = ("-id",)

    def __str__(self) -> str:
        return f"{self.at} {self.principal}"


class Use(models.Model):
    """That a principal pulled from, pushed to or deleted in a repository, and when last: what tells
    rights that nobody uses."""

    principal = models.CharField(max_length=80)
    registry = models.ForeignKey(Registry, models.CASCADE, related_name="+")
    path = models.CharField(max_length=255, db_collation="C")
    verb = models.CharField(max_length=8)
    last_at = models.DateTimeField()
    count = models.PositiveBigIntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["principal", "registry", "path", "verb"], name="use_once"
            ),
        ]
        indexes = [models.Index(fields=["registry", "path"], name="use_of_repository")]

    def __str__(self) -> str:
        return f"{self.principal} {self.verb} {self.path}"

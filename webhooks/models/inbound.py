"""What registries told us, as it came, and what proves that it was they."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registries.fields import EncryptedTextField
from registries.models import Registry


class InboundSecretQuerySet(models.QuerySet["InboundSecret"]):
    def live(self, at: datetime) -> InboundSecretQuerySet:
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=at))


class InboundSecret(models.Model):
    """What a registry shows with each notification; two may be live, so that one is replaced in the
    registry's settings while the other still works.

    It is known by its digest. It is also kept itself, encrypted: GitHub does not show the secret
    but signs with it, and what checks a signature can make one. Nothing ever shows it again.
    """

    # Known before the row is stored: the encrypted column is bound to it.
    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    registry = models.ForeignKey(Registry, models.CASCADE, related_name="inbound_secrets")
    digest = models.CharField(max_length=64, unique=True, help_text=_("SHA-256, in hex."))
    secret = EncryptedTextField(_("secret"))
    created_at = models.DateTimeField(default=timezone.now)
    created_by = models.CharField(max_length=255)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    objects = InboundSecretQuerySet.as_manager()

    class Meta:
        verbose_name = _("secret of notifications")
        verbose_name_plural = _("secrets of notifications")

    def __str__(self) -> str:
        return f"{self.registry_id}: {self.created_at:%Y-%m-%d}"


class Notification(models.Model):
    """One event of a sender, as a hint: what it names is read from the registry, never believed.

    What cannot be understood is kept too, as junk, with the reason: the sender is answered 2xx all
    the same (Distribution would send it for ever), and the registry's owner sees it here.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        IGNORED = "ignored", _("nothing to do")
        JUNK = "junk", _("not understood")
        GIVEN_UP = "given up", _("given up")

    class Verb(models.TextChoices):
        PUSH = "push", _("push")
        PULL = "pull", _("pull")
        DELETE = "delete", _("delete")
        QUARANTINE = "quarantine", _("quarantine")
        PING = "ping", _("ping")
        OTHER = "other", _("other")

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="notifications")
    event_id = models.CharField(max_length=255, help_text=_("The sender's own, or one made of it."))
    verb = models.CharField(max_length=16, choices=Verb.choices)
    # As the sender wrote them, cut to length: nothing here is proved.
    repository = models.CharField(max_length=255, db_collation="C", blank=True)
    tag = models.CharField(max_length=128, db_collation="C", blank=True)
    digest = models.CharField(max_length=140, db_collation="C", blank=True)
    actor = models.CharField(max_length=255, blank=True)
    agent = models.CharField(max_length=255, blank=True, help_text=_("The client's user agent."))
    address = models.CharField(max_length=64, blank=True, help_text=_("The client's address."))
    method = models.CharField(max_length=8, blank=True, help_text=_("HEAD or GET, of a pull."))
    occurred_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(default=timezone.now)
    body = models.TextField(help_text=_("The sender's words, cut at a limit."))
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    reason = models.CharField(max_length=255, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(
        default=timezone.now, help_text=_("When a worker may take it; a claim pushes it ahead.")
    )
    handled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["registry", "event_id"], name="notification_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "done", "ignored", "junk", "given up"]),
                name="notification_state_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at", "id"],
                name="notification_due",
                condition=models.Q(state="waiting"),
            ),
            # A registry's newest, for its page, and its oldest, for the retention.
            models.Index(fields=["registry", "-received_at", "-id"], name="notification_recent"),
            # Of all that came, the few that somebody has to look at.
            models.Index(
                fields=["registry", "received_at", "id"],
                name="notification_given_up",
                condition=models.Q(state="given up"),
            ),
            # Junk is bounded with each that comes.
            models.Index(
                fields=["registry", "-id"],
                name="notification_junk",
                condition=models.Q(state="junk"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.repository}:{self.tag}"

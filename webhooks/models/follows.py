"""What people follow for themselves: by mail, as a daily digest, as a feed."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models import User
from registries.models import Registry


class Follow(models.Model):
    """A repository, or all below a pattern, that somebody wants to hear of.

    It gives no right: what is told is cut to what the person may see when it is told.
    """

    class Mail(models.TextChoices):
        NONE = "none", _("no mail")
        EACH = "each", _("soon after it happened")
        DAILY = "daily", _("once a day")

    user = models.ForeignKey(User, models.CASCADE, related_name="follows")
    registry = models.ForeignKey(Registry, models.CASCADE, related_name="+")
    path = models.CharField(max_length=255, db_collation="C", blank=True)
    mail = models.CharField(max_length=8, choices=Mail.choices, default=Mail.NONE)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("registry__name", "path")
        constraints = [
            models.UniqueConstraint(fields=["user", "registry", "path"], name="follow_once"),
            models.CheckConstraint(
                condition=models.Q(mail__in=["none", "each", "daily"]), name="follow_mail_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.registry_id}/{self.path}"


class Reader(models.Model):
    """How far a person has been told, and the secret of their feed's address (as a digest)."""

    user = models.OneToOneField(User, models.CASCADE, related_name="reader")
    feed_digest = models.CharField(max_length=64, blank=True, help_text=_("Empty for no feed."))
    mailed_up_to = models.BigIntegerField(
        default=0, help_text=_("Single mails told all that was written in transactions before.")
    )
    digest_up_to = models.BigIntegerField(default=0, help_text=_("The same, of daily mails."))
    digest_at = models.DateTimeField(null=True)
    busy_until = models.DateTimeField(
        null=True, help_text=_("A worker is mailing; if it dies, another one may from then on.")
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["feed_digest"],
                name="reader_feed_once",
                condition=~models.Q(feed_digest=""),
            ),
        ]

    def __str__(self) -> str:
        return str(self.user_id)

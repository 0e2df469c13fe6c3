"""People and the teams they are in."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class User(AbstractUser):
    """A person who signs in. Ours from the first migration, so that it can grow without pain."""

    class Meta(AbstractUser.Meta):
        db_table = "access_user"


class Team(models.Model):
    """People who share grants, and who own machines together."""

    name = models.SlugField(_("name"), max_length=63, unique=True)
    description = models.CharField(_("description"), max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    members = models.ManyToManyField(User, through="Membership", related_name="teams")

    class Meta:
        ordering = ("name",)
        verbose_name = _("team")
        verbose_name_plural = _("teams")

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """A person in a team. What a sign-in brought, the next sign-in may take away."""

    class Source(models.TextChoices):
        MANUAL = "manual", _("added by a person")
        CLAIM = "claim", _("by single sign-on")

    team = models.ForeignKey(Team, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    is_maintainer = models.BooleanField(
        _("maintainer"), default=False, help_text=_("May add and remove members.")
    )
    source = models.CharField(max_length=16, choices=Source.choices, default=Source.MANUAL)
    provider = models.CharField(
        max_length=64, blank=True, help_text=_("The sign-on provider whose claim brought it.")
    )
    added_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "user"], name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(source="manual", provider="")
                | (models.Q(source="claim") & ~models.Q(provider="")),
                name="membership_source_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.team_id}"


class ClaimRule(models.Model):
    """Whoever signs in through a provider with this value in this claim belongs to the team."""

    provider = models.CharField(_("provider"), max_length=64)
    claim = models.CharField(_("claim"), max_length=64, default="groups")
    value = models.CharField(_("value"), max_length=255)
    team = models.ForeignKey(Team, models.CASCADE, related_name="claim_rules")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "claim", "value", "team"], name="claim_rule_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.claim}={self.value}"

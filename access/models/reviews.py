"""Access that people look over: requests for it, and reviews of what was granted."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models.people import User
from access.models.roles import Grant, Role
from registries.models import Registry


class AccessRequest(models.Model):
    """Somebody met a closed door and asks for a role; an owner answers."""

    class State(models.TextChoices):
        OPEN = "open", _("waiting for an answer")
        GRANTED = "granted", _("granted")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    user = models.ForeignKey(User, models.CASCADE, related_name="access_requests")
    role = models.ForeignKey(Role, models.CASCADE, related_name="+")
    registry = models.ForeignKey(Registry, models.CASCADE, related_name="+")
    path = models.CharField(max_length=257, db_collation="C", blank=True)
    reason = models.CharField(_("reason"), max_length=255)
    state = models.CharField(max_length=16, choices=State.choices, default=State.OPEN)
    asked_at = models.DateTimeField(default=timezone.now)
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=255, blank=True)
    answer = models.CharField(_("answer"), max_length=255, blank=True)

    class Meta:
        ordering = ("-asked_at", "-id")
        verbose_name = _("access request")
        verbose_name_plural = _("access requests")
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "registry", "path"],
                condition=models.Q(state="open"),
                name="request_open_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["open", "granted", "refused", "withdrawn"]),
                name="request_state_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"], name="request_open", condition=models.Q(state="open")
            ),
        ]

    def __str__(self) -> str:
        return f"request {self.pk}"


class AccessReview(models.Model):
    """All grants of a scope, looked at one by one by a date; the result stays as a record."""

    registry = models.ForeignKey(Registry, models.CASCADE, null=True, related_name="+")
    path = models.CharField(max_length=257, db_collation="C", blank=True)
    opened_at = models.DateTimeField(default=timezone.now)
    opened_by = models.CharField(max_length=255)
    due = models.DateField(_("due"))
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-opened_at", "-id")
        verbose_name = _("access review")
        verbose_name_plural = _("access reviews")

    def __str__(self) -> str:
        return f"review {self.pk}"


class ReviewItem(models.Model):
    """One grant of a review, as it was when the review began, and what was decided of it."""

    class Decision(models.TextChoices):
        CONFIRMED = "confirmed", _("confirmed")
        REMOVED = "removed", _("removed")
        GONE = "gone", _("was gone already")

    review = models.ForeignKey(AccessReview, models.CASCADE, related_name="items")
    grant = models.ForeignKey(Grant, models.SET_NULL, null=True, related_name="+")
    principal = models.CharField(max_length=255)
    role = models.CharField(max_length=63)
    scope = models.CharField(max_length=320)
    decision = models.CharField(max_length=16, choices=Decision.choices, blank=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(fields=["review", "grant"], name="review_grant_once"),
            models.CheckConstraint(
                condition=models.Q(decision__in=["", "confirmed", "removed", "gone"]),
                name="review_decision_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.principal} {self.role} {self.scope}"

"""The outbox: one row a message and subscription, and every attempt to bring it there."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registries.network import AddressPolicy, AddressRefused
from webhooks.models.events import Event
from webhooks.models.subscriptions import Subscription


class Delivery(models.Model):
    """One event for one subscription, inserted in the transaction of the change.

    `waiting` is due at `due_at`; a claim pushes that ahead by a lease, so what a killed worker held
    is due again by itself. `held` waits for a paused or stopped subscription to go on.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        HELD = "held", _("held")
        DELIVERED = "delivered", _("delivered")
        GIVEN_UP = "given up", _("given up")

    # Without indexes of their own: constraint and index below begin with them.
    event = models.ForeignKey(Event, models.CASCADE, related_name="deliveries", db_index=False)
    subscription = models.ForeignKey(
        Subscription, models.CASCADE, related_name="deliveries", db_index=False
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(
        default=0, help_text=_("Attempts since it was enqueued, or sent again by a person.")
    )
    due_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True)
    reason = models.CharField(
        max_length=255, blank=True, help_text=_("Why the last attempt failed, or why it is held.")
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "subscription"], name="delivery_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "held", "delivered", "given up"]),
                name="delivery_state_known",
            ),
        ]
        indexes = [
            # What is due for a receiver, oldest first: each is asked about by itself, so that one
            # with thousands waiting hides nobody else's.
            models.Index(
                fields=["subscription", "due_at", "id"],
                name="delivery_due",
                condition=models.Q(state="waiting"),
            ),
            models.Index(fields=["subscription", "-id"], name="delivery_of_subscription"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} → {self.subscription_id}"


class Attempt(models.Model):
    """One request and what came back. Values of custom headers are masked, bodies cut at a limit."""

    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts")
    at = models.DateTimeField(default=timezone.now)
    seconds = models.FloatField()
    address = models.CharField(
        max_length=64, blank=True, help_text=_("The address that was dialled.")
    )
    status = models.PositiveSmallIntegerField(null=True, help_text=_("Empty where no answer came."))
    error = models.CharField(max_length=255, blank=True)
    request_headers = models.JSONField(default=dict)
    request_body = models.TextField()
    response_headers = models.JSONField(default=dict)
    response_body = models.TextField(blank=True)
    response_cut = models.BooleanField(default=False)

    # Whether this object was given up its answer, for who may not read it.
    is_withheld = False

    class Meta:
        ordering = ("id",)
        indexes = [models.Index(fields=["at"], name="attempt_at")]

    def __str__(self) -> str:
        return f"{self.delivery_id}: {self.status or self.error}"

    @property
    def succeeded(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_internal(self) -> bool:
        """Whether it went to an address that the public internet does not reach."""
        try:
            AddressPolicy().judge(self.address)
        except AddressRefused:
            return bool(self.address)
        return False

    def withhold(self) -> None:
        """Take the answer out of this object, which is not to be saved."""
        self.is_withheld = True
        self.address, self.response_headers = "", {}
        self.response_body, self.response_cut = "", False

"""Who is told what, where and in which form."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from access.models import Team, User
from access.scopes import Scope
from registries.fields import EncryptedTextField
from registries.models import Registry
from webhooks.catalog import Topic


class Subscription(models.Model):
    """A webhook: events of a scope, of these topics, sent to an address in one form.

    The address is a secret too: those of Slack and Teams let anybody post who knows them.
    """

    class Form(models.TextChoices):
        """How an event is written down for the receiver."""

        STRUCTURED = "structured", _("CloudEvents, structured")
        BINARY = "binary", _("CloudEvents, binary")
        ACR = "acr", _("as Azure Container Registry sends it")
        SLACK = "slack", _("Slack message")
        TEAMS = "teams", _("Microsoft Teams card")

    class State(models.TextChoices):
        ACTIVE = "active", _("active")
        PAUSED = "paused", _("paused")
        STOPPED = "stopped", _("stopped after failures")

    # Known before the row is stored: the encrypted columns are bound to it.
    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(_("name"), max_length=100)
    registry = models.ForeignKey(
        Registry, models.CASCADE, null=True, related_name="subscriptions", help_text=_("Or all.")
    )
    path = models.CharField(
        max_length=255,
        db_collation="C",
        blank=True,
        help_text=_("Nothing for all, team/* for what lies below, or one repository."),
    )
    tag = models.CharField(
        max_length=129,
        db_collation="C",
        blank=True,
        help_text=_("Nothing for all, one tag, or the beginning of tags with a star: v1.*"),
    )
    topics = ArrayField(models.CharField(max_length=32, choices=Topic.choices))
    form = models.CharField(_("payload"), max_length=16, choices=Form.choices)
    url = EncryptedTextField(_("address"))
    host = models.CharField(max_length=255, help_text=_("What lists show of the address."))
    headers = EncryptedTextField(
        _("headers"), help_text=_("A JSON object of names and values; empty for none.")
    )
    secret = EncryptedTextField(_("signing secret"), help_text=_("whsec_ and base64."))
    old_secret = EncryptedTextField(_("signing secret before"), help_text=_("Empty for none."))
    old_secret_until = models.DateTimeField(null=True)
    state = models.CharField(max_length=16, choices=State.choices, default=State.ACTIVE)
    state_reason = models.CharField(max_length=255, blank=True)
    state_at = models.DateTimeField(default=timezone.now)
    failing_since = models.DateTimeField(
        null=True, help_text=_("Since when no attempt succeeded; empty while they do.")
    )
    failures = models.PositiveIntegerField(
        default=0, help_text=_("Attempts in a row that failed, of whichever deliveries.")
    )
    slow_until = models.DateTimeField(
        null=True, help_text=_("Until then the receiver wants to be left alone.")
    )
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    team = models.ForeignKey(
        Team, models.SET_NULL, null=True, related_name="+", help_text=_("Who is told of trouble.")
    )
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("name", "id")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["active", "paused", "stopped"]),
                name="subscription_state_known",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    form__in=["structured", "binary", "acr", "slack", "teams"],
                ),
                name="subscription_form_known",
            ),
            models.CheckConstraint(
                condition=models.Q(path="") | models.Q(registry__isnull=False),
                name="subscription_path_in_registry",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def scope(self) -> Scope:
        return Scope(self.registry.name if self.registry else None, self.path)

    @property
    def registry_name(self) -> str:
        """Of its registry; empty for one that hears of all."""
        return self.registry.name if self.registry else ""

    @property
    def subscribed(self) -> tuple[Topic, ...]:
        """Its topics; one that an older or newer version wrote and we do not know tells nothing."""
        return tuple(topic for topic in Topic if topic.value in self.topics)

    def signing_secrets(self, at: datetime) -> tuple[str, ...]:
        """The live ones in their text form, newest first."""
        old = self.old_secret_until is not None and self.old_secret_until > at
        return (self.secret.reveal(), self.old_secret.reveal()) if old else (self.secret.reveal(),)

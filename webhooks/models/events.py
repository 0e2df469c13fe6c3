"""What happened, as it is told to the outside: one row a message, written with the change itself."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from webhooks.catalog import Topic

# Django knows the type of none of these: xid8 becomes a number by way of its text.
_THIS_TRANSACTION = Cast(
    Cast(
        models.Func(function="pg_current_xact_id", output_field=models.TextField()),
        models.TextField(),
    ),
    models.BigIntegerField(),
)


class Event(models.Model):
    """A message of one topic. The registry is a name, not a key: what happened outlives it."""

    uid = models.UUIDField(
        default=uuid4, unique=True, help_text=_("What receivers tell repeats by.")
    )
    topic = models.CharField(max_length=32, choices=Topic.choices)
    registry = models.CharField(max_length=63, db_collation="C", blank=True)
    repository = models.CharField(max_length=255, db_collation="C", blank=True)
    tag = models.CharField(max_length=128, db_collation="C", blank=True)
    digest = models.CharField(max_length=140, db_collation="C", blank=True)
    old_digest = models.CharField(max_length=140, db_collation="C", blank=True)
    at = models.DateTimeField(default=timezone.now)
    actor_kind = models.CharField(max_length=32)
    actor_id = models.CharField(max_length=255, blank=True)
    actor_label = models.CharField(max_length=255)
    data: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(
        default=dict, help_text=_("What else the topic tells: media type, size, role, reason.")
    )
    written_in = models.BigIntegerField(
        db_default=_THIS_TRANSACTION,
        editable=False,
        help_text=_("The transaction's number: ids alone pass over what is committed late."),
    )

    class Meta:
        indexes = [
            # A repository's feed, and a past event to preview with.
            models.Index(fields=["registry", "repository", "-id"], name="event_of_repository"),
            models.Index(fields=["topic", "-id"], name="event_of_topic"),
            models.Index(fields=["at"], name="event_at"),
            # What happened to tags of a name, in the order of its list.
            models.Index(
                fields=["tag", "written_in", "id"],
                name="event_of_tag",
                condition=models.Q(tag__gt=""),
            ),
            # What followers were not told yet.
            models.Index(fields=["written_in"], name="event_written"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.registry}/{self.repository}:{self.tag}"

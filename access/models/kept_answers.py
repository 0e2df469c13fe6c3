"""Answers kept for who asks the same twice."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from registries.fields import EncryptedTextField


class KeptAnswer(models.Model):
    """What a caller was answered when he sent a change with an idempotency key: the same key again
    gets the same answer, and changes nothing. Without `status` it is under way, or was when its
    process died."""

    # Known before the row is saved: the body is bound to it.
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    caller = models.CharField(max_length=80, help_text="user:ID or service_principal:ID")
    key = models.CharField(max_length=255)
    # Of request and rights: the same key for something else is a mistake of the caller's.
    fingerprint = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    # It may hold a secret that is shown once.
    body = EncryptedTextField(default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["caller", "key"], name="kept_answer_once"),
        ]
        indexes = [
            # What is old enough to be forgotten.
            models.Index(fields=["created_at"], name="kept_answer_age"),
        ]

    def __str__(self) -> str:
        return f"{self.caller}: {self.key}"

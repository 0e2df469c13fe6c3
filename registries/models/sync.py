"""Runs of the sync: what people see of them, and what lets a lost one be recovered."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registries.models.registry import Registry

# A worker says that it lives every few seconds; one that was silent this long is taken for dead.
HEARTBEAT_LOST_AFTER = timedelta(seconds=45)


class SyncRunQuerySet(models.QuerySet["SyncRun"]):
    def active(self) -> SyncRunQuerySet:
        return self.filter(state__in=SyncRun.ACTIVE)


class SyncRun(models.Model):
    """One reading of a registry (or of one repository), from its claim to its result."""

    class State(models.TextChoices):
        QUEUED = "queued", _("waiting")
        RUNNING = "running", _("running")
        SUCCEEDED = "succeeded", _("succeeded")
        PARTIAL = "partial", _("partly done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")
        LOST = "lost", _("lost its worker")

    class Trigger(models.TextChoices):
        MANUAL = "manual", _("asked for")
        SCHEDULE = "schedule", _("on schedule")
        COMMAND = "command", _("from the command line")
        NOTIFICATION = "notification", _("the registry told")

    class Phase(models.TextChoices):
        DISCOVER = "discover", _("Listing repositories")
        TAGS = "tags", _("Reading tags")
        DETAILS = "details", _("Reading platforms and configurations")
        FINISH = "finish", _("Counting")

    ACTIVE = (State.QUEUED, State.RUNNING)

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="runs")
    trigger = models.CharField(max_length=16, choices=Trigger.choices)
    full = models.BooleanField(default=False, help_text=_("Reads every manifest again."))
    state = models.CharField(max_length=16, choices=State.choices, default=State.QUEUED)
    phase = models.CharField(max_length=16, choices=Phase.choices, default=Phase.DISCOVER)
    actor_kind = models.CharField(max_length=32)
    actor_id = models.CharField(max_length=255, blank=True)
    actor_label = models.CharField(max_length=255)

    queued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(default=timezone.now)
    worker = models.CharField(max_length=255, blank=True, help_text=_("host:pid of its process"))
    cancel_requested_at = models.DateTimeField(null=True)
    summary = models.TextField(blank=True, help_text=_("Why it failed or what was left out."))

    # Progress and result; None means not known yet.
    catalog_complete = models.BooleanField(default=False)
    repositories_found = models.PositiveIntegerField(default=0)
    repositories_done = models.PositiveIntegerField(default=0)
    tags_seen = models.PositiveIntegerField(default=0)
    details_found = models.PositiveIntegerField(default=0)
    details_done = models.PositiveIntegerField(default=0)
    manifests_fetched = models.PositiveIntegerField(default=0)
    added = models.PositiveIntegerField(default=0)
    moved = models.PositiveIntegerField(default=0)
    removed = models.PositiveIntegerField(default=0)
    error_count = models.PositiveIntegerField(default=0)
    requests = models.PositiveIntegerField(default=0)
    throttled = models.PositiveIntegerField(default=0)

    objects = SyncRunQuerySet.as_manager()

    class Meta:
        verbose_name = _("sync run")
        verbose_name_plural = _("sync runs")
        constraints = [
            models.UniqueConstraint(
                fields=["registry"],
                condition=models.Q(state__in=["queued", "running"]),
                name="one_run_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(
                    state__in=[
                        "queued",
                        "running",
                        "succeeded",
                        "partial",
                        "failed",
                        "cancelled",
                        "lost",
                    ]
                ),
                name="run_state_known",
            ),
        ]
        indexes = [
            # A registry's runs, newest first.
            models.Index(fields=["registry", "-queued_at", "-id"], name="run_of_registry"),
            # The sweep for lost workers.
            models.Index(
                fields=["heartbeat_at"],
                name="run_active",
                condition=models.Q(state__in=["queued", "running"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.registry_id} #{self.pk} {self.state}"

    @property
    def is_active(self) -> bool:
        return self.state in self.ACTIVE


class SyncBatch(models.Model):
    """A share of a big run: repositories that one Celery task reads. Rows are the truth, tasks hints."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="batches")
    phase = models.CharField(max_length=16, choices=SyncRun.Phase.choices)
    repositories = ArrayField(models.CharField(max_length=255))
    listed = models.BooleanField(
        default=True, help_text=_("Whether the registry's own catalog named these.")
    )
    facts = models.JSONField(
        default=dict, help_text=_("What the catalog said of them: [pulls, locks] by path.")
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    heartbeat_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "running", "done", "failed"]),
                name="batch_state_known",
            ),
        ]
        indexes = [models.Index(fields=["run", "state"], name="batch_of_run")]

    def __str__(self) -> str:
        return f"run {self.run_id}, batch {self.pk}"


class SyncProblem(models.Model):
    """One thing a run could not read, with what is wrong and what to do about it."""

    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="problems")
    repository = models.CharField(max_length=255, db_collation="C", blank=True)
    reference = models.CharField(max_length=135, db_collation="C", blank=True)
    code = models.CharField(max_length=32)
    message = models.TextField()
    advice = models.TextField(blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["run", "id"], name="problem_of_run")]

    def __str__(self) -> str:
        return f"{self.repository}: {self.message}"

"""What repositories hold: a row for each manifest that is, or was, in one."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registries.models.manifests import Manifest
from registries.models.registry import Repository

# What artifacts are sorted by: the best date that is known of when one came.
PUSHED_OR_SEEN = Coalesce("pushed_at", "first_seen_at")


class ArtifactQuerySet(models.QuerySet["Artifact"]):
    def present(self) -> ArtifactQuerySet:
        return self.filter(missing_since__isnull=True)

    def of_digest(self, start: str) -> ArtifactQuerySet:
        """Those whose digest starts so; without an algorithm, of either one."""
        if ":" in start:
            return self.filter(manifest__digest__startswith=start)
        return self.filter(
            models.Q(manifest__digest__startswith=f"sha256:{start}")
            | models.Q(manifest__digest__startswith=f"sha512:{start}")
        )

    def with_manifests(self) -> ArtifactQuerySet:
        """With what lists say of a manifest; its bytes and annotations stay in the database."""
        return self.select_related("manifest").defer("manifest__raw", "manifest__annotations")


class Artifact(models.Model):
    """A manifest present in a repository: since when, how often pulled, and whether it still is.

    What it refers to (an index's children, an image's config) is read from this repository, even
    where another one's holds the same digest: naming a digest does not prove that one has it, and
    what was not proved here is not shown here.

    The size is copied here from the manifest by whoever changes it there: a page of a repository's
    artifacts by size then reads one index.
    """

    class Details(models.TextChoices):
        """Whether what it refers to has been read: an index's children, an image's config."""

        LISTED = "listed", _("listed, not read")
        PENDING = "pending", _("being read")
        COMPLETE = "complete", _("complete")
        UNAVAILABLE = "unavailable", _("the registry does not have it")

    repository = models.ForeignKey(
        Repository,
        models.CASCADE,
        related_name="artifacts",
        db_index=False,  # the constraint below has one that begins with it
    )
    manifest = models.ForeignKey(Manifest, models.PROTECT, related_name="artifacts")
    size = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text=_("The manifest's total size, copied.")
    )
    is_untagged = models.BooleanField(
        default=False,
        db_default=False,
        help_text=_("No tag names it and no index of its repository holds it; counted, as bytes."),
    )
    first_seen_at = models.DateTimeField(default=timezone.now)
    pushed_at = models.DateTimeField(null=True)
    pulled_at = models.DateTimeField(null=True)
    pull_count = models.PositiveBigIntegerField(default=0)
    missing_since = models.DateTimeField(null=True)
    details = models.CharField(max_length=16, choices=Details.choices, default=Details.PENDING)
    # What the registry says of it: rows go in by statements that know nothing of these.
    locks = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text=_("What the registry refuses to do with it; a Lock.")
    )
    scan = models.JSONField(
        null=True, help_text=_("Vulnerabilities by severity, as the registry's scanner counts.")
    )

    objects = ArtifactQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "manifest"], name="artifact_once"),
            models.CheckConstraint(
                condition=models.Q(details__in=["listed", "pending", "complete", "unavailable"]),
                name="artifact_details_known",
            ),
        ]
        indexes = [
            # What the second stage of a sync has still to read.
            models.Index(
                fields=["repository", "id"],
                name="artifact_pending",
                condition=models.Q(details="pending"),
            ),
            # A repository's artifacts in the two orders there are; some have tens of thousands.
            models.Index(
                "repository",
                PUSHED_OR_SEEN,
                "id",
                name="artifact_by_date",
                condition=models.Q(missing_since__isnull=True),
            ),
            models.Index(
                fields=["repository", "size", "id"],
                name="artifact_by_size",
                condition=models.Q(missing_since__isnull=True),
            ),
            # The same of those that nothing names: few among many, or most of them.
            models.Index(
                "repository",
                PUSHED_OR_SEEN,
                "id",
                name="artifact_untagged_by_date",
                condition=models.Q(missing_since__isnull=True, is_untagged=True),
            ),
            models.Index(
                fields=["repository", "size", "id"],
                name="artifact_untagged_by_size",
                condition=models.Q(missing_since__isnull=True, is_untagged=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.repository_id}@{self.manifest_id}"

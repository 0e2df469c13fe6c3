"""What repositories hold. Content is immutable and stored once by digest; presence is a row each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Coalesce, Length, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registries.models.registry import Registry, Repository

if TYPE_CHECKING:
    from collections.abc import Iterable

DIGEST_LENGTH = 135  # "sha512:" and 128 hexadecimal digits

# Tags that are no names for people: cosign's, and the fallback of registries without referrers.
REFERRING_TAG = r"^sha(256|512)-[0-9a-f]{64}(\.(sig|att|sbom))?$"
# In this order: the prefix is cheap, and an index answers it.
IS_REFERRING = models.Q(name__startswith="sha") & models.Q(name__regex=REFERRING_TAG)

# What artifacts are sorted by: the best date that is known of when one came.
PUSHED_OR_SEEN = Coalesce("pushed_at", "first_seen_at")


class Blob(models.Model):
    """A blob some manifest names: a layer or a config. Only its digest and size are kept."""

    digest = models.CharField(max_length=DIGEST_LENGTH, db_collation="C")
    size = models.PositiveBigIntegerField(help_text=_("Compressed bytes."))

    class Meta:
        # A constraint, not unique=True, which would add a second index for LIKE: under the
        # C collation the first one serves prefixes too.
        constraints = [models.UniqueConstraint(fields=["digest"], name="blob_digest_once")]

    def __str__(self) -> str:
        return self.digest


class ImageConfig(models.Model):
    """What an image's config blob says; kept once, whichever images name it."""

    digest = models.CharField(max_length=DIGEST_LENGTH, db_collation="C")
    data = models.JSONField(
        help_text=_("Entrypoint, command, environment, labels, history: what configs.py read.")
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["digest"], name="config_digest_once")]

    def __str__(self) -> str:
        return self.digest


class Manifest(models.Model):
    """Content by digest: an image, an index of platforms, a chart, a signature, …

    Reads go through an Artifact of a repository one may see: a digest is no capability.
    """

    class Kind(models.TextChoices):
        IMAGE = "image", _("image")
        INDEX = "index", _("multi-platform image")
        CHART = "chart", _("Helm chart")
        SIGNATURE = "signature", _("signature")
        SBOM = "sbom", _("SBOM")
        ATTESTATION = "attestation", _("attestation")
        ARTIFACT = "artifact", _("artifact")

    digest = models.CharField(max_length=DIGEST_LENGTH, db_collation="C")
    media_type = models.CharField(max_length=255)
    artifact_type = models.CharField(max_length=255, blank=True)
    kind = models.CharField(max_length=16, choices=Kind.choices)
    size = models.PositiveBigIntegerField(
        help_text=_(
            "Bytes of the manifest itself; until its document is read, of all that it adds to its"
            " repository."
        )
    )
    total_size = models.PositiveBigIntegerField(
        help_text=_(
            "Compressed bytes of manifest, config and layers; of all platforms in an index."
        )
    )
    config_digest = models.CharField(max_length=DIGEST_LENGTH, db_collation="C", blank=True)
    subject_digest = models.CharField(max_length=DIGEST_LENGTH, db_collation="C", blank=True)
    os = models.CharField(max_length=64, blank=True)
    architecture = models.CharField(max_length=64, blank=True)
    variant = models.CharField(max_length=64, blank=True)
    platforms = models.JSONField(
        default=list,
        help_text=_("An index's platforms as os/architecture/variant, attestations left out."),
    )
    created = models.DateTimeField(null=True, help_text=_("When it was built, as it says itself."))
    annotations = models.JSONField(default=dict)
    raw = models.BinaryField(
        null=True,
        help_text=_(
            "The very bytes whose hash is the digest; none while it is known only as a registry's"
            " listing describes it."
        ),
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["digest"], name="manifest_digest_once"),
            models.CheckConstraint(
                condition=models.Q(
                    kind__in=[
                        "image",
                        "index",
                        "chart",
                        "signature",
                        "sbom",
                        "attestation",
                        "artifact",
                    ]
                ),
                name="manifest_kind_known",
            ),
        ]
        indexes = [
            # What refers to this image: signatures, SBOMs, attestations.
            models.Index(
                fields=["subject_digest"],
                name="manifest_subject",
                condition=~models.Q(subject_digest=""),
            ),
        ]

    def __str__(self) -> str:
        return self.digest

    @property
    def document(self) -> bytes:
        """Its very bytes; none while only a listing has described it."""
        return bytes(self.raw or b"")

    @property
    def platform(self) -> str:
        """os/architecture/variant, or the empty text where there is none."""
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class ManifestChild(models.Model):
    """An entry of an index: a platform's image, or an attestation about one."""

    parent = models.ForeignKey(Manifest, models.CASCADE, related_name="children")
    position = models.PositiveSmallIntegerField()
    digest = models.CharField(max_length=DIGEST_LENGTH, db_collation="C")
    media_type = models.CharField(max_length=255)
    artifact_type = models.CharField(max_length=255, blank=True)
    size = models.PositiveBigIntegerField(help_text=_("Bytes of the child's manifest."))
    os = models.CharField(max_length=64, blank=True)
    architecture = models.CharField(max_length=64, blank=True)
    variant = models.CharField(max_length=64, blank=True)
    attests = models.CharField(
        max_length=DIGEST_LENGTH,
        db_collation="C",
        blank=True,
        help_text=_("The image this entry is an attestation about; such an entry is no platform."),
    )

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=["parent", "position"], name="child_position_once"),
        ]
        indexes = [
            # The indexes that hold a given manifest: why can it not be deleted?
            models.Index(fields=["digest"], name="child_digest"),
        ]

    def __str__(self) -> str:
        return self.digest

    @property
    def platform(self) -> str:
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)


class ManifestLayer(models.Model):
    """A manifest's layer, in order from the base up."""

    manifest = models.ForeignKey(Manifest, models.CASCADE, related_name="layers")
    position = models.PositiveSmallIntegerField()
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="+", db_index=True)
    media_type = models.CharField(max_length=255)

    class Meta:
        ordering = ("position",)
        constraints = [
            models.UniqueConstraint(fields=["manifest", "position"], name="layer_position_once"),
        ]

    def __str__(self) -> str:
        return f"{self.manifest_id}[{self.position}]"


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


class TagQuerySet(models.QuerySet["Tag"]):
    def containing(self, text: str) -> TagQuerySet:
        """Tags whose name contains the text, in either case."""
        return self.filter(name__icontains=text) if text else self

    def referring(self) -> TagQuerySet:
        """cosign's and fallback tags: they hang something on an image and name nothing."""
        return self.filter(IS_REFERRING)

    def for_people(self) -> TagQuerySet:
        return self.exclude(IS_REFERRING)

    def with_manifests(self) -> TagQuerySet:
        """With what lists say of a manifest; its bytes and annotations stay in the database.

        By a second query: joined, a page would be sorted only after all tags of a repository had
        fetched their manifests.
        """
        return self.prefetch_related(
            models.Prefetch("artifact", queryset=Artifact.objects.with_manifests())
        )

    def as_rows(self) -> TagQuerySet:
        """With the little that a list of tags shows of what they point at."""
        artifacts = Artifact.objects.select_related("manifest").only(
            "details",
            "manifest__digest",
            "manifest__kind",
            "manifest__platforms",
            "manifest__os",
            "manifest__architecture",
            "manifest__variant",
        )
        return self.prefetch_related(models.Prefetch("artifact", queryset=artifacts))

    def counted_by_artifact(self, artifacts: Iterable[int]) -> dict[int, int]:
        """Artifact id -> how many tags point at it, with one query."""
        counted = (
            self.filter(artifact_id__in=list(artifacts))
            .order_by()
            .values_list("artifact_id")
            .annotate(models.Count("id"))
        )
        return dict(counted)


class Tag(models.Model):
    """A name in a repository that points at an artifact now.

    Size, date and version order are copied here from what it points at, in the statement that
    points it: a page of tags then reads one table, in whichever order.
    """

    class DatedBy(models.TextChoices):
        PUSHED = "pushed", _("pushed")
        BUILT = "built", _("built")
        SEEN = "seen", _("first seen")

    repository = models.ForeignKey(Repository, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=128, db_collation="C")
    artifact = models.ForeignKey(Artifact, models.RESTRICT, related_name="tags")
    version_key = models.CharField(
        max_length=512,
        db_collation="C",
        help_text=_("The name with its numbers padded, so that 6.0.10 follows 6.0.9."),
    )
    size = models.PositiveBigIntegerField(default=0)
    dated_at = models.DateTimeField(help_text=_("The best date known for what it points at."))
    dated_by = models.CharField(max_length=8, choices=DatedBy.choices)
    first_seen_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(
        default=timezone.now,
        help_text=_("When what it points at was read; an older reading must not overwrite it."),
    )
    # By the database, too: rows go in by statements that know nothing of pulls.
    pull_count = models.PositiveBigIntegerField(default=0, db_default=0)
    pulled_at = models.DateTimeField(null=True)
    locks = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text=_("What the registry refuses to do with it; a Lock.")
    )

    objects = TagQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["repository", "name"], name="tag_name_once"),
            models.CheckConstraint(
                condition=models.Q(dated_by__in=["pushed", "built", "seen"]),
                name="tag_dated_by_known",
            ),
        ]
        indexes = [
            # A repository's newest tags first: the order people get unless they ask for another.
            models.Index(fields=["repository", "-dated_at", "-id"], name="tag_by_date"),
            # The two others that people sort by; some repositories have tens of thousands.
            models.Index(fields=["repository", "version_key", "id"], name="tag_by_version"),
            models.Index(fields=["repository", "size", "id"], name="tag_by_size"),
            # Where a name is used: the second half of tag search, after TagName.
            models.Index(fields=["name", "repository"], name="tag_by_name"),
        ]

    def __str__(self) -> str:
        return self.name


class TagNameQuerySet(models.QuerySet["TagName"]):
    def best_for(self, text: str, limit: int) -> list[str]:
        """Names that contain the text, the closest (shortest) first.

        Under three characters a trigram index cannot choose, so only beginnings are looked for.
        """
        if len(text) < 3:
            found = self.filter(name__startswith=text)
        else:
            found = self.filter(name__icontains=text)
        # A common text is in very many names: a thousand of them are enough to choose from.
        some = found.order_by()[:1000]
        close = self.filter(name__in=some.values("name")).order_by(Length("name"), "name")
        return list(close.values_list("name", flat=True)[:limit])


class TagName(models.Model):
    """Every distinct tag name once: what tag search looks through.

    A trigram index over all tags would make each insert three times as dear (measured).
    """

    name = models.CharField(max_length=128, db_collation="C", primary_key=True)

    objects = TagNameQuerySet.as_manager()

    class Meta:
        indexes = [
            GinIndex(OpClass(Upper("name"), name="gin_trgm_ops"), name="tagname_trigrams"),
        ]

    def __str__(self) -> str:
        return self.name


class TagMove(models.Model):
    """One change of a tag: what it pointed at before and after, when, and how we learned it.

    An empty old digest is a tag that came, an empty new one a tag that went.
    """

    class Source(models.TextChoices):
        SYNC = "sync", _("seen by a sync")
        NOTIFICATION = "notification", _("told by the registry")
        ACTION = "action", _("done in Portolan")

    registry = models.ForeignKey(Registry, models.CASCADE, related_name="+")
    repository = models.ForeignKey(Repository, models.CASCADE, related_name="tag_moves")
    tag = models.CharField(max_length=128, db_collation="C")
    old_digest = models.CharField(max_length=DIGEST_LENGTH, db_collation="C", blank=True)
    new_digest = models.CharField(max_length=DIGEST_LENGTH, db_collation="C", blank=True)
    at = models.DateTimeField(default=timezone.now)
    source = models.CharField(max_length=16, choices=Source.choices)
    actor_kind = models.CharField(max_length=32)
    actor_id = models.CharField(max_length=255, blank=True)
    actor_label = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(old_digest=models.F("new_digest")), name="tagmove_moves"
            ),
            models.CheckConstraint(
                condition=models.Q(source__in=["sync", "notification", "action"]),
                name="tagmove_source_known",
            ),
        ]
        indexes = [
            # One tag's history, newest first.
            models.Index(fields=["repository", "tag", "-at", "-id"], name="tagmove_history"),
            # What changed lately, everywhere and in one registry.
            models.Index(fields=["-at", "-id"], name="tagmove_recent"),
            models.Index(fields=["registry", "-at", "-id"], name="tagmove_in_registry"),
        ]

    def __str__(self) -> str:
        return f"{self.tag}: {self.old_digest or '∅'} → {self.new_digest or '∅'}"

"""Tags: where they point, which names there are, and how they moved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Length, Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registries.models.artifacts import Artifact
from registries.models.manifests import DIGEST_LENGTH
from registries.models.registry import Registry, Repository

if TYPE_CHECKING:
    from collections.abc import Iterable

# Tags that are no names for people: cosign's, and the fallback of registries without referrers.
REFERRING_TAG = r"^sha(256|512)-[0-9a-f]{64}(\.(sig|att|sbom))?$"
# In this order: the prefix is cheap, and an index answers it.
IS_REFERRING = models.Q(name__startswith="sha") & models.Q(name__regex=REFERRING_TAG)


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

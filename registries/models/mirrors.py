"""Which repositories of one registry are copies of another's, so that they can be compared."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registries.models.registry import Registry


class Mirror(models.Model):
    """A pair of places that should hold the same: a repository and its copy, or all below a path.

    Paths are as in grants: empty for a whole registry, `library/*`, or `library/nginx`. What a star
    stands for is the same on both sides. Who made it is a value, as everywhere below the people.
    """

    source = models.ForeignKey(Registry, models.CASCADE, related_name="+")
    source_path = models.CharField(max_length=255, db_collation="C", blank=True)
    target = models.ForeignKey(Registry, models.CASCADE, related_name="+")
    target_path = models.CharField(max_length=255, db_collation="C", blank=True)
    tags = models.CharField(
        max_length=128,
        db_collation="C",
        blank=True,
        help_text=_("Only tags of this pattern, such as v1.*; empty for all."),
    )
    created_at = models.DateTimeField(default=timezone.now)
    actor_kind = models.CharField(max_length=32)
    actor_id = models.CharField(max_length=255, blank=True)
    actor_label = models.CharField(max_length=255)

    class Meta:
        ordering = ("source__name", "source_path", "target__name", "target_path")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "source_path", "target", "target_path", "tags"],
                name="mirror_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(source=models.F("target"), source_path=models.F("target_path")),
                name="mirror_of_another",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_text} → {self.target_text}"

    @property
    def source_text(self) -> str:
        """The source as grants and addresses write it: `hub/library/*`."""
        return _text(self.source, self.source_path)

    @property
    def target_text(self) -> str:
        return _text(self.target, self.target_path)


def _text(registry: Registry, path: str) -> str:
    return f"{registry.name}/{path}" if path else registry.name

"""What a manifest is, as rows: its platforms, layers, config, and what is attached to it.

Of a manifest that this repository has not served, nothing that its document says (`is_proved`).
"""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from dashboard.api.bodies import Row
from dashboard.api.catalog.repositories import LocksField
from dashboard.browse.images import ALIASES_SHOWN, ImagePage
from dashboard.browse.referrers import WAYS
from registries.models import Artifact, Manifest

KINDS = [kind.value for kind in Manifest.Kind]
DETAILS = [value.value for value in Artifact.Details]
ABOUT_DETAILS = (
    "Whether it has been read: `listed` is known by the registry's listing alone,"
    " `pending` is being read, of `unavailable` the registry lacks a part."
)


class PlatformRow(Row):
    """An entry of an index."""

    platform = serializers.CharField(help_text="os/architecture/variant; empty if it says none.")
    digest = serializers.CharField()
    media_type = serializers.CharField()
    size = serializers.IntegerField(
        allow_null=True, help_text="Compressed bytes; null where this repository has it not."
    )
    is_shown = serializers.BooleanField(help_text="Whether `config` and `layers` are of this one.")


class LayerRow(Row):
    """A layer, from the base up."""

    digest = serializers.CharField(source="layer.digest")
    size = serializers.IntegerField(source="layer.size", help_text="Compressed bytes.")
    media_type = serializers.CharField(source="layer.media_type")
    command = serializers.CharField(help_text="The build step that made it, as far as it is known.")
    is_shared = serializers.BooleanField(
        source="layer.is_shared",
        help_text="Whether another repository that the caller may look into holds it, too.",
    )


class EnvironmentRow(Row):
    """A variable of an image's environment."""

    name = serializers.CharField()
    value = serializers.CharField()
    is_secret = serializers.BooleanField(help_text="Whether it looks like one by its name.")


class ConfigRow(Row):
    """An image's run-time facts."""

    entrypoint = serializers.CharField()
    command = serializers.CharField()
    user = serializers.CharField()
    working_dir = serializers.CharField()
    ports = serializers.ListField(child=serializers.CharField())
    volumes = serializers.ListField(child=serializers.CharField())
    stop_signal = serializers.CharField()
    author = serializers.CharField()
    environment = EnvironmentRow(source="env", many=True)
    labels = serializers.DictField(child=serializers.CharField())


class ReferrerRow(Row):
    """A signature, an SBOM, an attestation or anything else about a manifest."""

    digest = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    artifact_type = serializers.CharField()
    size = serializers.IntegerField(allow_null=True)
    created = serializers.DateTimeField(allow_null=True)
    way = serializers.ChoiceField(choices=list(WAYS), help_text="How it is attached.")


class ManifestDetailsRow(Row):
    """A manifest in a repository, with all that is known of it there."""

    digest = serializers.CharField()
    media_type = serializers.CharField()
    artifact_type = serializers.CharField()
    kind = serializers.ChoiceField(choices=KINDS)
    platform = serializers.CharField(help_text="Empty for what runs nowhere, and for an index.")
    size = serializers.IntegerField(help_text="Compressed bytes; of an index, of all platforms.")
    created = serializers.DateTimeField(allow_null=True, help_text="As it says itself.")
    first_seen_at = serializers.DateTimeField()
    pushed_at = serializers.DateTimeField(allow_null=True)
    pulled_at = serializers.DateTimeField(allow_null=True)
    pull_count = serializers.IntegerField()
    missing_since = serializers.DateTimeField(allow_null=True)
    details = serializers.ChoiceField(choices=DETAILS, help_text=ABOUT_DETAILS)
    locks = LocksField()
    scan = serializers.DictField(
        child=serializers.IntegerField(),
        allow_null=True,
        help_text="Vulnerabilities by severity, as the registry's scanner counts.",
    )
    annotations = serializers.DictField(child=serializers.CharField())
    subject = serializers.CharField(allow_null=True, help_text="The digest that it is about.")
    tags = serializers.ListField(
        child=serializers.CharField(), help_text=f"The newest {ALIASES_SHOWN}."
    )
    has_more_tags = serializers.BooleanField()
    indexes = serializers.ListField(
        child=serializers.CharField(), help_text="Digests of indexes here that hold it."
    )
    referrers = ReferrerRow(many=True)
    platforms = PlatformRow(many=True, help_text="Of an index.")
    config = ConfigRow(allow_null=True)
    layers = LayerRow(many=True)


def details_of(image: ImagePage) -> dict[str, Any]:
    """The row of an image, for `ManifestDetailsRow`."""
    artifact, manifest = image.artifact, image.manifest
    # What only listings have described is theirs to tell; else another repository's document speaks.
    is_told_here = image.is_proved or manifest.raw is None
    return {
        "digest": manifest.digest,
        "media_type": manifest.media_type,
        "artifact_type": manifest.artifact_type,
        "kind": manifest.kind,
        "platform": manifest.platform,
        "size": manifest.total_size,
        "created": manifest.created if is_told_here else None,
        "first_seen_at": artifact.first_seen_at,
        "pushed_at": artifact.pushed_at,
        "pulled_at": artifact.pulled_at,
        "pull_count": artifact.pull_count,
        "missing_since": artifact.missing_since,
        "details": artifact.details,
        "locks": artifact.locks,
        "scan": artifact.scan,
        "annotations": manifest.annotations if image.is_proved else {},
        "subject": (manifest.subject_digest if is_told_here else "") or None,
        "tags": image.aliases[:ALIASES_SHOWN],
        "has_more_tags": len(image.aliases) > ALIASES_SHOWN,
        "indexes": [parent.digest for parent in image.parents],
        "referrers": image.referrers,
        "platforms": [
            {
                "platform": one.child.platform,
                "digest": one.child.digest,
                "media_type": one.child.media_type,
                "size": one.manifest.total_size if one.manifest else None,
                "is_shown": one.is_chosen,
            }
            for one in image.platforms
        ],
        "config": image.config,
        "layers": [step for step in image.steps if step.layer],
    }

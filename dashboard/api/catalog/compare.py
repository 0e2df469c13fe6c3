"""`…/repositories/<path>/-/compare`: what changed from one image to another."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.shortcuts import get_repository_or_404
from dashboard.api.bodies import FilterField, Query, Row
from dashboard.api.etags import answer_one
from dashboard.api.examples import DIGEST, LAYER_DIGEST, OLD_DIGEST, shows
from dashboard.api.resources import Resource
from dashboard.browse.comparing import Comparison, image_or_404
from dashboard.browse.difference import ADDED, REMOVED, SAME
from dashboard.browse.images import ImagePage

_EXAMPLE = {
    "before": {
        "reference": "1.4.1",
        "digest": OLD_DIGEST,
        "platform": "linux/amd64",
        "is_read": True,
    },
    "after": {
        "reference": "1.4.2",
        "digest": DIGEST,
        "platform": "linux/amd64",
        "is_read": True,
    },
    "platforms": ["linux/amd64", "linux/arm64/v8"],
    "shared_bytes": 28231321,
    "added_bytes": 4122090,
    "removed_bytes": 4120011,
    "layers": [
        {
            "state": "added",
            "digest": LAYER_DIGEST,
            "size": 4122090,
            "command": "COPY . /srv",
        }
    ],
    "facts": [{"name": "USER", "before": "root", "after": "1000", "is_secret": False}],
    "environment": [],
    "labels": [],
}


class ComparedRow(Row):
    """One of the two images."""

    reference = serializers.CharField(help_text="The tag or digest that was asked for.")
    digest = serializers.CharField()
    platform = serializers.CharField(
        allow_null=True, help_text="Of an index: the platform that was compared."
    )
    is_read = serializers.BooleanField(
        help_text="False for one that only a listing describes: ask for a reading of it first."
    )


class LayerChangeRow(Row):
    """A layer of either image: those that went, then the new image's own in order."""

    state = serializers.ChoiceField(choices=[SAME, ADDED, REMOVED])
    digest = serializers.CharField(source="step.layer.digest")
    size = serializers.IntegerField(source="step.layer.size", help_text="Compressed bytes.")
    command = serializers.CharField(source="step.command")


class ValueChangeRow(Row):
    """A named value that is not the same in both."""

    name = serializers.CharField()
    before = serializers.CharField(allow_null=True, help_text="Null where it was not there.")
    after = serializers.CharField(allow_null=True, help_text="Null where it is not there any more.")
    is_secret = serializers.BooleanField(help_text="Whether it looks like one by its name.")


class ComparisonRow(Row):
    """What is different between two images. Until both are read nobody knows, and all of it is null."""

    before = ComparedRow()
    after = ComparedRow()
    platforms = serializers.ListField(
        child=serializers.CharField(), help_text="Those that either of the two has."
    )
    shared_bytes = serializers.IntegerField(allow_null=True)
    added_bytes = serializers.IntegerField(
        allow_null=True, help_text="To pull for who has the first image."
    )
    removed_bytes = serializers.IntegerField(allow_null=True)
    layers = LayerChangeRow(many=True, allow_null=True)
    facts = ValueChangeRow(many=True, allow_null=True, help_text="By their Dockerfile names.")
    environment = ValueChangeRow(many=True, allow_null=True)
    labels = ValueChangeRow(many=True, allow_null=True)


class CompareQuery(Query):
    from_ = FilterField(required=True, allow_blank=False, help_text="A tag or a digest.")
    to = FilterField(required=True, allow_blank=False, help_text="A tag or a digest.")
    platform = FilterField(help_text="Of indexes: which platform's images, such as `linux/amd64`.")


class Compare(Resource):
    @extend_schema(
        operation_id="compare_images",
        tags=["manifests"],
        summary="Compare two images",
        parameters=[CompareQuery],
        responses=ComparisonRow,
        examples=[shows("A release", _EXAMPLE)],
    )
    def get(self, request: Request, registry: str, repository: str) -> Response:
        """Layers, run-time facts, environment and labels of two images of a repository. Needs
        `content read`."""
        found = get_repository_or_404(self.caller.somebody, registry, repository)
        query = CompareQuery.read(request)
        names = (query["from"], query["to"])
        before, after = (
            image_or_404(self.caller.somebody, found, name, query["platform"] or "")
            for name in names
        )
        changed = Comparison.between(before, after)
        shown = {
            "before": _side(names[0], before),
            "after": _side(names[1], after),
            "platforms": changed.platforms,
            **(_differences(changed) if before.is_read and after.is_read else _UNKNOWN),
        }
        return answer_one(request, ComparisonRow(shown).data)


_UNKNOWN = dict.fromkeys(
    (
        "shared_bytes",
        "added_bytes",
        "removed_bytes",
        "layers",
        "facts",
        "environment",
        "labels",
    )
)


def _differences(changed: Comparison) -> dict[str, Any]:
    return {
        "shared_bytes": changed.layers.shared_bytes,
        "added_bytes": changed.layers.added_bytes,
        "removed_bytes": changed.layers.removed_bytes,
        "layers": changed.layers.changes,
        "facts": changed.facts,
        "environment": changed.environment,
        "labels": changed.labels,
    }


def _side(reference: str, image: ImagePage) -> dict[str, Any]:
    platform = image.platform.name if image.platform else None
    return {
        "reference": reference,
        "digest": image.manifest.digest,
        "platform": platform,
        "is_read": image.is_read,
    }

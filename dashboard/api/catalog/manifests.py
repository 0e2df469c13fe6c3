"""`…/repositories/<path>/-/manifests`: the content of a repository, by digest."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action
from access.shortcuts import get_repository_or_404
from dashboard.api.bodies import FilterField, Query, Row
from dashboard.api.catalog.changes import (
    PLAN_EXAMPLE,
    DeleteManifestQuery,
    answer_deleted,
    answer_plan,
    delete_responses,
    require_offered,
)
from dashboard.api.catalog.images import (
    ABOUT_DETAILS,
    DETAILS,
    KINDS,
    ManifestDetailsRow,
    details_of,
)
from dashboard.api.catalog.repositories import LocksField
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import DIGEST, LAYER_DIGEST, OLD_DIGEST, lists, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.browse.images import ALIASES_SHOWN, ImagePage, get_artifact_or_404
from dashboard.browse.tags import ARTIFACT_COLUMNS, put_names, untagged
from registries.changing.consequences import consequences_of
from registries.changing.deleting import delete_image
from registries.connectors import Ability
from registries.models import Artifact
from registries.oci import mediatypes

_SHORT_EXAMPLE = {
    "digest": DIGEST,
    "media_type": mediatypes.OCI_MANIFEST,
    "artifact_type": "",
    "kind": "image",
    "platforms": ["linux/amd64"],
    "size": 30600155,
    "created": "2026-11-26T07:58:40Z",
    "first_seen_at": "2026-11-26T08:02:00Z",
    "pushed_at": "2026-11-26T08:01:12Z",
    "pulled_at": None,
    "pull_count": 0,
    "details": "complete",
    "locks": [],
    "scan": {"critical": 0, "high": 2},
    "tags": ["1.4.2"],
    "tag_count": 1,
    "is_part": False,
}
_EXAMPLE = {
    name: value
    for name, value in _SHORT_EXAMPLE.items()
    if name not in ("platforms", "tag_count", "is_part")
} | {
    "platform": "linux/amd64",
    "missing_since": None,
    "annotations": {},
    "subject": None,
    "has_more_tags": False,
    "indexes": [],
    "referrers": [
        {
            "digest": OLD_DIGEST,
            "kind": "signature",
            "artifact_type": mediatypes.COSIGN_SIGNATURE,
            "size": 1880,
            "created": None,
            "way": "cosign",
        }
    ],
    "platforms": [],
    "config": {
        "entrypoint": "/usr/bin/app",
        "command": "--serve",
        "user": "1000",
        "working_dir": "/srv",
        "ports": ["8080/tcp"],
        "volumes": [],
        "stop_signal": "",
        "author": "",
        "environment": [{"name": "PATH", "value": "/usr/bin", "is_secret": False}],
        "labels": {"org.opencontainers.image.title": "app"},
    },
    "layers": [
        {
            "digest": LAYER_DIGEST,
            "size": 28231321,
            "media_type": "application/vnd.oci.image.layer.v1.tar+gzip",
            "command": "ADD file:84c5f0 in /",
            "is_shared": True,
        }
    ],
}


class ManifestRow(Row):
    """A manifest in a repository, as lists have it."""

    digest = serializers.CharField(source="manifest.digest")
    media_type = serializers.CharField(source="manifest.media_type")
    artifact_type = serializers.CharField(source="manifest.artifact_type")
    kind = serializers.ChoiceField(source="manifest.kind", choices=KINDS)
    platforms = serializers.SerializerMethodField(help_text="As os/architecture/variant.")
    size = serializers.IntegerField(help_text="Compressed bytes; of an index, of all platforms.")
    created = serializers.DateTimeField(source="manifest.created", allow_null=True)
    first_seen_at = serializers.DateTimeField()
    pushed_at = serializers.DateTimeField(allow_null=True)
    pulled_at = serializers.DateTimeField(allow_null=True)
    pull_count = serializers.IntegerField()
    details = serializers.ChoiceField(choices=DETAILS, help_text=ABOUT_DETAILS)
    locks = LocksField()
    scan = serializers.DictField(child=serializers.IntegerField(), allow_null=True)
    tags = serializers.SerializerMethodField(help_text=f"The newest {ALIASES_SHOWN}.")
    tag_count = serializers.SerializerMethodField()
    is_part = serializers.BooleanField(help_text="Whether an index of this repository holds it.")

    def get_platforms(self, artifact: Artifact) -> list[str]:
        return (
            artifact.manifest.platforms
            or [artifact.manifest.platform][: bool(artifact.manifest.platform)]
        )

    def get_tags(self, artifact: Artifact) -> list[str]:
        return list(artifact.names[:ALIASES_SHOWN])  # type: ignore[attr-defined]  # by put_names

    def get_tag_count(self, artifact: Artifact) -> int:
        return len(artifact.names)  # type: ignore[attr-defined]  # set by its list


class ManifestQuery(PageQuery):
    show = serializers.ChoiceField(
        choices=["all", "untagged"],
        default="all",
        help_text="`untagged` has those that no tag names and no index of the repository holds.",
    )
    sort = sorts(ARTIFACT_COLUMNS)


class PlatformQuery(Query):
    platform = FilterField(
        help_text="Of an index: which platform's config and layers, such as `linux/arm64/v8`."
    )


class Manifests(Resource):
    @extend_schema(
        operation_id="list_manifests",
        tags=["manifests"],
        summary="List a repository's manifests",
        parameters=[ManifestQuery],
        responses=page_of(ManifestRow),
        examples=[lists("One manifest", _SHORT_EXAMPLE)],
    )
    def get(self, request: Request, registry: str, repository: str) -> Response:
        """One row a digest, with the tags that point at it; those without any, too. Needs
        `content read`."""
        found = get_repository_or_404(self.caller.somebody, registry, repository)
        query = ManifestQuery.read(request)
        present = found.artifacts.present()
        rows = untagged(found, present) if query["show"] == "untagged" else present
        page = turn_page(request, rows.with_manifests(), query, ARTIFACT_COLUMNS)
        put_names(found, page.rows)
        return answer_page(request, page, query, ManifestRow)


class OneManifest(Resource):
    @extend_schema(
        operation_id="show_manifest",
        tags=["manifests"],
        summary="Show a manifest",
        parameters=[PlatformQuery],
        responses=ManifestDetailsRow,
        examples=[shows("An image", _EXAMPLE)],
    )
    def get(self, request: Request, registry: str, repository: str, digest: str) -> Response:
        """Platforms, layers, config, and what refers to it. Of a digest that is known by the
        registry's listing alone (`details` is `listed`) only what the listing says; `readings` has
        the rest read. Needs `content read`."""
        found = get_repository_or_404(self.caller.somebody, registry, repository)
        platform = PlatformQuery.read(request)["platform"] or ""
        artifact = get_artifact_or_404(found, digest)
        image = ImagePage(self.caller.somebody, found, artifact, platform)
        return answer_one(request, ManifestDetailsRow(details_of(image)).data)

    @extend_schema(
        operation_id="delete_manifest",
        tags=["manifests"],
        summary="Delete a manifest",
        parameters=[DeleteManifestQuery],
        responses=delete_responses(),
        examples=[
            shows(
                "A dry run",
                PLAN_EXAMPLE
                | {
                    "tags": ["1.4.2", "latest"],
                    "tag_count": 2,
                    "manifests": 1,
                    "referrers": [OLD_DIGEST],
                    "seen": "6f3a0d1c52e87b94a0c1d2e3f4a5b6c7-e3b0c44298fc1c149afbf4c8996fb924",
                },
            )
        ],
    )
    def delete(self, request: Request, registry: str, repository: str, digest: str) -> Response:
        """Deletes it with all tags that point at it: `dry_run` tells which, `seen_tags` says how many
        you know and `seen` which. With one more at the registry it stays. Needs `content delete`."""
        found = get_repository_or_404(
            self.caller.somebody, registry, repository, Action.CONTENT_DELETE
        )
        query = DeleteManifestQuery.read(request)
        artifact = get_artifact_or_404(found, digest)
        artifact.repository = found
        if query["dry_run"]:
            with_it = consequences_of(artifact)
            return answer_plan(
                found, Ability.DELETE_MANIFEST, with_it, manifests=1, seen=with_it.seal
            )
        image = ImagePage(self.caller.somebody, found, artifact)
        require_match(request, ManifestDetailsRow(details_of(image)).data)
        require_offered(found, Ability.DELETE_MANIFEST)
        outcome = delete_image(
            artifact=artifact,
            seen_tags=query["seen_tags"],
            seen=query["seen"],
            breaks_indexes=query["breaks_indexes"],
            actor=self.caller.actor,
        )
        return answer_deleted(outcome)

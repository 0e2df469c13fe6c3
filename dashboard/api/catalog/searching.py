"""`/search`: registries, repositories, tags and content by what they are called."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.api.bodies import FilterField, Query, Row
from dashboard.api.catalog.images import KINDS
from dashboard.api.examples import DIGEST, shows
from dashboard.api.resources import Resource
from dashboard.browse.searching import search
from dashboard.views.search import PAGE_LIMIT

MOST = 100
_EXAMPLE: dict[str, Any] = {
    "registries": [],
    "repositories": [{"registry": "prod", "path": "shop/app", "tags": 118}],
    "tags": [
        {
            "registry": "prod",
            "repository": "shop/app",
            "name": "1.4.2",
            "digest": DIGEST,
            "kind": "index",
        }
    ],
    "manifests": [],
    "more": ["tags"],
}


class FoundRegistryRow(Row):
    name = serializers.CharField()
    kind = serializers.CharField()
    host = serializers.CharField()


class FoundRepositoryRow(Row):
    registry = serializers.CharField(source="registry.name")
    path = serializers.CharField()
    tags = serializers.IntegerField(source="tag_count")


class FoundTagRow(Row):
    registry = serializers.CharField(source="repository.registry.name")
    repository = serializers.CharField(source="repository.path")
    name = serializers.CharField()
    digest = serializers.CharField(source="artifact.manifest.digest")
    kind = serializers.ChoiceField(source="artifact.manifest.kind", choices=KINDS)


class FoundManifestRow(Row):
    registry = serializers.CharField(source="repository.registry.name")
    repository = serializers.CharField(source="repository.path")
    digest = serializers.CharField(source="manifest.digest")
    kind = serializers.ChoiceField(source="manifest.kind", choices=KINDS)


class FoundRow(Row):
    """What was found, of each kind as much as was asked for."""

    registries = FoundRegistryRow(source="registries.rows", many=True)
    repositories = FoundRepositoryRow(source="repositories.rows", many=True)
    tags = FoundTagRow(source="tags.rows", many=True)
    manifests = FoundManifestRow(
        source="artifacts.rows", many=True, help_text="A row for each repository that holds one."
    )
    more = serializers.SerializerMethodField(help_text="The kinds of which there is more.")

    def get_more(self, found: Any) -> list[str]:
        groups = {
            "registries": found.registries,
            "repositories": found.repositories,
            "tags": found.tags,
            "manifests": found.artifacts,
        }
        return [name for name, group in groups.items() if group.more]


class SearchQuery(Query):
    q = FilterField(
        required=True,
        help_text="A part of a name; `path:tag`; what is pulled; or a digest's beginning.",
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=MOST, default=PAGE_LIMIT, help_text="Rows of each kind."
    )


class Search(Resource):
    @extend_schema(
        operation_id="search_everything",
        tags=["search"],
        summary="Search",
        parameters=[SearchQuery],
        responses=FoundRow,
        examples=[shows("A tag", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """Everything called so that the caller may know of, in all registries; an empty text finds
        nothing. Tags and manifests are found where he has `content read`."""
        query = SearchQuery.read(request)
        found = search(self.caller.somebody, query["q"], limit=query["limit"])
        return Response(FoundRow(found).data)

"""`/digests/<digest>`: where something is, in all registries together."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.api.bodies import FilterField, Row
from dashboard.api.catalog import history
from dashboard.api.catalog.history import TagMoveRow
from dashboard.api.catalog.images import KINDS
from dashboard.api.etags import answer_one
from dashboard.api.examples import DIGEST, lists, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, turn_page
from dashboard.api.resources import Resource
from dashboard.browse.places import (
    CHILDREN_SHOWN,
    PLACES_SHOWN,
    TAGS_SHOWN,
    Whereabouts,
    narrowed,
    placed,
)
from dashboard.pagination import replaced
from dashboard.views.digests import LISTS

_PLACE = {
    "registry": "prod",
    "repository": "shop/app",
    "digest": DIGEST,
    "kind": "image",
    "first_seen_at": "2026-11-26T08:02:00Z",
    "missing_since": None,
    "tags": ["1.4.2", "latest"],
    "tag_count": 2,
    "level": 1,
}
_EXAMPLE = {
    "digest": DIGEST,
    "media_type": "application/vnd.oci.image.manifest.v1+json",
    "kind": "image",
    "size": 30600155,
    "registries": [{"registry": "prod", "repositories": 1, "places": [_PLACE]}],
    "parts": [],
}
# Those lists of LISTS that are of places.
_OF_PLACES = ("held", "gone", "indexes", "referrers")


class PlaceRow(Row):
    """A manifest in a repository."""

    registry = serializers.CharField(source="artifact.repository.registry.name")
    repository = serializers.CharField(source="artifact.repository.path")
    digest = serializers.CharField(source="artifact.manifest.digest")
    kind = serializers.ChoiceField(source="artifact.manifest.kind", choices=KINDS)
    first_seen_at = serializers.DateTimeField(source="artifact.first_seen_at")
    missing_since = serializers.DateTimeField(source="artifact.missing_since", allow_null=True)
    tags = serializers.ListField(
        child=serializers.CharField(), help_text=f"The newest {TAGS_SHOWN}."
    )
    tag_count = serializers.IntegerField()
    level = serializers.IntegerField(
        help_text="Of an index: 1 if it holds the digest, 2 if it holds an index that does."
    )


class InRegistryRow(Row):
    """The places in one registry."""

    registry = serializers.CharField(source="registry.name")
    repositories = serializers.IntegerField(source="count")
    places = PlaceRow(many=True, help_text=f"The first {PLACES_SHOWN}.")


class IndexPartRow(Row):
    """An entry of an index."""

    digest = serializers.CharField(source="child.digest")
    platform = serializers.CharField(source="child.platform")
    is_held = serializers.BooleanField(
        help_text="Whether the caller can look at it somewhere, too."
    )


class WhereaboutsRow(Row):
    """A digest, and where it is now."""

    digest = serializers.CharField(source="manifest.digest")
    media_type = serializers.CharField(source="manifest.media_type")
    kind = serializers.ChoiceField(source="manifest.kind", choices=KINDS)
    size = serializers.IntegerField(source="manifest.total_size", help_text="Compressed bytes.")
    registries = InRegistryRow(source="by_registry", many=True)
    parts = IndexPartRow(many=True, help_text=f"Of an index: the first {CHILDREN_SHOWN} entries.")


class PlacedTagRow(Row):
    """A tag somewhere."""

    registry = serializers.CharField(source="repository.registry.name")
    repository = serializers.CharField(source="repository.path")
    name = serializers.CharField()
    dated_at = serializers.DateTimeField()


class PlacedMoveRow(TagMoveRow):
    """A move of a tag somewhere."""

    registry = serializers.CharField(source="repository.registry.name")
    repository = serializers.CharField(source="repository.path")


class _NarrowedQuery(PageQuery):
    registry = FilterField(help_text="Only in this registry.")
    repository = FilterField(help_text="Only in repositories of this path.")


class PlaceQuery(_NarrowedQuery):
    list = serializers.ChoiceField(
        choices=_OF_PLACES,
        default="held",
        help_text="`held` is where it is, `gone` where it was, `indexes` where the indexes are that"
        " hold it, `referrers` where its signatures, SBOMs and attestations are.",
    )


class PlacedTagQuery(_NarrowedQuery):
    pass


class OneDigest(Resource):
    @extend_schema(
        operation_id="show_digest",
        tags=["digests"],
        summary="Show where a digest is",
        responses=WhereaboutsRow,
        examples=[shows("An image", _EXAMPLE)],
    )
    def get(self, request: Request, digest: str) -> Response:
        """Every registry and repository that holds it, of those where the caller has
        `content read`; `404` where none does, or did."""
        where = Whereabouts(self.caller.somebody, digest)
        return answer_one(request, WhereaboutsRow(where).data)


class DigestPlaces(Resource):
    @extend_schema(
        operation_id="list_digest_places",
        tags=["digests"],
        summary="List the places of a digest",
        parameters=[PlaceQuery],
        responses=page_of(PlaceRow),
        examples=[lists("A place", _PLACE)],
    )
    def get(self, request: Request, digest: str) -> Response:
        """By path. Those where the caller has `content read`."""
        where = Whereabouts(self.caller.somebody, digest)
        query = PlaceQuery.read(request)
        page = _page(request, where, query["list"], query)
        places = placed(page.rows, where.levels)
        return answer_page(request, replaced(page, places), query, PlaceRow)


class DigestTags(Resource):
    @extend_schema(
        operation_id="list_digest_tags",
        tags=["digests"],
        summary="List the tags that point at a digest",
        parameters=[PlacedTagQuery],
        responses=page_of(PlacedTagRow),
        examples=[
            lists(
                "A tag",
                {
                    "registry": "prod",
                    "repository": "shop/app",
                    "name": "1.4.2",
                    "dated_at": "2026-11-26T08:01:12Z",
                },
            )
        ],
    )
    def get(self, request: Request, digest: str) -> Response:
        """By name. Those where the caller has `content read`."""
        where = Whereabouts(self.caller.somebody, digest)
        query = PlacedTagQuery.read(request)
        page = _page(request, where, "tags", query)
        return answer_page(request, page, query, PlacedTagRow)


class DigestLeft(Resource):
    @extend_schema(
        operation_id="list_digest_left_tags",
        tags=["digests"],
        summary="List the tags that left a digest",
        parameters=[PlacedTagQuery],
        responses=page_of(PlacedMoveRow),
        examples=[
            lists("A move", {"registry": "prod", "repository": "shop/app", **history.EXAMPLE})
        ],
    )
    def get(self, request: Request, digest: str) -> Response:
        """Tags that pointed at it before and moved on, or went; the newest first. Those where the
        caller has `content read`."""
        where = Whereabouts(self.caller.somebody, digest)
        query = PlacedTagQuery.read(request)
        page = _page(request, where, "left", query)
        return answer_page(request, page, query, PlacedMoveRow)


def _page(request: Request, where: Whereabouts, which: str, query: PageQuery) -> Any:
    """A page of one of a digest's lists, in the order in which the screen has it."""
    columns, _title = LISTS[which]
    rows = narrowed(getattr(where, which), query["registry"] or "", query["repository"] or "")
    return turn_page(request, rows, query, columns)

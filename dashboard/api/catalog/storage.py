"""`/storage` and `/registries/<registry>/storage`: what takes how much room, from stored counters."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.shortcuts import get_registry_or_404
from access.sight import eyes_of, visible_in
from dashboard.api.bodies import FilterField, Query, Row
from dashboard.api.catalog import namespaces
from dashboard.api.catalog.namespaces import NamespaceRow
from dashboard.api.etags import answer_one
from dashboard.api.examples import shows
from dashboard.api.resources import Resource
from dashboard.browse.tree import Tree
from dashboard.totals import Held, held_in, totals_of

USUAL_LIMIT = 10
LARGEST_LIMIT = 100
_BYTES = "Compressed. Of whole registries each blob counts once, of parts (`is_part`) each image in full."


class StorageTotalsRow(Row):
    """What the caller sees of all registries together; a blob that two hold counts in both."""

    registries = serializers.IntegerField()
    repositories = serializers.IntegerField(source="held.repositories")
    tags = serializers.IntegerField(source="held.tags")
    bytes = serializers.IntegerField(source="held.bytes", help_text=_BYTES)
    is_part = serializers.BooleanField(source="held.is_part")


class LargeRepositoryRow(Row):
    """A repository by its size."""

    path = serializers.CharField()
    tags = serializers.IntegerField(source="tag_count")
    bytes = serializers.IntegerField(
        source="unique_bytes", help_text="Compressed, every blob counted once."
    )
    logical_bytes = serializers.IntegerField(help_text="Compressed, every image in full.")


class StorageRow(Row):
    """What takes how much room in a registry, or below a namespace of it."""

    namespace = serializers.CharField(help_text="Empty for all of the registry.")
    repositories = serializers.IntegerField(source="held.repositories")
    tags = serializers.IntegerField(source="held.tags")
    bytes = serializers.IntegerField(source="held.bytes", help_text=_BYTES)
    is_part = serializers.BooleanField(source="held.is_part")
    namespaces = NamespaceRow(many=True, help_text="Directly below, the largest first.")
    largest = LargeRepositoryRow(many=True, help_text="Repositories at any depth, largest first.")


class StorageQuery(Query):
    namespace = FilterField(help_text="Only what lies below this namespace.")
    limit = serializers.IntegerField(
        min_value=1,
        max_value=LARGEST_LIMIT,
        default=USUAL_LIMIT,
        help_text="How many namespaces and repositories are named.",
    )


class Storage(Resource):
    @extend_schema(
        operation_id="show_storage",
        tags=["storage"],
        summary="Show what all registries hold",
        responses=StorageTotalsRow,
        examples=[
            shows(
                "Three registries",
                {
                    "registries": 3,
                    "repositories": 4018,
                    "tags": 201310,
                    "bytes": 18812309120034,
                    "is_part": False,
                },
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """The sums over what the caller sees. `/registries` has them one by one."""
        return answer_one(request, StorageTotalsRow(totals_of(self.caller.somebody)).data)


class RegistryStorage(Resource):
    @extend_schema(
        operation_id="show_registry_storage",
        tags=["storage"],
        summary="Show what takes room in a registry",
        parameters=[StorageQuery],
        responses=StorageRow,
        examples=[
            shows(
                "By team",
                {
                    "namespace": "",
                    "repositories": 1204,
                    "tags": 88310,
                    "bytes": 5812309120034,
                    "is_part": False,
                    "namespaces": [namespaces.EXAMPLE],
                    "largest": [
                        {
                            "path": "shop/models",
                            "tags": 118,
                            "bytes": 402880311204,
                            "logical_bytes": 812880311204,
                        }
                    ],
                },
            )
        ],
    )
    def get(self, request: Request, registry: str) -> Response:
        """The sums over what the caller sees, the largest namespaces and the largest repositories."""
        somebody = self.caller.somebody
        found = get_registry_or_404(somebody, registry)
        query = StorageQuery.read(request)
        namespace, limit = query["namespace"] or "", query["limit"]
        tree = Tree(found, eyes_of(somebody).on(found))
        held = _below(tree, namespace) if namespace else held_in([found], somebody)[found.pk]
        rows = visible_in(somebody, found).present().under(namespace).as_rows()
        shown: dict[str, Any] = {
            "namespace": namespace,
            "held": held,
            "namespaces": tree.largest_below(namespace, limit),
            "largest": rows.order_by("-unique_bytes", "-pk")[:limit],
        }
        return answer_one(request, StorageRow(shown).data)


def _below(tree: Tree, namespace: str) -> Held:
    place = tree.place(namespace)
    if place is None:
        raise Http404(_("There is no such namespace."))
    return Held(place.repository_count, place.tag_count, place.logical_bytes, is_part=True)

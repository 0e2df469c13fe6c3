"""`/registries/<registry>/namespaces`: the tree of a registry, a level at a time."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.shortcuts import get_registry_or_404
from access.sight import eyes_of
from dashboard.api.bodies import FilterField, Query, Row
from dashboard.api.examples import lists
from dashboard.api.pages import LARGEST_SIZE, USUAL_SIZE, answer_page, page_of
from dashboard.api.resources import Resource
from dashboard.browse.tree import Tree
from dashboard.pagination import Page

EXAMPLE = {
    "path": "shop",
    "name": "shop",
    "repositories": 118,
    "tags": 20113,
    "bytes": 912880311204,
    "has_children": True,
}


class NamespaceRow(Row):
    """A prefix of paths, with what the caller sees below it."""

    path = serializers.CharField()
    name = serializers.CharField(help_text="The last part of its path.")
    repositories = serializers.IntegerField(source="repository_count", help_text="At any depth.")
    tags = serializers.IntegerField(source="tag_count")
    bytes = serializers.IntegerField(
        source="logical_bytes", help_text="Compressed, every image in full."
    )
    has_children = serializers.BooleanField(help_text="Whether there are namespaces below it.")


class NamespaceQuery(Query):
    parent = FilterField(  # type: ignore[assignment]  # here it is a field's name
        help_text="The namespace to look below; left out, the top."
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=LARGEST_SIZE, default=USUAL_SIZE, help_text="Rows on a page."
    )
    after = FilterField(help_text="`next` of the page before: the path of its last row.")


class Namespaces(Resource):
    @extend_schema(
        operation_id="list_namespaces",
        tags=["repositories"],
        summary="List a level of a registry's namespaces",
        parameters=[NamespaceQuery],
        responses=page_of(NamespaceRow),
        examples=[lists("The top", EXAMPLE)],
    )
    def get(self, request: Request, registry: str) -> Response:
        """Those directly below a namespace, by path, with the counts of what the caller sees in
        them. These pages lead forward only."""
        found = get_registry_or_404(self.caller.somebody, registry)
        query = NamespaceQuery.read(request)
        tree = Tree(found, eyes_of(self.caller.somebody).on(found), query["limit"])
        level = tree.level_below(query["parent"] or "", after=query["after"] or "")
        rows = [node.namespace for node in level.nodes]
        onward = ""
        if level.more_after:
            way = request.query_params.copy()
            way["after"] = level.more_after
            onward = way.urlencode()
        return answer_page(request, Page(rows, "", onward), query, NamespaceRow)

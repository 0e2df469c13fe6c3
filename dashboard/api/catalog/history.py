"""`…/-/tags/<tag>/history` and `…/-/activity`: how tags moved, newest first."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.shortcuts import get_repository_or_404
from dashboard.api.bodies import Row
from dashboard.api.examples import DIGEST, OLD_DIGEST, lists
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.browse.moves import COLUMNS, history_or_404
from registries.models import TagMove

EXAMPLE = {
    "tag": "latest",
    "old_digest": OLD_DIGEST,
    "new_digest": DIGEST,
    "at": "2026-11-26T08:02:00Z",
    "source": "sync",
    "actor": "Portolan",
}
_PAGE_EXAMPLE = lists("A move", EXAMPLE)
SOURCES = [value.value for value in TagMove.Source]


class TagMoveRow(Row):
    """One change of a tag."""

    tag = serializers.CharField()
    old_digest = serializers.SerializerMethodField(help_text="Null for a tag that came.")
    new_digest = serializers.SerializerMethodField(help_text="Null for a tag that went.")
    at = serializers.DateTimeField()
    source = serializers.ChoiceField(  # type: ignore[assignment]  # here it is a field's name
        choices=SOURCES, help_text="How Portolan learned it."
    )
    actor = serializers.CharField(source="actor_label", help_text="Who did it, as far as known.")

    def get_old_digest(self, move: TagMove) -> str | None:
        return move.old_digest or None

    def get_new_digest(self, move: TagMove) -> str | None:
        return move.new_digest or None


class MoveQuery(PageQuery):
    sort = sorts(COLUMNS)


class TagHistory(Resource):
    @extend_schema(
        operation_id="list_tag_history",
        tags=["tags"],
        summary="List what a tag pointed at",
        parameters=[MoveQuery],
        responses=page_of(TagMoveRow),
        examples=[_PAGE_EXAMPLE],
    )
    def get(self, request: Request, registry: str, repository: str, tag: str) -> Response:
        """Every digest that a tag has had, as far as Portolan saw; also of one that is gone. Needs
        `content read`."""
        found = get_repository_or_404(self.caller.somebody, registry, repository)
        _current, moves = history_or_404(found, tag)
        query = MoveQuery.read(request)
        page = turn_page(request, moves, query, COLUMNS)
        return answer_page(request, page, query, TagMoveRow)


class Activity(Resource):
    @extend_schema(
        operation_id="list_activity",
        tags=["tags"],
        summary="List what happened to a repository's tags",
        parameters=[MoveQuery],
        responses=page_of(TagMoveRow),
        examples=[_PAGE_EXAMPLE],
    )
    def get(self, request: Request, registry: str, repository: str) -> Response:
        """Tags that came, moved and went. Needs `content read`."""
        found = get_repository_or_404(self.caller.somebody, registry, repository)
        query = MoveQuery.read(request)
        page = turn_page(request, found.tag_moves.all(), query, COLUMNS)
        return answer_page(request, page, query, TagMoveRow)

"""How two places compare, tag by tag: of a mirror, or of two that are named in the address."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.api.bodies import FilterField, Row
from dashboard.api.etags import answer_one
from dashboard.api.examples import shows
from dashboard.api.fields import ScopeField
from dashboard.api.pages import PageQuery, answer_page
from dashboard.api.problems import Code, InvalidParameter
from dashboard.api.resources import Resource
from dashboard.browse.boards import pages_of, read_cursor, rows_of
from dashboard.browse.mirroring import (
    GLANCE,
    Pair,
    compared,
    get_mirror_or_404,
    pair_of,
    require_looking,
)
from dashboard.callers import Caller
from dashboard.pagination import InvalidCursor, Page
from registries.mirroring.board import Asked, Board, State
from registries.mirroring.mirrors import TAGS_LIMIT

_STATES = [state.value for state in State]
_COUNTS = dict.fromkeys(_STATES, 0) | {"same": 118, "behind": 2, "missing": 1}
_TAG_EXAMPLE = {
    "repository": "nginx",
    "source_path": "library/nginx",
    "target_path": "mirror/hub/nginx",
    "tag": "1.27",
    "state": "behind",
    "since": "2026-11-26T06:10:00Z",
    "source_digest": "sha256:1d0b5c0f7a4b9c6f4c31c9a1d1dd9f4d3a2f8f3f6e0c5b7a8d9e0f1a2b3c4d5e",
    "target_digest": "sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
}
_REPOSITORY_EXAMPLE = {
    "repository": "nginx",
    "source_path": "library/nginx",
    "target_path": "mirror/hub/nginx",
    "in_source": True,
    "in_target": True,
    "is_read": True,
    "counts": _COUNTS,
}


class StateCountsRow(Row):
    """Tags by how they stand in the target."""

    missing = serializers.IntegerField(help_text="Not in the target.")
    behind = serializers.IntegerField(help_text="The target still has what the source had before.")
    platform = serializers.IntegerField(help_text="The target has one platform of it only.")
    different = serializers.IntegerField(help_text="Neither had the other's before.")
    ahead = serializers.IntegerField(help_text="The source still has what the target had before.")
    extra = serializers.IntegerField(help_text="Only in the target.")
    same = serializers.IntegerField()


class _PlaceRow(Row):
    """A pair of repositories."""

    repository = serializers.CharField(
        source="row.rest", help_text="What both paths share; empty for two exact ones."
    )
    source_path = serializers.CharField()
    target_path = serializers.CharField()


class MirroredTagRow(_PlaceRow):
    """A tag of a pair of repositories; a digest is empty where that side has no such tag."""

    tag = serializers.CharField(source="row.name")
    state = serializers.ChoiceField(source="row.state", choices=_STATES)
    since = serializers.DateTimeField(
        source="row.since", allow_null=True, help_text="Null where nobody saw that."
    )
    source_digest = serializers.CharField(source="row.source_digest")
    target_digest = serializers.CharField(source="row.target_digest")


class MirroredRepositoryRow(_PlaceRow):
    """A pair of repositories with its tags by state; either side may have none."""

    in_source = serializers.BooleanField(source="row.in_source")
    in_target = serializers.BooleanField(source="row.in_target")
    is_read = serializers.BooleanField(
        source="row.is_read", help_text="Whether the tags of both were read completely once."
    )
    counts = StateCountsRow(source="row.counts")


class _BoardPage(serializers.Serializer[Any]):
    next = serializers.CharField(
        allow_null=True, help_text="Cursor for `after`; null on the last page of this part."
    )
    previous = serializers.CharField(allow_null=True, help_text="Cursor for `before`.")
    counts = StateCountsRow(help_text="Of all tags of this part.")
    repositories = serializers.IntegerField(help_text="Pairs of repositories in this part.")
    next_part = serializers.CharField(
        allow_null=True,
        help_text="For `part`: a large board is compared in parts; null on the last.",
    )


class MirroredTagPage(_BoardPage):
    items = MirroredTagRow(many=True)


class MirroredRepositoryPage(_BoardPage):
    items = MirroredRepositoryRow(many=True)


class MirrorHealthRow(Row):
    """How a mirror stands as a whole, or as far as it was looked at."""

    counts = StateCountsRow()
    total = serializers.IntegerField(help_text="Tags compared.")
    lacking = serializers.IntegerField(
        help_text="Tags of the source that the target does not have as they are."
    )
    repositories = serializers.IntegerField()
    is_whole = serializers.BooleanField(help_text="False where only its beginning was looked at.")


class BoardQuery(PageQuery):
    state = serializers.ChoiceField(required=False, choices=_STATES)
    part = FilterField(help_text="`next_part` of the part before.")


class TagBoardQuery(BoardQuery):
    repository = FilterField(help_text="Only this repository, by what both paths share.")
    referrers = serializers.BooleanField(
        default=False, help_text="Also tags that stand for signatures and the like."
    )


class _Places(PageQuery):
    source = ScopeField(help_text="Such as `hub/library/*`.")  # type: ignore[assignment]  # a name
    target = ScopeField(help_text="Such as `harbour/mirror/hub/*`.")
    tags = serializers.CharField(
        required=False, allow_blank=True, max_length=TAGS_LIMIT, help_text="Such as `v1.*`."
    )


class ComparisonQuery(_Places, TagBoardQuery):
    pass


class RepositoryComparisonQuery(_Places, BoardQuery):
    pass


_TAGS_SHOWN = shows(
    "One is behind",
    {
        "items": [_TAG_EXAMPLE],
        "next": None,
        "previous": None,
        "counts": _COUNTS,
        "repositories": 1,
        "next_part": None,
    },
)
_REPOSITORIES_SHOWN = shows(
    "One of them",
    {
        "items": [_REPOSITORY_EXAMPLE],
        "next": None,
        "previous": None,
        "counts": _COUNTS,
        "repositories": 1,
        "next_part": None,
    },
)


class Health(Resource):
    @extend_schema(
        operation_id="show_mirror_health",
        tags=["mirrors"],
        summary="Show how a mirror stands",
        responses=MirrorHealthRow,
        examples=[
            shows(
                "Three are lacking",
                {
                    "counts": _COUNTS,
                    "total": 121,
                    "lacking": 3,
                    "repositories": 4,
                    "is_whole": True,
                },
            )
        ],
    )
    def get(self, request: Request, mirror: int) -> Response:
        """Its tags by state, as the last syncs of both registries saw them; of a large mirror, of
        its beginning. Needs `content read` somewhere at both ends, and counts what is seen."""
        pair = _kept(self.caller, mirror)
        asked = Asked(tags=pair.tags, limit=GLANCE, size=0)
        board = pair.board(self.caller.somebody, asked)
        shown = {
            "counts": board.counts,
            "total": board.total,
            "lacking": board.lacking,
            "repositories": board.repositories,
            "is_whole": board.next_part is None,
        }
        return answer_one(request, MirrorHealthRow(shown).data)


class MirroredTags(Resource):
    @extend_schema(
        operation_id="list_mirrored_tags",
        tags=["mirrors"],
        summary="List a mirror's tags",
        parameters=[TagBoardQuery],
        responses=MirroredTagPage,
        examples=[_TAGS_SHOWN],
    )
    def get(self, request: Request, mirror: int) -> Response:
        """Tag by tag, by repository and name. Needs `content read` somewhere at both ends."""
        pair = _kept(self.caller, mirror)
        query = TagBoardQuery.read(request)
        return _answer(request, self.caller, pair, query, MirroredTagRow)


class MirroredRepositories(Resource):
    @extend_schema(
        operation_id="list_mirrored_repositories",
        tags=["mirrors"],
        summary="List a mirror's repositories",
        parameters=[BoardQuery],
        responses=MirroredRepositoryPage,
        examples=[_REPOSITORIES_SHOWN],
    )
    def get(self, request: Request, mirror: int) -> Response:
        """Each with its tags by state. Needs `content read` somewhere at both ends."""
        pair = _kept(self.caller, mirror)
        query = BoardQuery.read(request)
        return _answer(request, self.caller, pair, query, MirroredRepositoryRow)


class ComparedTags(Resource):
    @extend_schema(
        operation_id="compare_tags",
        tags=["mirrors"],
        summary="Compare two places tag by tag",
        parameters=[ComparisonQuery],
        responses=MirroredTagPage,
        examples=[_TAGS_SHOWN],
    )
    def get(self, request: Request) -> Response:
        """As of a mirror, and nothing is kept. Needs `content read` somewhere at both ends."""
        query = ComparisonQuery.read(request)
        return _answer(request, self.caller, _named(self.caller, query), query, MirroredTagRow)


class ComparedRepositories(Resource):
    @extend_schema(
        operation_id="compare_repositories",
        tags=["mirrors"],
        summary="Compare two places by repository",
        parameters=[RepositoryComparisonQuery],
        responses=MirroredRepositoryPage,
        examples=[_REPOSITORIES_SHOWN],
    )
    def get(self, request: Request) -> Response:
        """As of a mirror, and nothing is kept. Needs `content read` somewhere at both ends."""
        query = RepositoryComparisonQuery.read(request)
        pair = _named(self.caller, query)
        return _answer(request, self.caller, pair, query, MirroredRepositoryRow)


def _kept(caller: Caller, mirror: int) -> Pair:
    pair = Pair.of(get_mirror_or_404(caller.somebody, mirror))
    require_looking(caller.somebody, pair)
    return pair


def _named(caller: Caller, query: _Places) -> Pair:
    """The pair that the address names; raises InvalidParameter for what cannot be compared."""
    try:
        pair = pair_of(caller.somebody, query["source"], query["target"], query["tags"] or "")
        return compared(caller.somebody, pair)
    except ValidationError as error:
        name, sentences = next(iter(error.message_dict.items()))
        raise InvalidParameter(name, sentences[0]) from None


def _answer(
    request: Request, caller: Caller, pair: Pair, query: PageQuery, row: type[Row]
) -> Response:
    """A page of the board, by tag or by repository as its rows are, and the sums of its part."""
    asked = _asked(request, pair, query)
    asked = replace(asked, by_repository=issubclass(row, MirroredRepositoryRow))
    board: Board = pair.board(caller.somebody, asked)
    rows = rows_of(board, asked, pair)
    ways = pages_of(request.query_params, asked, board, rows)
    answer = answer_page(request, Page(rows, ways.previous, ways.next), query, row)
    answer.data |= {
        "counts": StateCountsRow(board.counts).data,
        "repositories": board.repositories,
        "next_part": board.next_part,
    }
    return answer


def _asked(request: Request, pair: Pair, query: PageQuery) -> Asked:
    if query["after"] and query["before"]:
        raise InvalidParameter("before", _("Give “after” or “before”, not both."))
    try:
        cursor, backwards = read_cursor(request.query_params)
    except InvalidCursor:
        name = "after" if query["after"] else "before"
        sentence = _("This cursor is damaged, or of another list or order: begin without one.")
        raise InvalidParameter(name, sentence, Code.INVALID_CURSOR) from None
    return Asked(
        tags=pair.tags,
        state=query["state"] or "",
        only=query["repository"],
        with_referrers=bool(query["referrers"]),
        begin=query["part"] or "",
        cursor=cursor,
        backwards=backwards,
        size=query["limit"],
    )

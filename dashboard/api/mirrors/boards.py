"""How two places compare, tag by tag: of a mirror, or of two that are named in the address."""

from __future__ import annotations

from dataclasses import replace

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.api.bodies import FilterField, Row
from dashboard.api.etags import answer_one
from dashboard.api.examples import shows
from dashboard.api.fields import ScopeField
from dashboard.api.mirrors.rows import (
    COUNTS,
    REPOSITORIES_SHOWN,
    STATES,
    TAGS_SHOWN,
    MirroredRepositoryPage,
    MirroredRepositoryRow,
    MirroredTagPage,
    MirroredTagRow,
    MirrorHealthRow,
    StateCountsRow,
)
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
from registries.mirroring.board import Asked, Board
from registries.mirroring.mirrors import TAGS_LIMIT

_ABOUT_NAMED = "As of a mirror, and nothing is kept. Needs `content read` somewhere at both ends."


class BoardQuery(PageQuery):
    state = serializers.ChoiceField(required=False, choices=STATES)
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
                    "counts": COUNTS,
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


class _KeptBoard(Resource):
    """The board of a mirror; what it is asked by and its rows are its subclasses'."""

    query: type[BoardQuery]
    row: type[Row]

    def get(self, request: Request, mirror: int) -> Response:
        pair = _kept(self.caller, mirror)
        return _answer(request, self.caller, pair, self.query.read(request), self.row)


class _NamedBoard(Resource):
    """The same of two places that the address names."""

    query: type[_Places]
    row: type[Row]

    def get(self, request: Request) -> Response:
        query = self.query.read(request)
        return _answer(request, self.caller, _named(self.caller, query), query, self.row)


@extend_schema_view(
    get=extend_schema(
        operation_id="list_mirrored_tags",
        tags=["mirrors"],
        summary="List a mirror's tags",
        description="Tag by tag, by repository and name. Needs `content read` somewhere at both ends.",
        parameters=[TagBoardQuery],
        responses=MirroredTagPage,
        examples=[TAGS_SHOWN],
    )
)
class MirroredTags(_KeptBoard):
    query, row = TagBoardQuery, MirroredTagRow


@extend_schema_view(
    get=extend_schema(
        operation_id="list_mirrored_repositories",
        tags=["mirrors"],
        summary="List a mirror's repositories",
        description="Each with its tags by state. Needs `content read` somewhere at both ends.",
        parameters=[BoardQuery],
        responses=MirroredRepositoryPage,
        examples=[REPOSITORIES_SHOWN],
    )
)
class MirroredRepositories(_KeptBoard):
    query, row = BoardQuery, MirroredRepositoryRow


@extend_schema_view(
    get=extend_schema(
        operation_id="compare_tags",
        tags=["mirrors"],
        summary="Compare two places tag by tag",
        description=_ABOUT_NAMED,
        parameters=[ComparisonQuery],
        responses=MirroredTagPage,
        examples=[TAGS_SHOWN],
    )
)
class ComparedTags(_NamedBoard):
    query, row = ComparisonQuery, MirroredTagRow


@extend_schema_view(
    get=extend_schema(
        operation_id="compare_repositories",
        tags=["mirrors"],
        summary="Compare two places by repository",
        description=_ABOUT_NAMED,
        parameters=[RepositoryComparisonQuery],
        responses=MirroredRepositoryPage,
        examples=[REPOSITORIES_SHOWN],
    )
)
class ComparedRepositories(_NamedBoard):
    query, row = RepositoryComparisonQuery, MirroredRepositoryRow


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

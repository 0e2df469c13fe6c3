"""`/access-reviews`: every grant of a scope looked at by a date, and confirmed or removed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import reviews as actions
from access.models import AccessReview, ReviewItem
from access.reviews import Decision, Tally, scope_of, tallies, tally_of
from dashboard.api.bodies import Body, Row
from dashboard.api.etags import answer_one
from dashboard.api.examples import lists, sends, shows
from dashboard.api.fields import ScopeField
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.callers import Caller, require_manager
from dashboard.pagination import replaced
from dashboard.views.access.grants import CHOSEN_LIMIT
from dashboard.views.access.reviews import COLUMNS, ITEM_COLUMNS, review_or_404
from registries.transactions import together

TAG = "access reviews"
UNDECIDED = "undecided"
DECISIONS = [UNDECIDED, *(value.value for value in Decision)]
_EXAMPLE = {
    "id": 4,
    "scope": "prod",
    "opened_at": "2026-11-26T08:15:00Z",
    "opened_by": "anna",
    "due": "2026-12-10",
    "is_late": False,
    "closed_at": None,
    "confirmed": 31,
    "removed": 4,
    "gone": 1,
    "undecided": 12,
}
_ITEM = {
    "id": 311,
    "principal": "team:shop",
    "role": "pusher",
    "scope": "prod/shop/*",
    "grant": 17,
    "decision": "confirmed",
    "decided_at": "2026-11-26T09:02:00Z",
    "decided_by": "anna",
}


class ReviewRow(Row):
    """A review, and how far it is."""

    id = serializers.IntegerField(source="review.pk")
    scope = serializers.CharField()
    opened_at = serializers.DateTimeField(source="review.opened_at")
    opened_by = serializers.CharField(source="review.opened_by")
    due = serializers.DateField(source="review.due")
    is_late = serializers.BooleanField(help_text="Whether it is open after its day.")
    closed_at = serializers.DateTimeField(source="review.closed_at", allow_null=True)
    confirmed = serializers.IntegerField(source="tally.confirmed")
    removed = serializers.IntegerField(source="tally.removed")
    gone = serializers.IntegerField(
        source="tally.gone", help_text="Grants that somebody took away meanwhile."
    )
    undecided = serializers.IntegerField(source="tally.undecided")


class ReviewItemRow(Row):
    """One grant, as it was when the review began, and what was decided of it."""

    id = serializers.IntegerField()
    principal = serializers.CharField()
    role = serializers.CharField()
    scope = serializers.CharField()
    grant = serializers.IntegerField(
        source="grant_id", allow_null=True, help_text="The grant's id, while it is there."
    )
    decision = serializers.SerializerMethodField()
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.CharField()

    @extend_schema_field(serializers.ChoiceField(choices=DECISIONS))
    def get_decision(self, item: ReviewItem) -> str:
        return item.decision or UNDECIDED


class DecidedRow(Row):
    """What became of several at once."""

    items = ReviewItemRow(many=True)


class ReviewQuery(PageQuery):
    sort = sorts(COLUMNS)
    state = serializers.ChoiceField(required=False, choices=["open", "closed"])


class ReviewItemQuery(PageQuery):
    sort = sorts(ITEM_COLUMNS)
    decision = serializers.ChoiceField(required=False, choices=DECISIONS)


class ReviewBody(Body):
    scope = ScopeField(help_text="Every grant that lies in it will be looked at.")
    due = serializers.DateField(help_text="The day by which it is to be done.")


class ReviewDecisionBody(Body):
    items = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=10**18 - 1),
        allow_empty=False,
        max_length=CHOSEN_LIMIT,
        help_text="Ids of the review's items.",
    )
    decision = serializers.ChoiceField(choices=[Decision.CONFIRMED.value, Decision.REMOVED.value])


class Reviews(Resource):
    @extend_schema(
        operation_id="list_access_reviews",
        tags=[TAG],
        summary="List access reviews",
        parameters=[ReviewQuery],
        responses=page_of(ReviewRow),
        examples=[lists("One review", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """Those of scopes where the caller has `access manage`."""
        caller = self.caller
        require_manager(caller)
        query = ReviewQuery.read(request)
        found = AccessReview.objects.select_related("registry").filter(caller.managed)
        if query["state"]:
            found = found.filter(closed_at__isnull=query["state"] == "open")
        page = turn_page(request, found, query, COLUMNS)
        counted = tallies(page.rows)
        rows = [_about(one, counted.get(one.pk, Tally(0, 0, 0, 0))) for one in page.rows]
        return answer_page(request, replaced(page, rows), query, ReviewRow)

    @extend_schema(
        operation_id="open_access_review",
        tags=[TAG],
        summary="Open an access review",
        request=ReviewBody,
        responses={201: ReviewRow},
        examples=[
            shows("Open", _EXAMPLE),
            sends("A registry, within two weeks", {"scope": "prod", "due": "2026-12-10"}),
        ],
    )
    def post(self, request: Request) -> Response:
        """All grants that lie in the scope now, to be looked at one by one. Needs `access manage`
        on the scope."""
        caller = self.caller
        require_manager(caller)
        made = actions.open_review(
            **ReviewBody.read(request), rights=caller.rights, actor=caller.actor
        )
        return Response(
            _shown(made),
            status=HTTPStatus.CREATED,
            headers={"Location": f"{request.path}/{made.pk}"},
        )


class OneReview(Resource):
    @extend_schema(
        operation_id="show_access_review",
        tags=[TAG],
        summary="Show an access review",
        responses=ReviewRow,
        examples=[shows("A review", _EXAMPLE)],
    )
    def get(self, request: Request, number: int) -> Response:
        """One review. Needs `access manage` where it lies."""
        return answer_one(request, _shown(_managed(self.caller, number)))


class ReviewItems(Resource):
    @extend_schema(
        operation_id="list_review_items",
        tags=[TAG],
        summary="List the grants of an access review",
        parameters=[ReviewItemQuery],
        responses=page_of(ReviewItemRow),
        examples=[lists("One grant", _ITEM)],
    )
    def get(self, request: Request, number: int) -> Response:
        """The grants, as they were when it began. Needs `access manage` where the review lies."""
        review = _managed(self.caller, number)
        query = ReviewItemQuery.read(request)
        items = review.items.all()
        if wanted := query["decision"]:
            items = items.filter(decision="" if wanted == UNDECIDED else wanted)
        page = turn_page(request, items, query, ITEM_COLUMNS)
        return answer_page(request, page, query, ReviewItemRow)


class ReviewDecisions(Resource):
    @extend_schema(
        operation_id="decide_review_items",
        tags=[TAG],
        summary="Confirm or remove grants in an access review",
        request=ReviewDecisionBody,
        responses=DecidedRow,
        examples=[
            sends("One stays", {"items": [311], "decision": "confirmed"}),
            shows("Decided", {"items": [_ITEM]}),
        ],
    )
    def post(self, request: Request, number: int) -> Response:
        """All of these, or none; removing revokes the grants, with all that this needs. What is
        removed or gone already stays so, and is not in the answer. `404` if one is not the
        review's."""
        caller = self.caller
        review = _managed(caller, number)
        wanted = ReviewDecisionBody.read(request)
        asked = set(wanted["items"])
        with together():
            if review.items.filter(pk__in=asked).count() != len(asked):
                raise Http404(_("Some of these are no grants of this review."))
            decided = actions.decide(
                review.pk,
                sorted(asked),
                Decision(wanted["decision"]),
                rights=caller.rights,
                actor=caller.actor,
            )
        return Response(DecidedRow({"items": _again(decided)}).data)


class CloseReview(Resource):
    @extend_schema(
        operation_id="close_access_review",
        tags=[TAG],
        summary="Close an access review",
        request=None,
        responses=ReviewRow,
        examples=[
            shows(
                "Closed",
                _EXAMPLE | {"closed_at": "2026-12-09T16:40:00Z", "confirmed": 43, "undecided": 0},
            )
        ],
    )
    def post(self, request: Request, number: int) -> Response:  # noqa: ARG002  see Resource
        """Its result is kept. What nobody decided stays granted, and the record says so."""
        caller = self.caller
        review = _managed(caller, number)
        closed = actions.close_review(review.pk, rights=caller.rights, actor=caller.actor)
        return Response(_shown(closed))


def _managed(caller: Caller, number: int) -> AccessReview:
    require_manager(caller)
    return review_or_404(caller, number)


def _again(items: list[ReviewItem]) -> list[ReviewItem]:
    """As they are stored now: a grant that was removed is no longer among them."""
    return list(ReviewItem.objects.filter(pk__in=[item.pk for item in items]).order_by("pk"))


def _shown(review: AccessReview) -> dict[str, Any]:
    return dict(ReviewRow(_about(review, tally_of(review))).data)


def _about(review: AccessReview, tally: Tally) -> dict[str, Any]:
    return {
        "review": review,
        "scope": scope_of(review),
        "is_late": review.closed_at is None and review.due < timezone.localdate(),
        "tally": tally,
    }

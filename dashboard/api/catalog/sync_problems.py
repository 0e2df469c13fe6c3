"""`/registries/<registry>/runs/<run>/problems`: what a run could not read, one by one and by cause."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action
from access.shortcuts import get_registry_or_404
from dashboard.api.bodies import FilterField, Query, Row
from dashboard.api.catalog.runs import run_or_404
from dashboard.api.examples import lists
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.pagination import Page
from dashboard.runs.problems import COLUMNS, Cause, causes_of
from registries.models import SyncProblem

_WORDS = {
    "message": "The registry asks us to slow down.",
    "advice": "Wait, or lower the number of requests allowed for this registry.",
}


class SyncProblemRow(Row):
    """One thing that a run could not read, and what to do about it."""

    id = serializers.IntegerField()
    repository = serializers.CharField(help_text="Empty where the whole registry failed.")
    reference = serializers.CharField(help_text="A tag or digest; empty for all of it.")
    code = serializers.CharField(help_text="The cause, such as `throttled`.")
    message = serializers.CharField()
    advice = serializers.CharField()
    at = serializers.DateTimeField()


class SyncCauseRow(Row):
    """Problems of one cause: how many, and what the first of them said."""

    code = serializers.CharField()
    count = serializers.IntegerField(
        source="count.value", help_text="Among the run's first thousand problems."
    )
    is_capped = serializers.BooleanField(
        source="count.capped", help_text="Whether the run has more than a thousand."
    )
    message = serializers.CharField()
    advice = serializers.CharField()


class SyncProblemQuery(PageQuery):
    code = FilterField(help_text="Only those of this cause.")
    sort = sorts(COLUMNS)


class SyncProblems(Resource):
    @extend_schema(
        operation_id="list_sync_problems",
        tags=["sync runs"],
        summary="List what a run could not read",
        parameters=[SyncProblemQuery],
        responses=page_of(SyncProblemRow),
        examples=[
            lists(
                "A repository",
                {
                    "id": 99120,
                    "repository": "shop/app",
                    "reference": "1.0",
                    "code": "throttled",
                    "at": "2026-11-26T08:14:59Z",
                    **_WORDS,
                },
            )
        ],
    )
    def get(self, request: Request, registry: str, run: int) -> Response:
        """In the order in which they were met. Needs `registry read`."""
        found = get_registry_or_404(self.caller.somebody, registry, Action.REGISTRY_READ)
        problems = SyncProblem.objects.filter(run=run_or_404(found, run))
        query = SyncProblemQuery.read(request)
        if code := query["code"]:
            problems = problems.filter(code=code)
        page = turn_page(request, problems, query, COLUMNS)
        return answer_page(request, page, query, SyncProblemRow)


class SyncCauses(Resource):
    @extend_schema(
        operation_id="list_sync_causes",
        tags=["sync runs"],
        summary="List why a run could not read things",
        responses=page_of(SyncCauseRow),
        examples=[
            lists("One cause", {"code": "throttled", "count": 318, "is_capped": False, **_WORDS})
        ],
    )
    def get(self, request: Request, registry: str, run: int) -> Response:
        """All causes on one page, the most frequent first. Needs `registry read`."""
        found = get_registry_or_404(self.caller.somebody, registry, Action.REGISTRY_READ)
        query = Query.read(request)
        causes = causes_of(SyncProblem.objects.filter(run=run_or_404(found, run)))
        page: Page[Cause] = Page(causes, "", "")
        return answer_page(request, page, query, SyncCauseRow)

"""`/registries/<registry>/runs`: syncs, started, watched and stopped."""

from __future__ import annotations

from http import HTTPStatus

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action
from access.shortcuts import get_registry_or_404
from dashboard.api.bodies import Body, Row
from dashboard.api.etags import answer_one
from dashboard.api.examples import lists, sends, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.runs.start import start_sync
from dashboard.views.runs import COLUMNS
from registries.models import Registry, SyncRun
from registries.sync.run import cancel_run

_EXAMPLE = {
    "id": 4711,
    "trigger": "manual",
    "full": False,
    "state": "running",
    "phase": "tags",
    "started_by": "anna",
    "queued_at": "2026-11-26T08:14:58Z",
    "started_at": "2026-11-26T08:14:59Z",
    "finished_at": None,
    "summary": "",
    "repositories_found": 1204,
    "repositories_done": 310,
    "tags_seen": 20113,
    "manifests_fetched": 14,
    "added": 12,
    "moved": 3,
    "removed": 0,
    "error_count": 0,
    "requests": 412,
    "throttled": 0,
}


class RunRow(Row):
    """One reading of a registry. Counts grow while it runs."""

    id = serializers.IntegerField()
    trigger = serializers.ChoiceField(choices=[value.value for value in SyncRun.Trigger])
    full = serializers.BooleanField(help_text="Whether every manifest is read again.")
    state = serializers.ChoiceField(choices=[value.value for value in SyncRun.State])
    phase = serializers.ChoiceField(choices=[value.value for value in SyncRun.Phase])
    started_by = serializers.CharField(source="actor_label")
    queued_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    summary = serializers.CharField(help_text="Why it failed, or what was left out.")
    repositories_found = serializers.IntegerField()
    repositories_done = serializers.IntegerField()
    tags_seen = serializers.IntegerField()
    manifests_fetched = serializers.IntegerField()
    added = serializers.IntegerField(help_text="Tags that came.")
    moved = serializers.IntegerField(help_text="Tags that point elsewhere now.")
    removed = serializers.IntegerField(help_text="Tags that went.")
    error_count = serializers.IntegerField()
    requests = serializers.IntegerField(help_text="Sent to the registry.")
    throttled = serializers.IntegerField(help_text="Times that the registry asked to wait.")


class RunQuery(PageQuery):
    sort = sorts(COLUMNS)


class StartBody(Body):
    full = serializers.BooleanField(
        default=False, help_text="Read every manifest again, and what was deleted meanwhile."
    )


class Runs(Resource):
    @extend_schema(
        operation_id="list_runs",
        tags=["sync runs"],
        summary="List a registry's sync runs",
        parameters=[RunQuery],
        responses=page_of(RunRow),
        examples=[lists("One run", _EXAMPLE)],
    )
    def get(self, request: Request, registry: str) -> Response:
        """Newest first. Needs `registry read`."""
        found = get_registry_or_404(self.caller.somebody, registry, Action.REGISTRY_READ)
        query = RunQuery.read(request)
        page = turn_page(request, found.runs.all(), query, COLUMNS)
        return answer_page(request, page, query, RunRow)

    @extend_schema(
        operation_id="start_sync",
        tags=["sync runs"],
        summary="Start a sync",
        request=StartBody,
        responses={202: RunRow},
        examples=[shows("Under way", _EXAMPLE), sends("What changed", {"full": False})],
    )
    def post(self, request: Request, registry: str) -> Response:
        """Starts a run, which a worker carries out; `409` with its number while another one runs.
        Needs `registry manage`."""
        found = get_registry_or_404(self.caller.somebody, registry, Action.REGISTRY_MANAGE)
        full = StartBody.read(request)["full"]
        run = start_sync(found, actor=self.caller.actor, full=full)
        return Response(
            RunRow(run).data,
            status=HTTPStatus.ACCEPTED,
            headers={"Location": f"{request.path}/{run.pk}"},
        )


class OneRun(Resource):
    @extend_schema(
        operation_id="show_run",
        tags=["sync runs"],
        summary="Show a sync run",
        responses=RunRow,
        examples=[shows("Under way", _EXAMPLE)],
    )
    def get(self, request: Request, registry: str, run: int) -> Response:
        """One run; ask again every second or two to watch it. Needs `registry read`."""
        found = get_registry_or_404(self.caller.somebody, registry, Action.REGISTRY_READ)
        return answer_one(request, RunRow(run_or_404(found, run)).data)


class CancelRun(Resource):
    @extend_schema(
        operation_id="cancel_run",
        tags=["sync runs"],
        summary="Stop a sync run",
        request=None,
        responses={202: RunRow},
        examples=[shows("Under way", _EXAMPLE)],
    )
    def post(self, request: Request, registry: str, run: int) -> Response:  # noqa: ARG002  see Resource
        """Asks it to stop: it does so after the batch at hand, and keeps what it has proved. One
        that has ended stays as it is. Needs `registry manage`."""
        found = get_registry_or_404(self.caller.somebody, registry, Action.REGISTRY_MANAGE)
        stopped = run_or_404(found, run)
        if stopped.is_active:
            cancel_run(stopped, actor=self.caller.actor)
            stopped.refresh_from_db()
        return Response(RunRow(stopped).data, status=HTTPStatus.ACCEPTED)


def run_or_404(registry: Registry, number: int) -> SyncRun:
    """A run of this registry; raises Http404."""
    found = registry.runs.filter(pk=number).first()
    if found is None:
        raise Http404(_("There is no such run of this registry."))
    return found

"""`/mirrors`: pairs of places that should hold the same; kept, changed and removed."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action
from access.scopes import EVERYTHING
from dashboard.api.bodies import Body, FilterField, Row
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.fields import ScopeField
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.browse.mirroring import (
    COLUMNS,
    Pair,
    get_mirror_or_404,
    pair_of,
    require_managing,
    visible_mirrors,
)
from dashboard.callers import Caller
from registries.mirroring import mirrors as actions
from registries.models import Mirror
from registries.transactions import together

_EXAMPLE = {
    "id": 12,
    "source": "hub/library/*",
    "target": "harbour/mirror/hub/*",
    "tags": "v1.*",
    "created_at": "2026-11-20T09:00:00Z",
    "created_by": "anna",
}


class MirrorRow(Row):
    """Two places that should hold the same."""

    id = serializers.IntegerField()
    source = serializers.CharField(  # type: ignore[assignment]  # here it is a field's name
        source="source_text", help_text="`REGISTRY`, `REGISTRY/team/*` or a repository."
    )
    target = serializers.CharField(
        source="target_text", help_text="Its copy; a star stands for the same on both sides."
    )
    tags = serializers.CharField(help_text="Only tags of this pattern; empty is all.")
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField(source="actor_label")


class MirrorQuery(PageQuery):
    registry = FilterField(help_text="Only those with an end in this registry.")
    sort = sorts(COLUMNS)


class MirrorBody(Body):
    source = ScopeField()  # type: ignore[assignment]  # here it is a field's name
    target = ScopeField()
    tags = serializers.CharField(
        required=False, allow_blank=True, max_length=actions.TAGS_LIMIT, help_text="Such as v1.*"
    )


class Mirrors(Resource):
    @extend_schema(
        operation_id="list_mirrors",
        tags=["mirrors"],
        summary="List mirrors",
        parameters=[MirrorQuery],
        responses=page_of(MirrorRow),
        examples=[lists("One mirror", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """Those of which the caller sees something at both ends, or manages both registries."""
        query = MirrorQuery.read(request)
        found = visible_mirrors(self.caller.somebody, registry=query["registry"] or "")
        return answer_page(request, turn_page(request, found, query, COLUMNS), query, MirrorRow)

    @extend_schema(
        operation_id="create_mirror",
        tags=["mirrors"],
        summary="Keep a mirror",
        request=MirrorBody,
        responses={201: MirrorRow},
        examples=[
            sends(
                "All below a path",
                {"source": "hub/library/*", "target": "harbour/mirror/hub/*", "tags": "v1.*"},
            ),
            shows("Kept", _EXAMPLE),
        ],
    )
    def post(self, request: Request) -> Response:
        """Has two places compared from now on; nothing is copied. Needs `registry manage` on both
        registries."""
        caller = self.caller
        if not caller.rights.may_somewhere(Action.REGISTRY_MANAGE):
            caller.rights.require(Action.REGISTRY_MANAGE, EVERYTHING)
        pair = _managed(caller, {"tags": "", **MirrorBody.read(request)})
        made = actions.create_mirror(pair.settings, actor=caller.actor)
        return Response(
            MirrorRow(made).data,
            status=HTTPStatus.CREATED,
            headers={"Location": f"{request.path}/{made.pk}"},
        )


class OneMirror(Resource):
    @extend_schema(
        operation_id="show_mirror",
        tags=["mirrors"],
        summary="Show a mirror",
        responses=MirrorRow,
        examples=[shows("A mirror", _EXAMPLE)],
    )
    def get(self, request: Request, mirror: int) -> Response:
        """What is compared with what; how it stands is at its `health`, `repositories` and `tags`."""
        found = get_mirror_or_404(self.caller.somebody, mirror)
        return answer_one(request, MirrorRow(found).data)

    @extend_schema(
        operation_id="change_mirror",
        tags=["mirrors"],
        summary="Change a mirror",
        request=MirrorBody,
        responses=MirrorRow,
        examples=[
            sends("Other tags", {"tags": "v2.*"}),
            shows("Changed", _EXAMPLE | {"tags": "v2.*"}),
        ],
    )
    def patch(self, request: Request, mirror: int) -> Response:
        """Only what is given changes. Needs `registry manage` on the registries that it was of, and
        on those that it becomes of."""
        caller = self.caller
        found = get_mirror_or_404(caller.somebody, mirror)
        require_managing(caller.rights, Pair.of(found))
        given = MirrorBody.read(request, partial=True)
        with together():
            locked = _locked_or_404(found)
            require_match(request, MirrorRow(locked).data)
            source, target = Pair.of(locked).scopes
            wanted = {"source": source, "target": target, "tags": locked.tags, **given}
            pair = _managed(caller, wanted)
            changed = actions.change_mirror(locked, pair.settings, actor=caller.actor)
        return Response(MirrorRow(changed).data)

    @extend_schema(
        operation_id="remove_mirror",
        tags=["mirrors"],
        summary="Remove a mirror",
        responses={204: None},
    )
    def delete(self, request: Request, mirror: int) -> Response:
        """Compares them no more; what the registries hold is not touched. Needs `registry manage`
        on both registries."""
        caller = self.caller
        found = get_mirror_or_404(caller.somebody, mirror)
        with together():
            locked = _locked_or_404(found)
            require_managing(caller.rights, Pair.of(locked))
            require_match(request, MirrorRow(locked).data)
            actions.remove_mirror(locked, actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)


def _managed(caller: Caller, wanted: dict[str, Any]) -> Pair:
    """The pair that was asked for, of registries that the caller manages."""
    pair = pair_of(caller.somebody, **wanted)
    require_managing(caller.rights, pair)
    return pair


def _locked_or_404(mirror: Mirror) -> Mirror:
    """The mirror as it is now, for this transaction alone; raises Http404 if it went meanwhile."""
    rows = Mirror.objects.select_related("source", "target").select_for_update(of=("self",))
    found = rows.filter(pk=mirror.pk).first()
    if found is None:
        raise Http404(_("There is no such mirror."))
    return found

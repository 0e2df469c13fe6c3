"""`/service-principals`: machines, made, changed, switched off and on, removed."""

from __future__ import annotations

from http import HTTPStatus

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import machines as actions
from access.actions import Action
from access.models import ServicePrincipal, Team
from access.scopes import EVERYTHING
from dashboard.api.bodies import Body, Row
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.callers import Caller
from dashboard.views.access.machines import (
    COLUMNS,
    machine_or_404,
    narrowed,
    teams_for,
    teams_for_new,
)
from registries.transactions import together

TAG = "service principals"
_EXAMPLE = {
    "name": "shop-builds",
    "description": "Builds of the shop, on the Jenkins in Basel",
    "team": "shop",
    "disabled": False,
    "created_at": "2026-03-02T09:30:00Z",
    "live_secrets": 1,
    "ends_at": "2026-12-31T23:59:59Z",
    "last_used_at": "2026-11-26T08:15:00Z",
}


class MachineRow(Row):
    """A machine that signs in: a pipeline, a cluster, a scanner."""

    name = serializers.CharField(help_text="Its user name, for docker too.")
    description = serializers.CharField()
    team = serializers.CharField(
        source="team.name", default=None, allow_null=True, help_text="The team that owns it."
    )
    disabled = serializers.SerializerMethodField(help_text="It may do nothing, until enabled.")
    created_at = serializers.DateTimeField()
    live_secrets = serializers.IntegerField(help_text="How many of its secrets work now.")
    ends_at = serializers.DateTimeField(
        allow_null=True, help_text="When the first of those ends; null for never."
    )
    last_used_at = serializers.DateTimeField(
        source="used_at", allow_null=True, help_text="When it signed in last."
    )

    class Meta:
        ref_name = "ServicePrincipal"

    def get_disabled(self, machine: ServicePrincipal) -> bool:
        return machine.disabled_at is not None


class MachineQuery(PageQuery):
    q = serializers.CharField(
        required=False, max_length=63, help_text="A part of the name or description."
    )
    team = serializers.CharField(required=False, max_length=63, help_text="The owning team.")
    state = serializers.ChoiceField(
        choices=["enabled", "disabled", "ending", "none"],
        required=False,
        help_text="`ending`: a secret ends within 30 days; `none`: no secret works.",
    )
    sort = sorts(COLUMNS)


class MachineChangeBody(Body):
    description = serializers.CharField(max_length=255, allow_blank=True, required=False)
    team = serializers.CharField(
        max_length=63,
        allow_null=True,
        required=False,
        help_text="The team that owns it; null for none, which takes managing access everywhere.",
    )


class MachineBody(MachineChangeBody):
    name = serializers.CharField(
        max_length=63, help_text="Lower-case letters, digits and hyphens. It stays as it is."
    )


class Machines(Resource):
    @extend_schema(
        operation_id="list_service_principals",
        tags=[TAG],
        summary="List service principals",
        parameters=[MachineQuery],
        responses=page_of(MachineRow),
        examples=[lists("One machine", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """All machines for who has `access manage` on everything; for a person who is signed in
        himself, those of his teams."""
        caller = self.caller
        visible = actions.visible_machines(caller.maintainer, caller.rights)
        query = MachineQuery.read(request)
        found = narrowed(visible.with_use(timezone.now()), query.values).select_related("team")
        page = turn_page(request, found, query, COLUMNS)
        return answer_page(request, page, query, MachineRow)

    @extend_schema(
        operation_id="create_service_principal",
        tags=[TAG],
        summary="Make a service principal",
        request=MachineBody,
        responses={201: MachineRow},
        examples=[
            sends("A pipeline", {"name": "shop-builds", "team": "shop"}),
            shows("Made", _EXAMPLE | {"live_secrets": 0, "ends_at": None}),
        ],
    )
    def post(self, request: Request) -> Response:
        """It needs a secret to sign in, and a grant to do anything. Needs `access manage` on
        everything, or maintaining the team that will own it."""
        caller = self.caller
        teams = teams_for_new(caller)
        given = MachineBody.read(request)
        made = actions.create_machine(
            name=given["name"],
            description=given.get("description", ""),
            team=_team(teams, given.get("team")),
            rights=caller.rights,
            maintainer=caller.maintainer,
            actor=caller.actor,
        )
        return Response(
            MachineRow(machine_or_404(caller, made.name)).data,
            status=HTTPStatus.CREATED,
            headers={"Location": f"{request.path}/{made.name}"},
        )


class OneMachine(Resource):
    @extend_schema(
        operation_id="show_service_principal",
        tags=[TAG],
        summary="Show a service principal",
        responses=MachineRow,
        examples=[shows("A machine", _EXAMPLE)],
    )
    def get(self, request: Request, name: str) -> Response:
        """One machine, if it is one that the caller's list has."""
        return answer_one(request, MachineRow(machine_or_404(self.caller, name)).data)

    @extend_schema(
        operation_id="change_service_principal",
        tags=[TAG],
        summary="Change a service principal",
        request=MachineChangeBody,
        responses=MachineRow,
        examples=[
            sends("Another description", {"description": "Retired"}),
            shows("Changed", _EXAMPLE | {"description": "Retired"}),
        ],
    )
    def patch(self, request: Request, name: str) -> Response:
        """Another description or owning team. Needs `access manage` and all that the machine may do
        itself, or maintaining its team; giving it away takes the former."""
        caller = self.caller
        machine = machine_or_404(caller, name)
        actions.require_care(machine, caller.rights, caller.maintainer)
        given = MachineChangeBody.read(request, partial=True)
        with together():
            machine = _locked(caller, machine)
            require_match(request, MachineRow(machine).data)
            actions.change_machine(
                machine,
                description=given.get("description", machine.description),
                team=_team(teams_for(caller, machine), given.get("team", _owner(machine))),
                rights=caller.rights,
                maintainer=caller.maintainer,
                actor=caller.actor,
            )
        return answer_changed(caller, name)

    @extend_schema(
        operation_id="remove_service_principal",
        tags=[TAG],
        summary="Remove a service principal",
        responses={204: None},
    )
    def delete(self, request: Request, name: str) -> Response:
        """With its secrets, trust rules and grants. Needs `access manage` on everything."""
        caller = self.caller
        machine = machine_or_404(caller, name)
        caller.rights.require(Action.ACCESS_MANAGE, EVERYTHING)
        with together():
            machine = _locked(caller, machine)
            require_match(request, MachineRow(machine).data)
            actions.remove_machine(machine, rights=caller.rights, actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)


class DisableMachine(Resource):
    @extend_schema(
        operation_id="disable_service_principal",
        tags=[TAG],
        summary="Switch a service principal off",
        request=None,
        responses=MachineRow,
        examples=[shows("Off", _EXAMPLE | {"disabled": True})],
    )
    def post(self, request: Request, name: str) -> Response:  # noqa: ARG002  see Resource
        """It may do nothing until it is enabled; a docker token that it holds works until it
        expires, minutes later. Needs `access manage` on everything, or maintaining its team."""
        caller = self.caller
        actions.disable_machine(
            machine_or_404(caller, name),
            rights=caller.rights,
            maintainer=caller.maintainer,
            actor=caller.actor,
        )
        return answer_changed(caller, name)


class EnableMachine(Resource):
    @extend_schema(
        operation_id="enable_service_principal",
        tags=[TAG],
        summary="Switch a service principal on again",
        request=None,
        responses=MachineRow,
        examples=[shows("On", _EXAMPLE)],
    )
    def post(self, request: Request, name: str) -> Response:  # noqa: ARG002  see Resource
        """It may sign in again. Needs `access manage` and all that the machine may do itself, or
        maintaining its team."""
        caller = self.caller
        actions.enable_machine(
            machine_or_404(caller, name),
            rights=caller.rights,
            maintainer=caller.maintainer,
            actor=caller.actor,
        )
        return answer_changed(caller, name)


def answer_changed(caller: Caller, name: str) -> Response:
    """What a machine is after a change."""
    return Response(MachineRow(machine_or_404(caller, name)).data)


def _locked(caller: Caller, machine: ServicePrincipal) -> ServicePrincipal:
    """The machine with its use, for this transaction alone."""
    return machine_or_404(caller, actions.locked(machine).name)


def _owner(machine: ServicePrincipal) -> str | None:
    return machine.team.name if machine.team else None


def _team(teams: QuerySet[Team], name: str | None) -> Team | None:
    """The team of a body, among those that may be; raises ValidationError."""
    if name is None:
        return None
    found = teams.filter(name=name).first()
    if found is None:
        raise ValidationError({"team": _("There is no such team that you may make machines for.")})
    return found

"""`/teams`: people who share grants and own machines together."""

from __future__ import annotations

from http import HTTPStatus

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import teams as actions
from access.actions import Action
from access.models import Team
from access.scopes import EVERYTHING
from dashboard.api.bodies import Body, FilterField, Row
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.callers import Caller
from dashboard.views.access.teams import BY_NAME, counted, narrowed, team_or_404
from registries.transactions import together

_EXAMPLE = {
    "name": "shop",
    "description": "Who builds the shop.",
    "created_at": "2026-03-02T09:30:00Z",
    "people": 7,
    "grants": 3,
    "machines": 2,
}


class TeamRow(Row):
    """People who share grants, and who own machines together."""

    name = serializers.CharField()
    description = serializers.CharField()
    created_at = serializers.DateTimeField()
    people = serializers.IntegerField(source="people_count")
    grants = serializers.IntegerField(source="grant_count")
    machines = serializers.IntegerField(source="machine_count")


class TeamQuery(PageQuery):
    sort = sorts(BY_NAME)
    q = FilterField(help_text="Is in the name or the description.")


class TeamChangeBody(Body):
    """What of a team can be changed; its name stays."""

    description = serializers.CharField(max_length=255, allow_blank=True, default="")


class TeamBody(TeamChangeBody):
    name = serializers.CharField(
        max_length=63, help_text="Letters, digits, hyphens; part of addresses and grants."
    )


class Teams(Resource):
    @extend_schema(
        operation_id="list_teams",
        tags=["teams"],
        summary="List teams",
        parameters=[TeamQuery],
        responses=page_of(TeamRow),
        examples=[lists("One team", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """All teams for who has `access manage` on everything; for a person who is signed in
        himself, his own."""
        caller = self.caller
        query = TeamQuery.read(request)
        visible = counted(actions.visible_teams(caller.maintainer, caller.rights))
        page = turn_page(request, narrowed(visible, query["q"] or ""), query, BY_NAME)
        return answer_page(request, page, query, TeamRow)

    @extend_schema(
        operation_id="create_team",
        tags=["teams"],
        summary="Make a team",
        request=TeamBody,
        responses={201: TeamRow},
        examples=[
            shows("Made", _EXAMPLE | {"people": 0, "grants": 0, "machines": 0}),
            sends("A team", {"name": "shop", "description": "Who builds the shop."}),
        ],
    )
    def post(self, request: Request) -> Response:
        """Nobody is in it yet, and it has no grants. Needs `access manage` on everything."""
        caller = self.caller
        caller.rights.require(Action.ACCESS_MANAGE, EVERYTHING)
        made = actions.create_team(
            **TeamBody.read(request), rights=caller.rights, actor=caller.actor
        )
        return Response(
            _shown(made),
            status=HTTPStatus.CREATED,
            headers={"Location": f"{request.path}/{made.name}"},
        )


class OneTeam(Resource):
    @extend_schema(
        operation_id="show_team",
        tags=["teams"],
        summary="Show a team",
        responses=TeamRow,
        examples=[shows("A team", _EXAMPLE)],
    )
    def get(self, request: Request, team: str) -> Response:
        """One team, for its members signed in themselves, and for who has `access manage` on
        everything."""
        return answer_one(request, _shown(team_or_404(self.caller, team)))

    @extend_schema(
        operation_id="change_team",
        tags=["teams"],
        summary="Change a team’s description",
        request=TeamChangeBody,
        responses=TeamRow,
        examples=[
            sends("Other words", {"description": "Who builds and runs the shop."}),
            shows("Changed", _EXAMPLE | {"description": "Who builds and runs the shop."}),
        ],
    )
    def patch(self, request: Request, team: str) -> Response:
        """Another description. Needs `access manage` on everything."""
        caller = self.caller
        managed_team(caller, team)
        wanted = TeamChangeBody.read(request, partial=True)
        with together():
            found = locked_team(caller, team)
            require_match(request, _shown(found))
            changed = actions.change_team(
                found,
                description=wanted.get("description", found.description),
                rights=caller.rights,
                actor=caller.actor,
            )
        return Response(_shown(changed))

    @extend_schema(
        operation_id="remove_team",
        tags=["teams"],
        summary="Remove a team",
        responses={204: None},
    )
    def delete(self, request: Request, team: str) -> Response:
        """With its grants; not while it owns machines. Needs `access manage` on everything, and
        what granting its grants needs."""
        caller = self.caller
        managed_team(caller, team)
        with together():
            found = locked_team(caller, team)
            require_match(request, _shown(found))
            actions.remove_team(found, rights=caller.rights, actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)


def managed_team(caller: Caller, name: str) -> Team:
    found = team_or_404(caller, name)
    caller.rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    return found


def locked_team(caller: Caller, name: str) -> Team:
    """Inside a transaction: nobody changes the team or its members meanwhile."""
    return Team.objects.select_for_update().get(pk=team_or_404(caller, name).pk)


def _shown(team: Team) -> dict[str, object]:
    return dict(TeamRow(counted(Team.objects.filter(pk=team.pk)).get()).data)

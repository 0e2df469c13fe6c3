"""`/teams/<team>/members`: who is in a team, put in and taken out."""

from __future__ import annotations

from http import HTTPStatus

from django.db.models import F
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import teams as actions
from access.models import Membership, User
from dashboard.api.access.teams import locked_team
from dashboard.api.bodies import Body, Row
from dashboard.api.etags import require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.reassured import require_reassured
from dashboard.api.resources import Resource
from dashboard.pagination import Column
from dashboard.views.access.teams import team_or_404
from registries.transactions import together

MEMBER_COLUMNS = {"name": Column(F("user__username"), str)}
SOURCES = [value.value for value in Membership.Source]
_MEMBER = {
    "user": "anna",
    "is_maintainer": True,
    "source": "manual",
    "provider": "",
    "added_at": "2026-03-02T09:31:00Z",
}


class MemberRow(Row):
    """A person in a team."""

    user = serializers.CharField(source="user.username", help_text="The user name.")
    is_maintainer = serializers.BooleanField(help_text="May add and remove members.")
    source = serializers.ChoiceField(  # type: ignore[assignment]  # here it is a field's name
        choices=SOURCES,
        help_text="Added by a person, or by a claim at sign-on.",
    )
    provider = serializers.CharField(help_text="The sign-on provider whose claim brought it.")
    added_at = serializers.DateTimeField()


class MemberQuery(PageQuery):
    sort = sorts(MEMBER_COLUMNS)


class MemberBody(Body):
    is_maintainer = serializers.BooleanField(default=False, help_text="May add and remove members.")


class Members(Resource):
    @extend_schema(
        operation_id="list_members",
        tags=["teams"],
        summary="List a team’s members",
        parameters=[MemberQuery],
        responses=page_of(MemberRow),
        examples=[lists("One member", _MEMBER)],
    )
    def get(self, request: Request, team: str) -> Response:
        """Who is in it, for whom the team is shown to."""
        found = team_or_404(self.caller, team)
        query = MemberQuery.read(request)
        rows = found.memberships.select_related("user")
        page = turn_page(request, rows, query, MEMBER_COLUMNS)
        return answer_page(request, page, query, MemberRow)


class OneMember(Resource):
    @extend_schema(
        operation_id="put_member",
        tags=["teams"],
        summary="Put somebody into a team",
        request=MemberBody,
        responses=MemberRow,
        examples=[shows("A maintainer", _MEMBER), sends("A maintainer", {"is_maintainer": True})],
    )
    def put(self, request: Request, team: str, user: str) -> Response:
        """Adds a person, or changes whether he maintains the team. Needs `access manage` on
        everything and all that the team gives; its maintainers, signed in themselves, may add
        members."""
        caller = self.caller
        found = team_or_404(caller, team)
        if not actions.maintains(caller.maintainer, found):
            # Before it is told whether there is somebody of this name.
            actions.require_mastery_of(found, caller.rights)
        wanted = MemberBody.read(request)
        person = User.objects.filter(username=user).first()
        if person is None:
            raise Http404(_("There is nobody of this name."))
        if actions.lets_grant(found):
            require_reassured(request)
        with together():
            found = locked_team(caller, team)
            held = found.memberships.filter(user=person).select_related("user").first()
            require_match(request, MemberRow(held).data if held else None)
            made = actions.add_member(
                team=found,
                user=person,
                is_maintainer=wanted["is_maintainer"],
                rights=caller.rights,
                maintainer=caller.maintainer,
                actor=caller.actor,
            )
        return Response(MemberRow(made).data)

    @extend_schema(
        operation_id="remove_member",
        tags=["teams"],
        summary="Take somebody out of a team",
        responses={204: None},
    )
    def delete(self, request: Request, team: str, user: str) -> Response:
        """Needs what adding him needs; everybody, signed in himself, may leave."""
        caller = self.caller
        team_or_404(caller, team)
        with together():
            found = locked_team(caller, team)
            held = found.memberships.filter(user__username=user).select_related("user").first()
            if held is None:
                raise Http404(_("Nobody of this team."))
            require_match(request, MemberRow(held).data)
            actions.remove_member(
                team=found,
                user=held.user,
                rights=caller.rights,
                maintainer=caller.maintainer,
                actor=caller.actor,
            )
        return Response(status=HTTPStatus.NO_CONTENT)

"""`/teams`: people who share grants and own machines together, who is in them, and by which claims."""

from __future__ import annotations

from http import HTTPStatus

from django.core.exceptions import ValidationError
from django.db.models import F
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import claims_to_teams
from access import teams as actions
from access.actions import Action
from access.models import ClaimRule, Membership, Team, User
from access.scopes import EVERYTHING
from dashboard.api.bodies import Body, FilterField, Row
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.callers import Caller
from dashboard.forms_people import providers
from dashboard.pagination import Column
from dashboard.views.access.teams import BY_NAME, counted, narrowed, team_or_404
from registries.transactions import together

MEMBER_COLUMNS = {"name": Column(F("user__username"), str)}
RULE_COLUMNS = {"value": Column(F("value"), str)}
SOURCES = [value.value for value in Membership.Source]
_EXAMPLE = {
    "name": "shop",
    "description": "Who builds the shop.",
    "created_at": "2026-03-02T09:30:00Z",
    "people": 7,
    "grants": 3,
    "machines": 2,
}
_MEMBER = {
    "user": "anna",
    "is_maintainer": True,
    "source": "manual",
    "provider": "",
    "added_at": "2026-03-02T09:31:00Z",
}
_RULE = {"id": 3, "provider": "company", "claim": "groups", "value": "shop-builders"}


class TeamRow(Row):
    """People who share grants, and who own machines together."""

    name = serializers.CharField()
    description = serializers.CharField()
    created_at = serializers.DateTimeField()
    people = serializers.IntegerField(source="people_count")
    grants = serializers.IntegerField(source="grant_count")
    machines = serializers.IntegerField(source="machine_count")


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


class ClaimRuleRow(Row):
    """Whoever signs in through the provider with this value in the claim belongs to the team."""

    id = serializers.IntegerField()
    provider = serializers.CharField()
    claim = serializers.CharField()
    value = serializers.CharField()


class TeamQuery(PageQuery):
    sort = sorts(BY_NAME)
    q = FilterField(help_text="Is in the name or the description.")


class MemberQuery(PageQuery):
    sort = sorts(MEMBER_COLUMNS)


class ClaimRuleQuery(PageQuery):
    sort = sorts(RULE_COLUMNS)


class TeamChangeBody(Body):
    """What of a team can be changed; its name stays."""

    description = serializers.CharField(max_length=255, allow_blank=True, default="")


class TeamBody(TeamChangeBody):
    name = serializers.CharField(
        max_length=63, help_text="Letters, digits, hyphens; part of addresses and grants."
    )


class MemberBody(Body):
    is_maintainer = serializers.BooleanField(default=False, help_text="May add and remove members.")


class ClaimRuleBody(Body):
    provider = serializers.CharField(max_length=64, help_text="Its id, as this server has it.")
    value = serializers.CharField(
        max_length=255, help_text="Of the provider's claim of groups, exactly as it sends it."
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
        _managed(caller, team)
        wanted = TeamChangeBody.read(request, partial=True)
        with together():
            found = _locked(caller, team)
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
        _managed(caller, team)
        with together():
            found = _locked(caller, team)
            require_match(request, _shown(found))
            actions.remove_team(found, rights=caller.rights, actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)


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
        with together():
            found = _locked(caller, team)
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
            found = _locked(caller, team)
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


class ClaimRules(Resource):
    @extend_schema(
        operation_id="list_claim_rules",
        tags=["teams"],
        summary="List who belongs to a team by single sign-on",
        parameters=[ClaimRuleQuery],
        responses=page_of(ClaimRuleRow),
        examples=[lists("A group", _RULE)],
    )
    def get(self, request: Request, team: str) -> Response:
        """The rules, for whom the team is shown to."""
        found = team_or_404(self.caller, team)
        query = ClaimRuleQuery.read(request)
        page = turn_page(request, found.claim_rules.all(), query, RULE_COLUMNS)
        return answer_page(request, page, query, ClaimRuleRow)

    @extend_schema(
        operation_id="create_claim_rule",
        tags=["teams"],
        summary="Let a claim make members",
        request=ClaimRuleBody,
        responses={201: ClaimRuleRow},
        examples=[
            shows(
                "A group",
                {"id": 3, "provider": "company", "claim": "groups", "value": "shop-builders"},
            ),
            sends("A group", {"provider": "company", "value": "shop-builders"}),
        ],
    )
    def post(self, request: Request, team: str) -> Response:
        """Whoever signs in with the value belongs to the team from then on. Needs `access manage`
        on everything and all that the team gives."""
        caller = self.caller
        found = _managed(caller, team)
        wanted, known = ClaimRuleBody.read(request), providers()
        if wanted["provider"] not in known:
            raise ValidationError({"provider": _("There is no such provider of single sign-on.")})
        made = claims_to_teams.create_rule(
            team=found,
            claim=known[wanted["provider"]][1],
            **wanted,
            rights=caller.rights,
            actor=caller.actor,
        )
        return Response(
            ClaimRuleRow(made).data,
            status=HTTPStatus.CREATED,
            headers={"Location": f"{request.path}/{made.pk}"},
        )


class OneClaimRule(Resource):
    @extend_schema(
        operation_id="remove_claim_rule",
        tags=["teams"],
        summary="Remove a rule of single sign-on",
        responses={204: None},
    )
    def delete(self, request: Request, team: str, rule: int) -> Response:
        """Memberships that it alone made end. Needs `access manage` on everything and all that the
        team gives."""
        caller = self.caller
        _managed(caller, team)
        with together():
            found: ClaimRule | None = _locked(caller, team).claim_rules.filter(pk=rule).first()
            if found is None:
                raise Http404(_("No rule of this team."))
            require_match(request, ClaimRuleRow(found).data)
            claims_to_teams.remove_rule(found, rights=caller.rights, actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)


def _managed(caller: Caller, name: str) -> Team:
    found = team_or_404(caller, name)
    caller.rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    return found


def _locked(caller: Caller, name: str) -> Team:
    """Inside a transaction: nobody changes the team or its members meanwhile."""
    return Team.objects.select_for_update().get(pk=team_or_404(caller, name).pk)


def _shown(team: Team) -> dict[str, object]:
    return dict(TeamRow(counted(Team.objects.filter(pk=team.pk)).get()).data)

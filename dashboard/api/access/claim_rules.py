"""`/teams/<team>/claim-rules`: who belongs to a team by what single sign-on says of him."""

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
from access.models import ClaimRule
from access.teams import lets_grant
from dashboard.api.access.teams import locked_team, managed_team
from dashboard.api.bodies import Body, Row
from dashboard.api.etags import require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.reassured import require_reassured
from dashboard.api.resources import Resource
from dashboard.forms_people import providers
from dashboard.pagination import Column
from dashboard.views.access.teams import team_or_404
from registries.transactions import together

RULE_COLUMNS = {"value": Column(F("value"), str)}
_RULE = {"id": 3, "provider": "company", "claim": "groups", "value": "shop-builders"}


class ClaimRuleRow(Row):
    """Whoever signs in through the provider with this value in the claim belongs to the team."""

    id = serializers.IntegerField()
    provider = serializers.CharField()
    claim = serializers.CharField()
    value = serializers.CharField()


class ClaimRuleQuery(PageQuery):
    sort = sorts(RULE_COLUMNS)


class ClaimRuleBody(Body):
    provider = serializers.CharField(max_length=64, help_text="Its id, as this server has it.")
    value = serializers.CharField(
        max_length=255, help_text="Of the provider's claim of groups, exactly as it sends it."
    )


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
        found = managed_team(caller, team)
        wanted, known = ClaimRuleBody.read(request), providers()
        if wanted["provider"] not in known:
            raise ValidationError({"provider": _("There is no such provider of single sign-on.")})
        if lets_grant(found):
            require_reassured(request)
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
        managed_team(caller, team)
        with together():
            found: ClaimRule | None = locked_team(caller, team).claim_rules.filter(pk=rule).first()
            if found is None:
                raise Http404(_("No rule of this team."))
            require_match(request, ClaimRuleRow(found).data)
            claims_to_teams.remove_rule(found, rights=caller.rights, actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)

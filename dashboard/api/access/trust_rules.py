"""`/trust-rules`: whose jobs sign in without a stored secret."""

from __future__ import annotations

from dataclasses import fields, replace
from http import HTTPStatus
from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import trust_rules as actions
from access.machines import locked, require_care, require_control
from access.models import TrustRule
from access.subjects import LONGEST
from access.trust_rules import LIFETIME_MINUTES, LONGEST_LIFETIME_MINUTES, Terms
from dashboard.api.bodies import Body, Row
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.reassured import require_reassured
from dashboard.api.resources import Resource
from dashboard.callers import Caller
from dashboard.views.access.machines import machine_or_404
from dashboard.views.access.trust_rules import COLUMNS, machine_for, require_making, rule_or_404
from registries.transactions import together

TAG = "trust rules"
TERMS = {
    "issuer": "https://token.actions.githubusercontent.com",
    "audience": "https://portolan.example.com",
    "subject": "repo:acme/shop:ref:refs/heads/main",
    "lifetime_minutes": 15,
}
_EXAMPLE = {
    "name": "shop-main",
    "service_principal": "shop-builds",
    **TERMS,
    "allow_private": False,
    "ca_certificate": "",
    "disabled": False,
    "created_at": "2026-03-02T09:30:00Z",
    "last_used_at": "2026-11-26T08:15:00Z",
}


class TrustRuleRow(Row):
    """Which tokens of a CI system are exchanged for a machine's short-lived secret."""

    name = serializers.CharField()
    service_principal = serializers.CharField(
        source="service_principal.name", help_text="The machine that jobs sign in as."
    )
    issuer = serializers.CharField(help_text="The `iss` of its tokens, to the letter.")
    audience = serializers.CharField(help_text="The `aud` that jobs ask for.")
    subject = serializers.CharField(help_text="The `sub`; a star stands for any text.")
    lifetime_minutes = serializers.IntegerField(help_text="How long a secret lives.")
    allow_private = serializers.BooleanField(help_text="The issuer is on a private network.")
    ca_certificate = serializers.CharField(help_text="PEM, trusted besides the usual ones.")
    disabled = serializers.SerializerMethodField(help_text="It takes no token, until enabled.")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)

    def get_disabled(self, rule: TrustRule) -> bool:
        return rule.disabled_at is not None


class TrustRuleQuery(PageQuery):
    service_principal = serializers.CharField(
        required=False, max_length=63, help_text="Only the rules of this machine."
    )
    sort = sorts(COLUMNS)


class TermsBody(Body):
    issuer = serializers.CharField(max_length=255)
    audience = serializers.CharField(
        max_length=255, required=False, help_text="Left out, this server's own address."
    )
    subject = serializers.CharField(max_length=LONGEST, trim_whitespace=False)
    lifetime_minutes = serializers.IntegerField(
        min_value=1, max_value=LONGEST_LIFETIME_MINUTES, default=LIFETIME_MINUTES
    )
    allow_private = serializers.BooleanField(
        default=False, help_text="Only who may connect registries anywhere can change this."
    )
    ca_certificate = serializers.CharField(
        allow_blank=True, default="", max_length=65536, trim_whitespace=False
    )


class TrustRuleBody(TermsBody):
    name = serializers.CharField(max_length=63, help_text="It stays as it is, as the machine does.")
    service_principal = serializers.CharField(max_length=63)


class TrustRules(Resource):
    @extend_schema(
        operation_id="list_trust_rules",
        tags=[TAG],
        summary="List trust rules",
        parameters=[TrustRuleQuery],
        responses=page_of(TrustRuleRow),
        examples=[lists("One rule", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """The rules of the machines that the caller may see."""
        caller = self.caller
        query = TrustRuleQuery.read(request)
        found = actions.visible_rules(caller.maintainer, caller.rights)
        if name := query["service_principal"]:
            found = found.filter(service_principal=machine_or_404(caller, name))
        page = turn_page(request, found, query, COLUMNS)
        return answer_page(request, page, query, TrustRuleRow)

    @extend_schema(
        operation_id="create_trust_rule",
        tags=[TAG],
        summary="Make a trust rule",
        request=TrustRuleBody,
        responses={201: TrustRuleRow},
        examples=[
            sends("One branch", {"name": "shop-main", "service_principal": "shop-builds", **TERMS}),
            shows("Made", _EXAMPLE | {"last_used_at": None}),
        ],
    )
    def post(self, request: Request) -> Response:
        """It holds from now on. It makes secrets of the machine without anybody asking again, so it
        takes what making one by hand takes."""
        caller = self.caller
        require_making(caller)
        require_reassured(request)
        given = TrustRuleBody.read(request)
        made = actions.create_rule(
            name=given.pop("name"),
            machine=machine_for(caller, given.pop("service_principal"), field="service_principal"),
            terms=Terms(**{"audience": settings.PUBLIC_URL, **given}),
            rights=caller.rights,
            maintainer=caller.maintainer,
            actor=caller.actor,
        )
        return Response(
            TrustRuleRow(made).data,
            status=HTTPStatus.CREATED,
            headers={"Location": f"{request.path}/{made.name}"},
        )


class OneTrustRule(Resource):
    @extend_schema(
        operation_id="show_trust_rule",
        tags=[TAG],
        summary="Show a trust rule",
        responses=TrustRuleRow,
        examples=[shows("A rule", _EXAMPLE)],
    )
    def get(self, request: Request, name: str) -> Response:
        """One rule, if it is of a machine that the caller may see."""
        return answer_one(request, TrustRuleRow(rule_or_404(self.caller, name)).data)

    @extend_schema(
        operation_id="change_trust_rule",
        tags=[TAG],
        summary="Change a trust rule",
        request=TermsBody,
        responses=TrustRuleRow,
        examples=[
            sends("Any branch", {"subject": "repo:acme/shop:ref:refs/heads/*"}),
            shows("Changed", _EXAMPLE | {"subject": "repo:acme/shop:ref:refs/heads/*"}),
        ],
    )
    def patch(self, request: Request, name: str) -> Response:
        """Other terms; its name and machine stay. Needs what it takes to make one."""
        caller = self.caller
        rule = rule_or_404(caller, name)
        require_care(rule.service_principal, caller.rights, caller.maintainer)
        require_reassured(request)
        given = TermsBody.read(request, partial=True)
        with together():
            rule = _locked(caller, rule)
            require_match(request, TrustRuleRow(rule).data)
            actions.change_rule(
                rule,
                terms=replace(_terms(rule), **given),
                rights=caller.rights,
                maintainer=caller.maintainer,
                actor=caller.actor,
            )
        return Response(TrustRuleRow(rule_or_404(caller, name)).data)

    @extend_schema(
        operation_id="remove_trust_rule",
        tags=[TAG],
        summary="Remove a trust rule",
        responses={204: None},
    )
    def delete(self, request: Request, name: str) -> Response:
        """Secrets that it gave work until they end, minutes later. Needs `access manage` on
        everything, or maintaining the machine's team."""
        caller = self.caller
        rule = rule_or_404(caller, name)
        require_control(rule.service_principal, caller.rights, caller.maintainer)
        with together():
            rule = _locked(caller, rule)
            require_match(request, TrustRuleRow(rule).data)
            actions.remove_rule(
                rule, rights=caller.rights, maintainer=caller.maintainer, actor=caller.actor
            )
        return Response(status=HTTPStatus.NO_CONTENT)


class DisableTrustRule(Resource):
    @extend_schema(
        operation_id="disable_trust_rule",
        tags=[TAG],
        summary="Switch a trust rule off",
        request=None,
        responses=TrustRuleRow,
        examples=[shows("Off", _EXAMPLE | {"disabled": True})],
    )
    def post(self, request: Request, name: str) -> Response:  # noqa: ARG002  see Resource
        """It takes no token until it is enabled. Needs what it takes to remove one."""
        return _switched(self.caller, name, actions.disable_rule)


class EnableTrustRule(Resource):
    @extend_schema(
        operation_id="enable_trust_rule",
        tags=[TAG],
        summary="Switch a trust rule on again",
        request=None,
        responses=TrustRuleRow,
        examples=[shows("On", _EXAMPLE)],
    )
    def post(self, request: Request, name: str) -> Response:  # noqa: ARG002  see Resource
        """It takes tokens again. Needs what it takes to make one."""
        return _switched(self.caller, name, actions.enable_rule)


def _switched(caller: Caller, name: str, act: Any) -> Response:
    act(
        rule_or_404(caller, name),
        rights=caller.rights,
        maintainer=caller.maintainer,
        actor=caller.actor,
    )
    return Response(TrustRuleRow(rule_or_404(caller, name)).data)


def _locked(caller: Caller, rule: TrustRule) -> TrustRule:
    """The rule as it is now, for this transaction alone: its machine's lock is what all take."""
    locked(rule.service_principal)
    return rule_or_404(caller, rule.name)


def _terms(rule: TrustRule) -> Terms:
    return Terms(**{one.name: getattr(rule, one.name) for one in fields(Terms)})

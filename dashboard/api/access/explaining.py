"""`/effective-access` and `/check-access`: what somebody may do, and why."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import explain
from access.actions import Action, texts
from access.explain import Miss, Obstacle, Subject, Verdict
from access.policy import Entitlement
from access.principals import Principal
from access.scopes import Scope
from dashboard.api.bodies import Query, Row
from dashboard.api.etags import answer_one
from dashboard.api.examples import shows
from dashboard.api.fields import ACTIONS, ActionField, PrincipalField, ScopeField
from dashboard.api.resources import Resource
from dashboard.callers import Caller, subject_of_question

REASON = {
    "role": "pusher",
    "scope": "prod/shop/*",
    "actions": ["content read", "content write", "metadata read"],
    "grant": 17,
    "team": "shop",
    "is_public": False,
    "until": None,
}


def actions_field(**kwargs: Any) -> serializers.ListField:
    return serializers.ListField(child=serializers.ChoiceField(choices=ACTIONS), **kwargs)


class ReasonRow(Row):
    """A grant as it reaches somebody, and by which way."""

    role = serializers.CharField()
    scope = serializers.CharField()
    actions = actions_field()
    grant = serializers.IntegerField(
        allow_null=True, help_text="Its id; null is who owns everything by flag."
    )
    team = serializers.CharField(allow_null=True, help_text="The team that it comes by.")
    is_public = serializers.BooleanField(help_text="Whether everybody has it.")
    until = serializers.DateTimeField(allow_null=True)


class EffectRow(Row):
    """All that somebody may do on a scope."""

    principal = serializers.CharField()
    scope = serializers.CharField()
    everywhere = actions_field(help_text="Allowed in all of the scope.")
    in_part = actions_field(help_text="Allowed in a part of it only.")
    switched_off = serializers.BooleanField(help_text="Whether the account may do nothing at all.")
    reasons = ReasonRow(many=True)


class MissRow(Row):
    """A grant that comes near, and what it lacks."""

    obstacle = serializers.ChoiceField(choices=[one.value for one in Obstacle])
    role = serializers.CharField()
    scope = serializers.CharField()
    team = serializers.CharField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)


class VerdictRow(Row):
    """The answer to one question."""

    principal = serializers.CharField()
    action = serializers.ChoiceField(choices=ACTIONS)
    scope = serializers.CharField()
    allowed = serializers.BooleanField()
    switched_off = serializers.BooleanField(help_text="Whether the account may do nothing at all.")
    reasons = ReasonRow(many=True, help_text="Every grant that allows it; none if nothing does.")
    misses = MissRow(many=True, help_text="What comes near, if it is not allowed.")
    roles = serializers.ListField(
        child=serializers.CharField(),
        help_text="Roles that would allow it, the one that allows least first.",
    )
    granters = serializers.ListField(
        child=serializers.CharField(), help_text="User names of some who could grant it."
    )


class EffectQuery(Query):
    principal = PrincipalField(required=False, help_text="Oneself, if it is left out.")
    scope = ScopeField()


class CheckQuery(EffectQuery):
    action = ActionField()


class EffectiveAccess(Resource):
    @extend_schema(
        operation_id="show_effective_access",
        tags=["explaining access"],
        summary="Show what somebody may do somewhere",
        parameters=[EffectQuery],
        responses=EffectRow,
        examples=[
            shows(
                "By a team",
                {
                    "principal": "user:anna",
                    "scope": "prod/shop/app",
                    "everywhere": REASON["actions"],
                    "in_part": [],
                    "switched_off": False,
                    "reasons": [REASON],
                },
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """What somebody may do in all or a part of a scope, with the grants that allow it. Anybody
        asks about himself; about others, who has `access manage` on the scope."""
        query = EffectQuery.read(request)
        who, somebody = _asked_about(self.caller, query)
        found = explain.effect(somebody, query["scope"])
        shown = {
            "principal": who,
            "scope": query["scope"],
            "everywhere": texts(found.everywhere),
            "in_part": texts(found.in_part),
            "switched_off": found.switched_off,
            "reasons": [_reason(one) for one in found.reasons],
        }
        return answer_one(request, EffectRow(shown).data)


class CheckAccess(Resource):
    @extend_schema(
        operation_id="check_access",
        tags=["explaining access"],
        summary="Check whether somebody may do something somewhere",
        parameters=[CheckQuery],
        responses=VerdictRow,
        examples=[
            shows(
                "Yes, by a team",
                {
                    "principal": "user:anna",
                    "action": "content write",
                    "scope": "prod/shop/app",
                    "allowed": True,
                    "switched_off": False,
                    "reasons": [REASON],
                    "misses": [],
                    "roles": [],
                    "granters": [],
                },
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Yes or no for all of a scope, with every reason; after a no, what comes near, which roles
        would allow it, and who could grant them. Anybody asks about himself; about others, who has
        `access manage` on the scope."""
        caller, query = self.caller, CheckQuery.read(request)
        who, somebody = _asked_about(caller, query)
        action, scope = query["action"], query["scope"]
        seen_by = None if who == caller.principal else caller.rights
        verdict = explain.check(somebody, action, scope, seen_by=seen_by, at=timezone.now())
        return answer_one(request, VerdictRow(_judged(who, action, scope, verdict)).data)


def _asked_about(caller: Caller, query: Query) -> tuple[Principal, Subject]:
    """Whom the question is about; raises Http404 for nobody."""
    who = query["principal"] or caller.principal
    try:
        return who, subject_of_question(caller, who, query["scope"])
    except ValidationError as error:
        raise Http404(error.messages[0]) from None


def _reason(one: Entitlement) -> dict[str, Any]:
    return {
        "role": one.role,
        "scope": one.scope,
        "actions": texts(one.actions),
        "grant": one.grant,
        "team": one.team,
        "is_public": one.is_public,
        "until": one.until,
    }


def _miss(one: Miss) -> dict[str, Any]:
    return {
        "obstacle": one.obstacle.value,
        "role": one.role,
        "scope": one.scope,
        "team": one.team or None,
        "until": one.until,
    }


def _judged(who: Principal, action: Action, scope: Scope, verdict: Verdict) -> dict[str, Any]:
    return {
        "principal": who,
        "action": action.text,
        "scope": scope,
        "allowed": verdict.allowed,
        "switched_off": verdict.switched_off,
        "reasons": [_reason(one) for one in verdict.reasons],
        "misses": [_miss(one) for one in verdict.misses],
        "roles": [role.name for role in verdict.roles],
        "granters": [user.get_username() for user in verdict.granters],
    }

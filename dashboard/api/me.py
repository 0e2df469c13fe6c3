"""`/api/v1/`: who one is, and where to go from here."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action, texts
from access.policy import Entitlement
from dashboard.api.bodies import Row
from dashboard.api.etags import answer_one
from dashboard.api.examples import shows
from dashboard.api.resources import Resource


class EntitlementRow(Row):
    """Something that one may do, and by which grant."""

    role = serializers.CharField()
    scope = serializers.CharField(help_text="`*`, `REGISTRY`, `REGISTRY/team/*` or a repository.")
    actions = serializers.ListField(
        child=serializers.ChoiceField(choices=[action.text for action in Action])
    )
    team = serializers.CharField(allow_null=True, help_text="The team that it comes by.")
    until = serializers.DateTimeField(allow_null=True)


class MeRow(Row):
    """Who asks."""

    principal = serializers.CharField(help_text="`user:NAME` or `sp:NAME`.")
    entitlements = EntitlementRow(many=True)


class Me(Resource):
    @extend_schema(
        operation_id="who_am_i",
        tags=["me"],
        summary="Who I am",
        responses=MeRow,
        examples=[
            shows(
                "A pipeline",
                {
                    "principal": "sp:shop-builds",
                    "entitlements": [
                        {
                            "role": "pusher",
                            "scope": "prod/shop/*",
                            "actions": ["content read", "content write"],
                            "team": None,
                            "until": None,
                        }
                    ],
                },
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """The name behind the secret, and what it allows."""
        caller = self.caller
        shown = {
            "principal": str(caller.principal),
            "entitlements": [_shown(one) for one in caller.rights.entitlements],
        }
        return answer_one(request, MeRow(shown).data)


def _shown(one: Entitlement) -> dict[str, Any]:
    return {
        "role": one.role,
        "scope": str(one.scope),
        "actions": texts(one.actions),
        "team": one.team,
        "until": one.until,
    }

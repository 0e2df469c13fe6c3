"""`/trust-rules/-/trials`: a CI system's token held against the rules, and nothing issued."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.tokens.assertions import LONGEST as LONGEST_TOKEN
from access.tokens.trial import Trial
from dashboard.api.access.trust_rules import TAG, TERMS
from dashboard.api.bodies import Body, Row
from dashboard.api.examples import sends, shows
from dashboard.api.resources import Resource
from dashboard.views.access.try_token import trial_of


class TokenTrialBody(Body):
    token = serializers.CharField(
        max_length=LONGEST_TOKEN, help_text="It is not kept, and stays good for its one exchange."
    )
    service_principal = serializers.CharField(
        max_length=63,
        allow_blank=True,
        default="",
        help_text="As `client_id`; only needed where a token would do for several.",
    )


class FitRow(Row):
    """How a rule of the token's issuer stands to it."""

    rule = serializers.CharField(source="rule.name")
    service_principal = serializers.CharField(source="rule.service_principal.name")
    miss = serializers.CharField(help_text="Why it does not take the token; empty if it does.")


class TokenTrialRow(Row):
    """What would become of a token."""

    holds = serializers.BooleanField(help_text="Whether it would be exchanged.")
    because = serializers.CharField(help_text="Why not; empty for a yes.")
    rule = serializers.CharField(
        source="rule.name",
        default=None,
        allow_null=True,
        help_text="The one that takes it, or came nearest.",
    )
    is_proved = serializers.BooleanField(
        help_text="Whether its issuer signed it; until then the rest is only said."
    )
    issuer = serializers.CharField(source="assertion.issuer")
    subject = serializers.CharField(source="assertion.subject")
    audiences = serializers.ListField(child=serializers.CharField(), source="assertion.audiences")
    rules = FitRow(many=True, source="fits", help_text="Those of its issuer that one can see.")


class TrustTrials(Resource):
    @extend_schema(
        operation_id="try_token",
        tags=[TAG],
        summary="Try a CI system's token",
        request=TokenTrialBody,
        responses=TokenTrialRow,
        examples=[
            sends("A job's token", {"token": "eyJhbGciOiJSUzI1NiIs…"}),
            shows(
                "It would be exchanged",
                {
                    "holds": True,
                    "because": "",
                    "rule": "shop-main",
                    "is_proved": True,
                    "issuer": TERMS["issuer"],
                    "subject": TERMS["subject"],
                    "audiences": [TERMS["audience"]],
                    "rules": [
                        {"rule": "shop-main", "service_principal": "shop-builds", "miss": ""}
                    ],
                },
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Holds it against the rules that the caller may see, as an exchange would; nothing is
        issued, and its issuer is asked only where a rule takes it."""
        given = TokenTrialBody.read(request)
        trial: Trial = trial_of(self.caller, given["token"], machine=given["service_principal"])
        return Response(TokenTrialRow(trial).data)

"""`/trust-rules/<name>/snippets`: what to paste into a pipeline so that its jobs sign in to docker."""

from __future__ import annotations

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.policy import rights_of
from dashboard.api.access.trust_rules import TAG
from dashboard.api.bodies import Row
from dashboard.api.etags import answer_one
from dashboard.api.examples import shows
from dashboard.api.resources import Resource
from dashboard.ci_snippets import NO_HOST, snippets
from dashboard.views.access.show_once import login_hosts
from dashboard.views.access.trust_rules import rule_or_404

_EXAMPLE = {
    "host": "registry.example.com",
    "snippets": [
        {
            "ci": "GitHub Actions",
            "file": ".github/workflows/push.yml",
            "text": "permissions:\n  contents: read\n  id-token: write\n\njobs:\n  push:\n    …",
        }
    ],
}


class SnippetRow(Row):
    """Something to paste."""

    ci = serializers.CharField(help_text="The CI system that it is for.")
    file = serializers.CharField(help_text="Where it goes.")
    text = serializers.CharField(help_text="YAML. It holds no secret.")


class SnippetsRow(Row):
    """A job that exchanges its token for the machine's secret and signs in to docker with it."""

    host = serializers.CharField(
        allow_null=True,
        help_text="The registry that it signs in to; null where the machine may neither pull nor"
        f" push by Portolan's tokens yet, and the text has `{NO_HOST}` in that place.",
    )
    snippets = SnippetRow(many=True)

    class Meta:
        ref_name = "CISnippets"


class Snippets(Resource):
    @extend_schema(
        operation_id="show_ci_snippets",
        tags=[TAG],
        summary="Show what to paste into a pipeline",
        responses=SnippetsRow,
        examples=[shows("For GitHub", _EXAMPLE)],
    )
    def get(self, request: Request, name: str) -> Response:
        """For the CI system whose tokens the rule takes, if it is of a machine that the caller may
        see."""
        rule = rule_or_404(self.caller, name)
        hosts = login_hosts(self.caller, rights_of(rule.service_principal))
        host = hosts[0] if hosts else None
        made = snippets(rule, portolan=settings.PUBLIC_URL, host=host or NO_HOST)
        return answer_one(request, SnippetsRow({"host": host, "snippets": made}).data)

"""`/registries/<registry>/docker/trial` and `/tokens`: what docker would be given, and what it was."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.models import TokenLogEntry
from access.tokens.scope import LONGEST_SCOPE
from dashboard.api.bodies import Query, Row
from dashboard.api.catalog.admin_passwords import managed_registry
from dashboard.api.examples import lists
from dashboard.api.fields import PrincipalField
from dashboard.api.pages import answer_page, page_of
from dashboard.api.problems import InvalidParameter
from dashboard.api.resources import Resource
from dashboard.browse.docker_access import tried_out
from dashboard.pagination import Page
from dashboard.views.access.docker import RECENT


class DockerTrialQuery(Query):
    principal = PrincipalField(help_text="Whose token: `user:NAME`, `sp:NAME` or `anonymous`.")
    scope = serializers.CharField(
        max_length=LONGEST_SCOPE, help_text="As docker asks: `repository:team/app:pull,push`."
    )


class DockerTrialRow(Row):
    """What a token would allow, of one scope that was asked for."""

    type = serializers.CharField()
    name = serializers.CharField()
    asked = serializers.ListField(child=serializers.CharField())
    allowed = serializers.ListField(child=serializers.CharField(), help_text="Empty for nothing.")


class DockerTokenRow(Row):
    """A token that docker was given."""

    at = serializers.DateTimeField()
    principal = serializers.CharField()
    key_id = serializers.CharField(source="secret", help_text="Of the secret it was asked with.")
    address = serializers.CharField(allow_null=True)
    access = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Actions by repository; `*` is the catalog.",
    )


class Trial(Resource):
    @extend_schema(
        operation_id="try_docker_token",
        tags=["docker"],
        summary="Try out what a token would allow",
        parameters=[DockerTrialQuery],
        responses=page_of(DockerTrialRow),
        examples=[
            lists(
                "Half of it",
                {
                    "type": "repository",
                    "name": "shop/app",
                    "asked": ["pull", "push"],
                    "allowed": ["pull"],
                },
            )
        ],
    )
    def get(self, request: Request, registry: str) -> Response:
        """Each scope that is asked for; none is issued. Needs `access manage`."""
        found = managed_registry(self.caller, registry)
        query = DockerTrialQuery.read(request)
        try:
            answers = tried_out(found, query["principal"], query["scope"])
        except ValidationError as error:
            name, sentences = next(iter(error.message_dict.items()))
            named = {"who": "principal"}.get(name, name)
            raise InvalidParameter(named, sentences[0]) from None
        rows = [
            {
                "type": asked.type,
                "name": asked.name,
                "asked": asked.actions,
                "allowed": allowed.actions if allowed else (),
            }
            for asked, allowed in answers
        ]
        return answer_page(request, Page(rows, "", ""), query, DockerTrialRow)


class Tokens(Resource):
    @extend_schema(
        operation_id="list_docker_tokens",
        tags=["docker"],
        summary="List the last tokens that docker was given",
        responses=page_of(DockerTokenRow),
        examples=[
            lists(
                "A pull",
                {
                    "at": "2026-11-26T08:15:00Z",
                    "principal": "sp:shop-builds",
                    "key_id": "k3v9x0q2m1",
                    "address": "203.0.113.7",
                    "access": {"shop/app": ["pull"]},
                },
            )
        ],
    )
    def get(self, request: Request, registry: str) -> Response:
        """The newest on one page, as on screen; what was refused is in the audit log. Needs `access
        manage`."""
        found = managed_registry(self.caller, registry)
        query = Query.read(request)
        rows = list(TokenLogEntry.objects.filter(registry=found.pk)[:RECENT])
        return answer_page(request, Page(rows, "", ""), query, DockerTokenRow)

"""`/registry-kinds`: which kinds of registries there are, what they offer and what they ask for."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.api.bodies import Query, Row
from dashboard.api.examples import lists
from dashboard.api.pages import answer_page, page_of
from dashboard.api.resources import Resource
from dashboard.pagination import Page
from registries.connectors import CONNECTORS, Ability, Connector, Field

_EXAMPLE = {
    "kind": "acr",
    "label": "Azure Container Registry",
    "abilities": ["catalog", "bulk", "delete-tag", "locks", "webhooks"],
    "fields": [
        {
            "name": "tenant",
            "label": "Tenant",
            "help": "The directory that the service principal is in.",
            "required": False,
            "advanced": False,
            "is_secret": False,
        }
    ],
    "judges_access": True,
    "own_permissions": "the roles assigned in Azure",
    "requests_per_minute": 5000,
}


class KindFieldRow(Row):
    """A setting of a kind."""

    name = serializers.CharField(
        help_text="A key of `options`; `api_username` and `api_secret` stand beside them."
    )
    label = serializers.CharField()  # type: ignore[assignment]  # here it is a field's name
    help = serializers.CharField()
    required = serializers.BooleanField()  # type: ignore[assignment]  # here it is a field's name
    advanced = serializers.BooleanField(help_text="For other clouds and closed networks.")
    is_secret = serializers.BooleanField()


class KindRow(Row):
    """A kind of registry."""

    kind = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # here it is a field's name
    abilities = serializers.ListField(
        child=serializers.ChoiceField(choices=[ability.value for ability in Ability])
    )
    fields_ = KindFieldRow(many=True)
    judges_access = serializers.BooleanField(
        help_text="Whether it judges pulls and pushes by permissions of its own."
    )
    own_permissions = serializers.CharField(help_text="Which those are.")
    requests_per_minute = serializers.IntegerField(
        allow_null=True, help_text="The budget that its vendor publishes."
    )

    def get_fields(self) -> dict[str, Any]:
        """`fields` is a name that serializers have taken."""
        found = super().get_fields()
        found["fields"] = found.pop("fields_")
        return found


class Kinds(Resource):
    @extend_schema(
        operation_id="list_registry_kinds",
        tags=["registries"],
        summary="List the kinds of registries",
        responses=page_of(KindRow),
        examples=[lists("One of them", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """All of them on one page, in the order in which a registry is asked which it is."""
        query = Query.read(request)
        rows = [_shown(connector) for connector in CONNECTORS.values()]
        return answer_page(request, Page(rows, "", ""), query, KindRow)


def _shown(connector: type[Connector]) -> dict[str, Any]:
    return {
        "kind": connector.kind,
        "label": connector.label,
        "abilities": [ability.value for ability in Ability if ability in connector.abilities],
        "fields": [_field(field) for field in connector.fields],
        "judges_access": connector.judges_access,
        "own_permissions": connector.own_permissions,
        "requests_per_minute": connector.requests_per_minute,
    }


def _field(field: Field) -> dict[str, Any]:
    return {
        "name": field.name,
        "label": field.label,
        "help": field.help,
        "required": field.required,
        "advanced": field.advanced,
        "is_secret": field.is_secret,
    }

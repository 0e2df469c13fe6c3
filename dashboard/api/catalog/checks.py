"""`/registry-checks` and `/registries/<registry>/check`: a connection tried out, step by step."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from django.core.exceptions import ValidationError
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action
from access.networks import require_network
from access.shortcuts import get_registry_or_404, require
from dashboard.api.bodies import Row
from dashboard.api.catalog.settings import SettingsBody, new_settings, settings_from
from dashboard.api.examples import sends, shows
from dashboard.api.problems import Code, Problem
from dashboard.api.resources import Resource
from registries.connection_checks import ConnectionCheck, check_connection
from registries.connections import settings_of
from registries.connectors.abilities import POWERS
from registries.connectors.base import STEPS
from registries.models import Registry
from registries.registry_settings import URL_LIMIT, RegistrySettings, cleaned

# For who tries out what has no name yet.
_UNNAMED = "unnamed"
_CHECK_EXAMPLE = {
    "passed": True,
    "kind": "acr",
    "url": "https://prod.azurecr.io",
    "steps": [
        {
            "name": "dns",
            "ok": True,
            "detail": "prod.azurecr.io is 20.38.140.1.",
            "advice": "",
            "seconds": 0.012,
            "essential": True,
        }
    ],
    "powers": [{"name": "list", "allowed": True, "detail": "The repositories can be listed."}],
}


class StoredTrialBody(SettingsBody):
    """What is given is tried in the place of what is stored."""

    url = serializers.CharField(required=False, max_length=URL_LIMIT)


class TrialBody(SettingsBody):
    name = serializers.CharField(required=False, max_length=63)


class CheckStepRow(Row):
    """One step on the way to a registry."""

    name = serializers.ChoiceField(choices=STEPS)
    ok = serializers.BooleanField(allow_null=True, help_text="Null for one that was not tried.")
    detail = serializers.CharField()
    advice = serializers.CharField(help_text="What to do about it.")
    seconds = serializers.FloatField()
    essential = serializers.BooleanField(help_text="False for one that is a warning if it failed.")


class PowerRow(Row):
    """What the account may do there."""

    name = serializers.ChoiceField(choices=POWERS)
    allowed = serializers.BooleanField(
        allow_null=True, help_text="Null where nobody can tell without doing it."
    )
    detail = serializers.CharField()


class ConnectionCheckRow(Row):
    """What trying a connection out showed."""

    passed = serializers.BooleanField()
    kind = serializers.CharField(source="settings.kind", help_text="Found out, if none was given.")
    url = serializers.CharField(source="settings.url", help_text="What is dialled.")
    steps = CheckStepRow(many=True)
    powers = PowerRow(many=True, help_text="None unless all went well.")


class Check(Resource):
    @extend_schema(
        operation_id="check_registry",
        tags=["registries"],
        summary="Test a registry's connection",
        request=StoredTrialBody,
        responses=ConnectionCheckRow,
        examples=[
            sends("As it is stored", {}),
            shows("It works", _CHECK_EXAMPLE),
        ],
    )
    def post(self, request: Request, registry: str) -> Response:
        """Dials it, signs in and reads its catalog, with the stored settings or with those given
        instead of them; stores nothing. Needs `registry manage`, and on `*` to turn `allow_private`
        on, or to go elsewhere while it is on (`url`, `kind`, `options`)."""
        caller = self.caller
        found = get_registry_or_404(caller.somebody, registry, Action.REGISTRY_MANAGE)
        given = StoredTrialBody.read(request)
        before = settings_of(found)
        with told_by_field():
            settings = cleaned(settings_from(given, before))
            require_network(caller.rights, settings, before)
            check = check_connection(settings, stored=found)
        return Response(ConnectionCheckRow(check).data)


class Checks(Resource):
    @extend_schema(
        operation_id="check_connection",
        tags=["registries"],
        summary="Try a connection out",
        request=TrialBody,
        responses=ConnectionCheckRow,
        examples=[
            sends("Nothing but an address", {"url": "prod.azurecr.io"}),
            shows("It works", _CHECK_EXAMPLE),
        ],
    )
    def post(self, request: Request) -> Response:
        """Finds out the kind and what the account may do there, and stores nothing. Needs `registry
        manage` on `*`."""
        require(self.caller.somebody, Action.REGISTRY_MANAGE)
        settings = new_settings({"name": _UNNAMED, **TrialBody.read(request)})
        with told_by_field():
            check = check_connection(settings)
        return Response(ConnectionCheckRow(check).data)


def tried(settings: RegistrySettings, *, stored: Registry | None = None) -> ConnectionCheck:
    """A check that passed; raises Problem with the steps of one that did not."""
    with told_by_field():
        check = check_connection(settings, stored=stored)
    if (failed := check.failure) is None:
        return check
    raise Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        Code.REGISTRY_FAILED,
        f"{failed.detail} {failed.advice}".strip(),
        steps=CheckStepRow(check.steps, many=True).data,
    )


@contextmanager
def told_by_field() -> Iterator[None]:
    """A mistake in a setting of a kind is told of by where it stands here: `options.tenant`."""
    try:
        yield
    except ValidationError as error:
        if not hasattr(error, "error_dict"):
            raise
        known = TrialBody().fields
        raise ValidationError(
            {
                name if name in known else f"options.{name}": sentences
                for name, sentences in error.message_dict.items()
            }
        ) from None

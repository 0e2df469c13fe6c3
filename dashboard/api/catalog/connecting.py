"""How registries are connected: settings read and changed, and connections tried out.

A connection is stored only after a check that passed, as on screen. A check takes seconds: it comes
before the transaction, and what it was about must still be so inside.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action
from access.shortcuts import get_registry_or_404, require
from dashboard.api.bodies import Body, Row
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import sends, shows
from dashboard.api.problems import Code, Problem
from dashboard.api.resources import Resource
from registries.connections import (
    ConnectionCheck,
    change_registry,
    check_connection,
    needs_check,
    secrets_given,
    settings_of,
)
from registries.connectors.abilities import POWERS
from registries.connectors.base import STEPS
from registries.models import Registry
from registries.registry_settings import (
    LONGEST_INTERVAL,
    OPTION_LIMIT,
    PATTERN_LIMIT,
    PATTERNS_LIMIT,
    URL_LIMIT,
    USERNAME_LIMIT,
    RegistrySettings,
)
from registries.transactions import together

MINUTE = timedelta(minutes=1)
# For who tries out what has no name yet.
_UNNAMED = "unnamed"

_SETTINGS_EXAMPLE = {
    "name": "prod",
    "url": "https://prod.azurecr.io",
    "kind": "acr",
    "options": {"tenant": "contoso.onmicrosoft.com"},
    "public_host": "",
    "allow_private": False,
    "ca_certificate": "",
    "repository_names": ["shop/*"],
    "sync_minutes": 15,
    "username": "portolan",
    "password_changed_at": "2026-11-20T09:00:00Z",
    "api_username": "",
    "api_secret_changed_at": None,
}
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


class SettingsRow(Row):
    """How a registry is connected. Of its secrets it is said only since when they are there."""

    name = serializers.CharField()
    url = serializers.CharField()
    kind = serializers.CharField()
    options = serializers.DictField(
        child=serializers.CharField(), help_text="Settings of its kind; see `/registry-kinds`."
    )
    public_host = serializers.CharField(help_text="The host in pull commands, if it is another.")
    allow_private = serializers.BooleanField(help_text="Private addresses and plain http, too.")
    ca_certificate = serializers.CharField(help_text="PEM certificates to trust besides.")
    repository_names = serializers.ListField(
        child=serializers.CharField(), help_text="Names and patterns; none is the whole catalog."
    )
    sync_minutes = serializers.IntegerField(
        allow_null=True, help_text="Minutes between syncs; null is only when asked for."
    )
    username = serializers.CharField()
    password_changed_at = serializers.DateTimeField(allow_null=True)
    api_username = serializers.CharField(help_text="Of a second account, for the vendor's API.")
    api_secret_changed_at = serializers.DateTimeField(allow_null=True)


class SettingsBody(Body):
    """What is left out stays as it is; of a new registry, it is as on screen."""

    url = serializers.CharField(
        max_length=URL_LIMIT, help_text="The host that docker login takes, or its https:// address."
    )
    kind = serializers.CharField(
        required=False, allow_blank=True, max_length=32, help_text="Empty to have it found out."
    )
    options = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=OPTION_LIMIT),
        required=False,
        help_text="Settings of its kind, all of them; see `/registry-kinds`.",
    )
    public_host = serializers.CharField(required=False, allow_blank=True, max_length=URL_LIMIT)
    allow_private = serializers.BooleanField(required=False)
    ca_certificate = serializers.CharField(required=False, allow_blank=True)
    repository_names = serializers.ListField(
        child=serializers.CharField(max_length=PATTERN_LIMIT),
        required=False,
        max_length=PATTERNS_LIMIT,
    )
    sync_minutes = serializers.IntegerField(
        required=False, allow_null=True, min_value=1, max_value=LONGEST_INTERVAL // MINUTE
    )
    username = serializers.CharField(required=False, allow_blank=True, max_length=USERNAME_LIMIT)
    password = serializers.CharField(
        required=False,
        allow_blank=True,
        write_only=True,
        trim_whitespace=False,
        help_text="Left out or empty, the stored one stays; it is sent nowhere else.",
    )
    api_username = serializers.CharField(
        required=False, allow_blank=True, max_length=USERNAME_LIMIT
    )
    api_secret = serializers.CharField(
        required=False, allow_blank=True, write_only=True, trim_whitespace=False
    )


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


class Settings(Resource):
    @extend_schema(
        operation_id="show_registry_settings",
        tags=["registries"],
        summary="Show how a registry is connected",
        responses=SettingsRow,
        examples=[shows("Settings", _SETTINGS_EXAMPLE)],
    )
    def get(self, request: Request, registry: str) -> Response:
        """All settings but the secrets. Needs `registry manage`."""
        found = get_registry_or_404(self.caller.somebody, registry, Action.REGISTRY_MANAGE)
        return answer_one(request, shown(found))

    @extend_schema(
        operation_id="change_registry_settings",
        tags=["registries"],
        summary="Change how a registry is connected",
        request=SettingsBody,
        responses=SettingsRow,
        examples=[
            sends("Once an hour", {"sync_minutes": 60}),
            shows("Settings", _SETTINGS_EXAMPLE),
        ],
    )
    def patch(self, request: Request, registry: str) -> Response:
        """Only what is given changes; the name stays. What is dialled otherwise than before is tried
        out first: a `422` has the steps, and then nothing is changed. Needs `registry manage`."""
        found = get_registry_or_404(self.caller.somebody, registry, Action.REGISTRY_MANAGE)
        given = SettingsBody.read(request, partial=True)
        require_match(request, shown(found))  # before anything is dialled in vain
        before = settings_of(found)
        wanted = settings_from(given, before)
        check = tried(wanted, stored=found) if needs_check(found, wanted) else None
        with together():
            locked = locked_or_404(found)
            require_match(request, shown(locked))
            if settings_of(locked) != before:
                raise Problem(
                    HTTPStatus.CONFLICT,
                    Code.CONFLICT,
                    _("Somebody changed it at the same time: read it again, and try once more."),
                )
            with told_by_field():
                change_registry(
                    registry=locked,
                    settings=check.settings if check else wanted,
                    check=check,
                    actor=self.caller.actor,
                )
            found = locked_or_404(found)
        return Response(shown(found))


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
        instead of them; stores nothing. Needs `registry manage`."""
        found = get_registry_or_404(self.caller.somebody, registry, Action.REGISTRY_MANAGE)
        given = StoredTrialBody.read(request)
        with told_by_field():
            check = check_connection(settings_from(given, settings_of(found)), stored=found)
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


def shown(registry: Registry) -> dict[str, Any]:
    """A registry's settings as a `SettingsRow`."""
    settings = settings_of(registry)
    given = secrets_given(registry)
    interval = settings.sync_interval
    values = {
        "name": settings.name,
        "url": settings.url,
        "kind": settings.kind,
        "options": settings.options,
        "public_host": settings.public_host,
        "allow_private": settings.allow_private,
        "ca_certificate": settings.ca_certificate,
        "repository_names": settings.repository_names,
        "sync_minutes": None if interval is None else interval // MINUTE,
        "username": settings.username,
        "password_changed_at": given["password"],
        "api_username": settings.api_username,
        "api_secret_changed_at": given["api_secret"],
    }
    return dict(SettingsRow(values).data)


def new_settings(given: Mapping[str, Any]) -> RegistrySettings:
    """What was said of a registry that is not there yet."""
    return settings_from(given, RegistrySettings(name=given["name"], url=given["url"]))


def settings_from(given: Mapping[str, Any], before: RegistrySettings) -> RegistrySettings:
    """These settings with what was given in their place; what makes sense is judged by the action."""
    values = dict(given)
    if "sync_minutes" in values:
        minutes = values.pop("sync_minutes")
        values["sync_interval"] = None if minutes is None else minutes * MINUTE
    if "repository_names" in values:
        values["repository_names"] = tuple(values["repository_names"])
    for secret in ("password", "api_secret"):
        if secret in values:
            values[secret] = values[secret] or None
    return replace(before, **values)


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


def locked_or_404(registry: Registry) -> Registry:
    """The registry as it is now, for this transaction alone; raises Http404 if it went meanwhile."""
    found = Registry.objects.select_for_update().filter(pk=registry.pk).first()
    if found is None:
        raise Http404(_("There is no registry of this name."))
    return found

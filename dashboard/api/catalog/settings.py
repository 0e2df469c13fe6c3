"""How a registry is connected, as it is shown, and as it is said in a body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers

from dashboard.api.bodies import Body, Row
from registries.connection_secrets import secrets_given
from registries.connections import settings_of
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

MINUTE = timedelta(minutes=1)

SETTINGS_EXAMPLE = {
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


def locked_or_404(registry: Registry) -> Registry:
    """The registry as it is now, for this transaction alone; raises Http404 if it went meanwhile."""
    found = Registry.objects.select_for_update().filter(pk=registry.pk).first()
    if found is None:
        raise Http404(_("There is no registry of this name."))
    return found

"""`/registries/<registry>/settings`: how it is connected, read and changed.

A connection is stored only after a check that passed, as on screen. A check takes seconds: it comes
before the transaction, and what it was about must still be so inside.
"""

from __future__ import annotations

from http import HTTPStatus

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action
from access.networks import require_network
from access.shortcuts import get_registry_or_404
from dashboard.api.catalog.checks import told_by_field, tried
from dashboard.api.catalog.settings import (
    SETTINGS_EXAMPLE,
    SettingsBody,
    SettingsRow,
    locked_or_404,
    settings_from,
    shown,
)
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import sends, shows
from dashboard.api.problems import Code, Problem
from dashboard.api.resources import Resource
from registries.connections import change_registry, needs_check, settings_of
from registries.registry_settings import cleaned
from registries.transactions import together


class Settings(Resource):
    @extend_schema(
        operation_id="show_registry_settings",
        tags=["registries"],
        summary="Show how a registry is connected",
        responses=SettingsRow,
        examples=[shows("Settings", SETTINGS_EXAMPLE)],
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
            shows("Settings", SETTINGS_EXAMPLE),
        ],
    )
    def patch(self, request: Request, registry: str) -> Response:
        """Only what is given changes; the name stays. What is dialled otherwise than before is tried
        out first: a `422` has the steps, and then nothing is changed. Needs `registry manage`, and on
        `*` to turn `allow_private` on, or to go elsewhere while it is on (`url`, `kind`, `options`)."""
        caller = self.caller
        found = get_registry_or_404(caller.somebody, registry, Action.REGISTRY_MANAGE)
        given = SettingsBody.read(request, partial=True)
        require_match(request, shown(found))  # before anything is dialled in vain
        before = settings_of(found)
        with told_by_field():
            wanted = cleaned(settings_from(given, before))
        require_network(caller.rights, wanted, before)
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
                    actor=caller.actor,
                )
            found = locked_or_404(found)
        return Response(shown(found))

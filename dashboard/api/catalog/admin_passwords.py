"""`/registries/<registry>/docker/passwords`: of the shared admin account, shown once."""

from __future__ import annotations

from http import HTTPStatus

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import admin_accounts
from access.actions import Action
from access.shortcuts import get_registry_or_404
from dashboard.api.bodies import Row
from dashboard.api.examples import shows
from dashboard.api.reassured import require_reassured
from dashboard.api.resources import Resource
from dashboard.callers import Caller
from registries.models import Registry

# A secret that was just made must lie nowhere on its way.
_NO_STORE = {"Cache-Control": "no-store"}
PASSWORD = {
    "slot": 1,
    "key_id": "k3v9x0q2m1",
    "created_at": "2026-11-26T08:15:00Z",
    "created_by": "anna",
    "last_used_at": None,
}


class PasswordRow(Row):
    """A password of an admin account, without itself."""

    slot = serializers.IntegerField(help_text="Its place, 1 or 2.")
    key_id = serializers.CharField(help_text="The part of it that may be seen.")
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class IssuedPasswordRow(PasswordRow):
    """A password that was just made, with itself."""

    username = serializers.CharField(help_text="What docker signs in as.")
    host = serializers.CharField(help_text="Where docker signs in.")
    secret = serializers.CharField(help_text="Shown this once.")


class Passwords(Resource):
    @extend_schema(
        operation_id="make_admin_password",
        tags=["docker"],
        summary="Make a password of the admin account",
        request=None,
        responses={201: IssuedPasswordRow},
        examples=[
            shows(
                "Shown once",
                {
                    **PASSWORD,
                    "username": "harbour",
                    "host": "registry.example.com",
                    "secret": "ptl_adm_…",
                },
            )
        ],
    )
    def post(self, request: Request, registry: str, slot: int) -> Response:
        """In place 1 or 2; the one that was there works no more, the other works on. Needs `access
        manage` and all that the account may do. Who comes with a browser's session has said lately
        who he is."""
        caller = self.caller
        found = managed_registry(caller, registry)
        if slot not in admin_accounts.SLOTS:
            raise Http404(_("There are passwords 1 and 2."))
        admin_accounts.require_mastery(found, caller.rights)
        require_reassured(request)
        made = admin_accounts.make_password(
            found, slot=slot, rights=caller.rights, actor=caller.actor
        )
        shown = {
            **PasswordRow(made.secret).data,
            "username": found.name,
            "host": found.host.partition("/")[0],
            "secret": made.text,
        }
        return Response(shown, status=HTTPStatus.CREATED, headers=_NO_STORE)


def managed_registry(caller: Caller, registry: str) -> Registry:
    return get_registry_or_404(caller.somebody, registry, Action.ACCESS_MANAGE)

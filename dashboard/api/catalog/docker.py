"""`/registries/<registry>/docker`: docker's access to a registry, and its shared admin account."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import admin_accounts
from access.models import Secret
from access.policy import Rights
from dashboard.api.bodies import Body, Row
from dashboard.api.catalog.admin_passwords import PASSWORD, PasswordRow, managed_registry
from dashboard.api.catalog.settings import locked_or_404
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import sends, shows
from dashboard.api.resources import Resource
from dashboard.browse.docker_access import setup_of
from dashboard.views.access.show_once import TAKES_TOKENS
from registries.models import Registry
from registries.transactions import together

_EXAMPLE = {
    "takes_tokens": True,
    "setup": {
        "distribution_2": 'auth:\n  token:\n    realm: "https://portolan.example.com/auth/token"',
        "distribution_3": 'auth:\n  token:\n    realm: "https://portolan.example.com/auth/token"',
        "zot": '{"http": {"auth": {"bearer": {}}}}',
        "bundle_path": "/etc/portolan/certificates.pem",
        "keys_path": "/etc/portolan/keys.json",
        "certificates": "-----BEGIN CERTIFICATE-----\n…",
        "jwks": '{"keys": []}',
    },
    "admin_account": {
        "enabled": True,
        "enabled_at": "2026-11-26T08:14:00Z",
        "username": "harbour",
        "may_hand_out": True,
        "passwords": [PASSWORD],
    },
}


class AdminAccountRow(Row):
    """The account that whoever has its password shares. It may do everything in the registry."""

    enabled = serializers.BooleanField()
    enabled_at = serializers.DateTimeField(allow_null=True)
    username = serializers.CharField()
    may_hand_out = serializers.BooleanField(
        help_text="Whether the caller may switch it on and make passwords."
    )
    passwords = PasswordRow(many=True, help_text="At most two.")


class DockerSetupRow(Row):
    """What goes into the registry's own configuration, so that it takes tokens from here."""

    distribution_2 = serializers.CharField(help_text="YAML for Distribution 2.8.")
    distribution_3 = serializers.CharField(help_text="YAML for Distribution 3.")
    zot = serializers.CharField(help_text="JSON for zot.")
    bundle_path = serializers.CharField(help_text="Where those expect the certificates.")
    keys_path = serializers.CharField(help_text="Where those expect the keys.")
    certificates = serializers.CharField(help_text="PEM of the keys that sign tokens.")
    jwks = serializers.CharField(help_text="The same as a JSON Web Key Set.")


class DockerRow(Row):
    """Docker's access to a registry."""

    takes_tokens = serializers.BooleanField(
        help_text="False for kinds that judge pulls and pushes by themselves."
    )
    setup = DockerSetupRow()
    admin_account = AdminAccountRow()


class AdminAccountBody(Body):
    enabled = serializers.BooleanField()


class DockerBody(Body):
    admin_account = AdminAccountBody()


class Docker(Resource):
    @extend_schema(
        operation_id="show_docker_access",
        tags=["docker"],
        summary="Show docker's access to a registry",
        responses=DockerRow,
        examples=[shows("Set up", _EXAMPLE)],
    )
    def get(self, request: Request, registry: str) -> Response:
        """How it takes tokens from Portolan, and its shared admin account. Needs `access manage`."""
        found = managed_registry(self.caller, registry)
        return answer_one(request, _shown(found, self.caller.rights))

    @extend_schema(
        operation_id="switch_admin_account",
        tags=["docker"],
        summary="Switch the admin account on or off",
        request=DockerBody,
        responses=DockerRow,
        examples=[
            sends("Off", {"admin_account": {"enabled": False}}),
            shows("Set up", _EXAMPLE),
        ],
    )
    def patch(self, request: Request, registry: str) -> Response:
        """Off needs `access manage`; on, all that the account may do besides. Passwords work while it
        is on, also those made before."""
        caller = self.caller
        found = managed_registry(caller, registry)
        given = DockerBody.read(request, partial=True).get("admin_account", {})
        switches = {True: admin_accounts.switch_on, False: admin_accounts.switch_off}
        with together():
            locked = locked_or_404(found)
            require_match(request, _shown(locked, caller.rights))
            if "enabled" in given:
                switches[given["enabled"]](locked, rights=caller.rights, actor=caller.actor)
        return Response(_shown(found, caller.rights))


def _shown(registry: Registry, rights: Rights) -> dict[str, Any]:
    account = admin_accounts.account_of(registry)
    passwords: list[Secret] = [one for one in admin_accounts.passwords_of(registry) if one]
    values = {
        "takes_tokens": registry.kind == TAKES_TOKENS,
        "setup": setup_of(registry),
        "admin_account": {
            "enabled": account is not None and account.enabled_at is not None,
            "enabled_at": account.enabled_at if account else None,
            "username": registry.name,
            "may_hand_out": admin_accounts.may_hand_out(registry, rights),
            "passwords": passwords,
        },
    }
    return dict(DockerRow(values).data)

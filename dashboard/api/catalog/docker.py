"""`/registries/<registry>/docker`: docker's access to a registry, and its shared admin account."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import admin_accounts
from access.actions import Action
from access.models import Secret, TokenLogEntry
from access.policy import Rights
from access.shortcuts import get_registry_or_404
from access.tokens.scope import LONGEST_SCOPE
from dashboard.api.bodies import Body, Query, Row
from dashboard.api.catalog.connecting import locked_or_404
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.fields import PrincipalField
from dashboard.api.pages import answer_page, page_of
from dashboard.api.problems import InvalidParameter
from dashboard.api.reassured import require_reassured
from dashboard.api.resources import Resource
from dashboard.browse.docker_access import setup_of, tried_out
from dashboard.callers import Caller
from dashboard.pagination import Page
from dashboard.views.access.docker import RECENT
from dashboard.views.access.show_once import TAKES_TOKENS
from registries.models import Registry
from registries.transactions import together

# A secret that was just made must lie nowhere on its way.
_NO_STORE = {"Cache-Control": "no-store"}
_PASSWORD = {
    "slot": 1,
    "key_id": "k3v9x0q2m1",
    "created_at": "2026-11-26T08:15:00Z",
    "created_by": "anna",
    "last_used_at": None,
}
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
        "passwords": [_PASSWORD],
    },
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
        found = _managed(self.caller, registry)
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
        found = _managed(caller, registry)
        given = DockerBody.read(request, partial=True).get("admin_account", {})
        switches = {True: admin_accounts.switch_on, False: admin_accounts.switch_off}
        with together():
            locked = locked_or_404(found)
            require_match(request, _shown(locked, caller.rights))
            if "enabled" in given:
                switches[given["enabled"]](locked, rights=caller.rights, actor=caller.actor)
        return Response(_shown(found, caller.rights))


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
                    **_PASSWORD,
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
        found = _managed(caller, registry)
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
        found = _managed(self.caller, registry)
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
        found = _managed(self.caller, registry)
        query = Query.read(request)
        rows = list(TokenLogEntry.objects.filter(registry=found.pk)[:RECENT])
        return answer_page(request, Page(rows, "", ""), query, DockerTokenRow)


def _managed(caller: Caller, registry: str) -> Registry:
    return get_registry_or_404(caller.somebody, registry, Action.ACCESS_MANAGE)


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

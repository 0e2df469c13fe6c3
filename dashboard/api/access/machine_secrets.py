"""`/service-principals/<name>/secrets`: two places, so that one is replaced while the other works."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus

from django.db.models import F
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import keyring
from access import machine_secrets as actions
from access.keyring import Issued
from access.machines import locked, require_care, require_control
from access.models import Secret
from dashboard.api.bodies import Body, Row
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.reassured import require_reassured
from dashboard.api.resources import Resource
from dashboard.pagination import Column
from dashboard.views.access.machine_secrets import USUAL_DAYS, refuse_later, secret_or_404
from dashboard.views.access.machines import machine_or_404
from registries.transactions import together

TAG = "service principals"
LONGEST_OVERLAP_HOURS = 24 * 7
COLUMNS = {"created": Column(F("created_at"), datetime, descending_first=True)}
# A secret that was just made must lie nowhere on its way.
NO_STORE = {"Cache-Control": "no-store"}
EXAMPLE = {
    "key_id": "k3v9x0q2m1",
    "state": "live",
    "label": "Jenkins in Basel",
    "created_at": "2026-11-26T08:15:00Z",
    "created_by": "anna",
    "expires_at": "2027-02-24T08:15:00Z",
    "revoked_at": None,
    "last_used_at": None,
    "last_used_from": None,
}
_EXAMPLE = {"slot": 1, **EXAMPLE}


class AnySecretRow(Row):
    """What is known of a secret once it is made."""

    key_id = serializers.CharField(help_text="The part of it that may be seen.")
    state = serializers.SerializerMethodField(help_text="`live`, `expired` or `revoked`.")
    label = serializers.CharField(help_text="What it is for.")  # type: ignore[assignment]  # here it is a field's name
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True, help_text="Null for never.")
    revoked_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True, help_text="To the minute.")
    last_used_from = serializers.CharField(allow_null=True, help_text="The address.")

    def get_state(self, secret: Secret) -> str:
        if secret.revoked_at is not None:
            return "revoked"
        return "live" if keyring.is_live(secret, timezone.now()) else "expired"


class SecretRow(AnySecretRow):
    """A secret of a service principal."""

    slot = serializers.IntegerField(help_text="Its place, 1 or 2.")

    class Meta:
        ref_name = "ServicePrincipalSecret"


class IssuedSecretRow(SecretRow):
    """A secret that was just made, with itself."""

    secret = serializers.SerializerMethodField(help_text="Shown this once.")

    def get_secret(self, _secret: Secret) -> str:
        return str(self.context["secret"])

    class Meta:
        ref_name = "IssuedServicePrincipalSecret"


class SecretQuery(PageQuery):
    state = serializers.ChoiceField(
        choices=["live", "ended", "all"], default="live", help_text="`ended` or withdrawn."
    )
    sort = sorts(COLUMNS)


def usual_end() -> datetime:
    return timezone.now() + timedelta(days=USUAL_DAYS)


class SecretBody(Body):
    label = serializers.CharField(  # type: ignore[assignment]  # here it is a field's name
        max_length=63, allow_blank=True, default="", help_text="Where it will be kept."
    )
    expires_at = serializers.DateTimeField(
        allow_null=True,
        required=False,
        help_text=f"Null for never; left out, {USUAL_DAYS} days from now.",
    )


class RotationBody(Body):
    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=LONGEST_OVERLAP_HOURS,
        default=24,
        help_text="How long the old one works on.",
    )
    expires_at = serializers.DateTimeField(
        allow_null=True,
        required=False,
        help_text=f"Of the new one. Null for never; left out, {USUAL_DAYS} days from now.",
    )


class EndBody(Body):
    expires_at = serializers.DateTimeField(help_text="It can come closer, and never go away.")


class MachineSecrets(Resource):
    @extend_schema(
        operation_id="list_service_principal_secrets",
        tags=[TAG],
        summary="List a service principal's secrets",
        parameters=[SecretQuery],
        responses=page_of(SecretRow),
        examples=[lists("One secret", _EXAMPLE)],
    )
    def get(self, request: Request, name: str) -> Response:
        """Those of its two places; `state` also shows those that were there. Needs what it takes to
        see the machine."""
        machine = machine_or_404(self.caller, name)
        query = SecretQuery.read(request)
        found = machine.secrets.filter(kind=Secret.Kind.SERVICE)
        live = keyring.live(timezone.now())
        if query["state"] == "live":
            found = found.filter(live)
        elif query["state"] == "ended":
            found = found.exclude(live)
        return answer_page(request, turn_page(request, found, query, COLUMNS), query, SecretRow)

    @extend_schema(
        operation_id="create_service_principal_secret",
        tags=[TAG],
        summary="Make a secret",
        request=SecretBody,
        responses={201: IssuedSecretRow},
        examples=[
            sends("For half a year", {"label": "Jenkins in Basel"}),
            shows("Made", _EXAMPLE | {"secret": "ptl_sp_k3v9x0q2m1_…"}),
        ],
    )
    def post(self, request: Request, name: str) -> Response:
        """In a free place, shown this once; `422` while both hold live ones. Needs `access manage`
        and all that the machine may do itself, or maintaining its team."""
        caller = self.caller
        machine = machine_or_404(caller, name)
        require_care(machine, caller.rights, caller.maintainer)
        require_reassured(request)
        given = SecretBody.read(request)
        issued = actions.create_secret(
            machine,
            expires_at=given.get("expires_at", usual_end()),
            label=given["label"],
            rights=caller.rights,
            maintainer=caller.maintainer,
            actor=caller.actor,
        )
        return answer_issued(IssuedSecretRow, issued, at=request.path)


class OneMachineSecret(Resource):
    @extend_schema(
        operation_id="show_service_principal_secret",
        tags=[TAG],
        summary="Show a secret's state",
        responses=SecretRow,
        examples=[shows("A secret", _EXAMPLE)],
    )
    def get(self, request: Request, name: str, key_id: str) -> Response:
        """All but itself. Needs what it takes to see the machine."""
        secret = secret_or_404(machine_or_404(self.caller, name), key_id)
        return answer_one(request, SecretRow(secret).data)

    @extend_schema(
        operation_id="end_service_principal_secret",
        tags=[TAG],
        summary="Let a secret end earlier",
        request=EndBody,
        responses=SecretRow,
        examples=[
            sends("With the year", {"expires_at": "2026-12-31T23:59:59Z"}),
            shows("It ends earlier", _EXAMPLE | {"expires_at": "2026-12-31T23:59:59Z"}),
        ],
    )
    def patch(self, request: Request, name: str, key_id: str) -> Response:
        """An end, or an earlier one. Needs `access manage` on everything, or maintaining the
        machine's team."""
        caller = self.caller
        machine = machine_or_404(caller, name)
        require_control(machine, caller.rights, caller.maintainer)
        secret = secret_or_404(machine, key_id)
        at = EndBody.read(request)["expires_at"]
        with together():
            secret = secret_or_404(locked(machine), key_id)
            require_match(request, SecretRow(secret).data)
            refuse_later(secret, at)
            secret = actions.end_secret(
                secret,
                at=at,
                rights=caller.rights,
                maintainer=caller.maintainer,
                actor=caller.actor,
            )
        return Response(SecretRow(secret).data)

    @extend_schema(
        operation_id="revoke_service_principal_secret",
        tags=[TAG],
        summary="Revoke a secret",
        responses={204: None},
    )
    def delete(self, request: Request, name: str, key_id: str) -> Response:
        """It works no more; once more is no error. Needs `access manage` on everything, or
        maintaining the machine's team."""
        caller = self.caller
        machine = machine_or_404(caller, name)
        require_control(machine, caller.rights, caller.maintainer)
        secret_or_404(machine, key_id)
        with together():
            secret = secret_or_404(locked(machine), key_id)
            require_match(request, SecretRow(secret).data)
            actions.revoke_secret(
                secret, rights=caller.rights, maintainer=caller.maintainer, actor=caller.actor
            )
        return Response(status=HTTPStatus.NO_CONTENT)


class RotateMachineSecret(Resource):
    @extend_schema(
        operation_id="rotate_service_principal_secret",
        tags=[TAG],
        summary="Replace a secret",
        request=RotationBody,
        responses={201: IssuedSecretRow},
        examples=[
            sends("Within a day", {"overlap_hours": 24}),
            shows("Made", _EXAMPLE | {"secret": "ptl_sp_k3v9x0q2m1_…"}),
        ],
    )
    def post(self, request: Request, name: str, key_id: str) -> Response:
        """A new one in the other place, shown this once; this one works on for a while, and never
        longer than it would have. Needs what it takes to make one."""
        caller = self.caller
        machine = machine_or_404(caller, name)
        require_care(machine, caller.rights, caller.maintainer)
        old = secret_or_404(machine, key_id)
        require_reassured(request)
        given = RotationBody.read(request)
        issued = actions.rotate_secret(
            old,
            expires_at=given.get("expires_at", usual_end()),
            overlap=timedelta(hours=given["overlap_hours"]),
            rights=caller.rights,
            maintainer=caller.maintainer,
            actor=caller.actor,
        )
        return answer_issued(
            IssuedSecretRow, issued, at=request.path.removesuffix(f"/{key_id}/rotation")
        )


def answer_issued(row: type[Row], issued: Issued, *, at: str) -> Response:
    """A new secret, this once; `at` is the list that it is in."""
    shown = row(issued.secret, context={"secret": issued.text}).data
    location = f"{at}/{issued.secret.key_id}"
    headers = {**NO_STORE, "Location": location}
    return Response(shown, status=HTTPStatus.CREATED, headers=headers)

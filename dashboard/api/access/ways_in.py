"""`/profile/ways-in` and `/people/<user>/ways-in`: with what somebody signs in, and where he is."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import keyring
from access.models import User
from access.personal_tokens import tokens_of
from dashboard.api.access.people import person_or_404, require_manager
from dashboard.api.access.profile import TAG
from dashboard.api.bodies import Row
from dashboard.api.callers import himself
from dashboard.api.etags import answer_one
from dashboard.api.examples import shows
from dashboard.api.resources import Resource

_KEY = {
    "type": "webauthn",
    "name": "The key on my ring",
    "is_passkey": True,
    "created_at": "2026-03-02T09:35:00Z",
    "last_used_at": "2026-11-26T07:59:12Z",
}
_EXAMPLE = {
    "has_password": True,
    "second_factors": [_KEY],
    "recovery_codes_left": 8,
    "single_sign_on": ["company"],
    "sessions": 2,
    "live_tokens": 1,
}


class SecondFactorRow(Row):
    """What is asked for besides the password, or in its place."""

    type = serializers.ChoiceField(choices=["totp", "webauthn"], help_text="An app, or a key.")
    name = serializers.SerializerMethodField(help_text="Of a key, as its owner calls it.")
    is_passkey = serializers.SerializerMethodField(help_text="Whether it lets in without a name.")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)

    def get_name(self, factor: Authenticator) -> str:
        return str(factor.wrap().name) if factor.type == "webauthn" else ""

    def get_is_passkey(self, factor: Authenticator) -> bool:
        return factor.type == "webauthn" and bool(factor.wrap().is_passwordless)


class WaysInRow(Row):
    """With what somebody signs in, and where he is signed in."""

    has_password = serializers.BooleanField()
    second_factors = SecondFactorRow(many=True)
    recovery_codes_left = serializers.IntegerField(
        allow_null=True, help_text="Null for who has none, and of others."
    )
    single_sign_on = serializers.ListField(
        child=serializers.CharField(), help_text="Providers that the account is connected with."
    )
    sessions = serializers.IntegerField(help_text="In how many browsers he is signed in.")
    live_tokens = serializers.IntegerField(help_text="How many of his access tokens work.")


class OwnWaysIn(Resource):
    @extend_schema(
        operation_id="show_ways_in",
        tags=[TAG],
        summary="Show how one signs in oneself",
        responses=WaysInRow,
        examples=[shows("By password and key", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """Apps, keys and passkeys, recovery codes, providers. They are set up in a browser. Only for
        who is signed in himself."""
        person = himself(self.caller)
        return answer_one(request, WaysInRow(_about(person, codes=_codes_left(person))).data)


class PersonWaysIn(Resource):
    @extend_schema(
        operation_id="show_ways_in_of_person",
        tags=["people"],
        summary="Show how somebody signs in",
        responses=WaysInRow,
        examples=[shows("By password and key", _EXAMPLE | {"recovery_codes_left": None})],
    )
    def get(self, request: Request, user: str) -> Response:
        """His second factors and providers, and how many sessions and tokens he has; `DELETE` on
        `sessions` and `second-factors` ends them. Needs `access manage` on everything."""
        require_manager(self.caller)
        return answer_one(request, WaysInRow(_about(person_or_404(user), codes=None)).data)


def _about(person: User, *, codes: int | None) -> dict[str, Any]:
    factors = Authenticator.objects.filter(user=person).exclude(type="recovery_codes")
    accounts = person.socialaccount_set.order_by("pk")  # type: ignore[attr-defined]  # allauth's
    return {
        "has_password": person.has_usable_password(),
        "second_factors": factors.order_by("pk"),
        "recovery_codes_left": codes,
        "single_sign_on": [account.provider for account in accounts],
        "sessions": len(UserSession.objects.purge_and_list(person)),
        "live_tokens": tokens_of(person).filter(keyring.live(timezone.now())).count(),
    }


def _codes_left(person: User) -> int | None:
    codes = Authenticator.objects.filter(user=person, type="recovery_codes").first()
    return None if codes is None else len(codes.wrap().get_unused_codes())

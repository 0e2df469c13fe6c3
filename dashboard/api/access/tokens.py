"""`/tokens`: a person's own access tokens, never wider than himself.

A token is for work: it sees and ends itself, and none of its owner's others.
"""

from __future__ import annotations

from http import HTTPStatus

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import keyring, personal_tokens
from access.models import Secret, User
from access.scopes import EVERYTHING
from dashboard.api.access.machine_secrets import EXAMPLE, AnySecretRow, answer_issued
from dashboard.api.bodies import Body
from dashboard.api.callers import Caller, himself, person_of
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.fields import ActionField, ScopeField
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.reassured import require_reassured
from dashboard.api.resources import Resource
from dashboard.forms_access import end_of
from dashboard.forms_tokens import USUAL_DAYS, usual_day
from dashboard.views.access.tokens import COLUMNS, token_or_404
from registries.transactions import together

TAG = "personal tokens"
_LIMITS = {"actions": ["content read"], "scopes": ["prod/shop/*"]}
_EXAMPLE = {"owner": "anna", **_LIMITS, **EXAMPLE, "label": "release script"}


class TokenRow(AnySecretRow):
    """A personal access token. Without actions or scopes it is not limited by them."""

    owner = serializers.CharField(source="user.username")
    actions = serializers.ListField(child=serializers.CharField(), help_text="All it may do.")
    scopes = serializers.ListField(child=serializers.CharField(), help_text="And where.")

    class Meta:
        ref_name = "PersonalToken"


class IssuedTokenRow(TokenRow):
    """A token that was just made, with itself."""

    secret = serializers.SerializerMethodField(help_text="Shown this once.")

    class Meta:
        ref_name = "IssuedPersonalToken"

    def get_secret(self, _secret: Secret) -> str:
        return str(self.context["secret"])


class TokenQuery(PageQuery):
    state = serializers.ChoiceField(choices=["live", "ended"], default="live")
    sort = sorts(COLUMNS)


class TokenBody(Body):
    label = serializers.CharField(  # type: ignore[assignment]  # here it is a field's name
        max_length=63, help_text="What it is for, so that you know it when it ends."
    )
    expires_at = serializers.DateTimeField(
        required=False, help_text=f"Left out, the end of the day in {USUAL_DAYS} days."
    )
    actions = serializers.ListField(
        child=ActionField(), default=list, help_text="All that it may do; none is no limit."
    )
    scopes = serializers.ListField(
        child=ScopeField(), default=list, max_length=100, help_text="Where; none is no limit."
    )


class Tokens(Resource):
    @extend_schema(
        operation_id="list_tokens",
        tags=[TAG],
        summary="List one's own tokens",
        parameters=[TokenQuery],
        responses=page_of(TokenRow),
        examples=[lists("One token", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """Those that work, or with `state=ended` those that work no more. Only for who is signed in
        himself; others' are among the credentials."""
        user = _person(self.caller)
        query = TokenQuery.read(request)
        own, live = personal_tokens.tokens_of(user), keyring.live(timezone.now())
        found = own.exclude(live) if query["state"] == "ended" else own.filter(live)
        page = turn_page(request, found.select_related("user"), query, COLUMNS)
        return answer_page(request, page, query, TokenRow)

    @extend_schema(
        operation_id="create_token",
        tags=[TAG],
        summary="Make a token for oneself",
        request=TokenBody,
        responses={201: IssuedTokenRow},
        examples=[
            sends("To pull below one path", {"label": "laptop", **_LIMITS}),
            shows("Made", _EXAMPLE | {"secret": "ptl_pat_k3v9x0q2m1_…"}),
        ],
    )
    def post(self, request: Request) -> Response:
        """Shown this once. Only for who is signed in himself: a token makes no token."""
        caller = self.caller
        user = _person(caller)
        require_reassured(request)
        given = TokenBody.read(request)
        issued = personal_tokens.create_token(
            user=user,
            label=given["label"],
            actions=given["actions"],
            scopes=given["scopes"],
            expires_at=given.get("expires_at") or end_of(usual_day()),
            rights=caller.rights,
            actor=caller.actor,
        )
        return answer_issued(IssuedTokenRow, issued, at=request.path)


class OneToken(Resource):
    @extend_schema(
        operation_id="show_token",
        tags=[TAG],
        summary="Show a token's state",
        responses=TokenRow,
        examples=[shows("A token", _EXAMPLE)],
    )
    def get(self, request: Request, key_id: str) -> Response:
        """All but itself. One's own, for who is signed in himself; with a token that very one. Or
        anybody's, for who has `access manage` on everything."""
        return answer_one(request, TokenRow(_token_or_404(request, self.caller, key_id)).data)

    @extend_schema(
        operation_id="revoke_token",
        tags=[TAG],
        summary="Revoke a token",
        responses={204: None},
    )
    def delete(self, request: Request, key_id: str) -> Response:
        """It works no more; once more is no error. One's own, for who is signed in himself; with a
        token that very one. Or anybody's, for who has `access manage` on everything."""
        caller = self.caller
        _token_or_404(request, caller, key_id)
        with together():
            found = Secret.objects.select_for_update(of=("self",)).get(key_id=key_id)
            token = _token_or_404(request, caller, found.key_id)
            require_match(request, TokenRow(token).data)
            personal_tokens.revoke_token(token, rights=caller.rights, actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)


def _token_or_404(request: Request, caller: Caller, key_id: str) -> Secret:
    """A token that the caller may see and revoke; raises PermissionDenied for another one of the
    same owner's than that with which he comes."""
    token = token_or_404(caller, key_id)
    if request.auth != token.key_id and not caller.manages(EVERYTHING):
        himself(caller)
    return token


def _person(caller: Caller) -> User:
    """Whose tokens they are; raises PermissionDenied for a machine, and for a token."""
    person_of(caller, _("Machines have secrets of their own, and no personal tokens."))
    return himself(caller)

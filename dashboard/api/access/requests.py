"""`/access-requests`: asking for access, and answering."""

from __future__ import annotations

from http import HTTPStatus

from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import requests as actions
from access.grants import lets_grant
from access.models import AccessRequest, User
from access.policy import visible_registries
from dashboard.api.access.grants import role_called
from dashboard.api.bodies import Body, Row
from dashboard.api.callers import Caller, person_of
from dashboard.api.etags import answer_one
from dashboard.api.examples import lists, sends, shows
from dashboard.api.fields import EndField, ScopeField
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.reassured import require_reassured
from dashboard.api.resources import Resource
from dashboard.forms_access import REASON_LENGTH
from dashboard.views.access.requests import COLUMNS

TAG = "access requests"
STATES = [value.value for value in AccessRequest.State]
_EXAMPLE = {
    "id": 12,
    "user": "otto",
    "role": "pusher",
    "scope": "prod/shop/*",
    "reason": "I build the shop now.",
    "state": "open",
    "asked_at": "2026-11-26T08:15:00Z",
    "answered_at": None,
    "answered_by": "",
    "answer": "",
}
_ANSWERED = _EXAMPLE | {
    "state": "granted",
    "answered_at": "2026-11-26T09:02:00Z",
    "answered_by": "anna",
    "answer": "Welcome.",
}


class AccessRequestRow(Row):
    """Somebody asks for a role; an owner answers."""

    id = serializers.IntegerField()
    user = serializers.CharField(source="user.username", help_text="The user name of who asks.")
    role = serializers.CharField(source="role.name")
    scope = serializers.SerializerMethodField()
    reason = serializers.CharField()
    state = serializers.ChoiceField(choices=STATES)
    asked_at = serializers.DateTimeField()
    answered_at = serializers.DateTimeField(allow_null=True)
    answered_by = serializers.CharField()
    answer = serializers.CharField()

    def get_scope(self, request: AccessRequest) -> str:
        return str(actions.scope_of(request))


class AccessRequestQuery(PageQuery):
    sort = sorts(COLUMNS)
    show = serializers.ChoiceField(
        required=False,
        choices=["mine", "answer"],
        help_text="One's own, or those of others that one may answer; both, if it is left out.",
    )
    state = serializers.ChoiceField(required=False, choices=STATES)


class AccessRequestBody(Body):
    role = serializers.CharField(max_length=63)
    scope = ScopeField()
    reason = serializers.CharField(max_length=REASON_LENGTH, help_text="Why it is needed.")


class RequestDecisionBody(Body):
    decision = serializers.ChoiceField(choices=["grant", "refuse"])
    until = EndField(allow_null=True, default=None, help_text="If it is granted; none for no end.")
    answer = serializers.CharField(
        max_length=REASON_LENGTH,
        allow_blank=True,
        default="",
        help_text="Whoever asked reads it; a no needs one.",
    )


class AccessRequests(Resource):
    @extend_schema(
        operation_id="list_access_requests",
        tags=[TAG],
        summary="List requests for access",
        parameters=[AccessRequestQuery],
        responses=page_of(AccessRequestRow),
        examples=[lists("One request", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """One's own, and those on scopes where one has `access manage`."""
        caller, query = self.caller, AccessRequestQuery.read(request)
        found = _requests().filter(_shown_to(caller, query["show"]))
        if query["state"]:
            found = found.filter(state=query["state"])
        return answer_page(
            request, turn_page(request, found, query, COLUMNS), query, AccessRequestRow
        )

    @extend_schema(
        operation_id="ask_for_access",
        tags=[TAG],
        summary="Ask for access",
        request=AccessRequestBody,
        responses={201: AccessRequestRow},
        examples=[
            shows("Asked", _EXAMPLE),
            sends(
                "To push",
                {"role": "pusher", "scope": "prod/shop/*", "reason": "I build the shop now."},
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Asks for a role on a scope of a registry that one may know of. It gives nothing until an
        owner grants it."""
        caller = self.caller
        person = _person(caller)
        wanted = AccessRequestBody.read(request)
        asked = actions.ask(
            user=person,
            role=role_called(wanted["role"]),
            scope=wanted["scope"],
            reason=wanted["reason"],
            actor=caller.actor,
        )
        return Response(
            AccessRequestRow(asked).data,
            status=HTTPStatus.CREATED,
            headers={"Location": f"{request.path}/{asked.pk}"},
        )


class OneAccessRequest(Resource):
    @extend_schema(
        operation_id="show_access_request",
        tags=[TAG],
        summary="Show a request for access",
        responses=AccessRequestRow,
        examples=[shows("A request", _EXAMPLE)],
    )
    def get(self, request: Request, number: int) -> Response:
        """One request, for who asked and for who has `access manage` where it lies."""
        return answer_one(request, AccessRequestRow(_request_or_404(self.caller, number)).data)


class WithdrawRequest(Resource):
    @extend_schema(
        operation_id="withdraw_access_request",
        tags=[TAG],
        summary="Withdraw a request for access",
        request=None,
        responses=AccessRequestRow,
        examples=[
            shows(
                "Withdrawn",
                _EXAMPLE
                | {
                    "state": "withdrawn",
                    "answered_at": "2026-11-26T09:02:00Z",
                    "answered_by": "otto",
                },
            )
        ],
    )
    def post(self, request: Request, number: int) -> Response:  # noqa: ARG002  see Resource
        """Takes back one's own, while it is open."""
        caller = self.caller
        found = _request_or_404(caller, number)
        taken = actions.withdraw(found.pk, user=_person(caller), actor=caller.actor)
        return Response(AccessRequestRow(taken).data)


class DecideRequest(Resource):
    @extend_schema(
        operation_id="decide_access_request",
        tags=[TAG],
        summary="Answer a request for access",
        request=RequestDecisionBody,
        responses=AccessRequestRow,
        examples=[
            sends(
                "For a while",
                {"decision": "grant", "until": "2027-01-01T00:00:00Z", "answer": "Welcome."},
            ),
            shows("Granted", _ANSWERED),
        ],
    )
    def post(self, request: Request, number: int) -> Response:
        """Grants it, which needs what granting the role needs; or refuses it with a reason, which
        needs `access manage` on the scope."""
        caller = self.caller
        found = _request_or_404(caller, number)
        wanted = RequestDecisionBody.read(request)
        if wanted["decision"] == "grant":
            if lets_grant([found.role], [actions.scope_of(found)], caller.rights):
                require_reassured(request)
            answered = actions.grant_request(
                found.pk,
                until=wanted["until"],
                answer=wanted["answer"],
                rights=caller.rights,
                actor=caller.actor,
            )
        else:
            answered = actions.refuse_request(
                found.pk, answer=wanted["answer"], rights=caller.rights, actor=caller.actor
            )
        return Response(AccessRequestRow(answered).data)


def _requests() -> QuerySet[AccessRequest]:
    return AccessRequest.objects.select_related("user", "role", "registry")


def _shown_to(caller: Caller, show: str | None = None) -> Q:
    own = _own(caller)
    if show == "mine":
        return own
    if show == "answer":
        others = ~Q(user=caller.somebody) if isinstance(caller.somebody, User) else Q()
        return caller.managed & others
    return caller.managed | own


def _own(caller: Caller) -> Q:
    """The condition on his own; with a secret, where that reaches."""
    if not isinstance(caller.somebody, User):
        return Q(pk__in=())
    own = Q(user=caller.somebody)
    if caller.maintainer is None:
        own &= Q(registry__in=visible_registries(caller.somebody))
    return own


def _request_or_404(caller: Caller, pk: int) -> AccessRequest:
    found = _requests().filter(_shown_to(caller), pk=pk).first()
    if found is None:
        raise Http404(_("There is no such request."))
    return found


def _person(caller: Caller) -> User:
    return person_of(caller, _("People ask for access; a machine is granted it by its owners."))

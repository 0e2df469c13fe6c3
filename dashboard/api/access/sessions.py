"""`/sessions`: where one is signed in, and signing out there. For who is signed in himself."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from allauth.usersessions.models import UserSession
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import sessions as actions
from access.models import User
from dashboard.api.access.profile import TAG
from dashboard.api.bodies import Query, Row
from dashboard.api.callers import Caller, himself
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, shows
from dashboard.api.pages import answer_page, page_of
from dashboard.api.resources import Resource
from dashboard.pagination import Page
from registries.transactions import together

_EXAMPLE = {
    "id": 204,
    "address": "192.0.2.7",
    "agent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "signed_in_at": "2026-11-26T07:59:12Z",
    "is_current": True,
}


class SessionRow(Row):
    """A browser that one is signed in with."""

    id = serializers.IntegerField()
    address = serializers.CharField(source="ip")
    agent = serializers.CharField(source="user_agent", help_text="As the browser says it.")
    signed_in_at = serializers.DateTimeField(source="created_at")
    is_current = serializers.SerializerMethodField(help_text="Whether this was asked with it.")

    def get_is_current(self, session: UserSession) -> bool:
        return bool(session.session_key == self.context["key"])


class Sessions(Resource):
    @extend_schema(
        operation_id="list_sessions",
        tags=[TAG],
        summary="List where one is signed in",
        responses=page_of(SessionRow),
        examples=[lists("This one", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """All of one's own, always on one page. Only for who is signed in himself."""
        rows = _own(self.caller)
        query = Query.read(request)
        answer = answer_page(request, Page([], "", ""), query, SessionRow)
        answer.data["items"] = _shown(request, rows)
        return answer

    @extend_schema(
        operation_id="end_other_sessions",
        tags=[TAG],
        summary="Sign out everywhere else",
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        """All but the session that this is asked with. Only for who is signed in himself."""
        caller = self.caller
        person = himself(caller)
        with together():
            # Nobody signs in meanwhile: a session refers to its person.
            User.objects.select_for_update().get(pk=person.pk)
            require_match(request, _shown(request, _own(caller)))
            actions.end_others(person, but=request.session.session_key or "", actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)


class OneSession(Resource):
    @extend_schema(
        operation_id="show_session",
        tags=[TAG],
        summary="Show a session",
        responses=SessionRow,
        examples=[shows("This one", _EXAMPLE)],
    )
    def get(self, request: Request, session: int) -> Response:
        """One of one's own. Only for who is signed in himself."""
        return answer_one(request, _one(request, self.caller, session))

    @extend_schema(
        operation_id="end_session",
        tags=[TAG],
        summary="Sign out at one place",
        responses={204: None},
    )
    def delete(self, request: Request, session: int) -> Response:
        """One of one's own, also the one that this is asked with. Only for who is signed in
        himself."""
        caller = self.caller
        person = himself(caller)
        with together():
            # Nobody signs in meanwhile: a session refers to its person.
            User.objects.select_for_update().get(pk=person.pk)
            require_match(request, _one(request, caller, session))
            actions.end_own(person, session, actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)


def _own(caller: Caller) -> list[UserSession]:
    """Those that have not ended meanwhile, newest first."""
    found: list[UserSession] = UserSession.objects.purge_and_list(himself(caller))
    return sorted(found, key=lambda session: session.created_at, reverse=True)


def _shown(request: Request, sessions: list[UserSession]) -> list[dict[str, Any]]:
    key = {"key": request.session.session_key}
    return [dict(SessionRow(session, context=key).data) for session in sessions]


def _one(request: Request, caller: Caller, pk: int) -> dict[str, Any]:
    found = [session for session in _own(caller) if session.pk == pk]
    if not found:
        raise Http404(_("There is no such session (any more)."))
    return _shown(request, found)[0]

"""`/people/<user>/link`, `/sessions` and `/second-factors`: for who lost a password, a device or a key."""

from __future__ import annotations

from http import HTTPStatus

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import people as actions
from access import sessions
from access.models import User
from dashboard.api.access.people import NO_STORE, link_for, mastered_person, shown_person
from dashboard.api.bodies import Row
from dashboard.api.etags import require_match
from dashboard.api.examples import shows
from dashboard.api.reassured import require_reassured
from dashboard.api.resources import Resource
from registries.transactions import together


class LinkRow(Row):
    """A way in, for who lost his."""

    secret = serializers.CharField(
        help_text="The one-time link by which he sets a password; it is never shown again."
    )
    mailed = serializers.BooleanField(help_text="Whether it was sent to him by mail, too.")


class PersonLink(Resource):
    @extend_schema(
        operation_id="make_link",
        tags=["people"],
        summary="Make a one-time link for somebody",
        request=None,
        responses={201: LinkRow},
        examples=[
            shows(
                "Mailed, too",
                {
                    "secret": "https://portolan.example.com/invitation/MTc/cv1x2y-4f…/",
                    "mailed": True,
                },
            )
        ],
    )
    def post(self, request: Request, user: str) -> Response:
        """For who lost his invitation or his password. Needs `access manage` on everything and all
        that he has himself."""
        caller = self.caller
        person = mastered_person(caller, user)
        require_reassured(request)
        actions.authorise_link(person, rights=caller.rights, actor=caller.actor)
        # Links are bound to what is stored of him now.
        person.refresh_from_db()
        return Response(
            LinkRow(link_for(person, caller)).data, status=HTTPStatus.CREATED, headers=NO_STORE
        )


class PersonSessions(Resource):
    @extend_schema(
        operation_id="end_sessions",
        tags=["people"],
        summary="Sign somebody out everywhere",
        responses={204: None},
    )
    def delete(self, request: Request, user: str) -> Response:
        """For who lost a device; his tokens stay. Needs `access manage` on everything and all that
        he has himself."""
        caller = self.caller
        person = mastered_person(caller, user)
        with together():
            person = User.objects.select_for_update().get(pk=person.pk)
            require_match(request, shown_person(person))
            sessions.end_all(person, rights=caller.rights, actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)


class PersonSecondFactors(Resource):
    @extend_schema(
        operation_id="remove_second_factors",
        tags=["people"],
        summary="Remove somebody’s second factors",
        responses={204: None},
    )
    def delete(self, request: Request, user: str) -> Response:
        """For who lost phone and recovery codes: the password alone lets in again. Needs
        `access manage` on everything and all that he has himself."""
        caller = self.caller
        person = mastered_person(caller, user)
        require_reassured(request)
        with together():
            person = User.objects.select_for_update().get(pk=person.pk)
            require_match(request, shown_person(person))
            actions.remove_second_factors(person, rights=caller.rights, actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)

"""`/profile`: one's own account. For who is signed in himself: a secret tells nothing of its owner."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import people as actions
from access.models import User
from dashboard.api.bodies import Body, Row
from dashboard.api.callers import himself
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import sends, shows
from dashboard.api.reassured import require_reassured
from dashboard.api.resources import Resource
from dashboard.forms_people import NAME_LENGTH
from registries.transactions import together

TAG = "profile"
_EXAMPLE = {
    "username": "anna",
    "email": "anna@example.com",
    "first_name": "Anna",
    "last_name": "Marti",
    "teams": ["shop"],
    "joined_at": "2026-03-02T09:30:00Z",
}


class ProfileRow(Row):
    """One's own account."""

    username = serializers.CharField()
    email = serializers.CharField()
    first_name = serializers.CharField()
    last_name = serializers.CharField()
    teams = serializers.SerializerMethodField(help_text="Those that one is in, by name.")
    joined_at = serializers.DateTimeField(source="date_joined")

    def get_teams(self, person: User) -> list[str]:
        return list(person.teams.order_by("name").values_list("name", flat=True))


class ProfileBody(Body):
    first_name = serializers.CharField(max_length=NAME_LENGTH, allow_blank=True)
    last_name = serializers.CharField(max_length=NAME_LENGTH, allow_blank=True)
    email = serializers.EmailField(max_length=254)


class Profile(Resource):
    @extend_schema(
        operation_id="show_profile",
        tags=[TAG],
        summary="Show one’s own account",
        responses=ProfileRow,
        examples=[shows("Anna", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """Name, address and teams. Only for who is signed in himself."""
        return answer_one(request, ProfileRow(himself(self.caller)).data)

    @extend_schema(
        operation_id="change_profile",
        tags=[TAG],
        summary="Change one’s own name or address",
        request=ProfileBody,
        responses=ProfileRow,
        examples=[
            sends("Another name", {"last_name": "Marti-Frey"}),
            shows("Changed", _EXAMPLE | {"last_name": "Marti-Frey"}),
        ],
    )
    def patch(self, request: Request) -> Response:
        """Only for who is signed in himself; for another address he has said lately who he is, as a
        link to a new password may be sent there."""
        caller = self.caller
        person = himself(caller)
        wanted: dict[str, Any] = ProfileBody.read(request, partial=True)
        if wanted.get("email", person.email) != person.email:
            require_reassured(request)
        with together():
            person = User.objects.select_for_update().get(pk=person.pk)
            require_match(request, ProfileRow(person).data)
            known = {name: getattr(person, name) for name in ("first_name", "last_name", "email")}
            changed = actions.change_oneself(person, **known | wanted, actor=caller.actor)
        return Response(ProfileRow(changed).data)

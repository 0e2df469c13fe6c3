"""`/roles` and `/actions`: what can be allowed, and the sets of it that can be granted."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.db.models import F
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import DOCKER, Action
from access.models import Role
from access.roles import change_role, create_role, lets_grant_more, remove_role
from access.scopes import EVERYTHING
from dashboard.api.bodies import Body, Query, Row
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.fields import ACTIONS, ActionField
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.reassured import require_reassured
from dashboard.api.resources import Resource
from dashboard.pagination import Column, Page
from registries.transactions import together

COLUMNS = {"name": Column(F("name"), str)}
_DOCKER_VERBS = {action: verb for verb, action in DOCKER.items()}
_EXAMPLE = {
    "name": "promoter",
    "label": "Promoter",
    "description": "Pulls anywhere and moves tags.",
    "actions": ["content read", "metadata write"],
    "is_built_in": False,
}


class ActionRow(Row):
    """One thing that a role may allow."""

    name = serializers.CharField(source="text", help_text="Such as `content read`.")
    label = serializers.CharField(  # type: ignore[assignment]  # here it is a field's name
        help_text="What it lets one do."
    )
    docker = serializers.SerializerMethodField(help_text="Docker's verb for it, if it has one.")

    def get_docker(self, action: Action) -> str | None:
        return _DOCKER_VERBS.get(action)


class RoleRow(Row):
    """A set of actions under a name."""

    name = serializers.CharField()
    label = serializers.CharField(  # type: ignore[assignment]  # as above
        help_text="What people read."
    )
    description = serializers.CharField()
    actions = serializers.ListField(child=serializers.ChoiceField(choices=ACTIONS))
    is_built_in = serializers.BooleanField(
        help_text="Whether it is the same in every installation, and cannot be changed."
    )


class RoleQuery(PageQuery):
    sort = sorts(COLUMNS)


class RoleChangeBody(Body):
    """What of a custom role can be changed; its name stays."""

    label = serializers.CharField(max_length=63)  # type: ignore[assignment]  # as above
    description = serializers.CharField(max_length=255, allow_blank=True, default="")
    actions = serializers.ListField(child=ActionField(), allow_empty=False)


class RoleBody(RoleChangeBody):
    name = serializers.SlugField(
        max_length=63, help_text="Commands and this API call it so; it stays."
    )


class Actions(Resource):
    @extend_schema(
        operation_id="list_actions",
        tags=["roles"],
        summary="List actions",
        responses=page_of(ActionRow),
        examples=[
            lists(
                "One action",
                {"name": "content read", "label": "pull, and look into images", "docker": "pull"},
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Everything that a role may allow, always on one page."""
        return answer_page(request, Page(list(Action), "", ""), Query.read(request), ActionRow)


class Roles(Resource):
    @extend_schema(
        operation_id="list_roles",
        tags=["roles"],
        summary="List roles",
        parameters=[RoleQuery],
        responses=page_of(RoleRow),
        examples=[lists("One role", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """All roles. What a role is anybody may read; who has it is another matter."""
        query = RoleQuery.read(request)
        return answer_page(
            request, turn_page(request, Role.objects.all(), query, COLUMNS), query, RoleRow
        )

    @extend_schema(
        operation_id="create_role",
        tags=["roles"],
        summary="Create a role",
        request=RoleBody,
        responses={201: RoleRow},
        examples=[
            shows("A role of one's own", _EXAMPLE),
            sends(
                "A role of one's own",
                {name: value for name, value in _EXAMPLE.items() if name != "is_built_in"},
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """A role of one's own. Needs `access manage` and every action of the role on everything."""
        caller = self.caller
        caller.rights.require(Action.ACCESS_MANAGE, EVERYTHING)
        made = create_role(
            **RoleBody.read(request),
            rights=caller.rights,
            actor=caller.actor,
        )
        return Response(
            RoleRow(made).data,
            status=HTTPStatus.CREATED,
            headers={"Location": f"{request.path}/{made.name}"},
        )


class OneRole(Resource):
    @extend_schema(
        operation_id="show_role",
        tags=["roles"],
        summary="Show a role",
        responses=RoleRow,
        examples=[shows("A role of one's own", _EXAMPLE)],
    )
    def get(self, request: Request, role: str) -> Response:
        """What a role allows."""
        return answer_one(request, RoleRow(role_or_404(role)).data)

    @extend_schema(
        operation_id="change_role",
        tags=["roles"],
        summary="Change a role",
        request=RoleChangeBody,
        responses=RoleRow,
        examples=[
            sends("Other actions", {"actions": ["content read", "metadata write"]}),
            shows("Changed", _EXAMPLE),
        ],
    )
    def patch(self, request: Request, role: str) -> Response:
        """Other words or actions, at once for everybody who has it; built-in roles stay as they
        are. Needs `access manage`, and every action of the role, before and after, on everything."""
        caller = self.caller
        caller.rights.require(Action.ACCESS_MANAGE, EVERYTHING)
        wanted = RoleChangeBody.read(request, partial=True)
        with together():
            found = role_or_404(role, locked=True)
            require_match(request, RoleRow(found).data)
            settings: dict[str, Any] = {
                "label": found.label,
                "description": found.description,
                "actions": found.allowed,
            }
            settings |= wanted
            if lets_grant_more(found, settings["actions"], caller.rights):
                require_reassured(request)
            changed = change_role(found, **settings, rights=caller.rights, actor=caller.actor)
        return Response(RoleRow(changed).data)

    @extend_schema(
        operation_id="remove_role",
        tags=["roles"],
        summary="Remove a role",
        responses={204: None},
    )
    def delete(self, request: Request, role: str) -> Response:
        """Removes a custom role that nobody has. Needs `access manage` on everything."""
        caller = self.caller
        caller.rights.require(Action.ACCESS_MANAGE, EVERYTHING)
        with together():
            found = role_or_404(role, locked=True)
            require_match(request, RoleRow(found).data)
            remove_role(found, rights=caller.rights, actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)


def role_or_404(name: str, *, locked: bool = False) -> Role:
    """The role of this name; raises Http404."""
    roles = Role.objects.select_for_update() if locked else Role.objects.all()
    found = roles.filter(name=name).first()
    if found is None:
        raise Http404(_("There is no role of this name."))
    return found

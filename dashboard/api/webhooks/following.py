"""`/following`: what a person follows for himself, and how he is mailed of it. For who is signed in
himself: a secret neither tells nor changes it."""

from __future__ import annotations

from http import HTTPStatus

from django.core.exceptions import ValidationError
from django.db.models import F, Value
from django.db.models.functions import Concat
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.models import User
from access.scopes import Scope
from dashboard.api.bodies import Body, Row
from dashboard.api.callers import Caller, himself, person_of
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.fields import ScopeField
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.pagination import Column
from registries.transactions import together
from webhooks import following as actions
from webhooks.models import Follow

TAG = "following"
COLUMNS = {"scope": Column(Concat(F("registry__name"), Value("/"), F("path")), str)}
_EXAMPLE = {
    "id": 12,
    "scope": "prod/shop/*",
    "mail": "daily",
    "created_at": "2026-11-26T08:15:00Z",
}


class FollowRow(Row):
    """A registry, a path or a repository that one follows. It gives no right."""

    id = serializers.IntegerField()
    scope = serializers.SerializerMethodField()
    mail = serializers.CharField(help_text="`none`, `each` or `daily`.")
    created_at = serializers.DateTimeField()

    def get_scope(self, follow: Follow) -> str:
        return str(Scope(follow.registry.name, follow.path))


class FollowQuery(PageQuery):
    sort = sorts(COLUMNS)


class MailBody(Body):
    mail = serializers.ChoiceField(choices=Follow.Mail.values, default=Follow.Mail.DAILY.value)


class FollowBody(MailBody):
    scope = ScopeField(help_text="`REGISTRY`, `REGISTRY/team/*` or `REGISTRY/team/app`.")


class Following(Resource):
    @extend_schema(
        operation_id="list_follows",
        tags=[TAG],
        summary="List what one follows",
        parameters=[FollowQuery],
        responses=page_of(FollowRow),
        examples=[lists("A path", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """One's own. Only for who is signed in himself: with a secret there are `/events`, and
        webhooks."""
        person = follower(self.caller)
        query = FollowQuery.read(request)
        found = person.follows.select_related("registry")
        return answer_page(request, turn_page(request, found, query, COLUMNS), query, FollowRow)

    @extend_schema(
        operation_id="follow_place",
        tags=[TAG],
        summary="Follow a place",
        request=FollowBody,
        responses={201: FollowRow},
        examples=[
            sends("Daily", {"scope": "prod/shop/*", "mail": "daily"}),
            shows("Followed", _EXAMPLE),
        ],
    )
    def post(self, request: Request) -> Response:
        """Once more changes how it is mailed. Only for who is signed in himself, and sees anything
        there."""
        person = follower(self.caller)
        given = FollowBody.read(request)
        if given["scope"].registry is None:
            raise ValidationError(
                {"scope": _("Everything is too much to follow: name a registry.")}
            )
        made = actions.follow(person, given["scope"], mail=Follow.Mail(given["mail"]))
        return Response(
            FollowRow(made).data,
            status=HTTPStatus.CREATED,
            headers={"Location": f"{request.path}/{made.pk}"},
        )


class OneFollow(Resource):
    @extend_schema(
        operation_id="show_follow",
        tags=[TAG],
        summary="Show how one follows a place",
        responses=FollowRow,
        examples=[shows("A path", _EXAMPLE)],
    )
    def get(self, request: Request, follow: int) -> Response:
        """One of one's own. Only for who is signed in himself."""
        return answer_one(request, FollowRow(_follow_or_404(self.caller, follow)).data)

    @extend_schema(
        operation_id="change_follow",
        tags=[TAG],
        summary="Change how one is mailed",
        request=MailBody,
        responses=FollowRow,
        examples=[
            sends("Each by itself", {"mail": "each"}),
            shows("Changed", _EXAMPLE | {"mail": "each"}),
        ],
    )
    def patch(self, request: Request, follow: int) -> Response:
        """What happened before is not told again. Only for who is signed in himself."""
        caller = self.caller
        found = _follow_or_404(caller, follow)
        given = MailBody.read(request, partial=True)
        with together():
            User.objects.select_for_update().get(pk=found.user_id)
            found = _follow_or_404(caller, follow)
            require_match(request, FollowRow(found).data)
            if "mail" in given:
                actions.set_mail(found, Follow.Mail(given["mail"]))
        return Response(FollowRow(_follow_or_404(caller, follow)).data)

    @extend_schema(
        operation_id="unfollow_place",
        tags=[TAG],
        summary="Follow a place no more",
        responses={204: None},
    )
    def delete(self, request: Request, follow: int) -> Response:
        """One of one's own. Only for who is signed in himself."""
        caller = self.caller
        found = _follow_or_404(caller, follow)
        with together():
            User.objects.select_for_update().get(pk=found.user_id)
            found = _follow_or_404(caller, follow)
            require_match(request, FollowRow(found).data)
            actions.unfollow(found)
        return Response(status=HTTPStatus.NO_CONTENT)


def follower(caller: Caller) -> User:
    """Who follows; raises PermissionDenied for a machine, and for a person's secret."""
    person_of(caller, _("Machines follow nothing: they have webhooks and events."))
    return himself(caller)


def _follow_or_404(caller: Caller, pk: int) -> Follow:
    person = follower(caller)
    found = person.follows.select_related("registry", "user").filter(pk=pk).first()
    if found is None:
        raise Http404(_("You do not follow this."))
    return found

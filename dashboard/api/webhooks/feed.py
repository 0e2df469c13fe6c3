"""`/following/feed`: the secret address of one's own Atom feed, made and ended."""

from __future__ import annotations

from http import HTTPStatus

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.models import User
from dashboard.api.bodies import Row
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import shows
from dashboard.api.reassured import require_reassured
from dashboard.api.resources import Resource
from dashboard.api.webhooks.following import TAG, follower
from registries.transactions import together
from webhooks import following as actions


class FeedRow(Row):
    """One's own feed."""

    has_feed = serializers.BooleanField(help_text="Whether there is an address that opens it.")


class IssuedFeedRow(FeedRow):
    """A feed with its new address."""

    secret = serializers.CharField(
        help_text="The address, shown this once: whoever has it reads the feed. With `?scope=` and a"
        " place it tells of that place alone."
    )


class Feed(Resource):
    @extend_schema(
        operation_id="show_feed",
        tags=[TAG],
        summary="Show whether one has a feed",
        responses=FeedRow,
        examples=[shows("There is one", {"has_feed": True})],
    )
    def get(self, request: Request) -> Response:
        """Its address is shown when it is made, and never again. Only for who is signed in
        himself."""
        return answer_one(request, _shown(follower(self.caller)))

    @extend_schema(
        operation_id="make_feed",
        tags=[TAG],
        summary="Make an address for one’s feed",
        request=None,
        responses={201: IssuedFeedRow},
        examples=[
            shows(
                "Made",
                {"has_feed": True, "secret": "https://portolan.example.com/feeds/q7Zk….atom"},
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """An Atom feed of what one follows, by an address that is shown this once; the one before
        opens nothing any more. Only for who is signed in himself: a token makes nothing that
        outlives it."""
        person = follower(self.caller)
        require_reassured(request)  # the address outlives the session
        address = settings.PUBLIC_URL + reverse("feed", args=[actions.make_feed(person)])
        return Response(
            IssuedFeedRow({"has_feed": True, "secret": address}).data,
            status=HTTPStatus.CREATED,
            headers={"Cache-Control": "no-store"},
        )

    @extend_schema(
        operation_id="end_feed",
        tags=[TAG],
        summary="End one’s feed",
        responses={204: None},
    )
    def delete(self, request: Request) -> Response:
        """Its address opens nothing any more; without one there is nothing to do. Only for who is
        signed in himself."""
        person = follower(self.caller)
        with together():
            User.objects.select_for_update().get(pk=person.pk)
            require_match(request, _shown(person))
            actions.end_feed(person)
        return Response(status=HTTPStatus.NO_CONTENT)


def _shown(person: User) -> dict[str, bool]:
    return dict(FeedRow({"has_feed": actions.has_feed(person)}).data)

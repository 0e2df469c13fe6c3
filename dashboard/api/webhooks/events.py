"""`/events`: what happened, as far as the caller may see it; looked back at, or followed as it comes."""

from __future__ import annotations

from django.db.models import F, Q
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.policy import Rights
from dashboard.api.bodies import Row
from dashboard.api.examples import DIGEST, OLD_DIGEST, shows
from dashboard.api.pages import PageQuery, answer_page, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.pagination import Column, Order, cursor_at
from webhooks.catalog import Topic
from webhooks.following import TOLD
from webhooks.models import Event
from webhooks.outbound.message_id import message_id
from webhooks.readable import of_repository, seen_by, told_to_manager
from webhooks.settled import settled_before
from webhooks.subscription_settings import CHOOSABLE

# In the order of the transactions that wrote them: ids pass over what is committed late.
COLUMNS = {"written": Column(F("written_in"), int, descending_first=True)}
FORWARD = Order.read("written", COLUMNS)
# Said again by tag.created and tag.moved, or by the thousand: only for who asks for them.
UNASKED = (Topic.PUSH, Topic.CHART_PUSH, Topic.PULL)
_LAST = 2**63 - 1
EXAMPLE = {
    "id": "evt_5f0c2d3e4b5a69788796a5b4c3d2e1f0",
    "topic": "tag.moved",
    "at": "2026-11-26T08:15:00Z",
    "registry": "prod",
    "repository": "shop/app",
    "tag": "1.4",
    "digest": DIGEST,
    "old_digest": OLD_DIGEST,
    "actor_kind": "system",
    "actor": "Portolan",
    "data": {"size": 1573, "media_type": "application/vnd.oci.image.index.v1+json"},
}


class EventRow(Row):
    """One thing that happened. What does not belong to its topic is empty."""

    id = serializers.SerializerMethodField(help_text="The same as in webhooks' messages.")
    topic = serializers.CharField(help_text="Such as `tag.moved`.")
    at = serializers.DateTimeField()
    registry = serializers.CharField()
    repository = serializers.CharField()
    tag = serializers.CharField()
    digest = serializers.CharField()
    old_digest = serializers.CharField()
    actor_kind = serializers.CharField(help_text="Such as `user` or `system`.")
    actor = serializers.CharField(source="actor_label")
    data = serializers.DictField(  # type: ignore[assignment]  # here it is a field's name
        help_text="What else the topic tells."
    )

    def get_id(self, event: Event) -> str:
        return message_id(event)


class EventPageRow(Row):
    """A page of events, and where to go on when there are more of them."""

    items = EventRow(many=True)
    next = serializers.CharField(allow_null=True, help_text="Cursor for `after`.")
    previous = serializers.CharField(allow_null=True, help_text="Cursor for `before`.")
    follow = serializers.CharField(
        help_text="Cursor for `after` with `sort=written`: what comes later than this page. It is"
        " there on every page, so ask again with it, every few seconds."
    )


class EventQuery(PageQuery):
    topic = serializers.MultipleChoiceField(
        choices=[topic.value for topic in CHOOSABLE],
        required=False,
        help_text="Only these. Left out, all but `push`, `chart.push` (which tag.created and"
        " tag.moved say, too) and `pull`.",
    )
    registry = serializers.CharField(required=False, max_length=63)
    repository = serializers.CharField(
        required=False, max_length=255, help_text="Its path, or `shop/*` for all below."
    )
    tag = serializers.CharField(required=False, max_length=128)
    sort = sorts(COLUMNS)


class Events(Resource):
    @extend_schema(
        operation_id="list_events",
        tags=["events"],
        summary="Look back at what happened, or follow it",
        parameters=[EventQuery],
        responses=EventPageRow,
        examples=[
            shows(
                "One event",
                {"items": [EXAMPLE], "next": None, "previous": None, "follow": "Wzk5LDdd:…"},
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Newest first. To follow, take `follow` of an answer and ask for `sort=written` with it as
        `after`, and so on: nothing is left out and nothing comes twice. What happened in a repository
        is for who has `content read` there, as its activity is; of a registry, and of access to it,
        who manages webhooks there is told, by the rights of this moment."""
        query = EventQuery.read(request)
        settled = settled_before()
        found = Event.objects.filter(
            _readable(self.caller.rights), _wanted(query), written_in__lt=settled
        )
        page = turn_page(request, found, query, COLUMNS)
        answer = answer_page(request, page, query, EventRow)
        upwards = query["sort"] == "written"
        onward = answer.data["next"] if upwards else None
        # All that is written later has a higher number, and all below it was there to be read.
        answer.data["follow"] = onward or cursor_at(Event, FORWARD, settled - 1, _LAST)
        return answer


def _readable(rights: Rights) -> Q:
    """What everybody is told of what he may read, and what managers of webhooks could have sent."""
    told = Q(topic__in=[topic.value for topic in TOLD]) & seen_by(rights)
    return (told | told_to_manager(rights)) & ~Q(topic=Topic.PING.value)


def _wanted(query: EventQuery) -> Q:
    if topics := query["topic"]:
        wanted = Q(topic__in=sorted(topics))
    else:
        wanted = ~Q(topic__in=[topic.value for topic in UNASKED])
    for name in ("registry", "tag"):
        if query[name]:
            wanted &= Q(**{name: query[name]})
    path = query["repository"]
    return wanted & of_repository(path) if path else wanted

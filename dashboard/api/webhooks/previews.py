"""`/webhooks/preview` and `/webhooks/<webhook>/preview`: what one sends, before anything is sent."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action
from dashboard.api.bodies import Query, Row
from dashboard.api.etags import answer_one
from dashboard.api.examples import shows
from dashboard.api.problems import InvalidParameter
from dashboard.api.resources import Resource
from dashboard.api.webhooks.events import EXAMPLE as EVENT
from dashboard.api.webhooks.rows import TAG, kept
from dashboard.api.webhooks.webhooks import ABOUT_WHERE, TOPICS, WHERE_LIMIT
from dashboard.views.webhooks.asking import require_keeper
from dashboard.views.webhooks.previewing import Preview as Previewed
from dashboard.views.webhooks.previewing import preview_in
from webhooks.models import Subscription
from webhooks.outbound.message_id import message_id
from webhooks.subscription_settings import CHOOSABLE, Where

_PREVIEW = {
    "is_made_up": False,
    "id": EVENT["id"],
    "headers": {"Content-Type": "application/cloudevents+json; charset=utf-8"},
    "body": '{"specversion": "1.0", "type": "com.portolan.tag.moved", …}',
    "events": [
        {
            "number": 5310,
            "topic": "tag.moved",
            "at": "2026-11-26T08:15:00Z",
            "registry": "prod",
            "repository": "shop/app",
            "tag": "latest",
        }
    ],
}


class PastEventQuery(Query):
    event = serializers.IntegerField(
        required=False, min_value=0, max_value=10**18, help_text="One of `events`' numbers."
    )


class PreviewQuery(PastEventQuery):
    where = serializers.CharField(max_length=WHERE_LIMIT, help_text=ABOUT_WHERE)
    topics = serializers.MultipleChoiceField(choices=TOPICS, help_text="What is sent.")
    payload = serializers.ChoiceField(
        choices=Subscription.Form.values, default=Subscription.Form.STRUCTURED.value
    )


class PastEventRow(Row):
    """An event to preview with."""

    number = serializers.IntegerField(source="pk")
    topic = serializers.CharField()
    at = serializers.DateTimeField()
    registry = serializers.CharField()
    repository = serializers.CharField()
    tag = serializers.CharField()


class WebhookPreviewRow(Row):
    """What a webhook sends of an event, without signature and headers of its own."""

    is_made_up = serializers.BooleanField(help_text="Nothing of the kind happened yet.")
    id = serializers.CharField(help_text="The message's.")
    headers = serializers.DictField(child=serializers.CharField())
    body = serializers.CharField()
    events = PastEventRow(many=True, help_text="Past ones to choose from, newest first.")


class Preview(Resource):
    @extend_schema(
        operation_id="preview_unsaved_webhook",
        tags=[TAG],
        summary="Show what a webhook would send",
        parameters=[PreviewQuery],
        responses=WebhookPreviewRow,
        examples=[shows("A tag that moved", _PREVIEW)],
    )
    def get(self, request: Request) -> Response:
        """Of one that is not made yet: a past event of the scope, or a made-up one where there is
        none. Needs `webhook manage` on all of the scope."""
        caller = self.caller
        require_keeper(caller)
        query = PreviewQuery.read(request)
        try:
            where = Where.parse(query["where"])
        except ValidationError as error:
            raise InvalidParameter("where", error.messages[0]) from None
        caller.rights.require(Action.WEBHOOK_MANAGE, where.scope)
        topics = [topic for topic in CHOOSABLE if topic.value in query["topics"]]
        if not topics:
            raise InvalidParameter("topics", _("Say which topics are sent."))
        chosen = _chosen(query)
        return _answer(request, preview_in(caller, where, topics, query["payload"], chosen=chosen))


class WebhookPreview(Resource):
    @extend_schema(
        operation_id="preview_webhook",
        tags=[TAG],
        summary="Show what a webhook sends",
        parameters=[PastEventQuery],
        responses=WebhookPreviewRow,
        examples=[shows("A tag that moved", _PREVIEW)],
    )
    def get(self, request: Request, webhook: UUID) -> Response:
        """Of a past event of its scope, or of a made-up one where there is none."""
        caller = self.caller
        found = kept(caller, webhook)
        query = PastEventQuery.read(request)
        where = Where(found.scope, found.tag)
        # A topic that nobody may choose any more has no examples.
        topics = [topic for topic in CHOOSABLE if topic in found.subscribed]
        if not topics:
            raise ValidationError(_("Choose what is sent, and as what."))
        return _answer(
            request, preview_in(caller, where, topics, found.form, chosen=_chosen(query))
        )


def _chosen(query: PastEventQuery) -> list[int]:
    return [] if query["event"] is None else [query["event"]]


def _answer(request: Request, preview: Previewed) -> Response:
    shown = {
        "is_made_up": preview.is_made_up,
        "id": message_id(preview.event) if preview.event else "",
        "headers": preview.headers,
        "body": preview.body,
        "events": preview.events,
    }
    return answer_one(request, WebhookPreviewRow(shown).data)

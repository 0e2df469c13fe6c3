"""`/webhooks/topics`: what there is to subscribe to, and in which forms it is sent."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.api.bodies import Row
from dashboard.api.etags import answer_one
from dashboard.api.examples import shows
from dashboard.api.resources import Resource
from dashboard.api.webhooks.rows import TAG
from dashboard.forms_webhooks import HINTS
from webhooks.models import Subscription
from webhooks.subscription_settings import CHOOSABLE, TAKES


class TopicRow(Row):
    """Something to subscribe to."""

    topic = serializers.CharField()
    about = serializers.CharField(help_text="In words.")
    takes = serializers.CharField(
        allow_null=True, help_text="The right that it takes beside `webhook manage`."
    )


class PayloadRow(Row):
    """A form in which messages are written."""

    payload = serializers.CharField()
    about = serializers.CharField(help_text="In words.")


class VocabularyRow(Row):
    """What webhooks are made of."""

    topics = TopicRow(many=True)
    payloads = PayloadRow(many=True)

    class Meta:
        ref_name = "WebhookVocabulary"


class Topics(Resource):
    @extend_schema(
        operation_id="list_topics",
        tags=[TAG],
        summary="List topics and payloads",
        responses=VocabularyRow,
        examples=[
            shows(
                "Some of them",
                {
                    "topics": [
                        {
                            "topic": "tag.moved",
                            "about": "the same name, another image; with both digests",
                            "takes": "content read",
                        },
                        {
                            "topic": "sync.failed",
                            "about": "a sync could not be finished",
                            "takes": "registry read",
                        },
                    ],
                    "payloads": [{"payload": "structured", "about": "CloudEvents, structured"}],
                },
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """The words of `topics` and `payload`. For everybody."""
        shown = {
            "topics": [
                {
                    "topic": topic.value,
                    "about": str(HINTS[topic]),
                    "takes": TAKES[topic].text if topic in TAKES else None,
                }
                for topic in CHOOSABLE
            ],
            "payloads": [
                {"payload": form.value, "about": str(form.label)} for form in Subscription.Form
            ],
        }
        return answer_one(request, VocabularyRow(shown).data)

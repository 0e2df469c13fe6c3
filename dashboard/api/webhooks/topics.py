"""`/webhooks/topics`: what there is to subscribe to, and in which forms it is sent."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.api.etags import answer_one
from dashboard.api.examples import shows
from dashboard.api.resources import Resource
from dashboard.api.webhooks.webhooks import TAG, VocabularyRow
from dashboard.forms_webhooks import HINTS
from webhooks.models import Subscription
from webhooks.subscription_settings import CHOOSABLE, TAKES


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
                            "takes": None,
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

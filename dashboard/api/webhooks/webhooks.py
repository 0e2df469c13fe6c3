"""`/webhooks`: who is told what, where and in which form."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.models import User
from dashboard.api.bodies import Body, Query, Row
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.fields import ScopeField
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.api.webhooks.events import EXAMPLE as EVENT
from dashboard.callers import Caller
from dashboard.pagination import replaced
from dashboard.views.webhooks.asking import require_keeper, webhook_or_404
from dashboard.views.webhooks.editing import team_to_tell, teams_to_tell
from dashboard.views.webhooks.listing import COLUMNS, narrowed, with_last_delivery
from dashboard.views.webhooks.previewing import preview_of
from registries.transactions import together
from webhooks import subscriptions as actions
from webhooks.catalog import Topic
from webhooks.figures import Day, days_of
from webhooks.models import Subscription
from webhooks.outbound.message_id import message_id
from webhooks.subscription_settings import CHOOSABLE, NAME_LIMIT, SubscriptionSettings, Where
from webhooks.subscriptions import Signed
from webhooks.targets import HEADER_VALUE_LIMIT, URL_LIMIT

TAG = "webhooks"
TOPICS = [topic.value for topic in CHOOSABLE]
LONGEST_OVERLAP_HOURS = 24 * 7
_SAID = {
    "name": "Deploys of the shop",
    "where": "prod/shop/*:v1.*",
    "topics": ["tag.created", "tag.moved"],
    "payload": "structured",
}
_EXAMPLE = {
    "id": "6f1c2f0e-5d0c-4a53-9a3c-0d6e4a2f7b10",
    **_SAID,
    "host": "ci.example.com",
    "has_headers": True,
    "team": "shop",
    "state": "active",
    "state_reason": "",
    "state_at": "2026-03-02T09:30:00Z",
    "failing_since": None,
    "old_secret_until": None,
    "created_at": "2026-03-02T09:30:00Z",
}
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


class WebhookRow(Row):
    """A webhook, without its secrets: the address, the headers and what it signs with."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    where = serializers.SerializerMethodField(
        help_text="A scope, with tags behind a colon: `prod/shop/app:v1.*`."
    )
    topics = serializers.ListField(child=serializers.CharField())
    payload = serializers.CharField(source="form", help_text="In which form it is sent.")
    host = serializers.CharField(help_text="What is shown of its address.")
    has_headers = serializers.SerializerMethodField(help_text="Whether it sends some of its own.")
    team = serializers.CharField(
        source="team.name", default=None, allow_null=True, help_text="Who is told when it stops."
    )
    state = serializers.CharField(help_text="`active`, `paused` or `stopped`.")
    state_reason = serializers.CharField()
    state_at = serializers.DateTimeField()
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="Since when nothing arrived; null while it does."
    )
    old_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="Until when the signing secret before signs, too."
    )
    created_at = serializers.DateTimeField()

    def get_where(self, webhook: Subscription) -> str:
        return str(Where(webhook.scope, webhook.tag))

    def get_has_headers(self, webhook: Subscription) -> bool:
        return bool(webhook.headers.reveal())


class ListedWebhookRow(WebhookRow):
    """A webhook with how its last day went."""

    delivered = serializers.SerializerMethodField(help_text="Messages of the last 24 hours.")
    failed = serializers.SerializerMethodField(help_text="Given up, or to be tried again.")
    last_at = serializers.DateTimeField(allow_null=True, help_text="Its newest message.")
    last_state = serializers.CharField(allow_null=True, help_text="What became of that.")

    class Meta:
        ref_name = "WebhookWithDay"

    def get_delivered(self, webhook: Subscription) -> int:
        return self._day(webhook).delivered

    def get_failed(self, webhook: Subscription) -> int:
        return self._day(webhook).failed

    def _day(self, webhook: Subscription) -> Day:
        day: Day = webhook.day  # type: ignore[attr-defined]  # put there by the list
        return day


class SignedWebhookRow(WebhookRow):
    """A webhook with its new signing secret."""

    secret = serializers.SerializerMethodField(help_text="Shown this once.")

    def get_secret(self, _webhook: Subscription) -> str:
        return str(self.context["secret"])


class ResumedWebhookRow(WebhookRow):
    """A webhook that goes on."""

    held = serializers.SerializerMethodField(help_text="Messages that were held meanwhile.")

    def get_held(self, _webhook: Subscription) -> int:
        return int(self.context["held"])


class WebhookQuery(PageQuery):
    q = serializers.CharField(
        required=False, max_length=100, help_text="A part of the name or host."
    )
    scope = ScopeField(required=False, help_text="Those that send what happens there.")
    state = serializers.ChoiceField(choices=[*Subscription.State.values, "failing"], required=False)
    sort = sorts(COLUMNS)


class WebhookBody(Body):
    name = serializers.CharField(max_length=NAME_LIMIT)
    where = serializers.CharField(
        max_length=500, help_text="A scope, with tags behind a colon: `prod/shop/app:v1.*`."
    )
    topics = serializers.ListField(
        child=serializers.ChoiceField(choices=TOPICS), help_text="What is sent."
    )
    payload = serializers.ChoiceField(
        choices=Subscription.Form.values, default=Subscription.Form.STRUCTURED.value
    )
    url = serializers.CharField(
        max_length=URL_LIMIT, help_text="Where it is sent by POST. It is not shown again."
    )
    headers = serializers.DictField(
        child=serializers.CharField(max_length=HEADER_VALUE_LIMIT),
        required=False,
        help_text="Of your own, such as Authorization; they replace all that are stored, and are not"
        " shown again.",
    )
    team = serializers.CharField(
        max_length=63, allow_null=True, required=False, help_text="Who is told when it stops."
    )


class PauseBody(Body):
    reason = serializers.CharField(max_length=255, allow_blank=True, default="")


class ResumeBody(Body):
    send_held = serializers.BooleanField(
        default=True, help_text="Whether what was held meanwhile is sent, or left out."
    )


class SigningRotationBody(Body):
    overlap_hours = serializers.IntegerField(
        min_value=0,
        max_value=LONGEST_OVERLAP_HOURS,
        default=24,
        help_text="How long messages carry the old signature, too.",
    )


class PreviewQuery(Query):
    event = serializers.IntegerField(
        required=False, min_value=0, max_value=10**18, help_text="One of `events`' numbers."
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


class Webhooks(Resource):
    @extend_schema(
        operation_id="list_webhooks",
        tags=[TAG],
        summary="List webhooks",
        parameters=[WebhookQuery],
        responses=page_of(ListedWebhookRow),
        examples=[
            lists(
                "One webhook",
                _EXAMPLE
                | {
                    "delivered": 41,
                    "failed": 0,
                    "last_at": "2026-11-26T08:15:00Z",
                    "last_state": "delivered",
                },
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Those that the caller may manage, with how their last day went. Needs `webhook manage`
        somewhere."""
        caller = self.caller
        require_keeper(caller)
        query = WebhookQuery.read(request)
        found = with_last_delivery(narrowed(actions.manageable(caller.rights), query.values))
        page = turn_page(request, found, query, COLUMNS)
        days = days_of((webhook.pk for webhook in page.rows), now=timezone.now())
        for webhook in page.rows:
            webhook.day = days[webhook.pk]  # type: ignore[attr-defined]  # for its row
        return answer_page(request, replaced(page, page.rows), query, ListedWebhookRow)

    @extend_schema(
        operation_id="create_webhook",
        tags=[TAG],
        summary="Make a webhook",
        request=WebhookBody,
        responses={201: SignedWebhookRow},
        examples=[
            sends("Tags of a team", _SAID | {"url": "https://ci.example.com/hook", "team": "shop"}),
            shows("Made", _EXAMPLE | {"secret": "whsec_…"}),
        ],
    )
    def post(self, request: Request) -> Response:
        """It sends from now on; its signing secret is shown this once. Needs `webhook manage` on all
        of its scope, and what its topics take."""
        caller = self.caller
        require_keeper(caller)
        given = WebhookBody.read(request)
        signed = actions.create_subscription(
            SubscriptionSettings(
                name=given["name"],
                where=_where(given["where"]),
                topics=_topics(given["topics"]),
                form=Subscription.Form(given["payload"]),
                url=given["url"],
                headers=given.get("headers", {}),
                team=team_to_tell(given.get("team"), teams_to_tell(caller)),
            ),
            creator=caller.somebody if isinstance(caller.somebody, User) else None,
            rights=caller.rights,
            actor=caller.actor,
        )
        answer = _signed(signed, HTTPStatus.CREATED)
        answer["Location"] = f"{request.path}/{signed.subscription.pk}"
        return answer


class OneWebhook(Resource):
    @extend_schema(
        operation_id="show_webhook",
        tags=[TAG],
        summary="Show a webhook",
        responses=WebhookRow,
        examples=[shows("A webhook", _EXAMPLE)],
    )
    def get(self, request: Request, webhook: UUID) -> Response:
        """One webhook, if the caller may manage it."""
        return answer_one(request, WebhookRow(kept(self.caller, webhook)).data)

    @extend_schema(
        operation_id="change_webhook",
        tags=[TAG],
        summary="Change a webhook",
        request=WebhookBody,
        responses=WebhookRow,
        examples=[
            sends("No headers", {"headers": {}}),
            shows("Changed", _EXAMPLE | {"has_headers": False}),
        ],
    )
    def patch(self, request: Request, webhook: UUID) -> Response:
        """All but its state; address and headers stay where they are not given. Another host gets
        headers only with new ones."""
        caller = self.caller
        found = kept(caller, webhook)
        given = WebhookBody.read(request, partial=True)
        with together():
            found = actions.locked(found)
            require_match(request, WebhookRow(found).data)
            actions.change_subscription(
                found, _changed(caller, found, given), rights=caller.rights, actor=caller.actor
            )
        found.refresh_from_db()
        return Response(WebhookRow(found).data)

    @extend_schema(
        operation_id="remove_webhook",
        tags=[TAG],
        summary="Remove a webhook",
        responses={204: None},
    )
    def delete(self, request: Request, webhook: UUID) -> Response:
        """With its deliveries, also those that are still to be sent."""
        caller = self.caller
        found = kept(caller, webhook)
        with together():
            found = actions.locked(found)
            require_match(request, WebhookRow(found).data)
            actions.remove_subscription(found, rights=caller.rights, actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)


class PauseWebhook(Resource):
    @extend_schema(
        operation_id="pause_webhook",
        tags=[TAG],
        summary="Pause a webhook",
        request=PauseBody,
        responses=WebhookRow,
        examples=[
            sends("While it moves", {"reason": "The CI system moves."}),
            shows(
                "Paused",
                _EXAMPLE
                | {
                    "state": "paused",
                    "state_reason": "The CI system moves.",
                    "state_at": "2026-11-26T08:15:00Z",
                },
            ),
        ],
    )
    def post(self, request: Request, webhook: UUID) -> Response:
        """What happens from now on is held until it goes on."""
        caller = self.caller
        found = kept(caller, webhook)
        reason = PauseBody.read(request)["reason"] or _("Paused by %s.") % caller.actor.label
        paused = actions.pause_subscription(
            found, reason=reason, rights=caller.rights, actor=caller.actor
        )
        return Response(WebhookRow(paused).data)


class ResumeWebhook(Resource):
    @extend_schema(
        operation_id="resume_webhook",
        tags=[TAG],
        summary="Let a webhook go on",
        request=ResumeBody,
        responses=ResumedWebhookRow,
        examples=[
            sends("With what was held", {"send_held": True}),
            shows("It goes on", _EXAMPLE | {"held": 12}),
        ],
    )
    def post(self, request: Request, webhook: UUID) -> Response:
        """After a pause, or after it was stopped, with what was held meanwhile or without it."""
        caller = self.caller
        found = kept(caller, webhook)
        send_held = ResumeBody.read(request)["send_held"]
        resumed, held = actions.resume_subscription(
            found, send_held=send_held, rights=caller.rights, actor=caller.actor
        )
        return Response(ResumedWebhookRow(resumed, context={"held": held}).data)


class RotateSigningSecret(Resource):
    @extend_schema(
        operation_id="rotate_signing_secret",
        tags=[TAG],
        summary="Replace a webhook's signing secret",
        request=SigningRotationBody,
        responses={201: SignedWebhookRow},
        examples=[
            sends("Within a day", {"overlap_hours": 24}),
            shows(
                "A new one",
                _EXAMPLE | {"old_secret_until": "2026-11-27T08:15:00Z", "secret": "whsec_…"},
            ),
        ],
    )
    def post(self, request: Request, webhook: UUID) -> Response:
        """A new one, shown this once; for a while messages carry the signatures of both."""
        caller = self.caller
        found = kept(caller, webhook)
        hours = SigningRotationBody.read(request)["overlap_hours"]
        signed = actions.rotate_signing_secret(
            found, overlap=timedelta(hours=hours), rights=caller.rights, actor=caller.actor
        )
        return _signed(signed, HTTPStatus.CREATED)


class WebhookPreview(Resource):
    @extend_schema(
        operation_id="preview_webhook",
        tags=[TAG],
        summary="Show what a webhook sends",
        parameters=[PreviewQuery],
        responses=WebhookPreviewRow,
        examples=[shows("A tag that moved", _PREVIEW)],
    )
    def get(self, request: Request, webhook: UUID) -> Response:
        """Of a past event of its scope, or of a made-up one where there is none."""
        caller = self.caller
        found = kept(caller, webhook)
        query = PreviewQuery.read(request)
        asked = QueryDict(mutable=True)
        asked["scope"], asked["form"] = str(Where(found.scope, found.tag)), found.form
        asked.setlist("topics", found.topics)
        if query["event"] is not None:
            asked["event"] = str(query["event"])
        preview = preview_of(caller, asked)
        if preview.event is None:
            raise ValidationError(preview.problem)
        shown = {
            "is_made_up": preview.is_made_up,
            "id": message_id(preview.event),
            "headers": preview.headers,
            "body": preview.body,
            "events": preview.events,
        }
        return answer_one(request, WebhookPreviewRow(shown).data)


def kept(caller: Caller, webhook: UUID) -> Subscription:
    """The webhook, if the caller may manage it; raises PermissionDenied for who manages none, and
    Http404."""
    require_keeper(caller)
    return webhook_or_404(caller, webhook)


def _signed(signed: Signed, status: HTTPStatus) -> Response:
    shown = SignedWebhookRow(signed.subscription, context={"secret": signed.secret}).data
    return Response(shown, status=status, headers={"Cache-Control": "no-store"})


def _changed(caller: Caller, webhook: Subscription, given: dict[str, Any]) -> SubscriptionSettings:
    """The webhook as it is, with what is given of it."""
    settings = SubscriptionSettings(
        name=given.get("name", webhook.name),
        where=Where(webhook.scope, webhook.tag),
        topics=webhook.subscribed,
        form=Subscription.Form(given.get("payload", webhook.form)),
        url=given.get("url"),
        headers=given.get("headers"),
        team=webhook.team,
    )
    if "where" in given:
        settings = replace(settings, where=_where(given["where"]))
    if "topics" in given:
        settings = replace(settings, topics=_topics(given["topics"]))
    if "team" in given:
        team = team_to_tell(given["team"], teams_to_tell(caller), webhook.team)
        settings = replace(settings, team=team)
    return settings


def _where(text: str) -> Where:
    try:
        return Where.parse(text)
    except ValidationError as error:
        raise ValidationError({"where": error.messages}) from None


def _topics(texts: list[str]) -> tuple[Topic, ...]:
    return tuple(Topic(text) for text in texts)

"""`/webhooks`: who is told what, where and in which form."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.models import User
from dashboard.api.bodies import Body
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.fields import ScopeField
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.api.webhooks.rows import (
    EXAMPLE,
    SAID,
    TAG,
    ListedWebhookRow,
    SignedWebhookRow,
    WebhookRow,
    answer_signed,
    kept,
)
from dashboard.callers import Caller
from dashboard.pagination import replaced
from dashboard.views.webhooks.asking import require_keeper
from dashboard.views.webhooks.editing import team_to_tell, teams_to_tell
from dashboard.views.webhooks.listing import COLUMNS, narrowed, with_last_delivery
from registries.transactions import together
from webhooks import subscriptions as actions
from webhooks.care import locked, manageable
from webhooks.catalog import Topic
from webhooks.figures import days_of
from webhooks.models import Subscription
from webhooks.subscription_settings import CHOOSABLE, NAME_LIMIT, SubscriptionSettings, Where
from webhooks.targets import HEADER_VALUE_LIMIT, URL_LIMIT

WHERE_LIMIT = 500
ABOUT_WHERE = "A scope, with tags behind a colon: `prod/shop/app:v1.*`."
TOPICS = [topic.value for topic in CHOOSABLE]


class WebhookQuery(PageQuery):
    q = serializers.CharField(
        required=False, max_length=100, help_text="A part of the name or host."
    )
    scope = ScopeField(required=False, help_text="Those that send what happens there.")
    state = serializers.ChoiceField(choices=[*Subscription.State.values, "failing"], required=False)
    sort = sorts(COLUMNS)


class WebhookBody(Body):
    name = serializers.CharField(max_length=NAME_LIMIT)
    where = serializers.CharField(max_length=WHERE_LIMIT, help_text=ABOUT_WHERE)
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
                EXAMPLE
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
        found = with_last_delivery(narrowed(manageable(caller.rights), query.values))
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
            sends("Tags of a team", SAID | {"url": "https://ci.example.com/hook", "team": "shop"}),
            shows("Made", EXAMPLE | {"secret": "whsec_…"}),
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
        answer = answer_signed(signed, HTTPStatus.CREATED)
        answer["Location"] = f"{request.path}/{signed.subscription.pk}"
        return answer


class OneWebhook(Resource):
    @extend_schema(
        operation_id="show_webhook",
        tags=[TAG],
        summary="Show a webhook",
        responses=WebhookRow,
        examples=[shows("A webhook", EXAMPLE)],
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
            shows("Changed", EXAMPLE | {"has_headers": False}),
        ],
    )
    def patch(self, request: Request, webhook: UUID) -> Response:
        """All but its state; address and headers stay where they are not given. Another host gets
        headers only with new ones."""
        caller = self.caller
        found = kept(caller, webhook)
        given = WebhookBody.read(request, partial=True)
        with together():
            found = locked(found)
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
            found = locked(found)
            require_match(request, WebhookRow(found).data)
            actions.remove_subscription(found, rights=caller.rights, actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)


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

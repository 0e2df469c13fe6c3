"""How a webhook is shown: never with its address, its headers or what it signs with."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from rest_framework import serializers
from rest_framework.response import Response

from dashboard.api.bodies import Row
from dashboard.callers import Caller
from dashboard.views.webhooks.asking import require_keeper, webhook_or_404
from webhooks.figures import Day
from webhooks.models import Subscription
from webhooks.subscription_settings import Where
from webhooks.subscriptions import Signed

TAG = "webhooks"
SAID = {
    "name": "Deploys of the shop",
    "where": "prod/shop/*:v1.*",
    "topics": ["tag.created", "tag.moved"],
    "payload": "structured",
}
EXAMPLE = {
    "id": "6f1c2f0e-5d0c-4a53-9a3c-0d6e4a2f7b10",
    **SAID,
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


def kept(caller: Caller, webhook: UUID) -> Subscription:
    """The webhook, if the caller may manage it; raises PermissionDenied for who manages none, and
    Http404."""
    require_keeper(caller)
    return webhook_or_404(caller, webhook)


def answer_signed(signed: Signed, status: HTTPStatus) -> Response:
    shown = SignedWebhookRow(signed.subscription, context={"secret": signed.secret}).data
    return Response(shown, status=status, headers={"Cache-Control": "no-store"})

"""`/webhooks/<webhook>/deliveries`: what was sent, what came back, and sending it again."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.api.bodies import Body, Row
from dashboard.api.etags import answer_one
from dashboard.api.examples import lists, sends, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.api.webhooks.events import EXAMPLE as EVENT
from dashboard.api.webhooks.events import EventRow
from dashboard.api.webhooks.rows import TAG, kept
from dashboard.pagination import replaced
from dashboard.views.webhooks.deliveries import SHOWN, attempts_of, delivery_or_404
from dashboard.views.webhooks.webhook import (
    AT_ONCE,
    ORDERS,
    deliveries_of,
    failed_since,
    narrowed,
    with_last_attempts,
)
from webhooks.catalog import Topic
from webhooks.models import Delivery
from webhooks.outbound import actions

_BARE = {
    "id": 88012,
    "state": "delivered",
    "reason": "",
    "tries": 1,
    "created_at": "2026-11-26T08:15:00Z",
    "due_at": "2026-11-26T08:15:00Z",
    "ended_at": "2026-11-26T08:15:01Z",
    "event": EVENT,
}
_ATTEMPT = {"at": "2026-11-26T08:15:01Z", "seconds": 0.084, "status": 204, "error": ""}
_WHOLE_ATTEMPT = {
    **_ATTEMPT,
    "address": "203.0.113.80",
    "request_headers": {
        "Content-Type": "application/cloudevents+json; charset=utf-8",
        "webhook-id": EVENT["id"],
    },
    "request_body": '{"specversion": "1.0", …}',
    "response_headers": {"Content-Length": "0"},
    "response_body": "",
    "response_cut": False,
    "is_withheld": False,
}
_PING = _BARE | {
    "state": "waiting",
    "tries": 0,
    "ended_at": None,
    "event": EVENT
    | {
        "topic": "ping",
        "repository": "",
        "tag": "",
        "digest": "",
        "old_digest": "",
        "actor_kind": "user",
        "actor": "anna",
        "data": {},
    },
}


class LastAttemptRow(Row):
    """How it went when it was sent last."""

    at = serializers.DateTimeField()
    seconds = serializers.FloatField()
    status = serializers.IntegerField(allow_null=True, help_text="Null where no answer came.")
    error = serializers.CharField()


class AttemptRow(LastAttemptRow):
    """One request and what came back. Values of headers of one's own are masked."""

    address = serializers.CharField(help_text="The address that was dialled.")
    request_headers = serializers.DictField()
    request_body = serializers.CharField()
    response_headers = serializers.DictField()
    response_body = serializers.CharField()
    response_cut = serializers.BooleanField(help_text="Whether there was more of it.")
    is_withheld = serializers.BooleanField(
        help_text="Whether address and answer are left out: they are of a private network, and for"
        " who manages webhooks everywhere."
    )


class BareDeliveryRow(Row):
    """One event for one webhook."""

    id = serializers.IntegerField()
    state = serializers.CharField(help_text="`waiting`, `held`, `delivered` or `given up`.")
    reason = serializers.CharField(help_text="Why it failed last, or why it is held.")
    tries = serializers.IntegerField(help_text="Since it was enqueued, or sent again.")
    created_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(help_text="While it waits, when it is tried next.")
    ended_at = serializers.DateTimeField(allow_null=True)
    event = EventRow()


class DeliveryRow(BareDeliveryRow):
    """One event for one webhook, with how it went last."""

    last_attempt = LastAttemptRow(allow_null=True)


class WholeDeliveryRow(BareDeliveryRow):
    """One event for one webhook, with every attempt."""

    attempts = AttemptRow(
        many=True, source="shown_attempts", help_text=f"The newest {SHOWN}, newest first."
    )


class DeliveryQuery(PageQuery):
    state = serializers.ChoiceField(choices=Delivery.State.values, required=False)
    topic = serializers.ChoiceField(choices=Topic.values, required=False)
    repository = serializers.CharField(required=False, max_length=255, help_text="Its path.")
    since = serializers.DateField(required=False, help_text="The first day (UTC).")
    until = serializers.DateField(required=False, help_text="The last day, with all of it.")
    sort = sorts(ORDERS)


class RedeliveryBody(Body):
    deliveries = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=10**18),
        required=False,
        max_length=1000,
        help_text="These, by id.",
    )
    since = serializers.DateTimeField(
        required=False, help_text=f"Or what was given up since then, at most {AT_ONCE} at once."
    )


class RedeliveredRow(Row):
    """How many are sent again; what is on its way already stays as it is."""

    count = serializers.IntegerField()


class Deliveries(Resource):
    @extend_schema(
        operation_id="list_deliveries",
        tags=[TAG],
        summary="List a webhook's deliveries",
        parameters=[DeliveryQuery],
        responses=page_of(DeliveryRow),
        examples=[lists("It arrived", _BARE | {"last_attempt": _ATTEMPT})],
    )
    def get(self, request: Request, webhook: UUID) -> Response:
        """Newest first, as far as the caller may read the events by his rights of now."""
        caller = self.caller
        found = kept(caller, webhook)
        query = DeliveryQuery.read(request)
        rows = narrowed(deliveries_of(caller, found), query.values)
        if path := query["repository"]:
            rows = rows.filter(event__repository=path)
        page = turn_page(request, rows.select_related("event"), query, ORDERS)
        shown = with_last_attempts(list(page.rows))
        for delivery, attempt in shown:
            delivery.last_attempt = attempt  # type: ignore[attr-defined]  # for its row
        return answer_page(request, replaced(page, page.rows), query, DeliveryRow)


class OneDelivery(Resource):
    @extend_schema(
        operation_id="show_delivery",
        tags=[TAG],
        summary="Show a delivery with its attempts",
        responses=WholeDeliveryRow,
        examples=[shows("It arrived", _BARE | {"attempts": [_WHOLE_ATTEMPT]})],
    )
    def get(self, request: Request, webhook: UUID, delivery: int) -> Response:
        """With what was sent and what came back, if the caller may read the event."""
        caller = self.caller
        found = delivery_or_404(caller, kept(caller, webhook), delivery)
        found.shown_attempts = attempts_of(caller, found)  # type: ignore[attr-defined]  # for its row
        return answer_one(request, WholeDeliveryRow(found).data)


class Redeliveries(Resource):
    @extend_schema(
        operation_id="send_again",
        tags=[TAG],
        summary="Send deliveries again",
        request=RedeliveryBody,
        responses={202: RedeliveredRow},
        examples=[
            sends("Since it broke", {"since": "2026-11-26T06:00:00Z"}),
            shows("On their way", {"count": 12}),
        ],
    )
    def post(self, request: Request, webhook: UUID) -> Response:
        """From the first try on, with the same message id: some of them, or all that was given up
        since a time, as far as the caller may read the events."""
        caller = self.caller
        found = kept(caller, webhook)
        given = RedeliveryBody.read(request)
        if ("deliveries" in given) == ("since" in given):
            raise ValidationError(_("Say either which deliveries, or since when."))
        if "since" in given:
            if given["since"] > timezone.now():
                raise ValidationError({"since": _("That is in the future.")})
            chosen = failed_since(caller, found, given["since"])
        else:
            readable = deliveries_of(caller, found).filter(pk__in=given["deliveries"])
            chosen = list(readable.values_list("pk", flat=True))
        count = actions.redeliver(found, chosen, actor=caller.actor)
        return Response(RedeliveredRow({"count": count}).data, status=HTTPStatus.ACCEPTED)


class Pings(Resource):
    @extend_schema(
        operation_id="ping_webhook",
        tags=[TAG],
        summary="Send a test message",
        request=None,
        responses={202: BareDeliveryRow},
        examples=[shows("On its way", _PING)],
    )
    def post(self, request: Request, webhook: UUID) -> Response:
        """To this webhook alone; while it is paused it is held. What came of it is at `Location`."""
        caller = self.caller
        sent = actions.ping(kept(caller, webhook), actor=caller.actor)
        location = f"{request.path.removesuffix('/pings')}/deliveries/{sent.pk}"
        return Response(
            BareDeliveryRow(sent).data,
            status=HTTPStatus.ACCEPTED,
            headers={"Location": location},
        )

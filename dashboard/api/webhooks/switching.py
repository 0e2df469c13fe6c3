"""`/webhooks/<webhook>/pause`, `/resume` and `/rotation`: stopped, let go on, signed with another secret."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from uuid import UUID

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.api.bodies import Body
from dashboard.api.examples import sends, shows
from dashboard.api.resources import Resource
from dashboard.api.webhooks.rows import (
    EXAMPLE,
    TAG,
    ResumedWebhookRow,
    SignedWebhookRow,
    WebhookRow,
    answer_signed,
    kept,
)
from webhooks import subscriptions, switching

LONGEST_OVERLAP_HOURS = 24 * 7


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
                EXAMPLE
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
        paused = switching.pause_subscription(
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
            shows("It goes on", EXAMPLE | {"held": 12}),
        ],
    )
    def post(self, request: Request, webhook: UUID) -> Response:
        """After a pause, or after it was stopped, with what was held meanwhile or without it."""
        caller = self.caller
        found = kept(caller, webhook)
        send_held = ResumeBody.read(request)["send_held"]
        resumed, held = switching.resume_subscription(
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
                EXAMPLE | {"old_secret_until": "2026-11-27T08:15:00Z", "secret": "whsec_…"},
            ),
        ],
    )
    def post(self, request: Request, webhook: UUID) -> Response:
        """A new one, shown this once; for a while messages carry the signatures of both."""
        caller = self.caller
        found = kept(caller, webhook)
        hours = SigningRotationBody.read(request)["overlap_hours"]
        signed = subscriptions.rotate_signing_secret(
            found, overlap=timedelta(hours=hours), rights=caller.rights, actor=caller.actor
        )
        return answer_signed(signed, HTTPStatus.CREATED)

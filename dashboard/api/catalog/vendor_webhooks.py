"""`/registries/<registry>/vendor/webhooks`: webhooks that are set up at the registry itself."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.api.bodies import Body, Query, Row
from dashboard.api.catalog.vendor import SaidRow, told_to_manager
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.pages import answer_page, page_of
from dashboard.api.problems import REGISTRY_ASKED
from dashboard.api.resources import Resource
from dashboard.browse.at_vendor import Told, told_or_404
from dashboard.callers import Caller
from dashboard.pagination import Page
from registries.changing import vendor as vendor_changes
from registries.connectors.reports import NativeWebhook
from webhooks.inbound.native import set_up

_WEBHOOK_EXAMPLE = {
    "id": "portolanprod",
    "name": "portolanprod",
    "host": "portolan.example.com",
    "events": ["push", "delete"],
    "scope": "",
    "enabled": True,
    "is_portolans": True,
}


class VendorWebhookRow(Row):
    """A webhook that is set up at the registry. Its address is a secret, and its host is none."""

    id = serializers.CharField()
    name = serializers.CharField()
    host = serializers.CharField(source="address")
    events = serializers.ListField(child=serializers.CharField())
    scope = serializers.CharField()
    enabled = serializers.BooleanField()
    is_portolans = serializers.BooleanField(help_text="Whether it is the one Portolan sets up.")


class NewVendorWebhookBody(Body):
    project = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=255,
        help_text="What it is for, where a webhook there is for a project and not for all.",
    )


class VendorWebhooks(Resource):
    @extend_schema(
        operation_id="list_vendor_webhooks",
        tags=["vendor"],
        summary="List webhooks at the registry",
        responses=page_of(VendorWebhookRow),
        examples=[lists("The one for Portolan", _WEBHOOK_EXAMPLE)],
    )
    def get(self, request: Request, registry: str) -> Response:
        """All that the vendor told of last, on one page. Needs `registry manage`."""
        told = _with_webhooks(self.caller, registry)
        query = Query.read(request)
        rows = [_webhook(told, webhook) for webhook in told.report.webhooks]
        return answer_page(request, Page(rows, "", ""), query, VendorWebhookRow)

    @extend_schema(
        operation_id="create_vendor_webhook",
        tags=["vendor"],
        summary="Have the registry notify Portolan",
        request=NewVendorWebhookBody,
        responses={201: VendorWebhookRow, **REGISTRY_ASKED},
        examples=[shows("Set up", _WEBHOOK_EXAMPLE), sends("For a project", {"project": "shop"})],
    )
    def post(self, request: Request, registry: str) -> Response:
        """Sets up the webhook that notifies Portolan, with a secret that nobody sees; one that is
        there is set up anew. Needs `registry manage`."""
        caller = self.caller
        told = _with_webhooks(caller, registry)
        given = NewVendorWebhookBody.read(request)
        made = set_up(
            told.registry,
            portolan=settings.PUBLIC_URL,
            project=given.get("project", ""),
            rights=caller.rights,
            actor=caller.actor,
        )
        # As the report has it now: without the address, which may hold the secret.
        told = told_or_404(told.registry)
        known = next((one for one in told.report.webhooks if one.id == made.id), None)
        shown = _webhook(told, known) if known else _webhook(told, made) | {"address": ""}
        return Response(
            VendorWebhookRow(shown).data,
            status=HTTPStatus.CREATED,
            headers={"Location": f"{request.path}/{made.id}"},
        )


class OneVendorWebhook(Resource):
    @extend_schema(
        operation_id="show_vendor_webhook",
        tags=["vendor"],
        summary="Show a webhook at the registry",
        responses=VendorWebhookRow,
        examples=[shows("The one for Portolan", _WEBHOOK_EXAMPLE)],
    )
    def get(self, request: Request, registry: str, webhook: str) -> Response:
        """As it was told of last. Needs `registry manage`."""
        told = _with_webhooks(self.caller, registry)
        return answer_one(request, _webhook_row(told, webhook))

    @extend_schema(
        operation_id="remove_vendor_webhook",
        tags=["vendor"],
        summary="Remove a webhook at the registry",
        responses={204: None, **REGISTRY_ASKED},
    )
    def delete(self, request: Request, registry: str, webhook: str) -> Response:
        """Has the vendor remove it, whoever set it up; the secret that Portolan's brings along works
        until it is removed, too. Needs `registry manage`."""
        told = _with_webhooks(self.caller, registry)
        require_match(request, _webhook_row(told, webhook))
        vendor_changes.delete_webhook(
            registry=told.registry, webhook_id=webhook, actor=self.caller.actor
        )
        return Response(status=HTTPStatus.NO_CONTENT)


class VendorWebhookPings(Resource):
    @extend_schema(
        operation_id="ping_vendor_webhook",
        tags=["vendor"],
        summary="Have the registry send a test notification",
        request=None,
        responses={200: SaidRow, **REGISTRY_ASKED},
        examples=[shows("Sent", {"said": "It was answered with 202."})],
    )
    def post(self, request: Request, registry: str, webhook: str) -> Response:  # noqa: ARG002  see Resource
        """Says how it was answered, as far as the vendor tells. Needs `registry manage`."""
        told = _with_webhooks(self.caller, registry)
        known = told.webhook_or_404(webhook)
        said = vendor_changes.ping_webhook(registry=told.registry, webhook_id=known.id)
        return Response(SaidRow({"said": said}).data)


def _with_webhooks(caller: Caller, registry: str) -> Told:
    """What was told of a registry whose webhooks are set up by its API, for who manages it; raises
    Http404 for others."""
    told = told_to_manager(caller, registry)
    if not told.has_webhooks:
        raise Http404(_("Webhooks of registries of this kind are not set up by an API."))
    return told


def _webhook(told: Told, webhook: NativeWebhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "name": webhook.name,
        "address": webhook.address,
        "events": webhook.events,
        "scope": webhook.scope,
        "enabled": webhook.enabled,
        "is_portolans": told.is_ours(webhook),
    }


def _webhook_row(told: Told, webhook_id: str) -> dict[str, Any]:
    return dict(VendorWebhookRow(_webhook(told, told.webhook_or_404(webhook_id))).data)

"""`/registries/<registry>/notifications`: what a registry told, and how it is set up to tell."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action
from access.scopes import Scope
from access.shortcuts import get_registry_or_404
from dashboard.api.bodies import Row
from dashboard.api.catalog.settings import locked_or_404
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import DIGEST, lists, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.reassured import require_reassured
from dashboard.api.resources import Resource
from dashboard.pagination import Column
from dashboard.views.webhooks.notifications import ORDERS
from registries.models import Registry
from registries.transactions import together
from webhooks.inbound import secrets as actions
from webhooks.inbound.setup import guides
from webhooks.models import InboundSecret, Notification

TAG = "notifications"
MADE = {"created": Column(F("created_at"), datetime)}
_EXAMPLE = {
    "id": 40213,
    "verb": "push",
    "repository": "shop/app",
    "tag": "1.4.2",
    "digest": DIGEST,
    "actor": "shop-builds",
    "occurred_at": "2026-11-26T08:14:59Z",
    "received_at": "2026-11-26T08:15:00Z",
    "state": "done",
    "reason": "",
    "tries": 1,
    "handled_at": "2026-11-26T08:15:01Z",
    "address": "192.0.2.7",
    "body": '{"action": "push", …}',
}
_SECRET = {
    "id": "0d6e4a2f-7b10-4a53-9a3c-6f1c2f0e5d0c",
    "created_at": "2026-11-26T08:15:00Z",
    "created_by": "anna",
    "expires_at": None,
    "last_used_at": None,
}


def _guide_example(secret: str) -> dict[str, str]:
    return {
        "kind": "Distribution 3",
        "where": "config.yml",
        "text": f'notifications:\n  endpoints:\n    - name: portolan\n      headers:\n        Authorization: ["Bearer {secret}"]\n',
        "note": "",
    }


class NotificationRow(Row):
    """One thing that the registry said. It is a hint: what it names is read from the registry."""

    id = serializers.IntegerField()
    verb = serializers.CharField(help_text="Such as `push`; of what is junk, `other`.")
    repository = serializers.CharField(help_text="As the registry wrote it; so is the rest.")
    tag = serializers.CharField()
    digest = serializers.CharField()
    actor = serializers.CharField()
    occurred_at = serializers.DateTimeField(allow_null=True)
    received_at = serializers.DateTimeField()
    state = serializers.CharField(help_text="What became of it, such as `done` or `junk`.")
    reason = serializers.CharField()
    tries = serializers.IntegerField()
    handled_at = serializers.DateTimeField(allow_null=True)
    address = serializers.SerializerMethodField(
        help_text="The client's; null for who does not manage the registry."
    )
    body = serializers.SerializerMethodField(
        help_text="Its words; null for who does not manage the registry."
    )

    def get_address(self, it: Notification) -> str | None:
        return it.address if self._manages(it) else None

    def get_body(self, it: Notification) -> str | None:
        return it.body if self._manages(it) else None

    def _manages(self, it: Notification) -> bool:
        # Of who does not, the column was not read.
        return "body" not in it.get_deferred_fields()


class NotificationQuery(PageQuery):
    state = serializers.ChoiceField(choices=Notification.State.values, required=False)
    sort = sorts(ORDERS)


class InboundSecretRow(Row):
    """What a registry proves itself with. Two may be live."""

    id = serializers.UUIDField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)

    class Meta:
        ref_name = "NotificationSecret"


class GuideRow(Row):
    """What one kind of registry has in its configuration."""

    kind = serializers.CharField()
    where = serializers.CharField(help_text="Where it goes.")
    text = serializers.CharField()
    note = serializers.CharField()


class SetupRow(Row):
    """How a registry is set up to tell Portolan."""

    url = serializers.CharField(help_text="Where it sends to.")
    guides = GuideRow(many=True)

    class Meta:
        ref_name = "NotificationSetup"


class IssuedInboundSecretRow(InboundSecretRow):
    """A new secret, and what to put into the registry's configuration."""

    secret = serializers.SerializerMethodField(help_text="Shown this once.")
    guides = serializers.SerializerMethodField(help_text="With the secret filled in.")

    class Meta:
        ref_name = "IssuedNotificationSecret"

    def get_secret(self, _secret: InboundSecret) -> str:
        return str(self.context["secret"])

    @extend_schema_field(GuideRow(many=True))
    def get_guides(self, secret: InboundSecret) -> Any:
        return _guides(secret.registry.name, str(self.context["secret"]))


class Notifications(Resource):
    @extend_schema(
        operation_id="list_notifications",
        tags=[TAG],
        summary="List what a registry told",
        parameters=[NotificationQuery],
        responses=page_of(NotificationRow),
        examples=[lists("A push", _EXAMPLE)],
    )
    def get(self, request: Request, registry: str) -> Response:
        """Newest first. Needs `registry read`."""
        caller = self.caller
        found = get_registry_or_404(caller.somebody, registry, Action.REGISTRY_READ)
        query = NotificationQuery.read(request)
        rows = found.notifications.all()
        if not caller.rights.may(Action.REGISTRY_MANAGE, Scope(found.name)):
            rows = rows.defer("body")
        if query["state"]:
            rows = rows.filter(state=query["state"])
        return answer_page(request, turn_page(request, rows, query, ORDERS), query, NotificationRow)


class NotificationSetup(Resource):
    @extend_schema(
        operation_id="show_notification_setup",
        tags=[TAG],
        summary="Show how a registry is set up to tell",
        responses=SetupRow,
        examples=[
            shows(
                "For Distribution",
                {
                    "url": "https://portolan.example.com/hooks/in/harbour",
                    "guides": [_guide_example("SECRET")],
                },
            )
        ],
    )
    def get(self, request: Request, registry: str) -> Response:
        """For each kind what goes into its configuration, with SECRET in the place of one. Needs
        `registry read`."""
        found = get_registry_or_404(self.caller.somebody, registry, Action.REGISTRY_READ)
        shown = {
            "url": f"{settings.PUBLIC_URL}/hooks/in/{found.name}",
            "guides": guides(found.name, settings.PUBLIC_URL),
        }
        return answer_one(request, SetupRow(shown).data)


class InboundSecretQuery(PageQuery):
    sort = sorts(MADE)


class InboundSecrets(Resource):
    @extend_schema(
        operation_id="list_notification_secrets",
        tags=[TAG],
        summary="List a registry's secrets of notifications",
        parameters=[InboundSecretQuery],
        responses=page_of(InboundSecretRow),
        examples=[lists("One secret", _SECRET)],
    )
    def get(self, request: Request, registry: str) -> Response:
        """Those that are live. Needs `registry read`."""
        found = get_registry_or_404(self.caller.somebody, registry, Action.REGISTRY_READ)
        query = InboundSecretQuery.read(request)
        live = InboundSecret.objects.live(timezone.now()).filter(registry=found)
        return answer_page(request, turn_page(request, live, query, MADE), query, InboundSecretRow)

    @extend_schema(
        operation_id="create_notification_secret",
        tags=[TAG],
        summary="Make a secret for a registry's notifications",
        request=None,
        responses={201: IssuedInboundSecretRow},
        examples=[
            shows("Made", _SECRET | {"secret": "ptl_in_…", "guides": [_guide_example("ptl_in_…")]})
        ],
    )
    def post(self, request: Request, registry: str) -> Response:
        """Shown this once, with what goes into the registry's configuration; `422` while two are
        live. Needs `registry manage`."""
        caller = self.caller
        found = get_registry_or_404(caller.somebody, registry, Action.REGISTRY_MANAGE)
        require_reassured(request)
        made = actions.create_secret(found, rights=caller.rights, actor=caller.actor)
        return Response(
            IssuedInboundSecretRow(made.secret, context={"secret": made.text}).data,
            status=HTTPStatus.CREATED,
            headers={
                "Cache-Control": "no-store",
                "Location": f"{request.path}/{made.secret.pk}",
            },
        )


class OneInboundSecret(Resource):
    @extend_schema(
        operation_id="show_notification_secret",
        tags=[TAG],
        summary="Show a secret of notifications",
        responses=InboundSecretRow,
        examples=[shows("A secret", _SECRET)],
    )
    def get(self, request: Request, registry: str, secret: UUID) -> Response:
        """All but itself. Needs `registry read`."""
        found = get_registry_or_404(self.caller.somebody, registry, Action.REGISTRY_READ)
        return answer_one(request, InboundSecretRow(_secret_or_404(found, secret)).data)

    @extend_schema(
        operation_id="remove_notification_secret",
        tags=[TAG],
        summary="Remove a secret of notifications",
        responses={204: None},
    )
    def delete(self, request: Request, registry: str, secret: UUID) -> Response:
        """What comes with it is refused from then on. Needs `registry manage`."""
        caller = self.caller
        found = get_registry_or_404(caller.somebody, registry, Action.REGISTRY_MANAGE)
        with together():
            held = _secret_or_404(locked_or_404(found), secret)
            require_match(request, InboundSecretRow(held).data)
            actions.remove_secret(held, rights=caller.rights, actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)


def _secret_or_404(registry: Registry, pk: UUID) -> InboundSecret:
    found: InboundSecret | None = registry.inbound_secrets.filter(pk=pk).first()
    if found is None:
        raise Http404(_("This registry has no such secret."))
    return found


def _guides(registry: str, secret: str) -> Any:
    return GuideRow(guides(registry, settings.PUBLIC_URL, secret), many=True).data

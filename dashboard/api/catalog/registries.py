"""`/registries`: what is connected, how it is doing, and what it holds."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from http import HTTPStatus

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action
from access.policy import visible_registries
from access.shortcuts import get_registry_or_404, require
from dashboard.api.bodies import Row
from dashboard.api.catalog.checks import tried
from dashboard.api.catalog.settings import SettingsBody, locked_or_404, new_settings
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.browse.cards import Card, cards_of
from dashboard.pagination import replaced
from dashboard.runs.start import start_sync
from dashboard.views.registries import COLUMNS
from registries.connections import connect_registry, name_taken, remove_registry
from registries.models import Registry
from registries.sync.run import AlreadyRunning
from registries.transactions import together

_EXAMPLE = {
    "name": "prod",
    "kind": "acr",
    "url": "https://prod.azurecr.io",
    "host": "prod.azurecr.io",
    "health": "healthy",
    "health_detail": "",
    "synced_at": "2026-11-26T08:15:00Z",
    "repositories": 1204,
    "tags": 88310,
    "bytes": 5812309120034,
    "is_part": False,
    "latest_run": 4711,
}


class RegistryRow(Row):
    """A registry as far as the caller sees it: of parts, the sums of what lies in them."""

    name = serializers.CharField(source="registry.name")
    kind = serializers.CharField(source="registry.kind", help_text="Such as `acr` or `harbor`.")
    url = serializers.CharField(source="registry.url")
    host = serializers.CharField(source="registry.host", help_text="The host in pull commands.")
    health = serializers.ChoiceField(
        source="registry.health", choices=[value.value for value in Registry.Health]
    )
    health_detail = serializers.SerializerMethodField(
        help_text="What is wrong; empty for who may not read the whole registry."
    )
    synced_at = serializers.DateTimeField(source="registry.synced_at", allow_null=True)
    repositories = serializers.IntegerField(source="held.repositories")
    tags = serializers.IntegerField(source="held.tags")
    bytes = serializers.IntegerField(
        source="held.bytes",
        help_text="Compressed. Of a whole registry each blob counts once, of a part each image.",
    )
    is_part = serializers.BooleanField(
        source="held.is_part", help_text="Whether the caller sees a part of it only."
    )
    latest_run = serializers.IntegerField(
        source="run.pk", default=None, allow_null=True, help_text="The newest sync run's number."
    )

    def get_health_detail(self, card: Card) -> str:
        return card.registry.health_detail if card.may_read else ""


class RegistryQuery(PageQuery):
    sort = sorts(COLUMNS)


class ConnectBody(SettingsBody):
    """How a new registry is connected; what is left out is as on screen."""

    name = serializers.CharField(
        max_length=63, help_text="Lower-case letters, digits and hyphens; it stays."
    )
    sync = serializers.BooleanField(default=True, help_text="Whether its first sync begins now.")


class Registries(Resource):
    @extend_schema(
        operation_id="list_registries",
        tags=["registries"],
        summary="List registries",
        parameters=[RegistryQuery],
        responses=page_of(RegistryRow),
        examples=[lists("One registry", _EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """The registries of which the caller sees all or a part."""
        query = RegistryQuery.read(request)
        page = turn_page(request, visible_registries(self.caller.somebody), query, COLUMNS)
        cards: Sequence[Card] = cards_of(page.rows, self.caller.somebody)
        return answer_page(request, replaced(page, cards), query, RegistryRow)

    @extend_schema(
        operation_id="connect_registry",
        tags=["registries"],
        summary="Connect a registry",
        request=ConnectBody,
        responses={201: RegistryRow},
        examples=[
            sends(
                "With an account",
                {
                    "name": "prod",
                    "url": "prod.azurecr.io",
                    "username": "portolan",
                    "password": "…",
                },
            ),
            shows("Its first sync", _EXAMPLE),
        ],
    )
    def post(self, request: Request) -> Response:
        """Tries the connection out, finds out its kind where none is given, and stores it if all
        went well; else a `422` has the `steps`. `POST /registry-checks` only tries. Needs `registry
        manage` on `*`."""
        caller = self.caller
        require(caller.somebody, Action.REGISTRY_MANAGE)
        given = ConnectBody.read(request)
        begins = given.pop("sync")
        if Registry.objects.filter(name=given["name"]).exists():  # before anything is dialled
            raise name_taken(given["name"])
        made = connect_registry(check=tried(new_settings(given)), actor=caller.actor)
        if begins:
            with suppress(AlreadyRunning):  # the schedule was quicker
                start_sync(made, actor=caller.actor)
        (card,) = cards_of([made], caller.somebody)
        return Response(
            RegistryRow(card).data,
            status=HTTPStatus.CREATED,
            headers={"Location": f"{request.path}/{made.name}"},
        )


class OneRegistry(Resource):
    @extend_schema(
        operation_id="show_registry",
        tags=["registries"],
        summary="Show a registry",
        responses=RegistryRow,
        examples=[shows("A registry", _EXAMPLE)],
    )
    def get(self, request: Request, registry: str) -> Response:
        """One registry, with what the caller sees of it."""
        found = get_registry_or_404(self.caller.somebody, registry)
        (card,) = cards_of([found], self.caller.somebody)
        return answer_one(request, RegistryRow(card).data)

    @extend_schema(
        operation_id="remove_registry",
        tags=["registries"],
        summary="Remove a registry from Portolan",
        responses={204: None},
    )
    def delete(self, request: Request, registry: str) -> Response:
        """Forgets it with all that Portolan knows of it; the registry itself is not touched. `409`
        while a sync of it runs. Needs `registry manage`."""
        caller = self.caller
        found = get_registry_or_404(caller.somebody, registry, Action.REGISTRY_MANAGE)
        with together():
            locked = locked_or_404(found)
            (card,) = cards_of([locked], caller.somebody)
            require_match(request, RegistryRow(card).data)
            remove_registry(registry=locked, actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)

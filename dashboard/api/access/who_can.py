"""`/who-can`: people and machines that may do something somewhere, and by which grants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import F
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access import holders
from access.actions import Action, texts
from access.holders import Holder
from access.scopes import Scope, scope_text
from dashboard.api.access.explaining import REASON, ReasonRow, actions_field
from dashboard.api.bodies import Query, Row
from dashboard.api.examples import lists
from dashboard.api.fields import ActionField, ScopeField
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.callers import managed_scope
from dashboard.pagination import Column, Page, replaced

PEOPLE = {"name": Column(F("username"), str)}
MACHINES = {"name": Column(F("name"), str)}


# Each with all reasons: where there are many grants, fifty people have a thousand and more.
MOST = 50


class HolderRow(Row):
    """Somebody who may do something on the scope, and why."""

    principal = serializers.CharField()
    everywhere = actions_field(help_text="Allowed in all of the scope.")
    in_part = actions_field(help_text="Allowed in a part of it only.")
    reasons = serializers.SerializerMethodField()

    @extend_schema_field(ReasonRow(many=True))
    def get_reasons(self, holder: dict[str, Any]) -> Any:
        return holder["reasons"]


class WhoQuery(PageQuery):
    sort = sorts(PEOPLE)
    scope = ScopeField()
    action = ActionField(required=False, help_text="Anything, if it is left out.")
    kind = serializers.ChoiceField(
        choices=["people", "machines", "public"],
        default="people",
        help_text="People (their teams' grants included), machines, or the anonymous public.",
    )


class WhoCan(Resource):
    @extend_schema(
        operation_id="list_who_can",
        tags=["explaining access"],
        summary="List who may do something somewhere",
        parameters=[WhoQuery],
        responses=page_of(HolderRow),
        examples=[
            lists(
                "One person",
                {
                    "principal": "user:anna",
                    "everywhere": REASON["actions"],
                    "in_part": [],
                    "reasons": [REASON],
                },
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """People or machines that may do it in all or a part of the scope, each by every way, at
        most fifty a page; what everybody has is not repeated for each, but told with `kind=public`.
        Needs `access manage` on the scope."""
        query = WhoQuery.read(request)
        scope = managed_scope(self.caller, query["scope"])
        return answer_page(request, _holders(request, query, scope), query, HolderRow)


def _holders(request: Request, query: Query, scope: Scope) -> Page[dict[str, Any]]:
    action: Action | None = query["action"]
    now = timezone.now()
    if query["kind"] == "public":
        public = holders.the_public(scope, action, at=now)
        return Page([_holder(public, _told([public]))] if public else [], "", "")
    found: list[Holder]
    page: Page[Any]
    if query["kind"] == "machines":
        machines = holders.machines(scope, action, at=now)
        page = turn_page(request, machines, query, MACHINES, most=MOST)
        found = holders.explain_machines(page.rows, scope, action, at=now)
    else:
        people = holders.people(scope, action, at=now)
        page = turn_page(request, people, query, PEOPLE, most=MOST)
        found = holders.explain_people(page.rows, scope, action, at=now)
    told = _told(found)
    return replaced(page, [_holder(one, told) for one in found])


def _told(found: Iterable[Holder]) -> dict[int, Any]:
    """Each way once, by its own id, as ReasonRow tells it: members of a team share theirs, and a
    page may have thousands, of which a serializer would ask every field anew."""
    words: dict[frozenset[Action], list[str]] = {}
    moment = serializers.DateTimeField().to_representation
    told: dict[int, Any] = {}
    for way in (way for one in found for way in one.ways):
        if id(way) not in told:
            if way.actions not in words:
                words[way.actions] = texts(way.actions)
            told[id(way)] = {
                "role": way.role.name if way.role else "owner",
                "scope": scope_text(way.registry, way.path),
                "actions": words[way.actions],
                "grant": way.grant,
                "team": way.team or None,
                "is_public": way.is_public,
                "until": moment(way.until) if way.until else None,
            }
    return told


def _holder(one: Holder, told: Mapping[int, Any]) -> dict[str, Any]:
    return {
        "principal": one.principal,
        "everywhere": texts(one.everywhere),
        "in_part": texts(one.in_part),
        "reasons": [told[id(way)] for way in one.ways],
    }

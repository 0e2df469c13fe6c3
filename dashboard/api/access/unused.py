"""`/unused-rights`: what was granted and not seen in use, with the smaller role that would do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import DOCKER
from access.models import Grant, Role
from access.unused import give_less, less_used, smaller_role, used_verbs
from dashboard.api.access.grants import EXAMPLE as GRANT
from dashboard.api.access.grants import GrantRow, managed_grant, role_called
from dashboard.api.bodies import Body, Row
from dashboard.api.examples import lists, sends, shows
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.callers import require_manager
from dashboard.forms_access import REASON_LENGTH
from dashboard.pagination import replaced
from dashboard.views.access.rows import COLUMNS
from dashboard.views.access.unused import DAYS, USUAL_DAYS

TAG = "unused rights"


class UnusedRightRow(Row):
    """A grant of which more is allowed than was seen."""

    grant = GrantRow()
    used = serializers.ListField(
        child=serializers.ChoiceField(choices=list(DOCKER)),
        help_text="Docker's verbs that were seen.",
    )
    heard = serializers.BooleanField(
        help_text="Whether the registry ever told anything: where not, silence proves nothing."
    )
    smaller_role = serializers.CharField(
        allow_null=True, help_text="The built-in role that would be enough for what was used."
    )


class UnusedRightQuery(PageQuery):
    sort = sorts(COLUMNS)
    days = serializers.ChoiceField(
        choices=list(DAYS), default=USUAL_DAYS, help_text="Not seen for so many days."
    )
    at_all = serializers.BooleanField(
        default=False, help_text="Only those of which nothing was seen at all."
    )


class ReplacementBody(Body):
    grant = serializers.IntegerField(min_value=1, max_value=10**18 - 1)
    role = serializers.CharField(max_length=63, help_text="A built-in role.")
    reason = serializers.CharField(max_length=REASON_LENGTH, allow_blank=True, default="")


class UnusedRights(Resource):
    @extend_schema(
        operation_id="list_unused_rights",
        tags=[TAG],
        summary="List rights that nobody used",
        parameters=[UnusedRightQuery],
        responses=page_of(UnusedRightRow),
        examples=[
            lists(
                "It only pulls",
                {"grant": GRANT, "used": ["pull"], "heard": True, "smaller_role": "puller"},
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Grants of which no pull, push or delete that they allow was seen. Needs `access manage`
        where they lie."""
        caller = self.caller
        require_manager(caller)
        query = UnusedRightQuery.read(request)
        now = timezone.now()
        among = Grant.objects.filter(caller.managed).with_names().live(now)
        since = now - timedelta(days=int(query["days"]))
        found = less_used(among, since=since, at_all=query["at_all"])
        page = turn_page(request, found, query, COLUMNS)
        return answer_page(request, replaced(page, _rows(page.rows)), query, UnusedRightRow)


class Replacements(Resource):
    @extend_schema(
        operation_id="replace_grant",
        tags=[TAG],
        summary="Give a smaller role instead",
        request=ReplacementBody,
        responses={201: GrantRow},
        examples=[
            sends("Less", {"grant": 17, "role": "puller"}),
            shows("Less", GRANT | {"id": 18, "role": "puller", "reason": "Less was in use."}),
        ],
    )
    def post(self, request: Request) -> Response:
        """Puts a built-in role in the place of the one that was granted, until the same end. Needs
        what granting and revoking both needs."""
        caller = self.caller
        require_manager(caller)
        wanted = ReplacementBody.read(request)
        grant, role = managed_grant(caller, wanted["grant"]), role_called(wanted["role"])
        if not role.is_built_in:
            raise ValidationError({"role": _("Only a built-in role can take its place.")})
        less = give_less(
            grant.pk,
            role,
            reason=wanted["reason"] or _("Less was in use."),
            rights=caller.rights,
            actor=caller.actor,
        )
        return Response(GrantRow(less).data, status=HTTPStatus.CREATED)


def _rows(grants: Sequence[Grant]) -> list[dict[str, Any]]:
    roles = list(Role.objects.filter(is_built_in=True))
    rows = []
    for grant in grants:
        smaller = smaller_role(grant.role, verbs := used_verbs(grant), roles)
        rows.append(
            {
                "grant": grant,
                "used": verbs,
                "heard": getattr(grant, "heard", False),
                "smaller_role": smaller.name if smaller else None,
            }
        )
    return rows

"""`/grants/revocations`: several grants taken away at once."""

from __future__ import annotations

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.grants import revoke_grants
from access.models import Grant
from dashboard.api.access.grants import EXAMPLE, GrantsRow
from dashboard.api.bodies import Body
from dashboard.api.examples import sends, shows
from dashboard.api.resources import Resource
from dashboard.callers import require_manager
from dashboard.forms_access import REASON_LENGTH
from dashboard.views.access.grants import CHOSEN_LIMIT


class RevocationBody(Body):
    grants = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=10**18 - 1),
        allow_empty=False,
        max_length=CHOSEN_LIMIT,
        help_text="Their ids.",
    )
    reason = serializers.CharField(
        max_length=REASON_LENGTH, allow_blank=True, default="", help_text="The audit log keeps it."
    )


class Revocations(Resource):
    @extend_schema(
        operation_id="revoke_grants",
        tags=["grants"],
        summary="Revoke several grants",
        request=RevocationBody,
        responses=GrantsRow,
        examples=[
            sends("One of them", {"grants": [17], "reason": "The project is over."}),
            shows("What it was", {"items": [EXAMPLE]}),
        ],
    )
    def post(self, request: Request) -> Response:
        """Takes all of these away, or none; the answer is what they were. `404` if one of them is
        not there. Needs what granting them needs."""
        caller = self.caller
        require_manager(caller)
        wanted = RevocationBody.read(request)
        asked = set(wanted["grants"])
        known = Grant.objects.filter(caller.managed, pk__in=asked)
        if known.count() != len(asked):
            raise Http404(_("Some of these grants are not there (any more)."))
        taken = revoke_grants(
            sorted(asked), reason=wanted["reason"], rights=caller.rights, actor=caller.actor
        )
        return Response(GrantsRow({"items": taken}).data)

"""`/principals/<principal>/grants`: what was given to somebody."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.models import Grant
from dashboard.api.access.grants import EXAMPLE, GrantRow
from dashboard.api.examples import lists
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.resources import Resource
from dashboard.callers import principal_or_404, require_manager
from dashboard.views.access.rows import COLUMNS


class PrincipalGrantQuery(PageQuery):
    sort = sorts(COLUMNS)


class GrantsOfPrincipal(Resource):
    @extend_schema(
        operation_id="list_grants_of_principal",
        tags=["grants"],
        summary="List somebody’s grants",
        parameters=[PrincipalGrantQuery],
        responses=page_of(GrantRow),
        examples=[lists("One grant", EXAMPLE)],
    )
    def get(self, request: Request, principal: str) -> Response:
        """What was given to somebody, a person's teams included, where the caller manages access.
        Who is signed in himself sees all that reaches him."""
        caller = self.caller
        if caller.maintainer is not None and principal == str(caller.principal):
            live = Grant.objects.reaching_user(caller.maintainer).live(timezone.now())
            found = live.distinct()
        else:
            require_manager(caller)
            _who, somebody = principal_or_404(principal)
            found = Grant.objects.held_by(somebody).filter(caller.managed)
        query = PrincipalGrantQuery.read(request)
        page = turn_page(request, found.with_names(), query, COLUMNS)
        return answer_page(request, page, query, GrantRow)

"""`/grants`: who was given which role where; granting and revoking, also many at once."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.grants import Holder, grant_in_bulk, grant_role, lets_grant, revoke_grants
from access.models import Grant, Role
from access.principals import Principal
from dashboard.api.bodies import Body, Query, Row
from dashboard.api.etags import answer_one, require_match
from dashboard.api.examples import lists, sends, shows
from dashboard.api.fields import EndField, PrincipalField, ScopeField
from dashboard.api.pages import PageQuery, answer_page, page_of, sorts, turn_page
from dashboard.api.reassured import require_reassured
from dashboard.api.resources import Resource
from dashboard.callers import Caller, require_manager
from dashboard.forms_access import BULK_LIMIT, REASON_LENGTH
from dashboard.views.access.rows import COLUMNS
from registries.transactions import together

EXAMPLE = {
    "id": 17,
    "principal": "team:shop",
    "role": "pusher",
    "scope": "prod/shop/*",
    "until": "2027-01-01T00:00:00Z",
    "reason": "Builds the shop.",
    "granted_at": "2026-11-26T08:15:00Z",
    "granted_by": "anna",
}
_ASKED = {
    "principals": ["team:shop"],
    "roles": ["pusher"],
    "scopes": ["prod/shop/*"],
    "until": "2027-01-01T00:00:00Z",
    "reason": "Builds the shop.",
}


class GrantRow(Row):
    """A role for a principal on a scope."""

    id = serializers.IntegerField()
    principal = serializers.SerializerMethodField(
        help_text="`user:NAME`, `team:NAME`, `sp:NAME` or `anonymous`."
    )
    role = serializers.CharField(source="role.name")
    scope = serializers.CharField(help_text="`*`, `REGISTRY`, `REGISTRY/team/*` or a repository.")
    until = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()
    granted_at = serializers.DateTimeField()
    granted_by = serializers.CharField()

    def get_principal(self, grant: Grant) -> str:
        return str(Principal.holding(grant))


class GrantsRow(Row):
    """What became of several at once."""

    items = GrantRow(many=True)


class GrantQuery(PageQuery):
    sort = sorts(COLUMNS)
    principal = serializers.CharField(
        required=False,
        max_length=160,
        help_text="Has this in the name; `user:`, `team:` and `sp:` narrow it.",
    )
    scope = ScopeField(required=False, help_text="Lies in this.")
    role = serializers.CharField(required=False, max_length=63)
    ending = serializers.IntegerField(
        required=False, min_value=1, max_value=3650, help_text="Ends within so many days."
    )


class GrantBody(Body):
    """Each of the roles to each of the principals on each of the scopes."""

    principals = serializers.ListField(
        child=PrincipalField(), allow_empty=False, max_length=BULK_LIMIT
    )
    roles = serializers.ListField(
        child=serializers.CharField(max_length=63), allow_empty=False, max_length=BULK_LIMIT
    )
    scopes = serializers.ListField(child=ScopeField(), allow_empty=False, max_length=BULK_LIMIT)
    until = EndField(allow_null=True, default=None, help_text="None for no end.")
    reason = serializers.CharField(max_length=REASON_LENGTH, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        several = {name: list(dict.fromkeys(attrs[name])) for name in ("principals", "roles")}
        several["scopes"] = list(dict.fromkeys(attrs["scopes"]))
        if len(several["principals"]) * len(several["roles"]) * len(several["scopes"]) > BULK_LIMIT:
            raise serializers.ValidationError(
                _("These are more than %d grants: make them in several steps.") % BULK_LIMIT
            )
        return attrs | several


class GrantChangeBody(Body):
    """What of a grant can be changed; another role or scope is another grant."""

    until = EndField(allow_null=True, help_text="None for no end.")
    reason = serializers.CharField(max_length=REASON_LENGTH, allow_blank=True)


class RevocationQuery(Query):
    reason = serializers.CharField(
        required=False, max_length=REASON_LENGTH, help_text="The audit log keeps it."
    )


class Grants(Resource):
    @extend_schema(
        operation_id="list_grants",
        tags=["grants"],
        summary="List grants",
        parameters=[GrantQuery],
        responses=page_of(GrantRow),
        examples=[lists("One grant", EXAMPLE)],
    )
    def get(self, request: Request) -> Response:
        """The grants on all scopes where the caller manages access. Needs `access manage`
        anywhere."""
        caller = self.caller
        require_manager(caller)
        query = GrantQuery.read(request)
        days = query["ending"]
        found = Grant.objects.filter(caller.managed).matching(
            called=query["principal"] or "",
            within=query["scope"],
            role=query["role"] or "",
            until=timezone.now() + timedelta(days=days) if days else None,
        )
        page = turn_page(request, found.with_names(), query, COLUMNS)
        return answer_page(request, page, query, GrantRow)

    @extend_schema(
        operation_id="grant_roles",
        tags=["grants"],
        summary="Grant roles",
        request=GrantBody,
        responses={201: GrantsRow},
        examples=[
            sends("To push, for a year", _ASKED),
            shows("Granted", {"items": [EXAMPLE]}),
        ],
    )
    def post(self, request: Request) -> Response:
        """One or several, all or none; what was granted before gets the new end and reason. Needs
        `access manage` and every action of the roles, in all of the scopes."""
        caller = self.caller
        require_manager(caller)
        wanted = GrantBody.read(request)
        roles, holders = _roles(wanted["roles"]), _holders(wanted["principals"])
        if lets_grant(roles, wanted["scopes"], caller.rights):
            require_reassured(request)
        made = grant_in_bulk(
            roles=roles,
            to=holders,
            scopes=wanted["scopes"],
            until=wanted["until"],
            reason=wanted["reason"],
            rights=caller.rights,
            actor=caller.actor,
        )
        ids = [grant.pk for grant in made]
        shown = Grant.objects.filter(pk__in=ids).with_names().order_by("pk")
        return Response(
            GrantsRow({"items": shown}).data,
            status=HTTPStatus.CREATED,
            headers={"Location": f"{request.path}/{ids[0]}"} if len(ids) == 1 else {},
        )


class OneGrant(Resource):
    @extend_schema(
        operation_id="show_grant",
        tags=["grants"],
        summary="Show a grant",
        responses=GrantRow,
        examples=[shows("A grant", EXAMPLE)],
    )
    def get(self, request: Request, grant: int) -> Response:
        """One grant. Needs `access manage` where it lies."""
        return answer_one(request, GrantRow(managed_grant(self.caller, grant)).data)

    @extend_schema(
        operation_id="change_grant",
        tags=["grants"],
        summary="Change a grant’s end or reason",
        request=GrantChangeBody,
        responses=GrantRow,
        examples=[
            sends("Until summer", {"until": "2027-06-30T00:00:00Z"}),
            shows("Changed", EXAMPLE | {"until": "2027-06-30T00:00:00Z"}),
        ],
    )
    def patch(self, request: Request, grant: int) -> Response:
        """Another end or reason. Needs what granting it needs."""
        caller = self.caller
        managed_grant(caller, grant)
        wanted = GrantChangeBody.read(request, partial=True)
        with together():
            found = managed_grant(caller, grant, locked=True)
            require_match(request, GrantRow(found).data)
            if lets_grant([found.role], [found.scope], caller.rights):
                require_reassured(request)
            changed = grant_role(
                role=found.role,
                to=found.user or found.team or found.service_principal,
                scope=found.scope,
                **{"until": found.until, "reason": found.reason} | wanted,
                rights=caller.rights,
                actor=caller.actor,
            )
        return Response(GrantRow(changed).data)

    @extend_schema(
        operation_id="revoke_grant",
        tags=["grants"],
        summary="Revoke a grant",
        parameters=[RevocationQuery],
        responses={204: None},
    )
    def delete(self, request: Request, grant: int) -> Response:
        """Takes it away at once. Needs what granting it needs; the last owner of everything
        stays."""
        caller = self.caller
        managed_grant(caller, grant)
        reason = RevocationQuery.read(request)["reason"] or ""
        with together():
            found = managed_grant(caller, grant, locked=True)
            require_match(request, GrantRow(found).data)
            revoke_grants([found.pk], reason=reason, rights=caller.rights, actor=caller.actor)
        return Response(status=HTTPStatus.NO_CONTENT)


def managed_grant(caller: Caller, pk: int, *, locked: bool = False) -> Grant:
    """The grant, if the caller manages access where it lies; raises PermissionDenied for who
    manages nowhere, else Http404."""
    require_manager(caller)
    grants = Grant.objects.filter(caller.managed, pk=pk).with_names()
    found = (grants.select_for_update(of=("self",)) if locked else grants).first()
    if found is None:
        raise Http404(_("There is no such grant."))
    return found


def role_called(name: str, field: str = "role") -> Role:
    """The role of this name; raises ValidationError, which tells the field."""
    found = Role.objects.filter(name=name).first()
    if found is None:
        raise ValidationError({field: _("There is no role “%s”.") % name})
    return found


def _roles(names: list[str]) -> list[Role]:
    return [role_called(name, "roles") for name in names]


def _holders(principals: list[Principal]) -> list[Holder]:
    try:
        return [principal.find() for principal in principals]
    except ValidationError as error:
        raise ValidationError({"principals": error.messages}) from None

"""`/registries/<registry>/vendor`: what the vendor tells besides content, and what it is asked to do.

The vendor does it or refuses while the caller waits, outside of any transaction.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.actions import Action
from access.scopes import Scope
from access.shortcuts import get_registry_or_404
from dashboard.api.bodies import Query, Row
from dashboard.api.etags import answer_one
from dashboard.api.examples import lists, shows
from dashboard.api.pages import answer_page, page_of
from dashboard.api.problems import REGISTRY_ASKED, Code, Problem
from dashboard.api.resources import Resource
from dashboard.browse.at_vendor import Told, told_or_404
from dashboard.callers import Caller
from dashboard.pagination import Page
from registries.changing import vendor as vendor_changes
from registries.reports import read_report

_EXAMPLE = {
    "vendor": "Azure Container Registry",
    "read_at": "2026-11-26T08:15:00Z",
    "told_at": "2026-11-26T08:15:00Z",
    "problem": "",
    "facts": [{"label": "Tier", "value": "Premium"}],
    "usage": [
        {
            "name": "Storage",
            "used": 5812309120034,
            "limit": 100000000000000,
            "unit": "bytes",
            "scope": "",
        }
    ],
    "warnings": [
        {
            "code": "acr-admin-enabled",
            "text": "The admin user is on: one password for everybody.",
            "remedy": "Switch the admin user off",
        }
    ],
    "offers": [],
    "unread": [],
    "notifies": True,
}
_SAID = shows("Done", {"said": "The admin user was switched off."})


class FactRow(Row):
    label = serializers.CharField()  # type: ignore[assignment]  # here it is a field's name
    value = serializers.CharField()


class UsageRow(Row):
    """A figure against its limit."""

    name = serializers.CharField()
    used = serializers.IntegerField()
    limit = serializers.IntegerField(allow_null=True, help_text="Null for no limit.")
    unit = serializers.ChoiceField(choices=["bytes", "count"])
    scope = serializers.CharField()


class WarningRow(Row):
    """Something to look at."""

    code = serializers.CharField()
    text = serializers.CharField()
    remedy = serializers.CharField(help_text="What can be done: `POST …/vendor/remedies/CODE`.")


class OfferRow(Row):
    """What can be done there that no warning is about."""

    code = serializers.CharField()
    words = serializers.CharField()


class VendorRow(Row):
    """What a vendor told last. In Portolan nothing is decided by it."""

    vendor = serializers.CharField()
    read_at = serializers.DateTimeField(allow_null=True, help_text="When it was last asked.")
    told_at = serializers.DateTimeField(allow_null=True, help_text="When it last answered.")
    problem = serializers.CharField(help_text="Why it could not be read; then this is from before.")
    facts = FactRow(many=True)
    usage = UsageRow(many=True)
    warnings = WarningRow(many=True)
    offers = OfferRow(many=True, help_text="For who manages the registry.")
    unread = serializers.ListField(
        child=serializers.CharField(),
        help_text="What the account may not read; for who manages the registry.",
    )
    notifies = serializers.BooleanField(
        allow_null=True,
        help_text="Whether a webhook there notifies Portolan; null for who does not manage it.",
    )


class VendorAccessRow(Row):
    """A right that was given at the registry itself, in the vendor's own words."""

    principal = serializers.CharField()
    principal_kind = serializers.CharField()
    role = serializers.CharField()
    scope = serializers.CharField()
    source = serializers.CharField(  # type: ignore[assignment]  # here it is a field's name
        help_text="What it came from, such as `role assignment`."
    )
    actions = serializers.ListField(child=serializers.CharField())
    ends = serializers.CharField(help_text="As the vendor says it; empty for never.")
    enabled = serializers.BooleanField()


class SaidRow(Row):
    """What came of it, in a sentence."""

    said = serializers.CharField()


class Vendor(Resource):
    @extend_schema(
        operation_id="show_vendor_report",
        tags=["vendor"],
        summary="Show what the vendor tells",
        responses=VendorRow,
        examples=[shows("A registry of Azure", _EXAMPLE)],
    )
    def get(self, request: Request, registry: str) -> Response:
        """As it was told last. `404` where the vendor tells nothing. Needs `registry read`; what can
        be done is for who has `registry manage`."""
        found = get_registry_or_404(self.caller.somebody, registry, Action.REGISTRY_READ)
        return answer_one(request, _shown(self.caller, told_or_404(found)))


class VendorReadings(Resource):
    @extend_schema(
        operation_id="read_vendor_report",
        tags=["vendor"],
        summary="Ask the vendor now",
        request=None,
        responses={200: VendorRow, **REGISTRY_ASKED},
        examples=[shows("A registry of Azure", _EXAMPLE)],
    )
    def post(self, request: Request, registry: str) -> Response:  # noqa: ARG002  see Resource
        """Reads the report anew; `502` with what is wrong, and then the one before stays. Needs
        `registry manage`."""
        told = told_to_manager(self.caller, registry)
        if problem := read_report(told.registry).problem:
            raise Problem(HTTPStatus.BAD_GATEWAY, Code.REGISTRY_FAILED, problem)
        return Response(_shown(self.caller, told_or_404(told.registry)))


class VendorRemedy(Resource):
    @extend_schema(
        operation_id="do_vendor_remedy",
        tags=["vendor"],
        summary="Have the vendor change a setting",
        request=None,
        responses={200: SaidRow, **REGISTRY_ASKED},
        examples=[_SAID],
    )
    def post(self, request: Request, registry: str, code: str) -> Response:  # noqa: ARG002  see Resource
        """What a warning or an offer of the report stands for, by its code. Needs `registry
        manage`."""
        found = told_to_manager(self.caller, registry).registry
        if code not in vendor_changes.remedies_of(found):
            raise Http404(_("Registries of this kind have no such setting."))
        said = vendor_changes.do_remedy(registry=found, code=code, actor=self.caller.actor)
        return Response(SaidRow({"said": said}).data)


class VendorAccess(Resource):
    @extend_schema(
        operation_id="list_vendor_access",
        tags=["vendor"],
        summary="List rights given at the registry itself",
        responses=page_of(VendorAccessRow),
        examples=[
            lists(
                "A group",
                {
                    "principal": "platform-team",
                    "principal_kind": "group",
                    "role": "AcrPull",
                    "scope": "prod",
                    "source": "role assignment",
                    "actions": [],
                    "ends": "",
                    "enabled": True,
                },
            )
        ],
    )
    def get(self, request: Request, registry: str) -> Response:
        """All that the vendor told last, on one page, beside which Portolan's grants stand. Needs
        `access manage` on all of the registry."""
        found = get_registry_or_404(self.caller.somebody, registry, Action.ACCESS_MANAGE)
        query = Query.read(request)
        page = Page(told_or_404(found).report.access, "", "")
        return answer_page(request, page, query, VendorAccessRow)


def told_to_manager(caller: Caller, registry: str) -> Told:
    return told_or_404(get_registry_or_404(caller.somebody, registry, Action.REGISTRY_MANAGE))


def _shown(caller: Caller, told: Told) -> dict[str, Any]:
    """The report as far as it is for the caller."""
    manages = caller.rights.may(Action.REGISTRY_MANAGE, Scope(told.registry.name))
    report, stored = told.report, told.stored
    values = {
        "vendor": told.kind.label,
        "read_at": stored.read_at if stored else None,
        "told_at": stored.told_at if stored else None,
        "problem": stored.problem if stored else "",
        "facts": [{"label": label, "value": value} for label, value in report.facts],
        "usage": report.usage,
        "warnings": [
            {
                "code": warning.code,
                "text": warning.text,
                "remedy": told.remedy_for(warning.code) if manages else "",
            }
            for warning in report.warnings
        ],
        "offers": [{"code": code, "words": words} for code, words in told.offers()]
        if manages
        else [],
        "unread": report.unread if manages else (),
        "notifies": told.notifies if manages and told.has_webhooks else None,
    }
    return dict(VendorRow(values).data)

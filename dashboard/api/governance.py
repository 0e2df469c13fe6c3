"""`/plan` and `/apply`: governance as one file, for pipelines that have no shell on the server.

References to secrets (`env:`, `file:`) are never looked up here, where they would read this server's
environment and files: who calls resolves them where he is, and sends the values along.
"""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from dashboard.api.bodies import Body, Row
from dashboard.api.examples import sends, shows
from dashboard.api.problems import Code, Problem
from dashboard.api.reassured import require_reassured
from dashboard.api.resources import Resource
from dashboard.callers import Caller
from dashboard.governance.apply import apply
from dashboard.governance.changes import Verb
from dashboard.governance.document import Document, parse
from dashboard.governance.kinds import REFERENCE
from dashboard.governance.plan import Plan, plan, told
from dashboard.governance.problems import InvalidDocument, Refused
from dashboard.governance.secrets import LIMIT, Resolver, sent_along
from dashboard.governance.tree import BYTES

_TEXT = """\
version: 1
grants:
- principal: team:shop
  role: pusher
  scope: prod/shop/*
"""
_CHANGE = {
    "verb": "create",
    "section": "grants",
    "name": "team:shop is pusher on prod/shop/*",
    "fields": [],
}
_PLANNED = {
    "changes": [_CHANGE],
    "problems": [],
    "notes": [],
    "left": [],
    "references": [],
    "fingerprint": "0d1b2c3a4f5e69788796a5b4c3d2e1f0",
}


class FieldChangeRow(Row):
    """A field before and after, as people read it; of a secret only where it comes from."""

    name = serializers.CharField()
    old = serializers.CharField()
    new = serializers.CharField()


class GovernanceChangeRow(Row):
    """A thing that is made, changed or removed."""

    verb = serializers.ChoiceField(choices=[verb.value for verb in Verb])
    section = serializers.CharField(help_text="Of the file, such as `grants`.")
    name = serializers.CharField()
    # A serializer's own word, so it is put in by `get_fields`.
    fields_ = FieldChangeRow(many=True)

    def get_fields(self) -> dict[str, Any]:
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}


class RemarkRow(Row):
    """Something about a place in the file."""

    line = serializers.IntegerField(help_text="0 for what stands in no file.")
    path = serializers.CharField(help_text="Such as `grants[3].role`.")
    sentence = serializers.CharField()


class PlanRow(Row):
    """What a file would change."""

    changes = GovernanceChangeRow(many=True, help_text="In the order in which they are done.")
    problems = RemarkRow(
        many=True,
        help_text="With any, it cannot be applied. Of more than 100, the last says how many more.",
    )
    notes = RemarkRow(many=True, help_text="Worth reading; they stop nothing. As many, too.")
    left = GovernanceChangeRow(many=True, help_text="What `prune` would remove, without it.")
    references = serializers.ListField(
        child=serializers.CharField(),
        help_text="Where the file says that secrets are. Apply wants their values.",
    )
    fingerprint = serializers.CharField(help_text="For `apply`: of these changes and no others.")


class ShownSecretRow(Row):
    """A secret that was made, shown this once."""

    section = serializers.CharField()
    name = serializers.CharField()
    what = serializers.CharField()
    secret = serializers.CharField()


class AppliedRow(Row):
    """What was done."""

    changes = GovernanceChangeRow(many=True)
    secrets = ShownSecretRow(many=True, help_text="Of new webhooks; they are told nowhere else.")


class PlanBody(Body):
    document = serializers.CharField(
        max_length=BYTES, trim_whitespace=False, allow_blank=True, help_text="YAML or JSON."
    )
    prune = serializers.BooleanField(
        default=False, help_text="Also remove what its sections do not name."
    )
    secrets = serializers.DictField(
        child=serializers.CharField(max_length=LIMIT, trim_whitespace=False),
        default=dict,
        help_text="Values by reference, such as `env:PROD_PASSWORD`. With any, secrets are compared"
        " with the stored ones.",
    )


class ApplyBody(PlanBody):
    check = serializers.BooleanField(
        default=True, help_text="Try connections of registries out first."
    )
    fingerprint = serializers.CharField(
        required=False,
        max_length=64,
        help_text="Of the plan that was looked at: if there is another one now, `409`.",
    )


# A text as a JSON string: each line's end and quote is two characters there.
_LARGEST_BODY = 2 * BYTES


class Plans(Resource):
    largest_body = _LARGEST_BODY
    only_asks = True

    @extend_schema(
        operation_id="plan_governance",
        tags=["governance"],
        summary="Plan a governance file",
        request=PlanBody,
        responses=PlanRow,
        examples=[
            sends("A grant", {"document": _TEXT}),
            shows("It is new", _PLANNED),
        ],
    )
    def post(self, request: Request) -> Response:
        """What applying the file would create, change and delete, and what stands in its way. It
        changes nothing. Of a text that is no governance file every problem is said (`422`), with
        its line. Needs no right; what the caller may not do is told as problems."""
        wanted = PlanBody.read(request)
        document = _parsed(wanted["document"])
        secrets = sent_along(wanted["secrets"]) if wanted["secrets"] else None
        planned = _planned(self.caller, document, secrets, prune=wanted["prune"])
        shown = planned.as_data() | {
            "references": _references(document),
            "fingerprint": fingerprint_of(planned),
        }
        return Response(PlanRow(shown).data)


class Applications(Resource):
    largest_body = _LARGEST_BODY

    @extend_schema(
        operation_id="apply_governance",
        tags=["governance"],
        summary="Apply a governance file",
        request=ApplyBody,
        responses=AppliedRow,
        examples=[
            sends("A grant", {"document": _TEXT}),
            shows("Done", {"changes": [_CHANGE], "secrets": []}),
        ],
    )
    def post(self, request: Request) -> Response:
        """Makes the file true: all of it in one transaction, or nothing. Each change needs the right
        that it needs on screen, and is audited as there."""
        caller, wanted = self.caller, ApplyBody.read(request)
        document = _parsed(wanted["document"])
        secrets = sent_along(wanted["secrets"])
        # Secrets apart, a plan says the same with and without their values: `apply` wants them all.
        known = secrets if wanted["secrets"] else None
        planned = _planned(caller, document, known, prune=wanted["prune"])
        expected = wanted.get("fingerprint")
        if expected and expected != fingerprint_of(planned):
            detail = _("Something was changed since this was planned: plan again, and look at it.")
            raise Problem(HTTPStatus.CONFLICT, Code.CONFLICT, detail)
        if not planned.problems:
            # Whatever it changes: trust rules, grants, and (told by no plan) secrets of what is there.
            require_reassured(request)
        try:
            applied = apply(
                planned,
                rights=caller.rights,
                actor=caller.actor,
                secrets=secrets,
                user=caller.maintainer,
                check=wanted["check"],
            )
        except Refused as refused:
            raise _refusal(_("Nothing was changed: it cannot be applied."), refused) from None
        shown = {"changes": [one.as_data() for one in applied.changes], "secrets": applied.shown}
        return Response(AppliedRow(shown).data, headers={"Cache-Control": "no-store"})


def fingerprint_of(planned: Plan) -> str:
    """The same for two plans that tell a person the same changes."""
    said = json.dumps(told(planned.changes), default=str)
    return hashlib.sha256(said.encode(errors="replace")).hexdigest()[:32]


def _planned(caller: Caller, document: Document, secrets: Resolver | None, *, prune: bool) -> Plan:
    return plan(
        document, rights=caller.rights, user=caller.maintainer, secrets=secrets, prune=prune
    )


def _parsed(text: str) -> Document:
    try:
        return parse(text)
    except InvalidDocument as invalid:
        raise _refusal(_("This is no governance file."), invalid) from None


def _refusal(detail: str, refused: InvalidDocument | Refused) -> Problem:
    errors = [
        {"line": str(one.line or ""), "field": one.path, "detail": one.sentence}
        for one in refused.told
    ]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, Code.INVALID, detail, errors=errors)


def _references(document: Document) -> list[str]:
    """Where the secrets of a document are said to be."""
    found: set[str] = set()
    for items in document.items.values():
        for item in items:
            for one in item.section.fields:
                if one.is_secret and (value := item.values.get(one.name)):
                    found.update(value.values() if isinstance(value, dict) else [value])
    return sorted(one for one in found if REFERENCE.fullmatch(str(one)))

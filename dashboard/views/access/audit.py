"""The audit log: who did what, from where, old and new; filtered, exported, verified."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from access.actions import Action
from access.models import AuditEntry
from access.policy import Rights, rights_of, visible_registries
from access.scopes import EVERYTHING, Extent
from access.shortcuts import require
from access.tasks import verify_trail
from access.trail import last_verdict, verify_within
from dashboard.browse.difference import ValueChange
from dashboard.exports import CSV, JSON_LINES, stream
from dashboard.forms_audit import AuditFilter
from dashboard.htmx import render_page
from dashboard.pagination import CappedCount, Column, Order, paginate

CHUNK = 1000
REGISTRIES_OFFERED = 200
# A page waits for the verification so long; a log that takes longer is verified by a worker.
VERIFY_SECONDS = 15
ORDERS = {"number": Column(F("number"), int, descending_first=True)}
_NEWEST = Order.read("", ORDERS)


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """The entries one may read, newest first."""
    readable = readable_entries(rights_of(request.user))
    form = AuditFilter(request.GET)
    entries = form.narrow(readable)
    page = paginate(entries, order=_NEWEST, query=request.GET)
    sees_all = rights_of(request.user).may(Action.AUDIT_READ, EVERYTHING)
    context = {
        "section": "audit",
        "form": form,
        "page": page,
        "rows": [(entry, changes_of(entry)) for entry in page.rows],
        "count": CappedCount.of(entries),
        "sees_all": sees_all,
        "verdict": last_verdict() if sees_all else None,
        "registries": visible_registries(request.user)
        .order_by("name")
        .values_list("name", flat=True)[:REGISTRIES_OFFERED],
    }
    return render_page(request, "access/audit/log.html", context, fragment="results")


@require_safe
def entry(request: HttpRequest, number: int) -> HttpResponse:
    """One entry with all that it says."""
    found = entry_or_404(rights_of(request.user), number)
    context = {
        "section": "audit",
        "entry": found,
        "changes": changes_of(found),
        "previous_hash": bytes(found.previous_hash).hex(),
        "hash": bytes(found.hash).hex(),
    }
    return render(request, "access/audit/entry.html", context)


@require_safe
def export(request: HttpRequest, form: str) -> HttpResponseBase:
    """The filtered entries as a file, oldest first."""
    if form not in (CSV, JSON_LINES):
        raise Http404
    asked = AuditFilter(request.GET)
    entries = asked.narrow(readable_entries(rights_of(request.user))).order_by("number")
    if asked.problems:
        # Half of a filter would be a file of something else than what was asked for.
        return HttpResponse("\n".join(asked.problems), status=400, content_type="text/plain")
    rows: Iterator[Mapping[str, Any]] = map(plain, entries.iterator(chunk_size=CHUNK))
    name = f"audit-{timezone.now():%Y-%m-%d}"
    answer: StreamingHttpResponse = stream(rows, columns=COLUMNS, form=form, name=name)
    return answer


@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Verify the chain now; the page shows what was found until the next time."""
    require(request.user, Action.AUDIT_READ)
    verdict = verify_within(VERIFY_SECONDS)
    if verdict is None:
        verify_trail.delay()
        messages.info(request, _("The log is long: it is being verified. Look again in a moment."))
    elif verdict.holds:
        messages.success(request, verdict.sentence)
    else:
        messages.error(request, verdict.sentence)
    return redirect("audit")


def entry_or_404(rights: Rights, number: int) -> AuditEntry:
    """One entry; raises PermissionDenied for who may read none, and Http404."""
    found = readable_entries(rights).filter(number=number).first()
    if found is None:
        raise Http404(_("There is no entry of this number."))
    return found


def may_read_some(rights: Rights) -> bool:
    """Whether there is any entry that one may read: `readable_entries` raises for who may none."""
    scopes = rights.scopes(Action.AUDIT_READ)
    return any(scope.extent in (Extent.EVERYTHING, Extent.REGISTRY) for scope in scopes)


def readable_entries(rights: Rights) -> QuerySet[AuditEntry]:
    """All entries, or those of the registries whose log one may read. Raises PermissionDenied."""
    if rights.may(Action.AUDIT_READ, EVERYTHING):
        return AuditEntry.objects.all()
    scopes = rights.scopes(Action.AUDIT_READ)
    registries = [scope.registry for scope in scopes if scope.extent is Extent.REGISTRY]
    if not registries:
        raise PermissionDenied(
            _("The audit log is for who may read it on everything, or on a whole registry."),
            Action.AUDIT_READ,
            EVERYTHING,
        )
    return AuditEntry.objects.filter(registry__in=registries)


COLUMNS = (
    "number",
    "at",
    "actor_kind",
    "actor_id",
    "actor",
    "way",
    "address",
    "agent",
    "event",
    "registry",
    "target",
    "old",
    "new",
    "previous_hash",
    "hash",
)


def plain(entry: AuditEntry) -> dict[str, Any]:
    """An entry as files have it: all of it, so that its hash can be worked out elsewhere."""
    values = {name: getattr(entry, name) for name in COLUMNS if name != "actor"}
    return {
        name: {
            "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "actor": entry.actor_label,
            "previous_hash": bytes(entry.previous_hash).hex(),
            "hash": bytes(entry.hash).hex(),
        }.get(name, values.get(name))
        for name in COLUMNS
    }


def changes_of(entry: AuditEntry) -> list[ValueChange]:
    """What the entry says, a line a value; `before` is None where nothing is said of before."""
    old, new = entry.old or {}, entry.new or {}
    return [
        ValueChange(name.replace("_", " "), _text(old, name), _text(new, name))
        for name in dict.fromkeys([*old, *new])
    ]


def _text(values: Mapping[str, Any], name: str) -> str | None:
    value = values.get(name)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)

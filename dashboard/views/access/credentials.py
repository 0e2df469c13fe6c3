"""The credential board: every secret and connection that one may know of; its owner, end, last use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from access.credentials import exchanged_live, visible_credentials
from access.models import Credential
from access.models.credentials import CredentialQuerySet
from access.models.roles import NO_END
from access.scopes import EVERYTHING
from dashboard.exports import CSV, JSON_LINES, stream
from dashboard.forms_credentials import CredentialFilter
from dashboard.htmx import render_page
from dashboard.pagination import CappedCount, Column, Order, paginate
from dashboard.views.access.asking import asker
from dashboard.views.access.machines import NEVER
from dashboard.views.access.rows import SOON

CHUNK = 1000
_REVOCABLE = (Credential.State.LIVE, Credential.State.OFF)
ORDERS = {
    "ends": Column(Coalesce("expires_at", Value(NO_END)), datetime, alone=True),
    "used": Column(Coalesce("last_used_at", Value(NEVER)), datetime, alone=True),
    "owner": Column(F("owner"), str, alone=True),
    "created": Column(F("created_at"), datetime, alone=True),
}
COLUMNS = (
    "kind",
    "owner",
    "team",
    "name",
    "key_id",
    "state",
    "created_at",
    "created_by",
    "expires_at",
    "revoked_at",
    "last_used_at",
    "last_used_from",
)


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """A credential, its state now, and where something can be done about it (empty: nowhere)."""

    credential: Credential
    state: Credential.State
    ends_soon: bool
    address: str


@require_safe
def credentials(request: HttpRequest) -> HttpResponse:
    """What one may know of, filtered; what ends first comes first."""
    one, now = asker(request), timezone.now()
    form = CredentialFilter(request.GET)
    found = form.narrow(visible_credentials(one.user, one.rights), now)
    order = Order.read(request.GET.get("sort", ""), ORDERS)
    page = paginate(found.select_related("team"), order=order, query=request.GET)
    context = {
        "section": "access",
        "form": form,
        "order": order,
        "page": page,
        "rows": [_row(credential, now) for credential in page.rows],
        "count": CappedCount.of(found),
        "exchanged": exchanged_live(one.user, one.rights, now),
        "sees_all": one.manages(EVERYTHING),
    }
    return render_page(request, "access/credentials/board.html", context, fragment="results")


@require_safe
def export(request: HttpRequest, form: str) -> HttpResponseBase:
    """The filtered credentials as a file, oldest first."""
    if form not in (CSV, JSON_LINES):
        raise Http404
    one, now = asker(request), timezone.now()
    asked = CredentialFilter(request.GET)
    found = asked.narrow(visible_credentials(one.user, one.rights), now)
    if asked.problems:
        # Half of a filter would be a file of something else than what was asked for.
        return HttpResponse("\n".join(asked.problems), status=400, content_type="text/plain")
    rows, name = exported_rows(found, now), f"credentials-{now:%Y-%m-%d}"
    answer: StreamingHttpResponse = stream(rows, columns=COLUMNS, form=form, name=name)
    return answer


def exported_rows(found: CredentialQuerySet, now: datetime) -> Iterator[Mapping[str, str | None]]:
    """The lines of a file of these, oldest first."""
    ordered = found.select_related("team").order_by("created_at", "pk")
    return (plain(credential, now) for credential in ordered.iterator(chunk_size=CHUNK))


def plain(credential: Credential, now: datetime) -> dict[str, Any]:
    """A credential as files have it, in words that stay the same in every language."""
    return {
        "kind": credential.kind,
        "owner": credential.owner,
        "team": credential.team.name if credential.team else "",
        "name": credential.label,
        "key_id": credential.key_id,
        "state": credential.state(now).value,
        "created_at": _exact(credential.created_at),
        "created_by": credential.created_by,
        "expires_at": _exact(credential.expires_at),
        "revoked_at": _exact(credential.revoked_at),
        "last_used_at": _exact(credential.last_used_at),
        "last_used_from": credential.last_used_from,
    }


def _exact(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds")


def _row(credential: Credential, now: datetime) -> CredentialRow:
    state = credential.state(now)
    ends = credential.expires_at
    soon = state is Credential.State.LIVE and ends is not None and ends <= now + SOON
    return CredentialRow(credential, state, soon, _address(credential, state))


def _address(credential: Credential, state: Credential.State) -> str:
    """Who may know of one may look at its owner's page; the pages themselves judge what more."""
    match credential.kind:
        case Credential.Kind.SERVICE:
            return reverse("access-machine", args=[credential.owner_name])
        case Credential.Kind.CONNECTION:
            return reverse("registry-edit", args=[credential.owner_name])
        case Credential.Kind.PERSONAL if state in _REVOCABLE:
            return reverse("token-revoke", args=[credential.key_id])
    return ""

"""Unused rights: what was granted and not seen in use, with the smaller role that would do."""

from __future__ import annotations

from datetime import timedelta

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from access.models import Grant, Role
from access.unused import give_less, less_used, smaller_role, used_verbs
from dashboard.htmx import render_page
from dashboard.pagination import Order, paginate
from dashboard.views.access.asking import Asker, ids_of, manager
from dashboard.views.access.rows import COLUMNS, rows_of
from dashboard.views.access.submitting import acted

DAYS = (30, 90, 180, 365)
USUAL_DAYS = 90


@require_safe
def unused(request: HttpRequest) -> HttpResponse:
    """Grants of which more is allowed than was seen in `?days=`; `?show=nothing`: seen not at all."""
    one = manager(request)
    days = _days(request)
    at_all = request.GET.get("show") == "nothing"
    since = timezone.now() - timedelta(days=days)
    among = Grant.objects.filter(one.managed).with_names().live(timezone.now())
    order = Order.read(request.GET.get("sort", ""), COLUMNS)
    page = paginate(less_used(among, since=since, at_all=at_all), order=order, query=request.GET)
    roles = list(Role.objects.filter(is_built_in=True))
    rows = [
        (row, verbs := used_verbs(row.grant), smaller_role(row.grant.role, verbs, roles))
        for row in rows_of(page.rows, one)
    ]
    context = {
        "section": "access",
        "days": days,
        "all_days": DAYS,
        "at_all": at_all,
        "order": order,
        "page": page,
        "rows": rows,
        # Of what is younger nothing can be said.
        "any_judged": bool(page) or among.filter(granted_at__lt=since).exists(),
    }
    return render_page(request, "access/unused/list.html", context, fragment="list")


@require_POST
def shrink(request: HttpRequest) -> HttpResponse:
    """Give the smaller role instead."""
    one = manager(request)
    asked = ids_of(request.POST.getlist("grant"))
    grant = Grant.objects.filter(one.managed, pk__in=asked).first()
    role = Role.objects.filter(name=request.POST.get("role", ""), is_built_in=True).first()
    if grant is None or role is None:
        raise Http404(_("There is no such grant."))
    acted(request, lambda: _shrink(one, grant.pk, role))
    return redirect("unused-rights")


def _shrink(one: Asker, pk: int, role: Role) -> str:
    reason = _("Less was in use.")
    give_less(pk, role, reason=reason, rights=one.rights, actor=one.actor)
    return _("%s took the place of the wider role.") % _(role.label)


def _days(request: HttpRequest) -> int:
    asked = ids_of(request.GET.getlist("days"))
    return asked[0] if asked and asked[0] in DAYS else USUAL_DAYS

"""Access reviews: open one, decide on each grant, close it, and read the record afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access.models import AccessReview, ReviewItem
from access.reviews import close_review, decide, open_review, scope_of, tallies, tally_of
from dashboard.callers import Caller
from dashboard.forms_access import ReviewForm
from dashboard.htmx import render_page
from dashboard.pagination import Column, Order, paginate
from dashboard.views.access.asking import Asker, ids_of, manager, scope_of_address
from dashboard.views.access.submitting import DONE, acted, submitted
from dashboard.views.access.suggest import suggested_scopes

# Two weeks are what people take for it.
USUAL_DAYS = 14
COLUMNS = {"opened": Column(F("opened_at"), datetime, descending_first=True)}
ITEM_COLUMNS = {"item": Column(F("id"), int)}
_NEWEST = Order.read("", COLUMNS)
_AS_LISTED = Order.read("", ITEM_COLUMNS)
_form_page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def reviews(request: HttpRequest) -> HttpResponse:
    """Reviews of the scopes that one manages: those that are open, or those that are closed."""
    one = manager(request)
    closed = request.GET.get("state") == "closed"
    found = AccessReview.objects.select_related("registry").filter(one.managed)
    page = paginate(found.filter(closed_at__isnull=not closed), order=_NEWEST, query=request.GET)
    counted = tallies(page.rows)
    context = {
        "section": "access",
        "closed": closed,
        "page": page,
        "rows": [(row, scope_of(row), counted.get(row.pk)) for row in page.rows],
        "today": timezone.localdate(),
    }
    return render_page(request, "access/reviews/list.html", context, fragment="list")


@_form_page
def create(request: HttpRequest) -> HttpResponse:
    """Open a review of a scope."""
    one = manager(request)
    due = timezone.localdate() + timedelta(days=USUAL_DAYS)
    scope = scope_of_address(one, request.GET.get("scope", ""))
    form = ReviewForm(request.POST or None, initial={"due": due, "scope": str(scope or "")})
    opened: list[AccessReview] = []
    status = submitted(request, form, lambda: _open(one, form, opened))
    if status is DONE:
        return redirect("review", opened[0].pk)
    context = {"section": "access", "form": form, "scopes": suggested_scopes(one)}
    return render(request, "access/reviews/create.html", context, status=status)


@require_safe
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """The grants of a review: those to decide first, or with `?show=all` every one."""
    one = manager(request)
    shown = review_or_404(one, pk)
    shows_all = shown.closed_at is not None or request.GET.get("show") == "all"
    items = shown.items.select_related("grant")
    page = paginate(
        items if shows_all else items.filter(decision=""), order=_AS_LISTED, query=request.GET
    )
    context = {
        "section": "access",
        "review": shown,
        "scope": scope_of(shown),
        "tally": tally_of(shown),
        "shows_all": shows_all,
        "is_late": shown.closed_at is None and shown.due < timezone.localdate(),
        "page": page,
    }
    return render_page(request, "access/reviews/review.html", context, fragment="list")


@require_POST
def decision(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm or remove the grants that were ticked; before they are removed it is asked."""
    one = manager(request)
    shown = review_or_404(one, pk)
    chosen = _removable(request, shown)
    if chosen and "sure" not in request.POST:
        context = {"section": "access", "review": shown, "scope": scope_of(shown), "items": chosen}
        return render(request, "access/reviews/remove.html", context)
    acted(request, lambda: _decide(request, one, shown))
    return redirect("review", shown.pk)


@_form_page
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask, and then end a review and keep its result."""
    one = manager(request)
    shown = review_or_404(one, pk)
    if request.method != "POST":
        context = {
            "section": "access",
            "review": shown,
            "scope": scope_of(shown),
            "tally": tally_of(shown),
        }
        return render(request, "access/reviews/close.html", context)
    acted(request, lambda: _close(one, shown))
    return redirect("review", shown.pk)


def review_or_404(one: Caller, pk: int) -> AccessReview:
    """The review, if he manages access where it lies; raises Http404."""
    found = AccessReview.objects.select_related("registry").filter(one.managed, pk=pk).first()
    if found is None:
        raise Http404(_("There is no such review."))
    return found


def _open(one: Asker, form: ReviewForm, opened: list[AccessReview]) -> str:
    data = form.cleaned_data
    opened.append(
        open_review(scope=data["scope"], due=data["due"], rights=one.rights, actor=one.actor)
    )
    return _("The review is open. Look at each grant, and confirm or remove it.")


def _removes(request: HttpRequest) -> bool:
    return request.POST.get("decision") == "remove"


def _removable(request: HttpRequest, shown: AccessReview) -> list[ReviewItem]:
    """What was ticked to be removed, and can be."""
    if not _removes(request):
        return []
    chosen = shown.items.filter(pk__in=ids_of(request.POST.getlist("item")))
    return list(chosen.filter(decision__in=["", ReviewItem.Decision.CONFIRMED]).order_by("pk"))


def _decide(request: HttpRequest, one: Asker, shown: AccessReview) -> str:
    removes = _removes(request)
    items = ids_of(request.POST.getlist("item"))
    chosen = ReviewItem.Decision.REMOVED if removes else ReviewItem.Decision.CONFIRMED
    done = len(decide(shown.pk, items, chosen, rights=one.rights, actor=one.actor))
    if removes:
        return ngettext("%d grant was removed.", "%d grants were removed.", done) % done
    return ngettext("%d grant was confirmed.", "%d grants were confirmed.", done) % done


def _close(one: Asker, shown: AccessReview) -> str:
    close_review(shown.pk, rights=one.rights, actor=one.actor)
    return _("The review is closed, and its result is kept.")

"""What a browser remembers about how pages should look."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from dashboard.templatetags.portolan import THEMES

A_YEAR = 365 * 24 * 3600


@login_not_required  # the sign-in page has the switch too
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Keeps the theme in a cookie, so that the next page comes in it from its first byte."""
    target = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={request.get_host()}):
        target = reverse("home")
    response = HttpResponseRedirect(target)
    chosen = request.POST.get("theme", "")
    if chosen in THEMES:
        response.set_cookie(
            "theme", chosen, max_age=A_YEAR, secure=request.is_secure(), samesite="Lax"
        )
    return response

"""Try a token: which rule would take it, or why none; nothing is issued, nothing is kept."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from access import trust_rules as actions
from access.tokens.assertions import Unreadable, read
from access.tokens.trial import Trial, try_out
from dashboard.callers import Caller
from dashboard.forms_access import refuse
from dashboard.forms_trust import TryTokenForm
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.submitting import UNPROCESSABLE


@sensitive_post_parameters("token")
@require_http_methods(["GET", "HEAD", "POST"])
def try_token(request: HttpRequest) -> HttpResponse:
    """Held against the rules that one may know of, and no others."""
    one = asker(request)
    form = TryTokenForm(request.POST or None)
    trial = _tried(one, form) if request.method == "POST" and form.is_valid() else None
    status = UNPROCESSABLE if form.errors else 200
    if trial is not None:  # what was tried need not lie in the page
        form = TryTokenForm(initial={"machine": form.cleaned_data["machine"]})
    context = {"section": "access", "form": form, "trial": trial}
    response = render(request, "access/trust/try.html", context, status=status)
    add_never_cache_headers(response)
    return response


def _tried(one: Asker, form: TryTokenForm) -> Trial | None:
    try:
        return trial_of(one, form.cleaned_data["token"], machine=form.cleaned_data["machine"])
    except ValidationError as error:
        refuse(form, error)
        return None


def trial_of(one: Caller, token: str, *, machine: str) -> Trial:
    """What would become of the token; raises ValidationError for what is none."""
    try:
        assertion = read(token)
    except Unreadable as error:
        raise ValidationError({"token": str(error)}) from None
    rules = actions.visible_rules(one.maintainer, one.rights).filter(issuer=assertion.issuer)
    return try_out(assertion, list(rules), machine=machine, now=timezone.now())

"""Check access: may X do Y on Z, why or why not, and who could grant it."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from access import explain
from access.actions import Action
from access.models import Role
from dashboard.callers import subject_of_question
from dashboard.forms_access import CheckForm
from dashboard.htmx import render_page
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.suggest import suggested_principals, suggested_scopes


@require_safe
def check(request: HttpRequest) -> HttpResponse:
    """Anybody asks about himself; about others, who manages access on that scope."""
    one = asker(request)
    initial = {"who": str(one.principal), "action": Action.CONTENT_READ.text}
    form = CheckForm(request.GET if "scope" in request.GET else None, initial=initial)
    context: dict[str, Any] = {
        "section": "access",
        "form": form,
        "scopes": suggested_scopes(one),
        "principals": suggested_principals(one) or [str(one.principal)],
    }
    if form.is_valid():
        context |= _answer(one, form)
    return render_page(request, "access/check/check.html", context, fragment="answer")


def _answer(one: Asker, form: CheckForm) -> dict[str, Any]:
    who, scope = form.cleaned_data["who"], form.cleaned_data["scope"]
    try:
        somebody = subject_of_question(one, who, scope)
    except ValidationError as error:
        form.add_error("who", error)
        return {}
    action = Action.parse(form.cleaned_data["action"])
    about_oneself = who == one.principal
    seen_by = None if about_oneself else one.rights
    return {
        "verdict": explain.check(somebody, action, scope, seen_by=seen_by, at=timezone.now()),
        "who": who,
        "action": action,
        "scope": scope,
        "about_oneself": about_oneself,
        "manages": one.manages(scope),
        "labels": dict(Role.objects.values_list("name", "label")),
    }

"""The one-time link: the first owner sets a password and is signed in."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import SetPasswordForm
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from access.models import User
from dashboard.first_run import owner_for


@login_not_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def first_run(request: HttpRequest, uidb64: str, token: str) -> HttpResponse:
    """The form for a link that is good; for a used, old or wrong one, what to do instead."""
    with transaction.atomic():
        # Of two people with the same link the second waits here, and then finds it used.
        owner = _locked(owner_for(uidb64, token)) and owner_for(uidb64, token)
        if owner is None:
            return render(request, "dashboard/first_run_over.html", status=410)
        form = SetPasswordForm(owner, request.POST or None)
        if not (request.method == "POST" and form.is_valid()):
            return render(request, "dashboard/first_run.html", {"form": form, "owner": owner})
        form.save()
    login(request, owner, backend=settings.AUTHENTICATION_BACKENDS[0])
    return redirect("home")


def _locked(owner: User | None) -> User | None:
    return User.objects.select_for_update().filter(pk=owner.pk).first() if owner else None

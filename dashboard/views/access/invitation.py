"""The one-time link of somebody who was invited: he says his name, sets a password and comes in."""

from __future__ import annotations

from allauth.account.utils import perform_login
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from access.models import User
from access.sign_ins import password_was_set
from dashboard.forms_people import WelcomeForm
from dashboard.invitations import person_for
from dashboard.views.access.submitting import UNPROCESSABLE

GONE = 410


@login_not_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, uidb64: str, token: str) -> HttpResponse:
    """The form for a link that is good; for a used, old or wrong one, what to do instead."""
    with transaction.atomic():
        # Of two people with the same link the second waits here, and then finds it used.
        person = _locked(person_for(uidb64, token)) and person_for(uidb64, token)
        if person is None:
            return render(request, "access/people/link_over.html", status=GONE)
        form = WelcomeForm(person, request.POST or None)
        if not (request.method == "POST" and form.is_valid()):
            context = {"form": form, "person": person}
            status = UNPROCESSABLE if form.errors else 200
            return render(request, "access/people/welcome.html", context, status=status)
        form.save()
        password_was_set(person)
    # Not past the second factor, if there is one.
    response: HttpResponse = perform_login(request, person, redirect_url="/")
    return response


def _locked(person: User | None) -> User | None:
    return User.objects.select_for_update().filter(pk=person.pk).first() if person else None

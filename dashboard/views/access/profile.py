"""One's own account: name, address, how one signs in, what one may."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from access import people as actions
from access import sessions
from dashboard.forms_people import PersonForm, providers
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.reassured import reassure
from dashboard.views.access.submitting import DONE, submitted


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Posting changes name and address; the latter asks for the password again, for a link to set a
    new one may be sent there."""
    one = asker(request)
    form = PersonForm(request.POST or None, initial=PersonForm.initial_of(one.user))
    if form.is_valid() and form.cleaned_data["email"] != one.user.email:
        reassure(request)

    def act() -> str:
        values = {name: form.cleaned_data[name] for name in form.fields}
        actions.change_oneself(one.user, **values, actor=one.actor)
        return _("Your profile was saved.")

    status = submitted(request, form, act)
    if status is DONE:
        return redirect("profile")
    return render(request, "access/profile/profile.html", _context(one, form), status=status)


@require_POST
def end_session(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign out at one place. Another's session is not there."""
    one = asker(request)
    if not sessions.end_own(one.user, pk, actor=one.actor):
        raise Http404(_("There is no such session (any more)."))
    messages.success(request, _("You are signed out there."))
    return redirect("usersessions_list")


def _context(one: Asker, form: PersonForm) -> dict[str, object]:
    factors = list(Authenticator.objects.filter(user=one.user))
    codes = [factor.wrap() for factor in factors if factor.type == "recovery_codes"]
    return {
        "form": form,
        "person": one.user,
        "memberships": one.user.memberships.select_related("team").order_by("team__name"),
        "has_app": any(factor.type == "totp" for factor in factors),
        "codes_left": len(codes[0].get_unused_codes()) if codes else None,
        "keys": sum(factor.type == "webauthn" for factor in factors),
        "sessions": len(UserSession.objects.purge_and_list(one.user)),
        "accounts": one.user.socialaccount_set.order_by("pk"),  # type: ignore[attr-defined]  # allauth's
        "may_connect": bool(providers()) or "github" in settings.SOCIALACCOUNT_PROVIDERS,
    }


def elsewhere(request: HttpRequest, key: str = "") -> HttpResponse:  # noqa: ARG001  a view's signature
    """In the place of allauth's pages of many addresses, of which an account here has one, which
    nobody confirms; and of that where who comes by single sign-on gives himself a password: he would
    keep a way in that his company cannot close."""
    return redirect("profile")

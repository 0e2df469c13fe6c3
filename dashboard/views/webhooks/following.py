"""What one follows oneself, how one is mailed of it, and the address of one's feed."""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from access.models import User
from access.scopes import Extent, Scope
from dashboard.forms_webhooks import FollowForm
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.reassured import reassure
from dashboard.views.access.submitting import DONE, acted, submitted
from dashboard.views.access.suggest import suggested_scopes
from webhooks import following as actions
from webhooks.models import Follow

CREATED = 201


@require_safe
def following(request: HttpRequest) -> HttpResponse:
    one = asker(request)
    return _page(request, one, FollowForm(initial={"mail": Follow.Mail.DAILY.value}))


@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Follow what the form names; from a page of it, one comes back there."""
    one = asker(request)
    form = FollowForm(request.POST)
    status = submitted(request, form, lambda: _add(one.user, form))
    if status is not DONE:
        return _page(request, one, form, status)
    if "back" in request.POST:
        return redirect(_address_of(form.cleaned_data["scope"]))
    return redirect("following")


@require_POST
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """Another way of being mailed of it."""
    one = asker(request)
    followed = _follow_or_404(one.user, pk)
    mail = request.POST.get("mail", "")
    if mail in Follow.Mail.values:
        acted(request, lambda: _change(followed, Follow.Mail(mail)))
    return redirect("following")


@require_POST
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    one = asker(request)
    followed = _follow_or_404(one.user, pk)
    acted(request, lambda: _remove(followed))
    return redirect("following")


@require_POST
def feed(request: HttpRequest) -> HttpResponse:
    """A new address, shown this once; the one before is no more."""
    one = asker(request)
    reassure(request)  # whoever has the address reads on when the session is long over
    address = settings.PUBLIC_URL + reverse("feed", args=[actions.make_feed(one.user)])
    followed = [_scope(follow) for follow in one.user.follows.select_related("registry")]
    context = {
        "address": address,
        "parts": [(scope, f"{address}?scope={quote(str(scope), safe='')}") for scope in followed],
    }
    response = render(request, "webhooks/following/feed.html", context, status=CREATED)
    add_never_cache_headers(response)  # no-store is among them
    return response


@require_POST
def no_feed(request: HttpRequest) -> HttpResponse:
    one = asker(request)
    acted(request, lambda: _end_feed(one.user))
    return redirect("following")


def _page(request: HttpRequest, one: Asker, form: FollowForm, status: int = 200) -> HttpResponse:
    followed = list(one.user.follows.select_related("registry"))
    context = {
        "form": form,
        "rows": [(follow, _scope(follow), _address_of(_scope(follow))) for follow in followed],
        "mails": Follow.Mail.choices,
        "has_feed": actions.has_feed(one.user),
        "mail_address": one.user.email,
        "mail_is_set_up": settings.EMAIL_CONFIG_SET,
        "scopes": suggested_scopes(one),
    }
    return render(request, "webhooks/following/list.html", context, status=status)


def _follow_or_404(user: User, pk: int) -> Follow:
    found = user.follows.select_related("registry", "user").filter(pk=pk).first()
    if found is None:
        raise Http404(_("You do not follow this."))
    return found


def _scope(follow: Follow) -> Scope:
    return Scope(follow.registry.name, follow.path)


def _address_of(scope: Scope) -> str:
    """The page of a registry, of all below a path, or of a repository."""
    if scope.extent is Extent.REPOSITORY:
        return reverse("repository", args=[scope.registry, scope.path])
    page = reverse("registry", args=[scope.registry])
    below = f"?ns={quote(scope.path.removesuffix('/*'))}" if scope.path else ""
    return f"{page}{below}"


def _add(user: User, form: FollowForm) -> str:
    scope: Scope = form.cleaned_data["scope"]
    mail = Follow.Mail(form.cleaned_data["mail"])
    actions.follow(user, scope, mail=mail)
    return _("You follow %s.") % scope


def _change(followed: Follow, mail: Follow.Mail) -> str:
    actions.set_mail(followed, mail)
    said = _("Of %(place)s you get: %(mail)s.")
    return said % {"place": _scope(followed), "mail": str(mail.label)}


def _remove(followed: Follow) -> str:
    actions.unfollow(followed)
    return _("You do not follow %s any more.") % _scope(followed)


def _end_feed(user: User) -> str:
    actions.end_feed(user)
    return _("Your feed’s address opens nothing any more.")

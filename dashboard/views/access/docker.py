"""Docker's access to a registry: its setup, a token tried out, the admin account, recent tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import admin_accounts
from access.actions import Action
from access.keyring import Issued
from access.models import TokenLogEntry
from access.shortcuts import get_registry_or_404
from access.tokens.scope import Allowed, Asked
from dashboard.browse.docker_access import setup_of, tried_out
from dashboard.forms_docker import TokenForm
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.reassured import reassure
from dashboard.views.access.show_once import TAKES_TOKENS, show_once
from dashboard.views.access.submitting import acted
from dashboard.views.access.suggest import suggested_principals
from registries.models import Registry

RECENT = 20


@require_safe
def docker(request: HttpRequest, name: str) -> HttpResponse:
    """For who manages access to all of the registry."""
    one, registry = _fetched(request, name)
    form = TokenForm(request.GET if "scope" in request.GET else None)
    context: dict[str, Any] = {
        "section": "registries",
        "registry": registry,
        "takes_tokens": registry.kind == TAKES_TOKENS,
        "form": form,
        "answers": _tried(registry, form) if form.is_valid() else None,
        "principals": suggested_principals(one) or [str(one.principal)],
        "account": admin_accounts.account_of(registry),
        "places": admin_accounts.passwords_of(registry),
        "may_hand_out": admin_accounts.may_hand_out(registry, one.rights),
        "tokens": TokenLogEntry.objects.filter(registry=registry.pk)[:RECENT],
        **setup_of(registry),
    }
    return render(request, "access/docker/docker.html", context)


@require_POST
def switch(request: HttpRequest, name: str) -> HttpResponse:
    """The admin account on or off."""
    one, registry = _fetched(request, name)
    on = request.POST.get("state") == "on"
    acted(request, lambda: _switch(one, registry, on=on))
    return redirect("docker-access", registry.name)


@require_http_methods(["GET", "HEAD", "POST"])
def password(request: HttpRequest, name: str, slot: int) -> HttpResponse:
    """Ask once more, then make a password of the admin account, shown once."""
    one, registry = _fetched(request, name)
    if slot not in admin_accounts.SLOTS:
        raise Http404(_("There are passwords 1 and 2."))
    admin_accounts.require_mastery(registry, one.rights)
    reassure(request)  # who took a session over must not leave with a password that outlives it
    if request.method == "POST":
        made: list[Issued] = []
        acted(request, lambda: _make(one, registry, slot, made))
        if not made:
            return redirect("docker-access", registry.name)
        return show_once(
            request,
            made[0],
            title=_("Password %(slot)d of the admin account of %(registry)s")
            % {"slot": slot, "registry": registry.name},
            username=registry.name,
            hosts=[registry.host.partition("/")[0]],
            back=reverse("docker-access", args=[registry.name]),
        )
    context = {
        "section": "registries",
        "registry": registry,
        "slot": slot,
        "old": admin_accounts.passwords_of(registry)[slot - 1],
    }
    return render(request, "access/docker/password.html", context)


def _fetched(request: HttpRequest, name: str) -> tuple[Asker, Registry]:
    one = asker(request)
    return one, get_registry_or_404(one.user, name, Action.ACCESS_MANAGE)


def _tried(registry: Registry, form: TokenForm) -> Sequence[tuple[Asked, Allowed | None]] | None:
    """What the token would allow; None, with the form saying why, where there is none to try."""
    try:
        return tried_out(registry, **form.cleaned_data)
    except ValidationError as error:
        form.add_error(None, error)
        return None


def _switch(one: Asker, registry: Registry, *, on: bool) -> str:
    if on:
        admin_accounts.switch_on(registry, rights=one.rights, actor=one.actor)
        return _("The admin account is switched on. Every use of it goes to the audit log.")
    admin_accounts.switch_off(registry, rights=one.rights, actor=one.actor)
    return _("The admin account is switched off. Its passwords work no more.")


def _make(one: Asker, registry: Registry, slot: int, made: list[Issued]) -> str:
    made.append(
        admin_accounts.make_password(registry, slot=slot, rights=one.rights, actor=one.actor)
    )
    return _("The password is made.")

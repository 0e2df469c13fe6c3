"""The two secrets of a machine: created, rotated without downtime, ended, revoked."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from access import machine_secrets as actions
from access.keyring import Issued
from access.machines import require_care, require_control
from access.models import Secret, ServicePrincipal
from access.policy import rights_of
from dashboard.forms_access import last_day_of
from dashboard.forms_machines import EndForm, RotateForm, SecretForm
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.machines import machine_or_404
from dashboard.views.access.reassured import reassure
from dashboard.views.access.show_once import login_hosts, show_once
from dashboard.views.access.submitting import DONE, acted, submitted

USUAL_DAYS = 90
_form_page = require_http_methods(["GET", "HEAD", "POST"])


@_form_page
def create(request: HttpRequest, name: str) -> HttpResponse:
    """A secret in a free place, shown once."""
    one = asker(request)
    machine = machine_or_404(one, name)
    require_care(machine, one.rights, one.user)
    reassure(request)  # who took a session over must not leave with a secret that outlives it
    form = SecretForm(request.POST or None, initial={"expires_at": _usual_end()})
    issued: list[Issued] = []
    status = submitted(request, form, lambda: _create(one, machine, form, issued))
    if status is DONE:
        return _shown(request, one, machine, issued[0])
    context = {"section": "access", "machine": machine, "form": form}
    return render(request, "access/secrets/create.html", context, status=status)


@_form_page
def rotate(request: HttpRequest, name: str, key_id: str) -> HttpResponse:
    """A new secret beside the old one, which works on for a while."""
    one = asker(request)
    machine = machine_or_404(one, name)
    require_care(machine, one.rights, one.user)
    old = secret_or_404(machine, key_id)
    reassure(request)
    initial = {"expires_at": _usual_end(), "overlap": actions.OVERLAP // timedelta(hours=1)}
    form = RotateForm(request.POST or None, initial=initial)
    issued: list[Issued] = []
    status = submitted(request, form, lambda: _rotate(one, old, form, issued))
    if status is DONE:
        return _shown(request, one, machine, issued[0])
    context = {"section": "access", "machine": machine, "secret": old, "form": form}
    return render(request, "access/secrets/rotate.html", context, status=status)


@_form_page
def end(request: HttpRequest, name: str, key_id: str) -> HttpResponse:
    """Give it an end, or an earlier one."""
    one = asker(request)
    machine = machine_or_404(one, name)
    require_control(machine, one.rights, one.user)
    secret = secret_or_404(machine, key_id)
    form = EndForm(request.POST or None, initial={"expires_at": last_day_of(secret.expires_at)})
    status = submitted(request, form, lambda: _end(one, secret, form))
    if status is DONE:
        return redirect("access-machine", machine.name)
    context = {"section": "access", "machine": machine, "secret": secret, "form": form}
    return render(request, "access/secrets/end.html", context, status=status)


@_form_page
def revoke(request: HttpRequest, name: str, key_id: str) -> HttpResponse:
    """Ask once more, and then let it work no more."""
    one = asker(request)
    machine = machine_or_404(one, name)
    require_control(machine, one.rights, one.user)
    secret = secret_or_404(machine, key_id)
    if request.method == "POST":
        acted(request, lambda: _revoke(one, secret))
        return redirect("access-machine", machine.name)
    context = {"section": "access", "machine": machine, "secret": secret}
    return render(request, "access/secrets/revoke.html", context)


def secret_or_404(machine: ServicePrincipal, key_id: str) -> Secret:
    """The machine's secret in one of its two places, now or once."""
    found = machine.secrets.filter(kind=Secret.Kind.SERVICE, key_id=key_id).first()
    if found is None:
        raise Http404(_("This machine has no such secret."))
    return found


def refuse_later(secret: Secret, at: datetime) -> None:
    """Raises ValidationError for an end behind its own: the action would leave it as it is."""
    if secret.expires_at is not None and secret.expires_at < at:
        last = date_format(timezone.localtime(secret.expires_at), "DATETIME_FORMAT")
        raise ValidationError(
            {"expires_at": _("It ends %s already: its end can only come closer.") % last}
        )


def _create(one: Asker, machine: ServicePrincipal, form: SecretForm, issued: list[Issued]) -> str:
    made = actions.create_secret(
        machine,
        expires_at=form.cleaned_data["expires_at"],
        label=form.cleaned_data["label"],
        rights=one.rights,
        maintainer=one.user,
        actor=one.actor,
    )
    issued.append(made)
    return _("The secret is made.")


def _rotate(one: Asker, old: Secret, form: RotateForm, issued: list[Issued]) -> str:
    made = actions.rotate_secret(
        old,
        expires_at=form.cleaned_data["expires_at"],
        overlap=form.cleaned_data["overlap"],
        rights=one.rights,
        maintainer=one.user,
        actor=one.actor,
    )
    issued.append(made)
    if form.cleaned_data["overlap"]:
        return _("The new secret is made; the old one works on beside it, and then ends.")
    return _("The new secret is made, and the old one works no more.")


def _end(one: Asker, secret: Secret, form: EndForm) -> str:
    at = form.cleaned_data["expires_at"]
    refuse_later(secret, at)
    actions.end_secret(secret, at=at, rights=one.rights, maintainer=one.user, actor=one.actor)
    return _("The secret %s ends then.") % secret.key_id


def _revoke(one: Asker, secret: Secret) -> str:
    actions.revoke_secret(secret, rights=one.rights, maintainer=one.user, actor=one.actor)
    return _("The secret %s works no more.") % secret.key_id


def _shown(
    request: HttpRequest, one: Asker, machine: ServicePrincipal, issued: Issued
) -> HttpResponse:
    return show_once(
        request,
        issued,
        title=_("A secret of %s") % machine.name,
        username=machine.name,
        hosts=login_hosts(one, rights_of(machine)),
        back=reverse("access-machine", args=[machine.name]),
    )


def _usual_end() -> object:
    return timezone.localdate() + timedelta(days=USUAL_DAYS)

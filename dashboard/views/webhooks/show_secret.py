"""A signing secret: made anew, and shown this once, as the answer to the form itself."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from dashboard.forms_webhooks import RotateSigningForm
from dashboard.views.access.asking import Asker
from dashboard.views.access.submitting import DONE, submitted
from dashboard.views.webhooks.asking import keeper, webhook_or_404
from webhooks import subscriptions as actions
from webhooks.models import Subscription
from webhooks.subscriptions import Signed

CREATED = 201


@require_http_methods(["GET", "HEAD", "POST"])
def rotate(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A new secret beside the old one, which signs on for a while."""
    one = keeper(request)
    webhook = webhook_or_404(one, pk)
    initial = {"overlap": actions.OVERLAP // timedelta(hours=1)}
    form = RotateSigningForm(request.POST or None, initial=initial)
    made: list[Signed] = []
    status = submitted(request, form, lambda: _rotate(one, webhook, form, made))
    if status is DONE:
        return show_secret(request, made[0], is_new=False)
    context = {"section": "webhooks", "webhook": webhook, "form": form}
    return render(request, "webhooks/rotate.html", context, status=status)


def show_secret(request: HttpRequest, signed: Signed, *, is_new: bool) -> HttpResponse:
    webhook = signed.subscription
    context = {
        "section": "webhooks",
        "webhook": webhook,
        "text": signed.secret,
        "is_new": is_new,
        "file_name": f"webhook-{webhook.pk}.txt",
    }
    response = render(request, "webhooks/secret.html", context, status=CREATED)
    add_never_cache_headers(response)  # no-store is among them
    return response


def _rotate(one: Asker, webhook: Subscription, form: RotateSigningForm, made: list[Signed]) -> str:
    signed = actions.rotate_signing_secret(
        webhook, overlap=form.cleaned_data["overlap"], rights=one.rights, actor=one.actor
    )
    made.append(signed)
    if form.cleaned_data["overlap"]:
        return _("Messages carry the signatures of both secrets, and then of the new one alone.")
    return _("From now on the new secret alone signs.")

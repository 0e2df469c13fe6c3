"""A webhook made, changed, removed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from access.actions import Action
from access.models import Team
from access.scopes import EVERYTHING
from dashboard.callers import Caller
from dashboard.forms_webhooks import WebhookForm
from dashboard.pagination import CappedCount
from dashboard.views.access.asking import Asker
from dashboard.views.access.submitting import DONE, acted, submitted
from dashboard.views.access.suggest import suggested_scopes
from dashboard.views.webhooks.asking import keeper, webhook_or_404
from dashboard.views.webhooks.previewing import preview_of
from dashboard.views.webhooks.show_secret import show_secret
from webhooks import subscriptions as actions
from webhooks.catalog import Topic
from webhooks.models import Delivery, Subscription
from webhooks.subscription_settings import Where
from webhooks.subscriptions import Signed

# What most webhooks are made for.
USUAL_TOPICS = (Topic.PUSH, Topic.DELETE)

_form_page = require_http_methods(["GET", "HEAD", "POST"])


@_form_page
def create(request: HttpRequest) -> HttpResponse:
    """A webhook, and its signing secret, shown once."""
    one = keeper(request)
    teams = teams_to_tell(one)
    initial = {
        "scope": request.GET.get("scope", ""),
        "topics": [topic.value for topic in USUAL_TOPICS],
        "form": Subscription.Form.STRUCTURED.value,
    }
    form = WebhookForm(request.POST or None, teams=_names(teams), initial=initial)
    made: list[Signed] = []
    status = 200 if _wants_preview(request) else None
    if status is None:
        status = submitted(request, form, lambda: _create(one, form, teams, made))
    if status is DONE:
        return show_secret(request, made[0], is_new=True)
    context = {
        "section": "webhooks",
        "form": form,
        "preview": preview_of(one, _typed(request, initial)),
        "scopes": suggested_scopes(one),
    }
    return render(request, "webhooks/create.html", context, status=status)


@_form_page
def change(request: HttpRequest, pk: UUID) -> HttpResponse:
    """All but its state; secrets stay where nothing is typed."""
    one = keeper(request)
    webhook = webhook_or_404(one, pk)
    teams = teams_to_tell(one)
    initial = _described(webhook)
    form = WebhookForm(request.POST or None, teams=_names(teams), stored=webhook, initial=initial)
    status = 200 if _wants_preview(request) else None
    if status is None:
        status = submitted(request, form, lambda: _change(one, webhook, form, teams))
    if status is DONE:
        return redirect("webhook", webhook.pk)
    context = {
        "section": "webhooks",
        "form": form,
        "webhook": webhook,
        "preview": preview_of(one, _typed(request, initial)),
        "scopes": suggested_scopes(one),
    }
    return render(request, "webhooks/change.html", context, status=status)


@_form_page
def remove(request: HttpRequest, pk: UUID) -> HttpResponse:
    """What goes with it, and then remove it."""
    one = keeper(request)
    webhook = webhook_or_404(one, pk)
    if request.method == "POST":
        acted(request, lambda: _remove(one, webhook))
        return redirect("webhooks")
    pending = [Delivery.State.WAITING, Delivery.State.HELD]
    context = {
        "section": "webhooks",
        "webhook": webhook,
        "pending": CappedCount.of(webhook.deliveries.filter(state__in=pending)),
    }
    return render(request, "webhooks/remove.html", context)


def _wants_preview(request: HttpRequest) -> bool:
    """Where no script runs, the button sends the form, and nothing is saved."""
    return request.POST.get("do") == "preview"


def _typed(request: HttpRequest, initial: Mapping[str, Any]) -> QueryDict:
    """The fields that a preview is made of, as they stand in the form."""
    if request.method == "POST":
        return request.POST
    typed = QueryDict(mutable=True)
    for name in ("scope", "topics", "form"):
        value = initial[name]
        typed.setlist(name, value if isinstance(value, list) else [value])
    return typed


def _create(one: Asker, form: WebhookForm, teams: QuerySet[Team], made: list[Signed]) -> str:
    signed = actions.create_subscription(
        form.settings(team_to_tell(form.cleaned_data["team"], teams)),
        creator=one.user,
        rights=one.rights,
        actor=one.actor,
    )
    made.append(signed)
    return _("The webhook is made, and sends from now on.")


def _change(one: Asker, webhook: Subscription, form: WebhookForm, teams: QuerySet[Team]) -> str:
    actions.change_subscription(
        webhook,
        form.settings(team_to_tell(form.cleaned_data["team"], teams, webhook.team)),
        rights=one.rights,
        actor=one.actor,
    )
    return _("The webhook is changed.")


def _remove(one: Asker, webhook: Subscription) -> str:
    actions.remove_subscription(webhook, rights=one.rights, actor=one.actor)
    return _("The webhook %s is removed.") % webhook.name


def teams_to_tell(one: Caller) -> QuerySet[Team]:
    """The teams that he may have told: his own, or any if he knows of all."""
    if one.rights.may(Action.ACCESS_MANAGE, EVERYTHING):
        return Team.objects.all()
    if one.maintainer is None:
        return Team.objects.none()
    return Team.objects.filter(memberships__user=one.maintainer)


def _names(teams: QuerySet[Team]) -> list[str]:
    return list(teams.values_list("name", flat=True))


def team_to_tell(
    name: str | None, teams: QuerySet[Team], stored: Team | None = None
) -> Team | None:
    """The team of this name, none for no name; raises ValidationError for one that may not be."""
    if not name:
        return None
    if stored is not None and stored.name == name:
        return stored
    found = teams.filter(name=name).first()
    if found is None:
        raise ValidationError({"team": _("There is no such team (any more).")})
    return found


def _described(webhook: Subscription) -> dict[str, Any]:
    """What the form shows of a stored one: all that is no secret."""
    return {
        "name": webhook.name,
        "scope": str(Where(webhook.scope, webhook.tag)),
        "topics": webhook.topics,
        "form": webhook.form,
        "team": webhook.team.name if webhook.team else "",
    }

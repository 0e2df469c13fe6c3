"""The first lines of the views of webhooks: who asks, and for which of those that he may manage."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as _

from access.actions import Action
from access.scopes import EVERYTHING
from dashboard.callers import Caller
from dashboard.views.access.asking import Asker, asker
from webhooks.care import manageable
from webhooks.models import Subscription


def keeper(request: HttpRequest) -> Asker:
    """Who asks, if he manages webhooks anywhere; raises PermissionDenied otherwise."""
    one = asker(request)
    require_keeper(one)
    return one


def require_keeper(one: Caller) -> None:
    """Raises PermissionDenied unless he manages webhooks anywhere."""
    if not one.rights.may_somewhere(Action.WEBHOOK_MANAGE):
        raise PermissionDenied(
            _("This needs the right to manage webhooks."), Action.WEBHOOK_MANAGE, EVERYTHING
        )


def webhook_or_404(one: Caller, pk: UUID) -> Subscription:
    """The webhook, if he may manage it."""
    found = manageable(one.rights).filter(pk=pk).first()
    if found is None:
        raise Http404(_("There is no such webhook."))
    return found

"""Who may manage which webhooks, and one of them for a change.

Whoever has a webhook is told all that happens in its scope, for as long as it lives. So it takes the
right to manage webhooks on the whole scope, and beside it what one would need to see the same here: to
read content for what happens in repositories, to manage access for what tells of that.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet

from access.actions import Action
from access.policy import Rights
from access.reach import lying_in
from webhooks.models import Subscription
from webhooks.subscription_settings import TAKES, require_for


def manageable(rights: Rights) -> QuerySet[Subscription]:
    """The webhooks that who has these rights may manage; of others he does not know."""
    condition = lying_in(rights.scopes(Action.WEBHOOK_MANAGE))
    for action in dict.fromkeys(TAKES.values()):
        told = [topic.value for topic, takes in TAKES.items() if takes is action]
        condition &= lying_in(rights.scopes(action)) | ~Q(topics__overlap=told)
    return Subscription.objects.filter(condition).select_related("registry", "team")


def require_care(subscription: Subscription, rights: Rights) -> None:
    """Raises PermissionDenied unless who has these rights may manage the webhook as it is."""
    require_for(rights, subscription.scope, subscription.subscribed)


def may_care(subscription: Subscription, rights: Rights) -> bool:
    """Whether `require_care` lets pass."""
    try:
        require_care(subscription, rights)
    except PermissionDenied:
        return False
    return True


def locked(subscription: Subscription) -> Subscription:
    """The webhook as it is now, for this transaction alone."""
    found = Subscription.objects.select_related("registry", "team").select_for_update(of=("self",))
    return found.get(pk=subscription.pk)

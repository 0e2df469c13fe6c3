"""Webhooks. The signing secret of a new one is kept to be shown once, by who applies."""

from __future__ import annotations

from typing import Any

from django.views.decorators.debug import sensitive_variables

from dashboard.governance.acts.hands import Hands, Shown
from dashboard.governance.changes import Change, Verb
from dashboard.governance.judging import subscription_of
from dashboard.governance.stored_secrets import resolved
from webhooks import subscriptions, switching
from webhooks.models import Subscription
from webhooks.subscription_settings import SubscriptionSettings


@sensitive_variables()
def webhook(change: Change, hands: Hands) -> None:
    by: dict[str, Any] = {"rights": hands.rights, "actor": hands.actor}
    held: Subscription | None = change.row.held if change.row else None
    if change.verb is Verb.DELETE and held is not None:
        subscriptions.remove_subscription(held, **by)
        return
    settings = _settings(change, hands)
    if held is None:
        host = change.item.values.get("host", "")
        signed = subscriptions.create_subscription(settings, host=host, creator=hands.user, **by)
        held = signed.subscription
        hands.shown.append(Shown("webhooks", change.name, "signing secret", signed.secret))
    else:
        gets_address = not held.url.reveal() and settings.url is not None
        held = subscriptions.change_subscription(held, settings, **by)
        if gets_address and held.state == Subscription.State.STOPPED:
            held, _sent = switching.resume_subscription(held, send_held=True, **by)
    _pause_or_resume(change, held, by)


@sensitive_variables()
def _settings(change: Change, hands: Hands) -> SubscriptionSettings:
    """As the action takes them; of the secrets only those that differ from what is stored."""
    changed = {one.name for one in change.fields if one.is_secret}
    said = change.item.values
    url = resolved(said["url"], hands.secrets) if "url" in changed else None
    headers = resolved(said["headers"], hands.secrets) if "headers" in changed else None
    return subscription_of(
        change.item,
        url=url if isinstance(url, str) else None,
        headers=headers if isinstance(headers, dict) else None,
        team=hands.team_or_none(said["team"]),
    )


def _pause_or_resume(change: Change, held: Subscription, by: dict[str, Any]) -> None:
    paused = held.state == Subscription.State.PAUSED
    if change.item.values["paused"] and not paused:
        switching.pause_subscription(held, reason="", **by)
    elif paused and not change.item.values["paused"]:
        if held.url.reveal():
            switching.resume_subscription(held, send_held=True, **by)
        else:
            switching.wait_for_address(held, **by)

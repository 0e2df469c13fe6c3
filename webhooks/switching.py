"""Webhooks paused, stopped and let go on; what becomes of their messages meanwhile."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from access.policy import Rights
from registries.actor import Actor
from registries.events import emit
from registries.transactions import durable
from webhooks import wake
from webhooks.care import locked, require_care
from webhooks.events import SubscriptionSwitched
from webhooks.models import Delivery, Subscription
from webhooks.tasks import deliver


@durable
def pause_subscription(
    subscription: Subscription, *, reason: str = "", rights: Rights, actor: Actor
) -> Subscription:
    """What happens from now on is held until it goes on. Pausing one that stopped is no error."""
    subscription = locked(subscription)
    require_care(subscription, rights)
    if subscription.state != Subscription.State.PAUSED:
        switch(subscription, Subscription.State.PAUSED, because=reason, actor=actor)
        waiting = subscription.deliveries.filter(state=Delivery.State.WAITING)
        waiting.update(state=Delivery.State.HELD, reason=reason[:255])
    return subscription


@durable
def resume_subscription(
    subscription: Subscription, *, send_held: bool, rights: Rights, actor: Actor
) -> tuple[Subscription, int]:
    """Go on, after a pause or a stop, with what was held meanwhile or without it; and how many
    messages that were. Raises ValidationError where there is no address to send to."""
    subscription = locked(subscription)
    require_care(subscription, rights)
    if not subscription.url.reveal():
        raise ValidationError(_("It has no address yet: enter one first."))
    if subscription.state != Subscription.State.ACTIVE:
        switch(subscription, Subscription.State.ACTIVE, because="", actor=actor)
    return subscription, _release(subscription, send=send_held)


@durable
def wait_for_address(subscription: Subscription, *, rights: Rights, actor: Actor) -> Subscription:
    """Let one that is paused, and has no address yet, be paused no more: what happens is still held,
    until somebody has entered the address and lets it go on."""
    subscription = locked(subscription)
    require_care(subscription, rights)
    if not subscription.url.reveal() and subscription.state == Subscription.State.PAUSED:
        stop_without_address(subscription, actor)
    return subscription


def switch(
    subscription: Subscription, state: Subscription.State, *, because: str, actor: Actor
) -> None:
    """Let it be in this state from now on, and say why."""
    now = timezone.now()
    subscription.state, subscription.state_reason, subscription.state_at = state, because[:255], now
    if state == Subscription.State.ACTIVE:
        # Its receiver is given a fresh start.
        subscription.failing_since, subscription.failures, subscription.slow_until = None, 0, None
    subscription.save(
        update_fields=[
            "state", "state_reason", "state_at", "failing_since", "failures", "slow_until",
        ]
    )  # fmt: skip
    emit(
        [
            SubscriptionSwitched(
                subscription.registry_name, now, subscription.name, str(state.value), because
            )
        ],
        actor=actor,
    )


def stop_without_address(subscription: Subscription, actor: Actor) -> None:
    because = _("It came from a file without its address: enter that first.")
    switch(subscription, Subscription.State.STOPPED, because=because, actor=actor)


def _release(subscription: Subscription, *, send: bool) -> int:
    now = timezone.now()
    held = Delivery.objects.filter(subscription=subscription, state=Delivery.State.HELD)
    if not send:
        reason = _("Left out when the webhook went on.")
        return held.update(state=Delivery.State.GIVEN_UP, ended_at=now, reason=reason)
    wake.after_commit(deliver)
    return held.update(state=Delivery.State.WAITING, due_at=now, reason="", tries=0)

"""Webhooks: made, changed, given a new secret, removed. Screens and API call these and decide nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from access.models import User
from access.policy import Rights
from access.scopes import Scope
from registries.actor import Actor
from registries.events import emit
from registries.models import Registry
from registries.secret import Secret
from registries.transactions import durable
from webhooks.care import locked, require_care
from webhooks.events import (
    SigningSecretRotated,
    SubscriptionChanged,
    SubscriptionCreated,
    SubscriptionRemoved,
)
from webhooks.models import Delivery, Subscription
from webhooks.outbound.sign import make_secret
from webhooks.readable import told_to_manager
from webhooks.subscription_settings import (
    SubscriptionSettings,
    allows_http,
    cleaned,
    require_for,
)
from webhooks.switching import stop_without_address
from webhooks.targets import Target, parse_target

# How long the signing secret before works beside the new one.
OVERLAP = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Signed:
    """A webhook and its new signing secret, which is to be shown this once."""

    subscription: Subscription
    secret: str = field(repr=False)


@durable
def create_subscription(
    settings: SubscriptionSettings,
    *,
    host: str = "",
    creator: User | None = None,
    rights: Rights,
    actor: Actor,
) -> Signed:
    """Raises ValidationError for settings that make no sense, PermissionDenied for who may not.

    `host` is that of a webhook from a file whose address is not there yet: it is stopped until
    somebody enters one.
    """
    require_for(rights, settings.where.scope, settings.topics)
    settings = cleaned(settings)
    if settings.url is None and not host:
        raise ValidationError({"url": _("Say where it is sent.")})
    secret = make_secret()
    made = Subscription(secret=Secret(secret), old_secret=Secret(""), created_by=creator)
    _fill(made, settings, Target("", "", host) if settings.url is None else _target(settings.url))
    made.headers = _stored(settings)
    made.save(force_insert=True)
    emit(
        [SubscriptionCreated(made.registry_name, timezone.now(), made.name, _told(made))],
        actor=actor,
    )
    if settings.url is None:
        stop_without_address(made, actor)
    return Signed(made, secret)


@durable
def change_subscription(
    subscription: Subscription, settings: SubscriptionSettings, *, rights: Rights, actor: Actor
) -> Subscription:
    """Headers were entered for one receiver: another host gets them only when entered again. What is
    still to be sent, and is more than who changes it may read, is left out."""
    subscription = locked(subscription)
    require_care(subscription, rights)
    require_for(rights, settings.where.scope, settings.topics)
    settings = cleaned(settings)
    old = _told(subscription)
    # It was allowed when it was stored; what is dialled is judged when it is.
    before = _stored_target(subscription)
    target = before if settings.url is None else _target(settings.url)
    if settings.headers is None and subscription.headers.reveal():
        _require_same_host(before, target)
    _fill(subscription, settings, target)
    if settings.headers is not None:
        subscription.headers = _stored(settings)
    subscription.save(
        update_fields=[
            "name", "registry", "path", "tag", "topics", "form", "url", "host", "headers", "team",
        ]
    )  # fmt: skip
    _leave_out_unreadable(subscription, rights)
    new = _told(subscription) | _changed_secrets(settings, before, target)
    _emit_change(subscription, old, new, actor)
    return subscription


@durable
def remove_subscription(subscription: Subscription, *, rights: Rights, actor: Actor) -> None:
    """With its deliveries, also those that are still to be sent."""
    subscription = locked(subscription)
    require_care(subscription, rights)
    registry, name, old = subscription.registry_name, subscription.name, _told(subscription)
    subscription.delete()
    emit([SubscriptionRemoved(registry, timezone.now(), name, old)], actor=actor)


@durable
def rotate_signing_secret(
    subscription: Subscription, *, overlap: timedelta = OVERLAP, rights: Rights, actor: Actor
) -> Signed:
    """A new secret; for `overlap`, messages carry the signatures of both. A third that was still
    live beside them is dropped."""
    subscription = locked(subscription)
    require_care(subscription, rights)
    secret, until = make_secret(), timezone.now() + overlap
    subscription.old_secret, subscription.secret = subscription.secret, Secret(secret)
    subscription.old_secret_until = until
    subscription.save(update_fields=["secret", "old_secret", "old_secret_until"])
    emit(
        [
            SigningSecretRotated(
                subscription.registry_name, timezone.now(), subscription.name, until.isoformat()
            )
        ],
        actor=actor,
    )
    return Signed(subscription, secret)


# Inside a transaction -------------------------------------------------------------------------


def _leave_out_unreadable(subscription: Subscription, rights: Rights) -> None:
    """A webhook that was narrowed still has to send what it was wider for; whoever is left with it
    must not lead that to an address of his own."""
    readable = Delivery.objects.filter(told_to_manager(rights, through="event__"))
    pending = subscription.deliveries.filter(
        state__in=[Delivery.State.WAITING, Delivery.State.HELD]
    )
    pending.exclude(pk__in=readable.filter(subscription=subscription).values("pk")).update(
        state=Delivery.State.GIVEN_UP,
        ended_at=timezone.now(),
        reason=_("Left out when the webhook was changed by somebody who may not read it."),
    )


def _fill(subscription: Subscription, settings: SubscriptionSettings, target: Target) -> None:
    scope = settings.where.scope
    subscription.name = settings.name
    subscription.registry, subscription.path = _registry_of(scope), scope.path
    subscription.tag = settings.where.tag
    subscription.topics = [topic.value for topic in settings.topics]
    subscription.form = settings.form.value
    subscription.url, subscription.host = Secret(target.url), target.host
    subscription.team = settings.team


def _require_same_host(before: Target, after: Target) -> None:
    if after.origin != before.origin:
        raise ValidationError(
            {
                "headers": _(
                    "The address moves to another host, and stored headers are not sent there:"
                    " enter them again, or leave them out."
                )
            }
        )


def _registry_of(scope: Scope) -> Registry | None:
    if scope.registry is None:
        return None
    registry = Registry.objects.filter(name=scope.registry).first()
    if registry is None:
        raise ValidationError({"scope": _("There is no registry “%s”.") % scope.registry})
    return registry


def _stored_target(subscription: Subscription) -> Target:
    url = subscription.url.reveal()
    return parse_target(url, allow_http=True) if url else Target("", "", subscription.host)


def _target(url: str) -> Target:
    return parse_target(url, allow_http=allows_http())


def _stored(settings: SubscriptionSettings) -> Secret:
    return Secret(json.dumps(dict(settings.headers)) if settings.headers else "")


def _told(subscription: Subscription) -> dict[str, str]:
    """What the audit log keeps of it: of the address only the host, of headers nothing."""
    tag = f":{subscription.tag}" if subscription.tag else ""
    return {
        "name": subscription.name,
        "where": f"{subscription.scope}{tag}",
        "topics": " ".join(subscription.topics),
        "payload": str(subscription.form),
        "host": subscription.host,
        "team": subscription.team.name if subscription.team else "",
    }


def _changed_secrets(
    settings: SubscriptionSettings, before: Target, after: Target
) -> dict[str, str]:
    """That they changed, and not how."""
    changed = {}
    if before.url != after.url:
        changed["address"] = "changed"
    if settings.headers is not None:
        changed["headers"] = "changed" if settings.headers else "left out"
    return changed


def _emit_change(
    subscription: Subscription, before: dict[str, str], after: dict[str, str], actor: Actor
) -> None:
    names = [name for name in after if after[name] != before.get(name)]
    if names:
        old = {name: before[name] for name in names if name in before}
        new = {name: after[name] for name in names}
        emit(
            [
                SubscriptionChanged(
                    subscription.registry_name, timezone.now(), before["name"], old, new
                )
            ],
            actor=actor,
        )

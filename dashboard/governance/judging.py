"""Whether a thing makes sense by itself, judged by what the actions judge by; and its stored form.

Pure: nothing here asks a database or a network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError

from access.models import Team
from access.roles import BUILT_IN
from access.scopes import Scope
from access.trust_rules import Terms, require_sense
from dashboard.governance.document import Item
from dashboard.governance.problems import Problem
from dashboard.governance.sections import MIRRORS, REGISTRIES, ROLES, TRUST_RULES, WEBHOOKS
from registries import registry_settings
from registries.mirroring import mirrors
from registries.models import Registry
from registries.registry_settings import RegistrySettings
from webhooks import subscription_settings
from webhooks.catalog import Topic
from webhooks.models import Subscription
from webhooks.subscription_settings import SubscriptionSettings, Where

# What a setting is called here -> there.
_CALLED = {"repositories": "repository_names", "sync_every": "sync_interval"}
_HERE = {there: here for here, there in _CALLED.items()}
_SECRETS = ("password", "api_secret")
MINUTE = timedelta(minutes=1)


def judged(item: Item) -> Item:
    """The thing in its stored form; raises ValidationError, by the field's name where it is one's."""
    judge = _JUDGES.get(item.section.name)
    return judge(item) if judge else item


def problems_of(item: Item, error: ValidationError) -> list[Problem]:
    """An action's refusal, at the place in the file that it is about."""
    if not hasattr(error, "error_dict"):
        return [item.problem(" ".join(error.messages))]
    told = []
    for name, messages in error.message_dict.items():
        field = _HERE.get(name, name)
        known = field if field in item.section.by_name else ""
        told.append(item.problem(" ".join(messages), known))
    return told


# What actions take ----------------------------------------------------------------------------


def settings_of(
    item: Item, *, password: str | None = None, api_secret: str | None = None
) -> RegistrySettings:
    """A registry as its action takes it."""
    values = {
        _CALLED.get(name, name): value
        for name, value in item.values.items()
        if name not in _SECRETS
    }
    return RegistrySettings(**values, password=password, api_secret=api_secret)


def terms_of(item: Item) -> Terms:
    """A trust rule's terms."""
    values = item.values
    return Terms(
        issuer=values["issuer"],
        audience=values["audience"],
        subject=values["subject"],
        lifetime_minutes=values["lifetime"] // MINUTE,
        allow_private=values["allow_private"],
        ca_certificate=values["ca_certificate"],
    )


def subscription_of(
    item: Item,
    *,
    url: str | None = None,
    headers: dict[str, str] | None = None,
    team: Team | None = None,
) -> SubscriptionSettings:
    """A webhook as its action takes it."""
    values = item.values
    return SubscriptionSettings(
        name=values["name"],
        where=Where.parse(values["where"]),
        topics=tuple(Topic(text) for text in values["topics"]),
        form=Subscription.Form(values["payload"]),
        url=url,
        headers=headers,
        team=team,
    )


# What is judged -------------------------------------------------------------------------------


def _registry(item: Item) -> Item:
    clean = registry_settings.cleaned(settings_of(item))
    values: dict[str, Any] = {
        name: getattr(clean, _CALLED.get(name, name))
        for name in item.values
        if name not in _SECRETS
    }
    values["options"] = dict(sorted(clean.options.items()))
    return replace(item, values={**item.values, **values})


def _role(item: Item) -> Item:
    if item.values["name"] in {role.name for role in BUILT_IN}:
        raise ValidationError(
            {"name": "This role is built in, and the same everywhere: leave it out."}
        )
    return item


def _mirror(item: Item) -> Item:
    source, target = (Scope.parse(item.values[end]) for end in ("source", "target"))
    rows = {name: Registry(name=name) for name in (source.registry, target.registry) if name}
    settings = mirrors.MirrorSettings(
        source=rows[source.registry or ""],
        source_path=source.path,
        target=rows[target.registry or ""],
        target_path=target.path,
        tags=item.values["tags"],
    )
    return replace(item, values={**item.values, "tags": mirrors.cleaned(settings).tags})


def _trust_rule(item: Item) -> Item:
    if item.values["lifetime"] % MINUTE:
        raise ValidationError({"lifetime": "In whole minutes."})
    require_sense(terms_of(item))
    return item


def _webhook(item: Item) -> Item:
    subscription_settings.cleaned(subscription_of(item))
    return replace(item, values={**item.values, "name": item.values["name"].strip()})


_JUDGES: dict[str, Callable[[Item], Item]] = {
    REGISTRIES.name: _registry,
    ROLES.name: _role,
    MIRRORS.name: _mirror,
    TRUST_RULES.name: _trust_rule,
    WEBHOOKS.name: _webhook,
}

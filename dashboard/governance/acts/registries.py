"""Registries, mirrors and admin accounts. Who may is judged here, as the screens do it in theirs:
the actions of registries know no people."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.views.decorators.debug import sensitive_variables

from access import admin_accounts
from access.actions import Action
from access.scopes import EVERYTHING, Scope
from dashboard.governance.acts.hands import Hands
from dashboard.governance.changes import Change, Verb
from dashboard.governance.judging import settings_of
from dashboard.governance.secrets import Resolver
from registries.connections import (
    RegistryBusyError,
    change_registry,
    change_unproved,
    connect_registry,
    connect_unproved,
    needs_check,
    remove_registry,
)
from registries.mirroring.mirrors import MirrorSettings, create_mirror, remove_mirror
from registries.registry_settings import RegistrySettings

# What may change without anything being dialled otherwise, so that no secret is needed.
_NOT_DIALLED = {"public_host", "sync_every"}


def wanted_settings(change: Change, secrets: Resolver) -> RegistrySettings:
    """A registry's settings; its secrets among them, as far as the change needs any. A stored one is
    not sent to another address, but the same one from the file is. Raises MissingSecret."""
    said = change.item.values
    names = {one.name for one in change.fields}
    needs = change.verb is Verb.CREATE or bool(names - _NOT_DIALLED)
    return settings_of(
        change.item,
        password=secrets(said["password"]) if needs and "password" in said else None,
        api_secret=secrets(said["api_secret"]) if needs and "api_secret" in said else None,
    )


@sensitive_variables()
def registry(change: Change, hands: Hands) -> None:
    name = change.item.key[0]
    check = hands.checks.get(name)
    if change.verb is Verb.CREATE:
        hands.rights.require(Action.REGISTRY_MANAGE, EVERYTHING)
        if check is not None:
            connect_registry(check=check, actor=hands.actor)
        else:
            connect_unproved(settings=wanted_settings(change, hands.secrets), actor=hands.actor)
        return
    hands.rights.require(Action.REGISTRY_MANAGE, Scope(name))
    row = hands.registry(name)
    if change.verb is Verb.DELETE:
        try:
            remove_registry(registry=row, actor=hands.actor)
        except RegistryBusyError:
            raise ValidationError(
                "A sync of it is running: stop that first, then remove it."
            ) from None
        return
    settings = wanted_settings(change, hands.secrets)
    if check is not None or not needs_check(row, settings):
        change_registry(registry=row, settings=settings, check=check, actor=hands.actor)
    else:
        change_unproved(registry=row, settings=settings, actor=hands.actor)


def mirror(change: Change, hands: Hands) -> None:
    source, target = (Scope.parse(change.item.values[end]) for end in ("source", "target"))
    for end in (source, target):
        hands.rights.require(Action.REGISTRY_MANAGE, Scope(end.registry))
    if change.verb is Verb.DELETE:
        assert change.row is not None  # noqa: S101  what is removed is there
        remove_mirror(change.row.held, actor=hands.actor)
        return
    settings = MirrorSettings(
        source=hands.registry(source.registry or ""),
        source_path=source.path,
        target=hands.registry(target.registry or ""),
        target_path=target.path,
        tags=change.item.values["tags"],
    )
    create_mirror(settings, actor=hands.actor)


def admin_account(change: Change, hands: Hands) -> None:
    row = hands.registry(change.item.key[0])
    on = change.verb is not Verb.DELETE and change.item.values["enabled"]
    switch = admin_accounts.switch_on if on else admin_accounts.switch_off
    switch(row, rights=hands.rights, actor=hands.actor)

"""Connecting, changing and removing registries. Form, command and API call these and decide nothing.

A connection is stored only together with the check that proved it (registries/connection_checks.py), so
nothing is ever half-saved.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from registries.actor import Actor
from registries.connection_checks import ConnectionCheck
from registries.connection_secrets import (
    api_secret_for,
    is_empty,
    password_for,
    store_credentials,
)
from registries.events import RegistryChanged, RegistryConnected, RegistryRemoved, emit
from registries.models import ApiCredential, Registry, RegistryCredential
from registries.registry_settings import RegistrySettings, cleaned, differences
from registries.transactions import durable

# What the client needs to know; a change of anything else needs no new check.
_DIALLED = (
    "url",
    "kind",
    "options",
    "allow_private",
    "ca_certificate",
    "repository_names",
    "username",
    "api_username",
)
_PLAIN = (
    "url",
    "kind",
    "options",
    "public_host",
    "allow_private",
    "ca_certificate",
    "repository_names",
    "sync_interval",
)

# Who connects usually starts the first sync, too (the screen does, and a script's next line is
# `manage.py sync`); the schedule steps in when nobody did, and does not take it from under them.
HEAD_START = timedelta(minutes=1)

# Children before parents. Django's own cascade would load a million rows to delete them.
_REMOVE = (
    (
        "DELETE FROM registries_tag t USING registries_repository r"
        " WHERE t.repository_id = r.id AND r.registry_id = %s"
    ),
    "DELETE FROM registries_tagmove WHERE registry_id = %s",
    (
        "DELETE FROM registries_artifact a USING registries_repository r"
        " WHERE a.repository_id = r.id AND r.registry_id = %s"
    ),
    "DELETE FROM registries_repository WHERE registry_id = %s",
    "DELETE FROM registries_namespace WHERE registry_id = %s",
)


class NotProvedError(Exception):
    """The check of a connection did not pass, so it is not stored."""


class RegistryBusyError(Exception):
    """A sync of the registry is running; it writes rows that the removal would take away."""


def settings_of(registry: Registry) -> RegistrySettings:
    """A stored registry as its owner described it; the password stays where it is."""
    credential = RegistryCredential.objects.filter(registry=registry).only("username").first()
    api = ApiCredential.objects.filter(registry=registry).only("username").first()
    return RegistrySettings(
        name=registry.name,
        username=credential.username if credential else "",
        api_username=api.username if api else "",
        **{name: getattr(registry, name) for name in _PLAIN if name != "repository_names"},
        repository_names=tuple(registry.repository_names),
    )


def needs_check(registry: Registry, settings: RegistrySettings) -> bool:
    """Whether these settings change what is dialled, or how."""
    before = settings_of(registry)
    return bool(settings.password or settings.api_secret) or any(
        getattr(before, name) != getattr(settings, name) for name in _DIALLED
    )


@durable
def connect_registry(*, check: ConnectionCheck, actor: Actor) -> Registry:
    """Store a connection that was tried out; its first sync is due within a minute.

    Raises NotProvedError if the check failed, ValidationError if the name is taken.
    """
    return _insert(_proved(check), actor)


@durable
def connect_unproved(*, settings: RegistrySettings, actor: Actor) -> Registry:
    """Store a connection that nobody tried out: one from a file whose secrets are not there yet, or
    whose registry is away. Its first sync says what is missing.

    Raises ValidationError for settings that make no sense, an unknown kind among them, and if the
    name is taken.
    """
    settings = cleaned(settings)
    if not settings.kind:
        raise ValidationError({"kind": [_("Say of which kind it is: nobody finds it out.")]})
    return _insert(settings, actor)


def _insert(settings: RegistrySettings, actor: Actor) -> Registry:
    registry = Registry(name=settings.name, **{name: getattr(settings, name) for name in _PLAIN})
    registry.repository_names = list(settings.repository_names)
    registry.next_sync_at = timezone.now() + HEAD_START if settings.sync_interval else None
    try:
        with transaction.atomic():
            registry.save(force_insert=True)
    except IntegrityError:
        raise name_taken(settings.name) from None
    store_credentials(registry, settings)
    emit(
        [RegistryConnected(registry=registry.name, at=timezone.now(), url=registry.url)],
        actor=actor,
    )
    return registry


@durable
def change_registry(
    *,
    registry: Registry,
    settings: RegistrySettings,
    check: ConnectionCheck | None,
    actor: Actor,
) -> Registry:
    """Store changed settings of a registry; its name stays, addresses and scripts rely on it.

    `check` may be None where nothing changes that is dialled (`needs_check`). Raises NotProvedError for
    a missing or failed check, ValidationError for settings that make no sense.
    """
    settings = cleaned(settings)
    registry = Registry.objects.select_for_update().get(pk=registry.pk)
    redial = needs_check(registry, settings)
    if redial and (check is None or _proved(check) != settings):
        raise NotProvedError(
            "Changed settings are stored only after a check of these very settings."
        )
    return _update(registry, settings, redial=redial, actor=actor)


@durable
def change_unproved(*, registry: Registry, settings: RegistrySettings, actor: Actor) -> Registry:
    """Store changed settings that nobody tried out, as `connect_unproved` does; raises
    ValidationError also where a stored secret would be sent elsewhere."""
    settings = cleaned(settings)
    registry = Registry.objects.select_for_update().get(pk=registry.pk)
    if not is_empty(RegistryCredential.objects.filter(registry=registry).first()):
        password_for(settings, registry)
    if not is_empty(ApiCredential.objects.filter(registry=registry).first()):
        api_secret_for(settings, registry)
    return _update(registry, settings, redial=needs_check(registry, settings), actor=actor)


def _update(
    registry: Registry, settings: RegistrySettings, *, redial: bool, actor: Actor
) -> Registry:
    """Store settings in a row that is locked."""
    before = settings_of(registry)
    for name in _PLAIN:
        setattr(registry, name, getattr(settings, name))
    registry.repository_names = list(settings.repository_names)
    registry.next_sync_at = _next_sync(registry, before, redial=redial)
    registry.save(update_fields=[*_PLAIN, "next_sync_at"])
    store_credentials(registry, settings)
    if changes := differences(before, settings):
        emit(
            [RegistryChanged(registry=registry.name, at=timezone.now(), changes=changes)],
            actor=actor,
        )
    return registry


@durable
def remove_registry(*, registry: Registry, actor: Actor) -> None:
    """Forget a registry and everything Portolan knows of it; the registry itself is not touched.

    Raises RegistryBusyError while a sync of it is running.
    """
    registry = Registry.objects.select_for_update().get(pk=registry.pk)
    if registry.runs.active().exists():
        raise RegistryBusyError(registry.name)
    emit(
        [RegistryRemoved(registry=registry.name, at=timezone.now(), url=registry.url)], actor=actor
    )
    with connection.cursor() as cursor:
        for statement in _REMOVE:
            cursor.execute(statement, [registry.pk])
    registry.delete()


def name_taken(name: str) -> ValidationError:
    """The refusal of a name that another registry has."""
    return ValidationError(
        {"name": [_("There is already a registry named “%s”: choose another name.") % name]}
    )


def _proved(check: ConnectionCheck) -> RegistrySettings:
    if not check.passed:
        raise NotProvedError("A connection is stored only after a check that passed.")
    return check.settings


def _next_sync(registry: Registry, before: RegistrySettings, *, redial: bool) -> datetime | None:
    if registry.sync_interval is None:
        return None
    if redial or registry.synced_at is None:
        return timezone.now()
    if registry.sync_interval != before.sync_interval:
        return max(registry.synced_at + registry.sync_interval, timezone.now())
    return registry.next_sync_at

"""Connecting, changing and removing registries. Form, command and API call these and decide nothing.

A connection is stored only together with the check that proved it, so nothing is ever half-saved;
the check talks to the network and therefore happens before, never inside, the transaction.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from registries.actor import Actor
from registries.connectors import CONNECTORS, FALLBACK, CheckStep, Power, connect, detect
from registries.connectors.detection import Found
from registries.events import RegistryChanged, RegistryConnected, RegistryRemoved, emit
from registries.fields import UndecryptableError
from registries.models import ApiCredential, Registry, RegistryCredential
from registries.oci.connection import Connection, InvalidConnection, Limits
from registries.oci.errors import RegistryError
from registries.registry_settings import RegistrySettings, cleaned, differences
from registries.secret import Secret
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

# Somebody waits for the result of a check: one attempt, and no waiting for minutes.
PATIENCE = Limits(
    connect_seconds=8, stall_seconds=15, total_seconds=20, attempts=1, patience_seconds=5
)

# Connections tried out at the same time.
CHECKED_TOGETHER = 8

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


@dataclass(frozen=True, slots=True)
class ConnectionCheck:
    """What trying out these settings showed, step by step.

    In `settings` the kind is known, if any could be told. `powers` says what the credential may do,
    once all went well.
    """

    settings: RegistrySettings
    steps: tuple[CheckStep, ...]
    powers: tuple[Power, ...] = ()

    @property
    def failure(self) -> CheckStep | None:
        """The step that failed first; None when all went well.

        A catalog that cannot be read counts, too, although content could be: Portolan would have
        nothing to show. With repositories given by name the catalog is not tried.
        """
        return next((step for step in self.steps if step.ok is False), None)

    @property
    def passed(self) -> bool:
        return bool(self.steps) and self.failure is None


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


def secrets_given(registry: Registry) -> dict[str, datetime | None]:
    """When the `password` and the `api_secret` were given; None for one that is not there."""
    stored = {
        "password": RegistryCredential.objects.filter(registry=registry).first(),
        "api_secret": ApiCredential.objects.filter(registry=registry).first(),
    }
    return {
        name: None if one is None or _is_empty(one) else one.changed_at
        for name, one in stored.items()
    }


def check_connection(
    settings: RegistrySettings, *, stored: Registry | None = None
) -> ConnectionCheck:
    """Try a connection out: dial it, sign in, read its catalog, and find out its kind where none is
    given. Changes nothing, anywhere.

    `stored` is the registry that is being changed: its password is used where none is given.
    Raises ValidationError for settings that make no sense. What the registry does wrong is no
    exception but a failed step.
    """
    settings = cleaned(settings)
    return asyncio.run(_tried(settings, _connection(settings, stored)))


def check_connections(
    asked: Sequence[tuple[RegistrySettings, Registry | None]],
) -> list[ConnectionCheck | ValidationError]:
    """Try out several at the same time, each as `check_connection` does; what that raises of one is
    in its place."""
    prepared: list[tuple[RegistrySettings, Connection] | ValidationError] = []
    for settings, stored in asked:
        try:
            clean = cleaned(settings)
            prepared.append((clean, _connection(clean, stored)))
        except ValidationError as error:
            prepared.append(error)
    return asyncio.run(_all_tried(prepared))


async def _all_tried(
    prepared: Sequence[tuple[RegistrySettings, Connection] | ValidationError],
) -> list[ConnectionCheck | ValidationError]:
    room = asyncio.Semaphore(CHECKED_TOGETHER)

    async def one(
        given: tuple[RegistrySettings, Connection] | ValidationError,
    ) -> ConnectionCheck | ValidationError:
        if isinstance(given, ValidationError):
            return given
        try:
            async with room:
                return await _tried(*given)
        except ValidationError as error:
            return error

    return list(await asyncio.gather(*(one(given) for given in prepared)))


def needs_check(registry: Registry, settings: RegistrySettings) -> bool:
    """Whether these settings change what is dialled, or how."""
    before = settings_of(registry)
    return bool(settings.password or settings.api_secret) or any(
        getattr(before, name) != getattr(settings, name) for name in _DIALLED
    )


def lacks_secret(settings: RegistrySettings, stored: Registry | None = None) -> bool:
    """Whether a secret that goes with a user name is neither given nor stored, so that nothing can
    be tried out."""
    password = RegistryCredential.objects.filter(registry=stored).first() if stored else None
    api = ApiCredential.objects.filter(registry=stored).first() if stored else None
    return bool(
        (settings.username and not settings.password and _is_empty(password))
        or (settings.api_username and not settings.api_secret and _is_empty(api))
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
    _store_credentials(registry, settings)
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
    if not _is_empty(RegistryCredential.objects.filter(registry=registry).first()):
        _password(settings, registry)
    if not _is_empty(ApiCredential.objects.filter(registry=registry).first()):
        _api_secret(settings, registry)
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
    _store_credentials(registry, settings)
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


async def _with_kind(settings: RegistrySettings, dialled: Connection) -> RegistrySettings:
    """The settings with the kind of what answers there, and the address at which it does.

    Where nothing answers they are plain Distribution's: the check then says what is wrong.
    """
    try:
        found = await detect(dialled)
    except RegistryError:
        found = Found(FALLBACK, settings.url)
    public_host = settings.public_host
    if found.url != settings.url:
        public_host = public_host or settings.url.partition("://")[2]
    settings = replace(settings, kind=found.kind, url=found.url, public_host=public_host)
    return cleaned(settings)


async def _tried(settings: RegistrySettings, dialled: Connection) -> ConnectionCheck:
    if not settings.kind:
        settings = await _with_kind(settings, dialled)
        dialled = replace(dialled, url=settings.url, options=settings.options)
    try:
        steps, powers = await _check(settings, dialled)
    except InvalidConnection as error:  # a setting of its kind that can be none
        raise ValidationError(str(error)) from None
    return ConnectionCheck(settings, tuple(steps), powers)


async def _check(
    settings: RegistrySettings, dialled: Connection
) -> tuple[list[CheckStep], tuple[Power, ...]]:
    async with connect(settings.kind, dialled, settings.repository_names) as connector:
        steps = await connector.check()
        passed = all(step.ok for step in steps)
        return steps, await connector.powers() if passed else ()


def _proved(check: ConnectionCheck) -> RegistrySettings:
    if not check.passed:
        raise NotProvedError("A connection is stored only after a check that passed.")
    return check.settings


def _connection(settings: RegistrySettings, stored: Registry | None) -> Connection:
    return Connection(
        url=settings.url,
        username=settings.username or None,
        password=_password(settings, stored),
        ca_certificate=settings.ca_certificate or None,
        allow_private=settings.allow_private,
        options=settings.options,
        api_username=settings.api_username or None,
        api_secret=_api_secret(settings, stored),
        limits=PATIENCE,
    )


def _password(settings: RegistrySettings, stored: Registry | None) -> str | None:
    """The password to sign in with: the given one, or the stored one where it may be used."""
    if not settings.username:
        return None
    if settings.password:
        return settings.password
    credential = RegistryCredential.objects.filter(registry=stored).first() if stored else None
    if stored is None or credential is None or _is_empty(credential):
        raise ValidationError({"password": [_("Give the password of this user.")]})
    if credential.username != settings.username or _goes_elsewhere(settings, stored):
        raise ValidationError(
            {
                "password": [
                    _(
                        "Enter the password again: a stored one is not sent to another address,"
                        " with another user name or under other settings of its kind."
                    )
                ]
            }
        )
    return credential.secret.reveal()


def _api_secret(settings: RegistrySettings, stored: Registry | None) -> str | None:
    """The secret for the vendor's API, if there is one, under the same rule as the password."""
    if settings.api_secret:
        return settings.api_secret
    credential = ApiCredential.objects.filter(registry=stored).first() if stored else None
    if stored is None or credential is None or _is_empty(credential):
        if settings.api_username:
            raise ValidationError({"api_secret": [_("Give the secret that goes with it.")]})
        return None
    if credential.username != settings.api_username or _goes_elsewhere(settings, stored):
        raise ValidationError(
            {
                "api_secret": [
                    _(
                        "Enter the secret again: a stored one is not sent to another address, with"
                        " another user name or under other settings of its kind."
                    )
                ]
            }
        )
    return credential.secret.reveal()


def _is_empty(credential: RegistryCredential | ApiCredential | None) -> bool:
    """Whether there is no secret: none at all, or a user name from a file that had none."""
    try:
        return credential is None or not credential.secret
    except UndecryptableError:  # there is one, for who has the key
        return False


def _goes_elsewhere(settings: RegistrySettings, stored: Registry) -> bool:
    """Whether a stored secret would be sent to another place than it was given for.

    Else whoever may edit an address could have the secret, which is never shown, sent to a host of
    his own. A kind's options name hosts, too.
    """
    before = (stored.url, stored.kind, stored.options)
    return (settings.url, settings.kind, settings.options) != before


def _store_credentials(registry: Registry, settings: RegistrySettings) -> None:
    """A user name whose secret is not there is stored with an empty one, until that is entered."""
    password = RegistryCredential.objects.filter(registry=registry).first()
    if not settings.username:
        RegistryCredential.objects.filter(registry=registry).delete()
    elif settings.password or _is_empty(password):
        RegistryCredential(
            registry=registry,
            username=settings.username,
            secret=Secret(settings.password or ""),
            changed_at=timezone.now(),
        ).save()
    api = ApiCredential.objects.filter(registry=registry).first()
    if not _has_second_credential(settings.kind):
        ApiCredential.objects.filter(registry=registry).delete()
    elif settings.api_secret or (settings.api_username and _is_empty(api)):
        ApiCredential(
            registry=registry,
            username=settings.api_username,
            secret=Secret(settings.api_secret or ""),
            changed_at=timezone.now(),
        ).save()


def _has_second_credential(kind: str) -> bool:
    return any(field.is_secret for field in CONNECTORS[kind].fields)


def _next_sync(registry: Registry, before: RegistrySettings, *, redial: bool) -> datetime | None:
    if registry.sync_interval is None:
        return None
    if redial or registry.synced_at is None:
        return timezone.now()
    if registry.sync_interval != before.sync_interval:
        return max(registry.synced_at + registry.sync_interval, timezone.now())
    return registry.next_sync_at

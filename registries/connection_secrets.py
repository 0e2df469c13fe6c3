"""The secrets of a registry's connection: which one signs in, and where a stored one never goes."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from registries.connectors import CONNECTORS
from registries.fields import UndecryptableError
from registries.models import ApiCredential, Registry, RegistryCredential
from registries.registry_settings import RegistrySettings
from registries.secret import Secret


def secrets_given(registry: Registry) -> dict[str, datetime | None]:
    """When the `password` and the `api_secret` were given; None for one that is not there."""
    stored = {
        "password": RegistryCredential.objects.filter(registry=registry).first(),
        "api_secret": ApiCredential.objects.filter(registry=registry).first(),
    }
    return {
        name: None if one is None or is_empty(one) else one.changed_at
        for name, one in stored.items()
    }


def lacks_secret(settings: RegistrySettings, stored: Registry | None = None) -> bool:
    """Whether a secret that goes with a user name is neither given nor stored, so that nothing can
    be tried out."""
    password = RegistryCredential.objects.filter(registry=stored).first() if stored else None
    api = ApiCredential.objects.filter(registry=stored).first() if stored else None
    return bool(
        (settings.username and not settings.password and is_empty(password))
        or (settings.api_username and not settings.api_secret and is_empty(api))
    )


def password_for(settings: RegistrySettings, stored: Registry | None) -> str | None:
    """The password to sign in with: the given one, or the stored one where it may be used."""
    if not settings.username:
        return None
    if settings.password:
        return settings.password
    credential = RegistryCredential.objects.filter(registry=stored).first() if stored else None
    if stored is None or credential is None or is_empty(credential):
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


def api_secret_for(settings: RegistrySettings, stored: Registry | None) -> str | None:
    """The secret for the vendor's API, if there is one, under the same rule as the password."""
    if settings.api_secret:
        return settings.api_secret
    credential = ApiCredential.objects.filter(registry=stored).first() if stored else None
    if stored is None or credential is None or is_empty(credential):
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


def is_empty(credential: RegistryCredential | ApiCredential | None) -> bool:
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


def store_credentials(registry: Registry, settings: RegistrySettings) -> None:
    """A user name whose secret is not there is stored with an empty one, until that is entered."""
    password = RegistryCredential.objects.filter(registry=registry).first()
    if not settings.username:
        RegistryCredential.objects.filter(registry=registry).delete()
    elif settings.password or is_empty(password):
        RegistryCredential(
            registry=registry,
            username=settings.username,
            secret=Secret(settings.password or ""),
            changed_at=timezone.now(),
        ).save()
    api = ApiCredential.objects.filter(registry=registry).first()
    if not _has_second_credential(settings.kind):
        ApiCredential.objects.filter(registry=registry).delete()
    elif settings.api_secret or (settings.api_username and is_empty(api)):
        ApiCredential(
            registry=registry,
            username=settings.api_username,
            secret=Secret(settings.api_secret or ""),
            changed_at=timezone.now(),
        ).save()


def _has_second_credential(kind: str) -> bool:
    return any(field.is_secret for field in CONNECTORS[kind].fields)

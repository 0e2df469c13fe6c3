"""A text column whose content is encrypted at rest and never shown by accident.

Stored form: `v1:<key id>:<nonce and ciphertext in base64>`, AES-256-GCM, with table, column and
row as associated data: a ciphertext copied into another row or column does not open there.
Keys come from settings.ENCRYPTION_KEYS (id -> 32 bytes); the first encrypts, any decrypts.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import FieldError
from django.db import models
from django.utils.translation import gettext_lazy as _

from registries.secret import Secret

if TYPE_CHECKING:
    Field = models.Field["Secret | str", Secret]
else:  # generic to the type checker only
    Field = models.Field

NONCE_BYTES = 12  # what GCM is made for


class UndecryptableError(Exception):
    """A stored secret does not open: its key is not configured, or its row was tampered with."""


def encrypt(text: str, *, context: str) -> str:
    """The stored form of `text`, bound to `context` (table:column:row)."""
    key_id, key = next(iter(settings.ENCRYPTION_KEYS.items()))
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + AESGCM(key).encrypt(nonce, text.encode(), context.encode())
    return f"v1:{key_id}:{base64.b64encode(sealed).decode()}"


def decrypt(stored: str, *, context: str) -> str:
    """The text of a stored form; raises UndecryptableError, naming the key but nothing secret."""
    version, _, rest = stored.partition(":")
    key_id, _, encoded = rest.partition(":")
    key = settings.ENCRYPTION_KEYS.get(key_id)
    if version != "v1" or key is None:
        raise UndecryptableError(
            f"The secret in {context} was encrypted with key {key_id!r}: add it to ENCRYPTION_KEYS."
        )
    try:
        sealed = base64.b64decode(encoded, validate=True)
        opened = AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context.encode())
    except (binascii.Error, InvalidTag, ValueError) as error:
        raise UndecryptableError(
            f"The secret in {context} does not open with key {key_id!r}: it was damaged, or moved"
            " here from another row. Enter it again."
        ) from error
    return opened.decode()


class EncryptedTextField(Field):
    """Holds a Secret. The row's primary key must be known before it is saved."""

    description = _("Encrypted text")
    # What may be set and what is got, for the type checker's Django plugin.
    _pyi_private_set_type: Secret | str
    _pyi_private_get_type: Secret

    def get_internal_type(self) -> str:
        return "TextField"

    def pre_save(self, model_instance: models.Model, add: bool) -> str:  # noqa: ARG002  Django's signature
        value = getattr(model_instance, self.attname)
        text = value.reveal() if isinstance(value, Secret) else str(value)
        return encrypt(text, context=self.context_of(model_instance))

    def contribute_to_class(
        self,
        cls: type[models.Model],
        name: str,
        private_only: bool = False,
    ) -> None:
        super().contribute_to_class(cls, name, private_only)
        setattr(cls, self.attname, _Opened(self))

    def context_of(self, instance: models.Model) -> str:
        if instance.pk is None:
            raise FieldError(
                "Save the row before its secret: the secret is bound to the row's key."
            )
        return f"{instance._meta.db_table}:{self.column}:{instance.pk}"

    def get_lookup(self, lookup_name: str) -> None:
        raise FieldError(f"{self.name} is encrypted and cannot be searched by {lookup_name!r}.")


class _Opened:
    """The attribute: decrypts what came from the database when it is first read, not before."""

    def __init__(self, field: EncryptedTextField) -> None:
        self.field = field

    def __get__(self, instance: models.Model | None, owner: type[models.Model]) -> Any:
        if instance is None:
            return self
        value = instance.__dict__.get(self.field.attname)
        if isinstance(value, str) and not instance._state.adding:
            value = Secret(decrypt(value, context=self.field.context_of(instance)))
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value

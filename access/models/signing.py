"""Keys of the token server."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registries.fields import EncryptedTextField


class SigningKey(models.Model):
    """An ES256 key that registries trust through its certificate.

    It is published before it signs (registries must have read it by then), and stays published for
    a while after another one took over.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kid = models.CharField(
        max_length=64, unique=True, help_text=_("libtrust fingerprint; the JWKS uses the same.")
    )
    private_key = EncryptedTextField(_("private key"))
    certificate = models.TextField(_("certificate"))
    created_at = models.DateTimeField(default=timezone.now)
    signs_from = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-signs_from",)
        verbose_name = _("signing key")
        verbose_name_plural = _("signing keys")

    def __str__(self) -> str:
        return self.kid

"""What vendors tell of their registries besides content, as it was told last."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from registries.connectors.reports import Report
from registries.models.registry import Registry


class RegistryReport(models.Model):
    """A vendor's answers about usage, access and webhooks; with a problem, those from before it.

    It holds no secrets: addresses of webhooks are stored as hosts.
    """

    registry = models.OneToOneField(
        Registry, models.CASCADE, primary_key=True, related_name="report"
    )
    data = models.JSONField(_("what was told"), default=dict)
    read_at = models.DateTimeField(_("asked"), default=timezone.now)
    told_at = models.DateTimeField(_("told"), null=True, blank=True)
    problem = models.TextField(_("why it could not be read"), blank=True)

    class Meta:
        verbose_name = _("report of a registry")
        verbose_name_plural = _("reports of registries")

    def __str__(self) -> str:
        return f"what is told of {self.registry_id}"

    @property
    def report(self) -> Report:
        """The values it was made from."""
        return Report.from_json(self.data)

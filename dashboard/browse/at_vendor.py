"""What a vendor tells of a registry, as screens and API show it: the report, and what can be done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import Http404
from django.utils.translation import gettext as _

from registries import reports
from registries.connectors import CONNECTORS, Ability, Connector
from registries.connectors.reports import NativeWebhook, Report
from registries.models import Registry, RegistryReport
from webhooks.inbound.native import name_at_vendor


@dataclass(frozen=True, slots=True)
class Told:
    """What was told last of a registry; `stored` is None before the first time."""

    registry: Registry
    kind: type[Connector]
    stored: RegistryReport | None
    report: Report

    @property
    def has_webhooks(self) -> bool:
        """Whether webhooks there are set up by an API."""
        return Ability.WEBHOOKS in self.kind.abilities

    @property
    def notifies(self) -> bool:
        """Whether the webhook that Portolan sets up is there."""
        return any(self.is_ours(webhook) for webhook in self.report.webhooks)

    def is_ours(self, webhook: NativeWebhook) -> bool:
        """Whether Portolan set it up, by its name; some vendors take no dashes."""
        return webhook.name.replace("-", "") == name_at_vendor(self.registry).replace("-", "")

    def remedy_for(self, code: str) -> str:
        """The words for what can be done now about a warning; empty for nothing."""
        return self.kind.remedies.get(code, "") if code in self.report.offers else ""

    def offers(self) -> Iterator[tuple[str, str]]:
        """What can be done now that no warning is about: its code and words."""
        warned = {warning.code for warning in self.report.warnings}
        for code in self.report.offers:
            if code not in warned and (words := self.remedy_for(code)):
                yield code, words

    def webhook_or_404(self, webhook_id: str) -> NativeWebhook:
        """A webhook that was told of; raises Http404 for any other, so that none is guessed at."""
        for webhook in self.report.webhooks:
            if webhook.id == webhook_id:
                return webhook
        raise Http404(_("The registry has no such webhook."))


def told_or_404(registry: Registry) -> Told:
    """Raises Http404 for a registry whose vendor tells nothing."""
    require_telling(registry)
    stored = RegistryReport.objects.filter(registry=registry).first()
    report = stored.report if stored else Report()
    return Told(registry, CONNECTORS[registry.kind], stored, report)


def require_telling(registry: Registry) -> None:
    """Raises Http404 for a registry whose vendor tells nothing."""
    if not reports.tells(registry):
        raise Http404(_("Registries of this kind tell nothing besides their content."))

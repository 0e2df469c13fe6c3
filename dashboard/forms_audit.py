"""What the audit log may be filtered by, as the address has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from access.audit import TARGETS, name_of

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from access.models import AuditEntry

WAYS = [
    ("browser", _("browser")),
    ("api", _("REST API")),
    ("docker", _("docker")),
    ("shell", _("shell")),
    ("system", _("Portolan itself")),
]
EVENTS = sorted(name_of(event) for event in TARGETS)
_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


def _text(label: Any, longest: int, **attrs: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=longest,
        widget=forms.TextInput(attrs={**_PLAIN, **attrs}),
    )


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class AuditFilter(forms.Form):
    """Every field narrows; one that makes no sense narrows nothing, and says so."""

    target = _text(_("About (a part of it)"), 255)
    actor = _text(_("Who"), 255)
    event = forms.ChoiceField(
        label=_("What"),
        required=False,
        choices=[("", _("anything")), *((event, event) for event in EVENTS)],
    )
    registry = _text(_("Registry"), 63, list="registries")
    way = forms.ChoiceField(label=_("By way of"), required=False, choices=[("", _("any")), *WAYS])
    since = _day(_("From"))
    until = _day(_("To"))

    def narrow(self, entries: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Those of the entries that pass. Days are whole and in UTC, as everything in the log."""
        self.is_valid()
        return narrowed(entries, self.cleaned_data)

    @property
    def problems(self) -> list[str]:
        """What was not understood, a sentence each."""
        return [
            f"{self.fields[name].label}: {error}"
            for name, errors in self.errors.items()
            for error in errors
        ]

    @property
    def is_on(self) -> bool:
        """Whether anything is filtered by."""
        self.is_valid()
        return any(self.cleaned_data.values())


def narrowed(entries: QuerySet[AuditEntry], wanted: Mapping[str, Any]) -> QuerySet[AuditEntry]:
    """Those that pass a filter's values, under its fields' names."""
    for name, lookup in _LOOKUPS.items():
        if value := wanted.get(name):
            entries = entries.filter(**{lookup: value})
    if day := wanted.get("since"):
        entries = entries.filter(at__gte=datetime.combine(day, time.min, UTC))
    if day := wanted.get("until"):
        entries = entries.filter(at__lte=datetime.combine(day, time.max, UTC))
    return entries


# Parts of a target are found by its trigram index, which LIKE uses and upper() would not.
_LOOKUPS = {
    "target": "target__contains",
    "actor": "actor_label",
    "event": "event",
    "registry": "registry",
    "way": "way",
}

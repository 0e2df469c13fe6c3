"""What the credential board may be filtered by, as the address has it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from access.models import Credential
from access.models.credentials import CredentialQuerySet

_PLAIN = {"autocomplete": "off", "spellcheck": "false"}


def _days(label: Any, *days: tuple[int, Any]) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label,
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", _("whenever")), *days],
    )


class CredentialFilter(forms.Form):
    """Every field narrows; one that makes no sense narrows nothing, and says so."""

    q = forms.CharField(
        label=_("Owner, name or key id"),
        required=False,
        max_length=150,
        widget=forms.TextInput(attrs=_PLAIN),
    )
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", _("any")), *Credential.Kind.choices]
    )
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("live")),
            ("off", _("live, owner switched off")),
            ("expired", _("ended")),
            ("revoked", _("revoked")),
            ("all", _("all")),
        ],
    )
    ending = _days(
        _("Ends"),
        (7, _("within 7 days")),
        (30, _("within 30 days")),
        (90, _("within 90 days")),
    )
    unused = _days(
        _("Not used"),
        (30, _("for 30 days")),
        (90, _("for 90 days")),
        (180, _("for 180 days")),
        (365, _("for a year")),
    )

    def narrow(self, found: CredentialQuerySet, now: datetime) -> CredentialQuerySet:
        """Those that pass."""
        self.is_valid()
        return narrowed(found, self.cleaned_data, now)

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


def narrowed(
    found: CredentialQuerySet, wanted: Mapping[str, Any], now: datetime
) -> CredentialQuerySet:
    """Those that pass a filter's `q`, `kind`, `state`, `ending` and `unused` (in days)."""
    if text := wanted.get("q"):
        found = found.naming(text)
    if kind := wanted.get("kind"):
        found = found.filter(kind=kind)
    if days := wanted.get("ending"):
        found = found.ending_by(now + timedelta(days=days))
    if days := wanted.get("unused"):
        found = found.unused_since(now - timedelta(days=days))
    return _in_state(found, wanted.get("state", ""), now)


def _in_state(found: CredentialQuerySet, state: str, now: datetime) -> CredentialQuerySet:
    match state:
        case "off":
            return found.live(now).filter(is_off=True)
        case "expired":
            return found.expired(now)
        case "revoked":
            return found.revoked()
        case "all":
            return found
        case _:
            return found.live(now)

"""The filter of a registry's notifications."""

from __future__ import annotations

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from webhooks.models import Notification


class NotificationFilter(forms.Form):
    """By what became of them. A value that there is not filters nothing."""

    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[("", _("all")), *Notification.State.choices],
    )

    def narrow(self, rows: QuerySet[Notification]) -> QuerySet[Notification]:
        return rows.filter(state=self.wanted) if self.wanted else rows

    @property
    def wanted(self) -> str:
        """The one that was asked for, empty for all."""
        return str(self.cleaned_data.get("state", "")) if self.is_valid() else ""

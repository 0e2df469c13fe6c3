"""Forms about machines and their secrets. They turn what was typed into values; actions judge them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dashboard.forms_access import LastDayField, choose

_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
# How long a replaced secret works on, in hours; a day is what deployments take.
OVERLAPS = [
    (0, _("not at all: it ends now")),
    (1, _("an hour")),
    (24, _("a day")),
    (168, _("a week")),
]


class MachineFilterForm(forms.Form):
    """Which machines to list."""

    q = forms.CharField(label=_("Name or description"), required=False, max_length=63)
    team = forms.ChoiceField(label=_("Owning team"), required=False)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("any")),
            ("enabled", _("enabled")),
            ("disabled", _("switched off")),
            ("ending", _("a secret ends within 30 days")),
            ("none", _("without a live secret")),
        ],
    )

    def __init__(self, *args: Any, teams: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self.fields["team"], [("", gettext("any team")), *((name, name) for name in teams)])

    @property
    def is_on(self) -> bool:
        return any(self.cleaned_data.values()) if self.is_valid() else False


class MachineForm(forms.Form):
    """A machine. `stored` is whether it is there already: then its name stays."""

    name = forms.CharField(
        label=_("Name"),
        max_length=63,
        help_text=_("Lower-case letters, digits and hyphens; it is the machine’s user name."),
        widget=forms.TextInput(attrs=_PLAIN),
    )
    description = forms.CharField(
        label=_("What it is"),
        max_length=255,
        required=False,
        help_text=_("Such as “builds of the shop, on the Jenkins in Basel”."),
    )
    team = forms.ChoiceField(
        label=_("Owning team"),
        required=False,
        help_text=_("Its maintainers keep the machine running, whoever comes and goes."),
    )

    def __init__(
        self,
        *args: Any,
        teams: Iterable[str],
        needs_team: bool,
        stored: bool = False,
        may_move: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        nobody = [] if needs_team else [("", gettext("no team: only who owns everything"))]
        choose(self.fields["team"], [*nobody, *((name, name) for name in teams)])
        self.fields["team"].required = needs_team
        if stored:
            self.fields["name"].disabled = True
            self.fields["name"].help_text = _("Grants and sign-ins rely on it: it stays as it is.")
        if not may_move:
            self.fields["team"].disabled = True
            self.fields["team"].help_text = _(
                "Giving it away takes who could grant all that the machine may do."
            )


class SecretForm(forms.Form):
    """A new secret."""

    label = forms.CharField(
        label=_("What for"),
        max_length=63,
        required=False,
        help_text=_("Where it will be kept, so that you find it when it ends."),
    )
    expires_at = LastDayField(
        label=_("Last day"), required=False, help_text=_("Leave empty for no end.")
    )


class RotateForm(forms.Form):
    """A new secret in the place of an old one."""

    expires_at = LastDayField(
        label=_("Last day of the new one"), required=False, help_text=_("Leave empty for no end.")
    )
    overlap = forms.TypedChoiceField(
        label=_("The old one works on for"),
        choices=OVERLAPS,
        coerce=lambda hours: timedelta(hours=int(hours)),
        help_text=_("Time to put the new one in place."),
    )


class EndForm(forms.Form):
    expires_at = LastDayField(
        label=_("Last day"), help_text=_("An end can come closer, and never go further away.")
    )

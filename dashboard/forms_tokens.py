"""The form of a personal access token: what it is for, how long it lives, how little it may do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from access.actions import Action
from access.scopes import Scope
from dashboard.forms_access import LastDayField, LinesField, ScopeField, choose, picker

USUAL_DAYS = 30


class TokenForm(forms.Form):
    """`actions` are those that its maker may do anywhere: others make no sense in it."""

    label = forms.CharField(
        label=_("What for"),
        max_length=63,
        help_text=_("Such as “laptop” or “release script”: so that you know it when it ends."),
    )
    expires_at = LastDayField(label=_("Last day"))
    actions = forms.MultipleChoiceField(
        label=_("What it may do"), required=False, widget=forms.CheckboxSelectMultiple
    )
    scope = ScopeField(
        label=_("Where"),
        required=False,
        help_text=_("REGISTRY, REGISTRY/team-a/* or REGISTRY/team-a/app; empty for everywhere."),
        widget=picker("scope"),
    )
    scopes = LinesField(ScopeField(), label=_("And on these, one a line"))

    def __init__(self, *args: Any, actions: Iterable[Action], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self.fields["actions"], [(action.text, action.label) for action in actions])
        end = self.fields["expires_at"]
        end.help_text = gettext("At most %d days ahead.") % settings.PERSONAL_TOKEN_MAX_DAYS
        end.widget.attrs["max"] = farthest_day().isoformat()

    @property
    def chosen(self) -> list[Action]:
        return [Action.parse(text) for text in self.cleaned_data["actions"]]

    @property
    def limits(self) -> list[Scope]:
        first, more = self.cleaned_data["scope"], self.cleaned_data["scopes"]
        return list(dict.fromkeys([*([first] if first else []), *more]))

    @property
    def has_more(self) -> bool:
        """Whether there is anything to see in what is folded away."""
        return bool(self["scopes"].value() or self["scopes"].errors)


def farthest_day() -> date:
    """The last day that is whole within the setting."""
    return timezone.localdate() + timedelta(days=settings.PERSONAL_TOKEN_MAX_DAYS - 1)


def usual_day() -> date:
    return min(timezone.localdate() + timedelta(days=USUAL_DAYS), farthest_day())

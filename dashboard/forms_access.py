"""Forms about roles and grants. They turn what was typed into values; actions judge them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from access.actions import Action
from access.models import Role
from access.principals import Principal
from access.scopes import InvalidScope, Scope

REASON_LENGTH = 255
# One form makes at most so many grants, which is one transaction.
BULK_LIMIT = 500
_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


def picker(kind: str) -> forms.TextInput:
    """A text field with suggestions: a list that is in the page, refreshed while one types."""
    return forms.TextInput(
        attrs={
            **_PLAIN,
            "list": f"{kind}-suggestions",
            "hx-get": reverse_lazy(f"suggest-{kind}s"),
            "hx-trigger": "input changed delay:200ms",
            "hx-target": f"#{kind}-suggestions",
            "hx-sync": "this:replace",
        }
    )


class ScopeField(forms.CharField):
    """A scope in its text form."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        if not text:
            return None
        try:
            return Scope.parse(text)
        except InvalidScope as error:
            raise ValidationError(str(error)) from None


class PrincipalField(forms.CharField):
    """Somebody in text form; whether there is such a one is asked later, of who may know."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return Principal.parse(text) if text else None


class LinesField(forms.CharField):
    """One value of another field a line."""

    def __init__(self, of: forms.Field, **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": 4, **_PLAIN})
        super().__init__(required=False, widget=widget, **kwargs)
        self.of = of

    def to_python(self, value: Any) -> Any:
        lines = (super().to_python(value) or "").splitlines()
        return [self.of.clean(line) for line in lines if line.strip()]


class LastDayField(forms.DateField):
    """A day, of which nothing is left out: the value is the moment at which the next one begins."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), **kwargs
        )

    def clean(self, value: Any) -> Any:
        day = super().clean(value)
        return None if day is None else end_of(day)


def end_of(day: date) -> datetime:
    """The moment at which a day is over, in the zone that people see times in."""
    return timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))


def last_day_of(until: datetime | None) -> date | None:
    """The last whole day before a moment: what `end_of` takes."""
    return None if until is None else timezone.localdate(until - timedelta(microseconds=1))


def reason_field(label: Any, **kwargs: Any) -> forms.CharField:
    return forms.CharField(label=label, max_length=REASON_LENGTH, **({"required": False} | kwargs))


def role_choices(roles: Iterable[Role]) -> list[tuple[str, str]]:
    return [(role.name, f"{gettext(role.label)} — {gettext(role.description)}") for role in roles]


def action_choices() -> list[tuple[str, str]]:
    return [(action.text, action.label) for action in Action]


class RoleForm(forms.Form):
    """A custom role. `stored` is the role that is being changed, if one is."""

    name = forms.SlugField(
        label=_("Name"),
        max_length=63,
        help_text=_("Lower-case letters, digits and hyphens; commands and the API call it so."),
        widget=forms.TextInput(attrs=_PLAIN),
    )
    label = forms.CharField(label=_("Label"), max_length=63, help_text=_("What people read."))
    description = forms.CharField(label=_("Description"), max_length=255, required=False)
    actions = forms.MultipleChoiceField(
        label=_("What it allows"),
        choices=lambda: [(action.text, action.label) for action in Action],
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, stored: Role | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if stored is not None:
            self.fields["name"].disabled = True
            self.fields["name"].help_text = _("Commands rely on the name: it stays as it is.")

    @property
    def chosen(self) -> frozenset[Action]:
        return frozenset(Action.parse(text) for text in self.cleaned_data["actions"])


class GrantForm(forms.Form):
    """A role for one or several principals on one or several scopes."""

    principal = PrincipalField(
        label=_("To whom"),
        help_text=_("user:NAME, team:NAME, sp:NAME for a machine, or anonymous for everybody."),
        widget=picker("principal"),
    )
    more_principals = LinesField(PrincipalField(), label=_("And to these, one a line"))
    role = forms.ChoiceField(label=_("Role"))
    scope = ScopeField(
        label=_("Where"),
        help_text=_(
            "REGISTRY, REGISTRY/team-a/* for all below, REGISTRY/team-a/app, or * for all."
        ),
        widget=picker("scope"),
    )
    more_scopes = LinesField(ScopeField(), label=_("And on these, one a line"))
    last_day = LastDayField(
        label=_("Last day"), required=False, help_text=_("Leave empty for no end.")
    )
    reason = reason_field(_("Reason"), help_text=_("Who reviews it later reads this."))

    def __init__(self, *args: Any, roles: Iterable[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Nobody makes an owner because it came first.
        choose(self.fields["role"], [("", gettext("Choose a role")), *role_choices(roles)])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and len(self.principals) * len(self.scopes) > BULK_LIMIT:
            raise ValidationError(
                gettext("These are more than %d grants: make them in several steps.") % BULK_LIMIT
            )
        return data

    @property
    def principals(self) -> list[Principal]:
        data = self.cleaned_data
        return list(dict.fromkeys([data["principal"], *data["more_principals"]]))

    @property
    def scopes(self) -> list[Scope]:
        data = self.cleaned_data
        return list(dict.fromkeys([data["scope"], *data["more_scopes"]]))

    @property
    def has_more(self) -> bool:
        """Whether there is anything to see in what is folded away."""
        folded = (self[name] for name in ("more_principals", "more_scopes"))
        return any(field.value() or field.errors for field in folded)


class GrantFilterForm(forms.Form):
    """Which grants to list."""

    q = forms.CharField(label=_("To whom"), required=False, max_length=150)
    scope = ScopeField(label=_("Where"), required=False, widget=picker("scope"))
    role = forms.ChoiceField(label=_("Role"), required=False)
    ending = forms.TypedChoiceField(
        label=_("Ends"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[
            ("", _("at any time")),
            ("7", _("within 7 days")),
            ("30", _("within 30 days")),
            ("90", _("within 90 days")),
        ],
    )

    def __init__(self, *args: Any, roles: Iterable[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = [(role.name, gettext(role.label)) for role in roles]
        choose(self.fields["role"], [("", gettext("any role")), *labels])

    @property
    def is_on(self) -> bool:
        return any(self.cleaned_data.values()) if self.is_valid() else False


class RevokeForm(forms.Form):
    reason = reason_field(_("Reason"), help_text=_("The audit log keeps it."))


class WhoForm(forms.Form):
    """Who has access where."""

    scope = ScopeField(label=_("Where"), widget=picker("scope"))
    action = forms.ChoiceField(label=_("Who may"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self.fields["action"], [("", gettext("do anything")), *action_choices()])


class CheckForm(forms.Form):
    """One question: may somebody do something somewhere."""

    who = PrincipalField(label=_("May"), widget=picker("principal"))
    action = forms.ChoiceField(label=_("do this"), choices=action_choices)
    scope = ScopeField(label=_("here"), widget=picker("scope"))


class AskForm(forms.Form):
    """What somebody asks for, and why."""

    role = forms.ChoiceField(label=_("Role"))
    scope = ScopeField(label=_("Where"), widget=picker("scope"))
    reason = reason_field(_("Why you need it"), required=True)

    def __init__(self, *args: Any, roles: Iterable[Role], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose(self.fields["role"], role_choices(roles))


class AnswerForm(forms.Form):
    last_day = LastDayField(
        label=_("Last day"), required=False, help_text=_("If you grant it; empty for no end.")
    )
    answer = reason_field(
        _("Answer"), help_text=_("Whoever asked reads it. Say why, if it is a no.")
    )


class ReviewForm(forms.Form):
    scope = ScopeField(
        label=_("Where"),
        help_text=_("Every grant that lies in it will be looked at."),
        widget=picker("scope"),
    )
    due = forms.DateField(
        label=_("Due"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )


def choose(field: forms.Field, choices: list[tuple[str, str]]) -> None:
    """Give a choice field what may be chosen in this request."""
    if isinstance(field, forms.ChoiceField):
        field.choices = choices


def refuse(form: forms.Form, error: ValidationError) -> None:
    """Show what an action refused beside the fields that it is about, else on top."""
    if hasattr(error, "error_dict"):
        for name, messages in error.message_dict.items():
            for message in messages:
                form.add_error(name if name in form.fields else None, message)
    else:
        form.add_error(None, error)

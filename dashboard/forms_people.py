"""Forms about people, teams and oneself. They turn what was typed into values; the actions judge.

Each names its fields: what else is posted reaches nobody's account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib.auth.forms import SetPasswordForm
from django.utils.translation import gettext_lazy as _

from access.models import Team, User

NAME_LENGTH = 150
_PLAIN = {"autocapitalize": "none", "spellcheck": "false"}


class PeopleFilterForm(forms.Form):
    """Which people to list."""

    q = forms.CharField(label=_("Name or address"), required=False, max_length=NAME_LENGTH)
    state = forms.ChoiceField(
        label=_("State"),
        required=False,
        choices=[
            ("", _("any")),
            ("active", _("active")),
            ("invited", _("invited")),
            ("off", _("switched off")),
        ],
    )


class InviteForm(forms.Form):
    username = forms.CharField(
        label=_("User name"),
        max_length=NAME_LENGTH,
        help_text=_("Letters, digits and @ . + - _; it stays."),
        widget=forms.TextInput(attrs={**_PLAIN, "autocomplete": "off"}),
    )
    email = forms.EmailField(
        label=_("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    first_name = forms.CharField(label=_("First name"), max_length=NAME_LENGTH, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=NAME_LENGTH, required=False)


if TYPE_CHECKING:
    _SetPasswordForm = SetPasswordForm[User]
else:
    _SetPasswordForm = SetPasswordForm


class WelcomeForm(_SetPasswordForm):
    """What somebody says of himself who opens his invitation: his name, and a password."""

    first_name = forms.CharField(label=_("First name"), max_length=NAME_LENGTH, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=NAME_LENGTH, required=False)
    field_order = ("first_name", "last_name")

    def __init__(self, user: User, data: Any = None) -> None:
        names = {"first_name": user.first_name, "last_name": user.last_name}
        super().__init__(user, data, initial=names)

    def save(self, commit: bool = True) -> User:
        self.user.first_name = self.cleaned_data["first_name"]
        self.user.last_name = self.cleaned_data["last_name"]
        return super().save(commit)


class PersonForm(forms.Form):
    """Name and address, of another or of oneself."""

    first_name = forms.CharField(label=_("First name"), max_length=NAME_LENGTH, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=NAME_LENGTH, required=False)
    email = forms.EmailField(label=_("E-mail address"), max_length=254)

    @staticmethod
    def initial_of(person: User) -> dict[str, str]:
        return {
            "first_name": person.first_name,
            "last_name": person.last_name,
            "email": person.email,
        }


class TeamForm(forms.Form):
    """A team; its name stays once it is made."""

    name = forms.CharField(
        label=_("Name"),
        max_length=63,
        help_text=_("Letters, digits, hyphens. It becomes part of addresses and grants."),
        widget=forms.TextInput(attrs={**_PLAIN, "autocomplete": "off"}),
    )
    description = forms.CharField(label=_("Description"), max_length=255, required=False)

    def __init__(self, *args: Any, team: Team | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if team is not None:
            del self.fields["name"]
            self.initial.setdefault("description", team.description)


class MemberForm(forms.Form):
    username = forms.CharField(
        label=_("User name"),
        max_length=NAME_LENGTH,
        widget=forms.TextInput(
            attrs={**_PLAIN, "autocomplete": "off", "list": "people-suggestions"}
        ),
    )
    is_maintainer = forms.BooleanField(
        label=_("Maintainer"), required=False, help_text=_("May add and remove members.")
    )

    def __init__(self, *args: Any, may_make_maintainers: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_make_maintainers:
            del self.fields["is_maintainer"]


class RuleForm(forms.Form):
    """Who belongs to a team by single sign-on."""

    provider = forms.ChoiceField(label=_("Provider"))
    value = forms.CharField(
        label=_("Value"),
        max_length=255,
        help_text=_("Of the provider's claim of groups, exactly as it sends it."),
        widget=forms.TextInput(attrs={**_PLAIN, "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        provider = self.fields["provider"]
        if isinstance(provider, forms.ChoiceField):
            provider.choices = [(key, name) for key, (name, _claim) in providers().items()]


def providers() -> dict[str, tuple[str, str]]:
    """The OpenID Connect providers: their id, what they are called, and their claim of groups."""
    apps = settings.SOCIALACCOUNT_PROVIDERS.get("openid_connect", {}).get("APPS", [])
    return {
        app["provider_id"]: (app["name"], app["settings"].get("groups_claim", "groups"))
        for app in apps
    }

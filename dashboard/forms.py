"""The forms. They turn what was typed into values; what makes sense is judged by the action."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from access.networks import opens_private, refusal
from registries.connections import settings_of
from registries.connectors import CONNECTORS, Field
from registries.models import Registry
from registries.registry_settings import RegistrySettings, cleaned

# The settings' name -> the form's field, where people are asked for it in other words.
_ASKED_AS = {"sync_interval": "sync_minutes"}
_DETAILS = ("repository_names", "public_host", "ca_certificate")


class RegistryForm(forms.Form):
    """A registry's settings. `stored` is the registry that is being changed, if one is, and
    `may_open` says whether by who may let it be on a private network."""

    name = forms.CharField(
        label=_("Name"),
        required=False,  # the action says in better words what is missing
        help_text=_("Lower-case letters, digits and hyphens. It becomes part of addresses."),
        widget=forms.TextInput(
            attrs={"required": True, "autocapitalize": "none", "spellcheck": "false"}
        ),
    )
    url = forms.CharField(
        label=_("Address"),
        required=False,
        help_text=_("The host that docker login takes, such as registry.example.com."),
        widget=forms.TextInput(
            attrs={
                "required": True,
                "inputmode": "url",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        help_text=_("Left open, Portolan asks the registry."),
    )
    username = forms.CharField(
        label=_("User name"),
        required=False,
        help_text=_("An account that may read. Leave empty to read as anybody can."),
        # Not the browser's own user: a password manager should leave these two alone.
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    password = forms.CharField(
        label=_("Password or token"),
        required=False,
        strip=False,
        help_text=_("Stored encrypted and never shown again."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    allow_private = forms.BooleanField(
        label=_("Allow private addresses"),
        required=False,
        help_text=_("For a registry on your own network. It may then speak plain http, too."),
    )
    sync_minutes = forms.IntegerField(
        label=_("Minutes between syncs"),
        required=False,
        min_value=1,
        max_value=31 * 24 * 60,
        initial=15,
        help_text=_("Leave empty to sync only when somebody asks for it."),
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    public_host = forms.CharField(
        label=_("Public host"),
        required=False,
        help_text=_("The host in pull commands, if people reach the registry by another name."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )
    ca_certificate = forms.CharField(
        label=_("Certificate authority"),
        required=False,
        help_text=_("PEM certificates to trust for this registry, besides the usual ones."),
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
    )
    repository_names = forms.CharField(
        label=_("Repositories"),
        required=False,
        help_text=_(
            "One name or pattern a line, such as team-a/api or team-a/*. Leave empty to read the"
            " registry's own catalog."
        ),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )

    settings: RegistrySettings

    def __init__(
        self,
        *args: Any,
        stored: Registry | None = None,
        may_open: bool = True,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.stored = stored
        self.may_open = may_open
        kind = self.fields["kind"]
        if isinstance(kind, forms.ChoiceField):
            kind.choices = [
                ("", _("Find it out")),
                *((key, connector.label) for key, connector in CONNECTORS.items()),
            ]
        for kind_name, connector in CONNECTORS.items():
            for field in connector.fields:
                self.fields[f"{kind_name}.{field.name}"] = _field(field)
        if stored is not None:
            # Addresses and scripts rely on the name.
            self.fields["name"].disabled = True
            self.fields["name"].help_text = _("A name is part of addresses and stays as it is.")
            if self.initial.get("username"):
                self.fields["password"].help_text = _("Leave empty to keep the stored one.")
        if not may_open:
            network = self.fields["allow_private"]
            # What is off stays off; what is on may be turned off.
            network.disabled = not self.initial.get("allow_private")
            network.help_text = (
                _("Only who may connect registries anywhere can change this.")
                if network.disabled
                else _("Once off, only who may connect registries anywhere can turn it on again.")
            )

    @property
    def main_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in ("name", "url", "kind")]

    @property
    def kind_fields(self) -> list[tuple[str, list[forms.BoundField], list[forms.BoundField]]]:
        """For each kind that has any: its own settings, and those that few need."""
        return [
            (
                kind,
                [self[f"{kind}.{field.name}"] for field in connector.fields if not field.advanced],
                [self[f"{kind}.{field.name}"] for field in connector.fields if field.advanced],
            )
            for kind, connector in CONNECTORS.items()
            if connector.fields
        ]

    @property
    def detail_fields(self) -> list[forms.BoundField]:
        """What most connections leave as it is."""
        return [self[name] for name in _DETAILS]

    @property
    def has_details(self) -> bool:
        """Whether there is anything to see in those."""
        return any(self[name].value() or self[name].errors for name in _DETAILS)

    @staticmethod
    def initial_of(settings: RegistrySettings) -> dict[str, object]:
        """What the form shows of stored settings; the password is not among it."""
        interval = settings.sync_interval
        return {
            "name": settings.name,
            "url": settings.url,
            "kind": settings.kind,
            "username": settings.username,
            f"{settings.kind}.api_username": settings.api_username,
            **{f"{settings.kind}.{name}": text for name, text in settings.options.items()},
            "allow_private": settings.allow_private,
            "sync_minutes": interval // timedelta(minutes=1) if interval else None,
            "public_host": settings.public_host,
            "ca_certificate": settings.ca_certificate,
            "repository_names": "\n".join(settings.repository_names),
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if self.errors:  # what is no number or no choice makes no settings to be judged
            return data
        minutes = data["sync_minutes"]
        of_kind = self._of_kind(data)
        try:
            self.settings = cleaned(
                RegistrySettings(
                    name=data["name"],
                    url=data["url"],
                    kind=data["kind"],
                    api_username=of_kind.pop("api_username", ""),
                    api_secret=of_kind.pop("api_secret", "") or None,
                    options=of_kind,
                    username=data["username"],
                    password=data["password"] or None,
                    allow_private=data["allow_private"],
                    sync_interval=None if minutes is None else timedelta(minutes=minutes),
                    public_host=data["public_host"],
                    ca_certificate=data["ca_certificate"],
                    repository_names=tuple(data["repository_names"].splitlines()),
                )
            )
        except ValidationError as error:
            self.refuse(error)
        else:
            self._judge_network()
        return data

    def _judge_network(self) -> None:
        before = settings_of(self.stored) if self.stored and not self.may_open else None
        if before and opens_private(self.settings, before):
            self.add_error("allow_private", refusal())

    @staticmethod
    def _of_kind(data: dict[str, Any]) -> dict[str, str]:
        """What was typed for the kind that was chosen; other kinds' fields do not count."""
        start = f"{data['kind']}."
        return {
            name.removeprefix(start): text
            for name, text in data.items()
            if data["kind"] and name.startswith(start)
        }

    def refuse(self, error: ValidationError) -> None:
        """Show what an action refused beside the fields it is about."""
        kind = self.cleaned_data.get("kind", "")
        for name, messages in error.message_dict.items():
            asked_as = _ASKED_AS.get(name, name)
            for place in (f"{kind}.{asked_as}", asked_as, None):
                if place is None or place in self.fields:
                    break
            for message in messages:
                self.add_error(place, message)


def _field(field: Field) -> forms.CharField:
    """A form field for a kind's own setting; the action judges what was typed."""
    widget: forms.Widget = forms.TextInput(
        attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
    )
    if field.is_secret:
        widget = forms.PasswordInput(attrs={"autocomplete": "new-password"})
    return forms.CharField(
        label=field.label,
        help_text=field.help,
        required=False,
        strip=not field.is_secret,
        widget=widget,
    )


class RemoveForm(forms.Form):
    """Removing is confirmed by typing the name of what goes."""

    name = forms.CharField(
        label=_("Name of the registry"),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )

    def __init__(self, *args: Any, registry: Registry, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.registry = registry

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if name != self.registry.name:
            raise ValidationError(
                _("Type “%(name)s” to remove it."), params={"name": self.registry.name}
            )
        return name

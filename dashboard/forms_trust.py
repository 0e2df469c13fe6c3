"""Forms about trust rules. They turn what was typed into values; actions judge them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from access.subjects import LONGEST
from access.tokens.assertions import LONGEST as LONGEST_TOKEN
from access.trust_rules import LIFETIME_MINUTES, LONGEST_LIFETIME_MINUTES, Terms

_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class TrustRuleForm(forms.Form):
    """A rule. `stored` is whether it is there already: then its name and machine stay.

    `may_open` is whether who fills it in may let Portolan into private networks.
    """

    name = forms.CharField(
        label=_("Name"),
        max_length=63,
        help_text=_("Lower-case letters, digits and hyphens; the audit log calls it so."),
        widget=forms.TextInput(attrs=_PLAIN),
    )
    machine = forms.CharField(
        label=_("Machine"),
        max_length=63,
        help_text=_("As what the jobs will sign in."),
        widget=forms.TextInput(attrs={**_PLAIN, "list": "machine-names"}),
    )
    issuer = forms.CharField(
        label=_("Issuer"),
        max_length=255,
        help_text=_("The “iss” of its tokens, to the letter."),
        widget=forms.TextInput(attrs={**_PLAIN, "inputmode": "url"}),
    )
    audience = forms.CharField(
        label=_("Audience"),
        max_length=255,
        help_text=_(
            "The “aud” that jobs ask for. Use one for nothing else, such as this address: a token"
            " made for another service must not be taken here."
        ),
        widget=forms.TextInput(attrs=_PLAIN),
    )
    subject = forms.CharField(
        label=_("Subject"),
        max_length=LONGEST,
        strip=False,
        help_text=_("The “sub” of its tokens; a star stands for any text."),
        widget=forms.TextInput(attrs=_PLAIN),
    )
    lifetime_minutes = forms.IntegerField(
        label=_("Minutes that a secret lives"),
        min_value=1,
        max_value=LONGEST_LIFETIME_MINUTES,
        initial=LIFETIME_MINUTES,
        help_text=_("As long as a job needs to sign in, not as long as it runs."),
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    allow_private = forms.BooleanField(
        label=_("Allow private addresses"),
        required=False,
        help_text=_("For an issuer on your own network. It may then speak plain http, too."),
    )
    ca_certificate = forms.CharField(
        label=_("Certificate authority"),
        required=False,
        help_text=_("PEM certificates to trust for this issuer, besides the usual ones."),
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
    )

    def __init__(
        self, *args: Any, stored: bool = False, may_open: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if stored:
            for name in ("name", "machine"):
                self.fields[name].disabled = True
                self.fields[name].help_text = ""
        if not may_open:
            self.fields["allow_private"].disabled = True
            self.fields["allow_private"].help_text = _(
                "Only who may connect registries anywhere can change this."
            )

    @property
    def terms(self) -> Terms:
        data = self.cleaned_data
        return Terms(
            issuer=data["issuer"],
            audience=data["audience"],
            subject=data["subject"],
            lifetime_minutes=data["lifetime_minutes"],
            allow_private=data["allow_private"],
            # Browsers send line ends of their own, and unchanged is to stay unchanged.
            ca_certificate=data["ca_certificate"].replace("\r\n", "\n"),
        )

    @property
    def has_network(self) -> bool:
        """Whether there is anything to see in what is folded away."""
        folded = (self[name] for name in ("allow_private", "ca_certificate"))
        return any(field.value() or field.errors for field in folded)


class TryTokenForm(forms.Form):
    """A token to be held against the rules."""

    token = forms.CharField(
        label=_("Token"),
        max_length=LONGEST_TOKEN,
        help_text=_("It is not kept, and stays good for its one exchange."),
        widget=forms.Textarea(attrs={**_PLAIN, "rows": 5}),
    )
    machine = forms.CharField(
        label=_("Machine"),
        required=False,
        max_length=63,
        help_text=_("As client_id; only needed where a token would do for several."),
        widget=forms.TextInput(attrs=_PLAIN),
    )

"""The form of the page about docker's access to a registry."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from access.tokens.scope import LONGEST_SCOPE
from dashboard.forms_access import PrincipalField, picker


class TokenForm(forms.Form):
    """What somebody's docker would ask for."""

    who = PrincipalField(label=_("Would"), widget=picker("principal"))
    scope = forms.CharField(
        label=_("get a token for"),
        max_length=LONGEST_SCOPE,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "off",
                "spellcheck": "false",
                "placeholder": "repository:team/app:pull,push",
                "size": 36,
            }
        ),
    )

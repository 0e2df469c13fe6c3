"""The form of a mirror, and of a comparison that is not kept."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from dashboard.forms_access import ScopeField, picker
from registries.mirroring.mirrors import TAGS_LIMIT

_PLAIN = {"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}


class MirrorForm(forms.Form):
    """What is compared with what."""

    source = ScopeField(
        label=_("Source"),
        help_text=_("A repository (hub/library/nginx), all below a path (hub/library/*), or hub."),
        widget=picker("scope"),
    )
    target = ScopeField(
        label=_("Target"),
        help_text=_("Its copy: harbour/mirror/hub/*. A star stands for the same on both sides."),
        widget=picker("scope"),
    )
    tags = forms.CharField(
        label=_("Tags"),
        required=False,
        max_length=TAGS_LIMIT,
        help_text=_("Only tags of this pattern, such as v1.* or *-alpine; empty for all."),
        widget=forms.TextInput(attrs=_PLAIN),
    )

"""What is asked before something is deleted at a registry."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registries.models import Repository
from registries.oci.reference import is_digest, is_tag


class UntagForm(forms.Form):
    """Tags, each with the digest at which the person saw it: `1.0@sha256:…`."""

    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data)
        self._sent = data.getlist("seen") if data is not None else []
        self.seen: dict[str, str] = {}

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        for text in self._sent:
            tag, _at, digest = text.partition("@")
            if not (is_tag(tag) and is_digest(digest)):
                raise ValidationError(_("What was sent names no tag: choose on the page again."))
            self.seen[tag] = digest
        if not self.seen:
            raise ValidationError(_("Choose at least one tag."))
        return data


class DeleteImageForm(forms.Form):
    """How many tags were shown to go, and whether an index may break."""

    seen_tags = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    breaks_indexes = forms.BooleanField(
        label=gettext_lazy("Delete it although an index holds it"), required=False
    )


class DeleteRepositoryForm(forms.Form):
    """The repository's name, typed: this cannot be undone."""

    name = forms.CharField(
        required=False,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "none", "spellcheck": "false"}
        ),
    )

    def __init__(self, data: Any = None, *, repository: Repository) -> None:
        super().__init__(data)
        self._repository = repository

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if name != self._repository.path:
            raise ValidationError(_("Type the repository’s name as it stands above."))
        return name

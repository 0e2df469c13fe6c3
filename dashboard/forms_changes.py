"""What is asked before something is deleted at a registry."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from registries.models import Repository
from registries.oci.outlines import Lock
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
    """Which tags were shown to go (how many, and the seal of all that was shown), and whether an
    index may break."""

    seen_tags = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    # Without one nothing was shown, which no seal stands for.
    seen = forms.CharField(required=False, max_length=100, widget=forms.HiddenInput)
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


class LocksForm(forms.Form):
    """What the registry is to refuse from now on. `locks` is what it refuses now, then what was
    chosen."""

    delete = forms.BooleanField(
        label=gettext_lazy("Refuse to delete it"),
        required=False,
        help_text=gettext_lazy("Also to clean-ups, and to whoever may delete at the registry."),
    )
    write = forms.BooleanField(
        label=gettext_lazy("Refuse to push over it"),
        required=False,
        help_text=gettext_lazy("A tag can then not be moved."),
    )
    read = forms.BooleanField(
        label=gettext_lazy("Refuse to pull it"),
        required=False,
        help_text=gettext_lazy("Portolan cannot read it either, and shows what it knew of it."),
    )
    list = forms.BooleanField(
        label=gettext_lazy("Leave it out of lists"),
        required=False,
        help_text=gettext_lazy(
            "Out of those that Portolan reads, too: with the next sync it is gone from here."
        ),
    )

    def __init__(self, data: QueryDict | None = None, *, locks: int) -> None:
        super().__init__(data, initial={name: bool(locks & lock) for name, lock in _LOCKS.items()})
        self.locks = Lock(locks)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        chosen = (lock for name, lock in _LOCKS.items() if data.get(name))
        self.locks = reduce(or_, chosen, Lock.NONE)
        return data


_LOCKS = {"delete": Lock.DELETE, "write": Lock.WRITE, "read": Lock.READ, "list": Lock.LIST}

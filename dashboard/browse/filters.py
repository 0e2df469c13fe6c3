"""Texts that people filter by, as the address has them."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.translation import gettext as _

LONGEST = 255


class FilterError(ValueError):
    """A text that no name can contain; the message says why, for people."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What to filter by, empty for nothing; `problem` says why the text given was not used."""

    text: str = ""
    problem: str = ""

    def __bool__(self) -> bool:
        return bool(self.text)


def clean(text: str) -> str:
    """The text without space around it. Raises FilterError if nothing can be called so."""
    text = text.strip()
    # Postgres refuses NUL in any text; the other invisible characters are never meant either.
    if not text.isprintable():
        raise FilterError(
            _("This text has characters that no name can have. Type it by hand, or paste less.")
        )
    if len(text) > LONGEST:
        raise FilterError(_("This text is longer than any name can be (%d characters).") % LONGEST)
    return text


def read_filter(request: HttpRequest, name: str) -> Filter:
    """The filter `?name=` of the address; one that cannot be used filters nothing and says so."""
    try:
        return Filter(text=clean(request.GET.get(name, "")))
    except FilterError as error:
        return Filter(problem=str(error))

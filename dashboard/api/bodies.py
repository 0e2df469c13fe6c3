"""What comes in and goes out, as classes: `Body` of a change, `Query` of an address, `Row` of an answer.

What is not known is refused: a misspelt field must not be a change that silently did less.
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Self

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request

from dashboard.api.problems import InvalidParameter
from dashboard.browse.filters import LONGEST, FilterError, clean


class _Taken(serializers.Serializer[Any]):
    """Fields whose names the language or REST framework has taken, such as `from` and `fields`, are
    written with an underscore at the end."""

    def get_fields(self) -> dict[str, Any]:
        return {name.rstrip("_"): field for name, field in super().get_fields().items()}


class Body(_Taken):
    """A JSON object that is sent. `read` gives its values, or raises what becomes a 422."""

    @classmethod
    def read(cls, request: Request, *, partial: bool = False) -> dict[str, Any]:
        form = cls(data=request.data, partial=partial)
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            unknown = {
                str(key): [unknown_key(str(key), self.fields)]
                for key in data
                if key not in self.fields
            }
            if unknown:
                raise serializers.ValidationError(unknown)
        return super().to_internal_value(data)


class Query(_Taken):
    """What stands in the address after the question mark. Raises InvalidParameter."""

    values: Mapping[str, Any]

    @classmethod
    def read(cls, request: Request) -> Self:
        known = cls().fields
        for name in request.query_params:
            if name not in known:
                raise InvalidParameter(name, unknown_key(name, known))
        given = {
            name: request.query_params.getlist(name)
            if isinstance(known[name], serializers.ListField | serializers.MultipleChoiceField)
            else request.query_params[name]
            for name in request.query_params
        }
        query = cls(data=given)
        if not query.is_valid():
            name, sentences = next(iter(query.errors.items()))
            raise InvalidParameter(str(name), _first(sentences))
        query.values = query.validated_data
        return query

    def __getitem__(self, name: str) -> Any:
        """The value, or the field's default where it was not given (None without one)."""
        return self.values.get(name)


class FilterField(serializers.CharField):
    """A text to filter by, in a Query. What nothing can be called is refused, and not ignored."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"required": False, "allow_blank": True, "max_length": LONGEST} | kwargs)

    def to_internal_value(self, data: Any) -> str:
        try:
            return clean(super().to_internal_value(data))
        except FilterError as error:
            raise serializers.ValidationError(str(error)) from None


class Row(serializers.Serializer[Any]):
    """One thing as it is shown. `only` leaves the other fields out, and they cost nothing."""

    def __init__(self, *args: Any, only: frozenset[str] = frozenset(), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if only:
            for name in set(self.fields) - only:
                del self.fields[name]


def fields_of(row: type[Row], text: str) -> frozenset[str]:
    """The fields that `?fields=name,tags` asks for; none is all. Raises InvalidParameter."""
    wanted = frozenset(name.strip() for name in text.split(",") if name.strip())
    known = row().fields
    for name in sorted(wanted):
        if name not in known:
            raise InvalidParameter("fields", unknown_key(name, known))
    return wanted


def unknown_key(name: str, known: Mapping[str, Any]) -> str:
    """A sentence that names the nearest known one."""
    near = get_close_matches(name, list(known), n=1)
    if near:
        return _("There is no “%(name)s”; did you mean “%(near)s”?") % {
            "name": name,
            "near": near[0],
        }
    return _("There is no “%(name)s” here. Known: %(known)s.") % {
        "name": name,
        "known": ", ".join(sorted(known)) or _("nothing"),
    }


def _first(sentences: Any) -> str:
    """Errors of a list's items are a dictionary by place."""
    if isinstance(sentences, Mapping):
        return _first(next(iter(sentences.values())))
    return str(sentences[0]) if isinstance(sentences, list) and sentences else str(sentences)

"""Values of access in bodies and addresses: scopes, principals, actions, ends."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from access.actions import Action
from access.principals import Principal
from access.scopes import InvalidScope, Scope

# A registry's name, a slash, and the longest path with a star.
SCOPE_LENGTH = 320
PRINCIPAL_LENGTH = 160
LAST_YEAR = 9000
ACTIONS = [action.text for action in Action]


@extend_schema_field({"type": "string", "maxLength": SCOPE_LENGTH, "examples": ["prod/shop/*"]})
class ScopeField(serializers.CharField):
    """`*`, `REGISTRY`, `REGISTRY/team/*` or `REGISTRY/team/app`; the value is a Scope."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return Scope.parse(_short(super().to_internal_value(data), SCOPE_LENGTH))
        except InvalidScope as error:
            raise serializers.ValidationError(str(error)) from None


@extend_schema_field(
    {"type": "string", "maxLength": PRINCIPAL_LENGTH, "examples": ["user:anna", "team:shop"]}
)
class PrincipalField(serializers.CharField):
    """`user:NAME`, `team:NAME`, `sp:NAME` or `anonymous`; the value is a Principal. Whether there
    is such a one is asked later, of who may know."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return Principal.parse(_short(super().to_internal_value(data), PRINCIPAL_LENGTH))
        except ValidationError as error:
            raise serializers.ValidationError(error.messages) from None


class ActionField(serializers.ChoiceField):
    """An action such as `content read`; the value is an Action."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=ACTIONS, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return Action.parse(super().to_internal_value(data))


class EndField(serializers.DateTimeField):
    """When something ends."""

    def to_internal_value(self, value: Any) -> Any:
        moment = super().to_internal_value(value)
        # In the zone of who reads it on screen, the last of 9999 is a time that Python has not.
        if moment.year > LAST_YEAR:
            raise serializers.ValidationError(_("That is too far away: give none for no end."))
        return moment


def _short(text: str, longest: int) -> str:
    """The text; a length of the field's own would be asked of the value that is made of it."""
    if len(text) > longest:
        raise serializers.ValidationError(_("At most %d characters.") % longest)
    return text

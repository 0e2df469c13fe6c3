"""A form is sent: do what it says, or send it back with the action's own words on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest

from dashboard.forms_access import refuse

# The form is sent back with what is wrong: not a page that a reload may send again.
UNPROCESSABLE = 422
FORBIDDEN = 403
DONE: Final = None


def submitted(request: HttpRequest, form: forms.Form, act: Callable[[], str]) -> int | None:
    """The status of the page that shows the form, or DONE if the action was carried out.

    `act` calls the action and returns what to say of it. What the action refuses stands in the
    form, so that nothing typed is lost.
    """
    if request.method != "POST":
        return 200
    if not form.is_valid():
        return UNPROCESSABLE
    try:
        said = act()
    except ValidationError as error:
        refuse(form, error)
        return UNPROCESSABLE
    except PermissionDenied as error:
        refuse(form, ValidationError(str(error.args[0])))
        return FORBIDDEN
    messages.success(request, said)
    return DONE


def acted(request: HttpRequest, act: Callable[[], str]) -> None:
    """The same for a button without fields: what came of it is said on the page that follows.

    A PermissionDenied is left to the error page.
    """
    try:
        messages.success(request, act())
    except ValidationError as error:
        for message in error.messages:
            messages.error(request, message)

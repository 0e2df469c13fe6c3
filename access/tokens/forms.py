"""What strangers post to the token server, read before anything else is known of them.

Django reads any form as soon as its fields are asked for, and one in parts at any length.
"""

from __future__ import annotations

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

FORM = "application/x-www-form-urlencoded"
# Twice the longest token of a CI system; docker's clients send some hundred bytes.
MOST_BYTES = 128 * 1024


class NoForm(ValueError):  # noqa: N818  named for what it is
    """A body that is not read, or makes no sense. The text is for whoever sent it."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


def posted(request: HttpRequest) -> QueryDict:
    """The fields of a POST, none of any other request; raises NoForm."""
    if request.method != "POST":
        return QueryDict()
    if request.content_type != FORM:
        raise NoForm(_("Send a form: Content-Type: %s.") % FORM)
    if _length(request) > MOST_BYTES:
        raise NoForm(_("A form has at most %d bytes.") % MOST_BYTES, 413)
    try:
        return request.POST
    # Another charset, a thousand fields, a hang-up.
    except (BadRequest, SuspiciousOperation, OSError):
        raise NoForm(_("This form cannot be read.")) from None


def _length(request: HttpRequest) -> int:
    """As Django takes it, which reads no more than was announced."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0

"""What people see when there is nothing, or when something broke."""

from __future__ import annotations

import logging
import secrets
import sys
from http import HTTPStatus

from csp.exceptions import CSPNonceError
from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token

from access.actions import Action
from access.explain import granters, roles_allowing
from access.scopes import Scope
from dashboard.api.problems import Code, plain_problem

logger = logging.getLogger(__name__)


@requires_csrf_token
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The reason that a view gave, if one did, and a way to search."""
    said = exception.args[0] if exception.args else ""
    reason = said if isinstance(said, str) else ""
    if _is_for_programs(request):
        detail = reason or _("There is no such address.")
        return plain_problem(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, detail)
    return render(request, "404.html", {"reason": reason}, status=404)


@requires_csrf_token
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Why not, whom to ask, and a way to ask for what is missing."""
    said, action, scope = [*exception.args, None, None, None][:3]
    context: dict[str, object] = {"reason": said if isinstance(said, str) else ""}
    if isinstance(action, Action) and isinstance(scope, Scope) and request.user.is_authenticated:
        roles = roles_allowing(action)
        context |= {
            "action": action,
            "scope": scope,
            "granters": granters(roles[0], scope, at=timezone.now()) if roles else [],
        }
    return render(request, "403.html", context, status=403)


@requires_csrf_token
def server_error(request: HttpRequest) -> HttpResponse:
    """A page that asks for nothing: database, session and assets may be what broke.

    It shows the id under which the log has the traceback.
    """
    error_id = secrets.token_hex(4)
    logger.error("Error %s: %s %s", error_id, request.method, request.path, exc_info=sys.exc_info())
    if _is_for_programs(request):
        detail = _("Something broke here. Tell whoever runs this server the error_id.")
        return plain_problem(
            HTTPStatus.INTERNAL_SERVER_ERROR, Code.INTERNAL, detail, error_id=error_id
        )
    context = {"error_id": error_id, "nonce": _nonce(request)}
    return HttpResponseServerError(render_to_string("500.html", context))


def _is_for_programs(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _nonce(request: HttpRequest) -> str:
    """The nonce that the policy's header will name; empty where there will be no such header."""
    try:
        return str(getattr(request, "csp_nonce", ""))
    except CSPNonceError:  # it broke after that header was written
        return ""

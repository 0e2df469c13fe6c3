"""`/auth/token` and `/auth/jwks.json`: what docker clients and registries ask (PROTOCOLS b).

distribution: docs/content/spec/auth/token.md and oauth.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC
from http import HTTPStatus
from typing import Any

import orjson
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from access.authentication import (
    Credentials,
    WrongCredentials,
    authenticate,
    read_basic,
)
from access.origin import current
from access.tokens import limits, scope, signing
from access.tokens.forms import NoForm, posted
from access.tokens.service import SERVICE, Request, Token, issue, tell_wrong

CHALLENGE = 'Basic realm="Portolan", charset="UTF-8"'


# Exempt: containerd and BuildKit post without a cookie, and would break on a CSRF refusal.
@csrf_exempt
@login_not_required
@require_http_methods(["GET", "POST"])
def token(request: HttpRequest) -> HttpResponse:
    """A token for what was asked and granted; 200 with less, 401 for wrong credentials only."""
    try:
        form = posted(request)
    except NoForm as error:
        return _error(error.status, "invalid_request", str(error))
    asks = form if request.method == "POST" else request.GET
    wanted = Request(asks.get("service", ""), scope.parse(asks.getlist("scope")), current().address)
    if not SERVICE.fullmatch(wanted.service):
        return _error(400, "invalid_request", _("“service” must be the name of a registry."))
    if request.method == "POST" and asks.get("grant_type") != "password":
        # We issue no refresh tokens: a stored one would outlive the secret it was made with.
        text = _("Only grant_type=password is offered: sign in with a name and a secret.")
        return _error(400, "unsupported_grant_type", text)
    credentials = None
    try:
        credentials = _credentials(request, form)
        caller = authenticate(credentials) if credentials else None
    except WrongCredentials as error:
        return _wrong(wanted, credentials.username if credentials else "", error)
    return _answer(issue(wanted, caller), is_form=request.method == "POST")


@login_not_required
@require_safe
def jwks(_request: HttpRequest) -> HttpResponse:
    """The public keys that registries should trust, those that will sign next included."""
    response = _json(200, signing.as_jwks(signing.ensured()))
    response["Cache-Control"] = "public, max-age=300"
    return response


def _credentials(request: HttpRequest, form: QueryDict) -> Credentials | None:
    """Those of the form, else those of the header; never those of the address, which is logged."""
    username, password = form.get("username", ""), form.get("password", "")
    if username or password:
        return Credentials(username, password)
    return read_basic(request.headers.get("Authorization", ""))


def _answer(token: Token, *, is_form: bool) -> HttpResponse:
    body: dict[str, Any] = {
        "token": token.text,
        "access_token": token.text,
        "expires_in": token.expires_in,
        "issued_at": token.issued_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    if is_form:
        body |= {"token_type": "Bearer", "scope": _scope_text(token.access)}
    return _json(200, body)


def _scope_text(access: Iterable[scope.Allowed]) -> str:
    return " ".join(f"{entry.type}:{entry.name}:{','.join(entry.actions)}" for entry in access)


def _wrong(wanted: Request, account: str, error: WrongCredentials) -> HttpResponse:
    """401, or 429 while a delay is running: only who comes with a wrong secret gets to see it."""
    if seconds := limits.seconds_to_wait(wanted.address, account):
        text = _("Too many wrong secrets. Wait %d seconds.") % seconds
        response = _error(429, "TOOMANYREQUESTS", text)
        response["Retry-After"] = str(seconds)
        return response
    tell_wrong(wanted, account, error.because)
    response = _error(HTTPStatus.UNAUTHORIZED, "UNAUTHORIZED", str(error))
    response["WWW-Authenticate"] = CHALLENGE
    return response


def _error(status: int, code: str, text: str) -> HttpResponse:
    """In docker's form, in OAuth's, and in the one that old clients show."""
    body = {
        "errors": [{"code": code, "message": text}],
        "error": code if code.islower() else "invalid_client",
        "error_description": text,
        "details": text,
    }
    return _json(status, body)


def _json(status: int, body: object) -> HttpResponse:
    content = orjson.dumps(body)
    response = HttpResponse(content, content_type="application/json", status=status)
    response["Content-Length"] = str(len(content))
    response["Cache-Control"] = "no-store"
    return response

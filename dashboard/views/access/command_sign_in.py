"""The command `portolan` signs in through a browser: asked on a page, handed over by a code."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST

from access import command_codes, personal_tokens
from access.command_codes import Consent, WrongCode
from access.keyring import Issued
from access.origin import address_of
from access.policy import rights_of
from access.principals import Principal
from access.shortcuts import actor_of
from access.tokens import limits
from dashboard.api.problems import Code, plain_problem
from dashboard.forms_access import end_of
from dashboard.forms_command import CommandForm
from dashboard.forms_tokens import usual_day
from dashboard.views.access.asking import asker
from dashboard.views.access.reassured import reassure


@require_http_methods(["GET", "HEAD", "POST"])
def command_sign_in(request: HttpRequest) -> HttpResponse:
    """What the command asks for; a click makes the code, and leads the browser to the command."""
    one = asker(request)
    reassure(request)
    form = CommandForm(request.POST if request.method == "POST" else request.GET)
    context: dict[str, Any] = {
        "section": "access",
        "form": form,
        "username": one.user.get_username(),
    }
    if not form.is_valid():
        return _page(request, context | {"broken": True}, HTTPStatus.BAD_REQUEST)
    context |= {"label": form.cleaned_data["label"], "words": form.words, "ends": usual_day()}
    if request.method != "POST":
        return _page(request, context)
    code = command_codes.issue(
        one.user,
        challenge=form.cleaned_data["challenge"],
        label=form.cleaned_data["label"],
    )
    there = form.address(code)
    response = _page(request, context | {"there": there})
    # No redirect: a form of ours leads to nothing but us (form-action). A page may.
    response["Refresh"] = f"0; url={there}"
    return response


# Exempt: the command comes without a cookie, and what it sends is itself the proof.
@csrf_exempt
@login_not_required
@require_POST
def command_token(request: HttpRequest) -> HttpResponse:
    """The token for a code and its verifier, once."""
    try:
        fields = orjson.loads(request.body)
        code, verifier = str(fields["code"]), str(fields["verifier"])
    except (orjson.JSONDecodeError, TypeError, KeyError):
        text = _("Send a JSON object with code and verifier.")
        return plain_problem(HTTPStatus.BAD_REQUEST, Code.MALFORMED, text)
    try:
        consent = command_codes.redeem(code, verifier)
        issued = _made(consent)
    except (WrongCode, ValidationError, PermissionDenied) as error:
        return _refused(request, error)
    body = {
        "token": issued.text,
        "principal": str(Principal.of(consent.user)),
        "expires_at": issued.secret.expires_at,
    }
    response = HttpResponse(orjson.dumps(body), content_type="application/json")
    add_never_cache_headers(response)  # no-store is among them
    return response


def _page(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    response = render(request, "access/tokens/command.html", context, status=status)
    add_never_cache_headers(response)
    return response


def _made(consent: Consent) -> Issued:
    user = consent.user
    return personal_tokens.create_token(
        user=user,
        label=consent.label,
        expires_at=end_of(usual_day()),
        rights=rights_of(user),
        actor=actor_of(user),
    )


def _refused(request: HttpRequest, error: Exception) -> HttpResponse:
    if seconds := limits.seconds_to_wait(address_of(request), "command"):
        text = _("Too many codes that do not hold.")
        response = plain_problem(HTTPStatus.TOO_MANY_REQUESTS, Code.TOO_MANY_REQUESTS, text)
        response["Retry-After"] = str(seconds)
        return response
    said = error.messages[0] if isinstance(error, ValidationError) else str(error)
    return plain_problem(HTTPStatus.UNPROCESSABLE_ENTITY, Code.INVALID, said)

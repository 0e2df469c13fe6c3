"""`/auth/token/exchange`: where a CI job turns its token into a secret (RFC 8693, section 2)."""

from __future__ import annotations

import orjson
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from access.origin import address_of
from access.tokens import limits
from access.tokens.exchange import Refused, exchange
from access.tokens.forms import NoForm, posted

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105  a type's name
# A CI system's token is both.
SUBJECT_TYPES = frozenset(
    {"urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"}
)
RETRY_SECONDS = 15


# Exempt: jobs come without a cookie, and what they send is itself the proof.
@csrf_exempt
@login_not_required
@sensitive_post_parameters("subject_token")
@require_POST
def token_exchange(request: HttpRequest) -> HttpResponse:
    """A secret that logs in to docker and the API as the machine that the token is trusted for.

    `client_id` names the machine; it is needed only where one token would do for several.
    """
    try:
        fields = posted(request)
    except NoForm as error:
        return _error(error.status, "invalid_request", str(error))
    if wrong := _what_is_wrong(fields):
        return _error(400, *wrong)
    address = address_of(request)
    try:
        token, machine = fields.get("subject_token", ""), fields.get("client_id", "")
        made = exchange(token, machine=machine, address=address)
    except Refused as refusal:
        return _refusal(refusal, address)
    return _json(
        200,
        {
            "access_token": made.text,
            "issued_token_type": ACCESS_TOKEN,
            "token_type": "Bearer",
            "expires_in": made.expires_in,
            "username": made.username,
        },
    )


def _what_is_wrong(fields: QueryDict) -> tuple[str, str] | None:
    """The error and its sentence for a form that is no exchange, before its token is read."""
    if fields.get("grant_type") != GRANT_TYPE:
        return "unsupported_grant_type", _("Send a form with grant_type=%s.") % GRANT_TYPE
    repeated = [name for name, values in fields.lists() if len(values) > 1]
    if repeated:
        return "invalid_request", _("Send each field once: %s.") % ", ".join(sorted(repeated))
    if not fields.get("subject_token"):
        return "invalid_request", _("Send your CI system's token as subject_token.")
    if fields.get("subject_token_type") not in SUBJECT_TYPES:
        types = _(" or ").join(sorted(SUBJECT_TYPES))
        return "invalid_request", _("Send subject_token_type=%s.") % types
    if fields.get("requested_token_type", ACCESS_TOKEN) != ACCESS_TOKEN:
        return "invalid_request", _("Only requested_token_type=%s is offered.") % ACCESS_TOKEN
    if fields.get("actor_token"):
        return "invalid_request", _("Nobody can act for another here: send no actor_token.")
    if fields.get("scope"):
        # Said rather than ignored: whoever asks for less must not get more.
        return "invalid_scope", _("The secret may do what its machine may: send no scope.")
    return None


def _refusal(refusal: Refused, address: str | None) -> HttpResponse:
    """429 while a delay is running: only who comes with a token that does not hold gets to see it,
    as jobs of all the world share the addresses of their CI."""
    if refusal.is_passing:
        response = _error(503, "temporarily_unavailable", str(refusal))
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
    subject = refusal.assertion.subject if refusal.assertion else ""
    if seconds := limits.seconds_to_wait(address, f"exchange {subject}"):
        text = _("Too many refused tokens. Wait %d seconds.") % seconds
        response = _error(429, "slow_down", text)
        response["Retry-After"] = str(seconds)
        return response
    # RFC 8693, 2.2.2: whatever is wrong with a subject token.
    return _error(400, "invalid_request", str(refusal))


def _error(status: int, code: str, text: str) -> HttpResponse:
    return _json(status, {"error": code, "error_description": text})


def _json(status: int, body: object) -> HttpResponse:
    response = HttpResponse(orjson.dumps(body), content_type="application/json", status=status)
    response["Cache-Control"] = "no-store"
    response["Pragma"] = "no-cache"
    return response

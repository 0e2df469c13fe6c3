"""What goes wrong, in one shape: problem details (RFC 9457) with a code and a sentence.

`title` is the status's phrase, `detail` what is wrong and what to do, `code` what a program compares,
and `errors` says it field by field. `type` is left out, which means "about:blank" (RFC 9457, 4.2.1).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions, serializers
from rest_framework.response import Response

from access.actions import Action
from access.kept_answers import KeyReused, StillUnderWay
from access.scopes import Scope
from dashboard.api.rendering import JSONRenderer
from registries.connections import RegistryBusyError
from registries.oci.errors import RegistryError, Unsupported
from registries.sync.run import AlreadyRunning

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class Code(StrEnum):
    """What a program tells problems apart by; a code never changes its meaning."""

    MALFORMED = "malformed"
    INVALID_PARAMETER = "invalid_parameter"
    INVALID_CURSOR = "invalid_cursor"
    NOT_SIGNED_IN = "not_signed_in"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_ACCEPTABLE = "not_acceptable"
    CONFLICT = "conflict"
    UNDER_WAY = "under_way"
    PRECONDITION_FAILED = "precondition_failed"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    INVALID = "invalid"
    KEY_REUSED = "key_reused"
    TOO_MANY_REQUESTS = "too_many_requests"
    INTERNAL = "internal"
    REGISTRY_FAILED = "registry_failed"
    NOT_OFFERED = "not_offered"


class Problem(exceptions.APIException):
    """A refusal that a resource words itself."""

    def __init__(
        self,
        status: HTTPStatus,
        code: Code,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        **more: Any,
    ) -> None:
        super().__init__(detail, code.value)
        self.status_code = status
        self.problem = body_of(status, code, detail, errors=errors, **more)


class InvalidParameter(Problem):
    """A part of the address after the question mark that cannot be used."""

    def __init__(self, name: str, sentence: str, code: Code = Code.INVALID_PARAMETER) -> None:
        super().__init__(
            HTTPStatus.BAD_REQUEST, code, sentence, errors=[{"field": name, "detail": sentence}]
        )


class ProblemSerializer(serializers.Serializer[Any]):
    """A problem, as it is described; see the codes in the head of this document."""

    title = serializers.CharField(help_text="The status's phrase.")
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What is wrong and what to do, for people.")
    code = serializers.ChoiceField(choices=[code.value for code in Code])
    errors = serializers.ListField(  # type: ignore[assignment]  # here it is a field's name
        child=serializers.DictField(child=serializers.CharField()),
        required=False,
        help_text="`field` and `detail` of each field that was refused.",
    )
    action = serializers.CharField(
        required=False, help_text="The right that is missing, such as `content delete`."
    )
    scope = serializers.CharField(required=False, help_text="Where it is missing.")
    error_id = serializers.CharField(
        required=False, help_text="Under this the server's log has what broke."
    )
    run = serializers.IntegerField(required=False, help_text="The sync run that is in the way.")
    steps = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        help_text="Of a connection that does not work: its steps, as of one that was tried out.",
    )

    class Meta:
        ref_name = "Problem"


# For `responses` of what asks a registry while the caller waits.
REGISTRY_ASKED = {(502, MEDIA_TYPE): ProblemSerializer}


def body_of(
    status: HTTPStatus,
    code: Code,
    detail: str,
    *,
    errors: Sequence[Mapping[str, str]] = (),
    **more: Any,
) -> dict[str, Any]:
    """A problem's JSON."""
    body = {"title": status.phrase, "status": int(status), "detail": detail, "code": code.value}
    return body | ({"errors": list(errors)} if errors else {}) | more


def answer_problem(error: Exception, context: Mapping[str, Any]) -> Response:
    """REST framework's exception handler: whatever is raised becomes a problem."""
    body, headers = _described(error), _headers(error, context)
    if body["status"] == HTTPStatus.INTERNAL_SERVER_ERROR:
        body["error_id"] = secrets.token_hex(4)
        request = context["request"]
        logger.error(
            "Error %s: %s %s", body["error_id"], request.method, request.path, exc_info=error
        )
    return Response(body, status=body["status"], headers=headers, content_type=MEDIA_TYPE)


def is_refusal(error: Exception) -> bool:
    """Whether it is answered as the caller's mistake, and so before anything was changed."""
    return int(_described(error)["status"]) < HTTPStatus.INTERNAL_SERVER_ERROR


def plain_problem(status: HTTPStatus, code: Code, detail: str, **more: Any) -> HttpResponse:
    """The same where no resource was reached, such as an address that there is not."""
    body = JSONRenderer().render(body_of(status, code, detail, **more))
    return HttpResponse(body, status=status, content_type=MEDIA_TYPE)


def _described(error: Exception) -> dict[str, Any]:
    match error:
        case Problem():
            return error.problem
        case Http404():
            said = error.args[0] if error.args and isinstance(error.args[0], str) else ""
            return body_of(
                HTTPStatus.NOT_FOUND, Code.NOT_FOUND, said or _("There is no such thing.")
            )
        case PermissionDenied():
            return _forbidden(error)
        case ValidationError():
            return _invalid(list(_errors_of(error)))
        case exceptions.ValidationError():
            return _invalid(list(_flat(error.detail)))
        case AlreadyRunning() | RegistryBusyError() | RegistryError():
            return _of_registry(error)
        case KeyReused():
            detail = _(
                "This Idempotency-Key came with another request before, or while you had other"
                " rights: make a new one."
            )
            return body_of(HTTPStatus.UNPROCESSABLE_ENTITY, Code.KEY_REUSED, detail)
        case StillUnderWay():
            detail = _(
                "The first request with this Idempotency-Key has no answer yet. If it stays so, see"
                " for yourself whether it was carried out, and then use another key."
            )
            return body_of(HTTPStatus.CONFLICT, Code.UNDER_WAY, detail)
        case RequestDataTooBig():
            detail = _("The body is larger than this server takes.")
            return body_of(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Code.TOO_LARGE, detail)
        case BadRequest() | SuspiciousOperation():
            detail = _("The request cannot be read.")
            return body_of(HTTPStatus.BAD_REQUEST, Code.MALFORMED, detail)
        case exceptions.APIException():
            return _of_framework(error)
        case _:
            detail = _("Something broke here. Tell whoever runs this server the error_id.")
            return body_of(HTTPStatus.INTERNAL_SERVER_ERROR, Code.INTERNAL, detail)


_CODES = {
    HTTPStatus.BAD_REQUEST: Code.MALFORMED,
    HTTPStatus.UNAUTHORIZED: Code.NOT_SIGNED_IN,
    HTTPStatus.FORBIDDEN: Code.FORBIDDEN,
    HTTPStatus.NOT_FOUND: Code.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: Code.METHOD_NOT_ALLOWED,
    HTTPStatus.NOT_ACCEPTABLE: Code.NOT_ACCEPTABLE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: Code.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.TOO_MANY_REQUESTS: Code.TOO_MANY_REQUESTS,
}


def _of_framework(error: exceptions.APIException) -> dict[str, Any]:
    status = HTTPStatus(error.status_code)
    return body_of(status, _CODES.get(status, Code.INTERNAL), str(error.detail))


def _of_registry(error: AlreadyRunning | RegistryBusyError | RegistryError) -> dict[str, Any]:
    """A sync in the way, or what the registry said while the caller waited."""
    match error:
        case AlreadyRunning():
            detail = _("A sync of this registry is running already.")
            return body_of(HTTPStatus.CONFLICT, Code.CONFLICT, detail, run=error.run.pk)
        case RegistryBusyError():
            detail = _("A sync of it is running: stop that first, then remove it.")
            return body_of(HTTPStatus.CONFLICT, Code.CONFLICT, detail)
        case Unsupported():  # asking for what it has no way to do is the caller's mistake
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        case _:
            status = HTTPStatus.BAD_GATEWAY
    return body_of(status, Code.REGISTRY_FAILED, f"{error} {error.advice}")


def _forbidden(error: PermissionDenied) -> dict[str, Any]:
    said, action, scope = [*error.args, None, None, None][:3]
    more: dict[str, Any] = {}
    if isinstance(action, Action) and isinstance(scope, Scope):
        more = {"action": action.text, "scope": str(scope)}
    detail = str(said) if said else _("This is not allowed.")
    return body_of(HTTPStatus.FORBIDDEN, Code.FORBIDDEN, detail, **more)


def _invalid(errors: list[dict[str, str]]) -> dict[str, Any]:
    """The sentences of all fields; `errors` for those that are a field's."""
    of_fields = [error for error in errors if error["field"]]
    detail = " ".join(
        f"{error['field']}: {error['detail']}" if error["field"] else error["detail"]
        for error in errors
    )
    return body_of(HTTPStatus.UNPROCESSABLE_ENTITY, Code.INVALID, detail, errors=of_fields)


def _errors_of(error: ValidationError) -> Iterator[dict[str, str]]:
    """Django's own."""
    by_field: Mapping[str, list[str]] = (
        error.message_dict if hasattr(error, "error_dict") else {"": error.messages}
    )
    for name, sentences in by_field.items():
        for sentence in sentences:
            yield {"field": "" if name == "__all__" else name, "detail": sentence}


def _flat(detail: Any, name: str = "") -> Iterator[dict[str, str]]:
    """REST framework's nested dictionaries and lists, as `members.0.name`."""
    if isinstance(detail, Mapping):
        for key, inner in detail.items():
            within = name if key == "non_field_errors" else f"{name}.{key}" if name else str(key)
            yield from _flat(inner, within)
    elif isinstance(detail, list):
        for at, inner in enumerate(detail):
            if isinstance(inner, str):
                yield {"field": name, "detail": str(inner)}
            elif inner:
                yield from _flat(inner, f"{name}.{at}" if name else str(at))
    else:
        yield {"field": name, "detail": str(detail)}


def _headers(error: Exception, context: Mapping[str, Any]) -> dict[str, str]:
    headers = {}
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = context["view"].get_authenticate_header(context["request"])
    if isinstance(error, exceptions.Throttled) and (wait := getattr(error, "wait", None)):
        headers["Retry-After"] = str(max(1, round(wait)))
    if isinstance(error, exceptions.MethodNotAllowed):
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    return headers

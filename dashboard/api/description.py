"""The OpenAPI 3.1 description, read from the resources: nothing is written down twice.

A resource says what it takes and gives with drf-spectacular's `extend_schema`. What all have in
common (problems, headers, limits) is added here.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from http import HTTPStatus
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from dashboard.api.problems import MEDIA_TYPE, Code, ProblemSerializer
from dashboard.api.repeating import HEADER as IDEMPOTENCY_HEADER
from dashboard.api.sign_in import SecretAuthentication, SessionAuthentication

PREFIX = "/api/v1/"

HEAD = f"""\
Everything that Portolan's screens show and do, for programs, with the same rights.

**Signing in.** `Authorization: Bearer SECRET` with a personal access token, a service principal's
secret, or one that a CI job's token was exchanged for at `/auth/token/exchange`. A secret never
allows more than its owner has, and no more than it says itself.

**Lists** come a page at a time: `next` of the answer is the next page's `after`; the same is in the
`Link` header. A page costs the same however deep it lies. `fields=name,size` asks for some fields only.

**Problems** are `{MEDIA_TYPE}` (RFC 9457): `code` is for programs and one of
{", ".join(f"`{code.value}`" for code in Code)}; `detail` is a sentence; `errors` says it field by field.
What one may not see is `404`, as if it were not there.

**Changes.** `If-Match` with the `ETag` that was read refuses a change of what changed since (`412`).
`POST` with an `{IDEMPOTENCY_HEADER}` is carried out once, however often it is sent within a day.

**Limits.** `RateLimit-Policy` and `RateLimit` say what is allowed and left; `429` says when to come
again (`Retry-After`).
"""


class Description(AutoSchema):
    """An operation, with what every operation has."""

    def get_override_parameters(self) -> list[Any]:
        given = list(super().get_override_parameters())
        if self.method == "POST":
            given.append(
                OpenApiParameter(
                    IDEMPOTENCY_HEADER,
                    str,
                    OpenApiParameter.HEADER,
                    description="The same key again gets the same answer, and changes nothing.",
                    pattern="^[ -~]{1,255}$",
                )
            )
        if self.method in ("PATCH", "PUT", "DELETE"):
            given.append(
                OpenApiParameter(
                    "If-Match",
                    str,
                    OpenApiParameter.HEADER,
                    description="The ETag that was read; another one now is a 412.",
                )
            )
        return given

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        """A `RegistryRow` is a Registry to who reads the description."""
        name: str = super().get_serializer_name(serializer, direction)
        return name.removesuffix("Row")

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        found: dict[str, Any] = super()._get_response_bodies(direction)
        for status in self._problems():
            if str(int(status)) not in found:
                answer = OpenApiResponse(ProblemSerializer, description=status.phrase)
                code = str(int(status))
                found[code] = self._get_response_for_code(answer, code, [MEDIA_TYPE])  # type: ignore[no-untyped-call]  # it has no types
        for code, described in found.items():
            described["description"] = described["description"] or HTTPStatus(int(code)).phrase
            described["headers"] = _headers_of(int(code), self.method) | described.get(
                "headers", {}
            )
        if self.method == "GET" and "200" in found:
            self._add_conditions(found)
        return dict(sorted(found.items()))

    def _add_conditions(self, found: dict[str, Any]) -> None:
        """One thing has an entity tag, and a page has neighbours."""
        schema = found["200"].get("content", {}).get("application/json", {}).get("schema", {})
        if schema.get("$ref", "").endswith("Page"):
            found["200"]["headers"]["Link"] = {"$ref": "#/components/headers/Link"}
        elif schema:
            found["200"]["headers"]["ETag"] = {"$ref": "#/components/headers/ETag"}
            found["304"] = {"description": HTTPStatus.NOT_MODIFIED.phrase}

    def _problems(self) -> list[HTTPStatus]:
        """What any operation of this shape may answer."""
        found = [
            HTTPStatus.BAD_REQUEST,
            HTTPStatus.UNAUTHORIZED,
            HTTPStatus.FORBIDDEN,
            HTTPStatus.NOT_FOUND,
            HTTPStatus.NOT_ACCEPTABLE,
            HTTPStatus.TOO_MANY_REQUESTS,
        ]
        if self.method in ("POST", "PUT", "PATCH", "DELETE"):
            found += [HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY]
        if self.method in ("PUT", "PATCH", "DELETE"):
            found.append(HTTPStatus.PRECONDITION_FAILED)
        if self.method in ("POST", "PUT", "PATCH"):
            found += [HTTPStatus.UNSUPPORTED_MEDIA_TYPE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE]
        return found


def addresses_of_the_api(endpoints: Iterable[Any]) -> list[Any]:
    """Preprocessing hook: in the order of the address table, and nothing that is not ours."""
    return [one for one in endpoints if one[0].startswith(PREFIX)]


def completed(
    result: dict[str, Any],
    generator: SchemaGenerator,  # noqa: ARG001  drf-spectacular's signature
    request: Any,  # noqa: ARG001  as above
    public: bool,  # noqa: ARG001  as above
) -> dict[str, Any]:
    """Postprocessing hook: the head, what is said once and referred to, and rows of lists of which
    fields may be left out."""
    result["info"]["description"] = HEAD
    result["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    result["servers"] = [{"url": "/"}]
    components = result["components"]
    components["headers"] = HEADERS
    components["responses"] = _problems_said_once(result["paths"])
    schemas = components["schemas"]
    for name in [name for name in schemas if name.endswith("Page")]:
        _make_sparse(schemas, schemas[name]["properties"]["items"])
    return result


def _problems_said_once(paths: dict[str, Any]) -> dict[str, Any]:
    """Each kind of problem under its phrase; operations refer to it."""
    said: dict[str, Any] = {}
    for operations in paths.values():
        for operation in operations.values():
            for code, answer in operation["responses"].items():
                if MEDIA_TYPE in answer.get("content", {}):
                    name = HTTPStatus(int(code)).phrase.replace(" ", "").replace("-", "")
                    said.setdefault(name, answer)
                    operation["responses"][code] = {"$ref": f"#/components/responses/{name}"}
    return said


def _make_sparse(components: dict[str, Any], items: dict[str, Any]) -> None:
    """A list with `fields` leaves fields out; alone, a thing always has all of them."""
    whole = items["items"].get("$ref", "").rpartition("/")[2]
    if not whole:
        return
    sparse = f"{whole}Listed"
    components[sparse] = deepcopy(components[whole])
    components[sparse].pop("required", None)
    items["items"] = {"$ref": f"#/components/schemas/{sparse}"}


def _headers_of(status: int, method: str) -> dict[str, Any]:
    names = ["RateLimit", "RateLimit-Policy"]
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        names.append("Retry-After")
    if method == "POST" and HTTPStatus.OK <= status < HTTPStatus.BAD_REQUEST:
        names.append("Idempotency-Replayed")
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _header(description: str) -> dict[str, Any]:
    return {"schema": {"type": "string"}, "description": description}


HEADERS = {
    "ETag": _header("What it is now, for If-None-Match and If-Match."),
    "Idempotency-Replayed": _header("`true` where the answer is that of a request before."),
    "Link": _header('`<…>; rel="next"` and `rel="prev"`: the neighbouring pages (RFC 8288).'),
    "RateLimit": _header('What is left: `"caller";r=1199;t=42`.'),
    "RateLimit-Policy": _header('What is allowed: `"caller";q=1200;w=60`.'),
    "Retry-After": _header("Seconds to wait."),
}


# How one signs in, for the description; both classes register themselves ---------------------------


class _SecretScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # it has no types
    target_class = SecretAuthentication
    name = ["bearer", "basic"]

    def get_security_requirement(self, auto_schema: AutoSchema) -> list[dict[str, list[Any]]]:  # noqa: ARG002  its signature
        return [{"bearer": []}, {"basic": []}]

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:  # noqa: ARG002  its signature
        return [
            {
                "type": "http",
                "scheme": "bearer",
                "description": "A personal access token, a service principal's secret, or one"
                " exchanged for a CI job's token: `Authorization: Bearer ptl_…`",
            },
            {
                "type": "http",
                "scheme": "basic",
                "description": "The same with its owner's name, as docker and curl send it.",
            },
        ]


class _SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # it has no types
    target_class = SessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:  # noqa: ARG002  its signature
        return {
            "type": "apiKey",
            "in": "cookie",
            "name": "portolan_session",
            "description": "The session of a browser; changes also need `X-CSRFToken`.",
        }

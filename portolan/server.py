"""Asking the server: one place for sign-in, patience, pages, and the words of what it refuses."""

from __future__ import annotations

import contextlib
import json
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import httpx

from portolan import VERSION
from portolan.addresses import API, is_here
from portolan.failures import Ending, Failure, Misused, NotSignedIn, Refused, Unreachable
from portolan.reaching import why_not
from portolan.tokens import token_in

TIMEOUT = httpx.Timeout(60, connect=10)
PROBLEM = "application/problem+json"
LARGEST_PAGE = 200
# In bytes, unpacked; what `api` is asked for may be larger, such as an export of every tag.
LARGEST_ANSWER = 64 * 1024**2
ATTEMPTS = 5
# A server that asks for more patience than this is told of instead.
LONGEST_WAIT = 120.0
# 429: too many requests; 503: restarting, or behind a proxy that finds nobody.
_TRY_AGAIN = (429, 503)
# Codes of problems with what was sent, and not with what it would do.
_TYPED = ("malformed", "invalid_parameter", "invalid_cursor", "invalid")
_UNSENDABLE = "This cannot be sent: there are characters in it that no address or header may have."


class Server:
    """A server's REST API, asked with one token. Paths are below /api/v1: `/registries`.

    Values of JSON come back; what is refused raises Refused, NotSignedIn or Unreachable.
    """

    def __init__(
        self,
        address: str,
        token: str = "",
        *,
        ca_file: str = "",
        below: str = API,
        timeout: httpx.Timeout = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.address = address
        self._sleep = sleep
        headers = {"User-Agent": f"portolan/{VERSION}", "Accept": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token_in(token, 'What the sign-in kept')}"
        trusted = _trusted(ca_file) if address.startswith("https") else False
        try:
            # Redirects are not followed: the token is for this address.
            self._http = httpx.Client(
                base_url=address + below,
                headers=headers,
                timeout=timeout,
                follow_redirects=False,
                verify=trusted,
                transport=transport,
                # No proxy to this machine, where a token may go without TLS: it would leave it.
                trust_env=not is_here(httpx.URL(address).host),
            )
        except ImportError:
            raise Unreachable(
                "The environment (ALL_PROXY, HTTPS_PROXY) names a SOCKS proxy, for which httpx needs"
                " socksio: pip install 'httpx[socks]'."
            ) from None
        except (ValueError, httpx.InvalidURL):
            # The address was looked at before. What stands there may be a password.
            raise Unreachable(
                "The proxy that the environment names (ALL_PROXY, HTTPS_PROXY) has no address that"
                " can be used."
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        return read(self.send("GET", path, query=query))

    def text(self, path: str, media_type: str) -> str:
        """A text of this media type; raises Unreachable for any other answer."""
        response = self.send("GET", path, headers={"Accept": media_type})
        found = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if found != media_type:
            raise Unreachable(f"{self.address} answered with {found or 'something'} instead.")
        try:
            # Whatever encoding it says: YAML in UTF-8 is what there is.
            return response.content.decode()
        except UnicodeDecodeError:
            raise Unreachable(f"{self.address} answered with what is no text in UTF-8.") from None

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        return read(self.send("POST", path, body=body, query=query))

    def delete(self, path: str) -> None:
        self.send("DELETE", path)

    def pages(self, path: str, *, limit: int | None = None, **query: Any) -> Iterator[Any]:
        """The rows of a list, at most `limit`; a page is asked for when its first row is wanted."""
        left = limit
        cursor: str | None = None
        while left is None or left > 0:
            size = LARGEST_PAGE if left is None else min(left, LARGEST_PAGE)
            page = self.get(path, **query, limit=size, after=cursor)
            rows = page.get("items") if isinstance(page, dict) else None
            if not isinstance(rows, list):
                raise Unreachable(f"{self.address} gave no list where one was asked for.")
            yield from rows
            left = None if left is None else left - len(rows)
            following = page.get("next")
            if not following or following == cursor:
                return
            cursor = following

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        largest: int | None = LARGEST_ANSWER,
    ) -> httpx.Response:
        """An answer of success, after as many attempts as are decent: what can be sent again is GET,
        and POST, which carries a key by which the server knows it again. Raises Unreachable for an
        answer of more than `largest` bytes."""
        given = dict(headers or {})
        if method == "POST":
            given.setdefault("Idempotency-Key", str(uuid.uuid4()))
        if body is not None:
            content = json.dumps(body).encode()
            given.setdefault("Content-Type", "application/json")
        try:
            request = self._http.build_request(
                method, _with_query(path, query or {}), content=content, headers=given
            )
        except (ValueError, httpx.InvalidURL):
            raise Misused(_UNSENDABLE) from None
        may_repeat = method in ("GET", "HEAD", "POST")
        for attempt in range(1, ATTEMPTS + 1):
            last = attempt == ATTEMPTS or not may_repeat
            try:
                response = self._answer(request, largest)
            except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, UnicodeError):
                raise Misused(_UNSENDABLE) from None
            except httpx.HTTPError as error:
                if last or not isinstance(error, httpx.TransportError) or attempt > 1:
                    raise Unreachable(
                        f"{self.address} cannot be reached: {why_not(error)}."
                    ) from None
                self._sleep(1)
                continue
            if response.status_code in _TRY_AGAIN and not last:
                self._sleep(self._patience(response, attempt))
                continue
            return self._accepted(response)
        raise AssertionError("The last attempt returns or raises.")

    def _answer(self, request: httpx.Request, largest: int | None) -> httpx.Response:
        """The answer, with its whole body: a few bytes unpack to more than there is memory for."""
        response = self._http.send(request, stream=True)
        with contextlib.closing(response):
            if largest is None:
                response.read()
                return response
            body, size = [], 0
            for part in response.iter_bytes():
                body.append(part)
                size += len(part)
                if size > largest:
                    raise Unreachable(
                        f"{self.address} answers with more than {largest // 1024**2} MiB."
                    )
        packed = (b"content-encoding", b"transfer-encoding")
        kept = [(name, it) for name, it in response.headers.raw if name.lower() not in packed]
        return httpx.Response(
            response.status_code,
            headers=kept,
            content=b"".join(body),
            request=request,
            extensions=response.extensions,
        )

    def _patience(self, response: httpx.Response, attempt: int) -> float:
        """Seconds to wait before the next attempt; raises where that is more than a person waits."""
        asked = _retry_after(response.headers.get("Retry-After", ""))
        seconds = float(2 ** (attempt - 1)) if asked is None else max(asked, 0.1)
        if seconds > LONGEST_WAIT:
            raise Unreachable(
                f"{self.address} asks for {seconds:.0f} seconds of patience. Come again later."
            )
        return seconds

    def _accepted(self, response: httpx.Response) -> httpx.Response:
        if response.is_success:
            return response
        if response.is_redirect:
            where = response.headers.get("Location", "elsewhere")
            raise Unreachable(
                f"{self.address} has moved to {where}: sign in at the new address, as your token is"
                " not sent to another."
            )
        raise self._refusal(response)

    def _refusal(self, response: httpx.Response) -> Failure:
        problem = _problem_of(response)
        status = response.status_code
        said = str(problem.get("detail") or "")
        if status == 401:
            return NotSignedIn(said or f"{self.address} does not know this token.")
        if not said:
            plain = f"{status} {response.reason_phrase}".strip()
            return Unreachable(
                f"{self.address} answered “{plain}” and did not say why. Is Portolan there?"
            )
        if problem.get("error_id"):
            said += f" error_id: {problem['error_id']}"
        if status >= 500 and problem.get("code") in ("internal", None):
            return Unreachable(said)
        # What the sentence has already needs no line of its own.
        lines = [line for line in _lines_of(problem) if line not in said]
        if len(lines) == 1 and lines[0].endswith(said):
            said, lines = lines[0], []
        return Refused(said, _ending_of(status, problem), lines, status=status, more=problem)


def read(response: httpx.Response) -> Any:
    """The JSON of an answer, None of an empty one. Raises Unreachable for anything else."""
    if not response.content:
        return None
    where = response.request.url.copy_with(path="/", query=None, fragment=None)
    media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Unreachable(
            f"{where} answered with {media_type or 'something'} instead of JSON."
            " Is this Portolan's address?"
        )
    try:
        return response.json()
    except (ValueError, RecursionError):
        raise Unreachable(f"{where} answered with JSON that breaks off.") from None


def _problem_of(response: httpx.Response) -> dict[str, Any]:
    """The problem details (RFC 9457), or nothing."""
    if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() != PROBLEM:
        return {}
    try:
        problem = response.json()
    except (ValueError, RecursionError):
        return {}
    return problem if isinstance(problem, dict) else {}


def _ending_of(status: int, problem: Mapping[str, Any]) -> Ending:
    """Typed wrong is what the server finds in a part that it names. In a governance file it names
    lines: that one cannot be applied, and was typed elsewhere."""
    if status in (403, 404):
        return Ending.NOT_ALLOWED
    errors = problem.get("errors")
    listed = errors if isinstance(errors, list) else []
    of_parts = any(isinstance(one, dict) and "line" not in one for one in listed)
    is_typed = problem.get("code") in _TYPED and (of_parts or status == 400)
    return Ending.USAGE if is_typed else Ending.NO


def _lines_of(problem: Mapping[str, Any]) -> Iterator[str]:
    """Which fields were refused, and which right is missing where."""
    errors = problem.get("errors")
    for one in errors if isinstance(errors, list) else ():
        if isinstance(one, dict):
            line = f"line {one['line']}: " if one.get("line") else ""
            field = f"{one['field']}: " if one.get("field") else ""
            yield f"{line}{field}{one.get('detail', '')}"
    if problem.get("action") and problem.get("scope"):
        yield f"It needs “{problem['action']}” on {problem['scope']}."


def _retry_after(text: str) -> float | None:
    """Seconds, of a number or a date (RFC 9110, 10.2.3); None where nothing is said."""
    if text.isascii() and text.strip().isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def _with_query(path: str, query: Mapping[str, Any]) -> str:
    """The path, which may have a query already, and what of this one was given; truth as the API
    writes it."""
    given = {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in query.items()
        if value not in (None, "")
    }
    if not given:
        return path
    return f"{path}{'&' if '?' in path else '?'}{urlencode(given, doseq=True)}"


def _trusted(ca_file: str) -> ssl.SSLContext:
    """Mozilla's authorities, those of this system, and one's own."""
    try:
        context = httpx.create_ssl_context()
        context.load_default_certs()
    except OSError as error:
        raise Unreachable(
            "SSL_CERT_FILE or SSL_CERT_DIR names certificates that cannot be read:"
            f" {error.strerror}."
        ) from None
    if ca_file:
        try:
            context.load_verify_locations(cafile=Path(ca_file).expanduser())
        except OSError as error:  # ssl.SSLError is one
            why = "" if isinstance(error, ssl.SSLError) else f": {error.strerror}"
            raise Misused(f"{ca_file} holds no certificates that can be read{why}.") from None
    return context

"""From what went wrong below (sockets, TLS, HTTP statuses) to errors people can act on."""

import errno
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
import orjson

from registries.oci import mediatypes, untrusted
from registries.oci.errors import (
    AccessDenied,
    AddressRefused,
    AuthenticationFailed,
    InvalidDocument,
    NotARegistry,
    NotFound,
    RegistryError,
    ServerFailed,
    Throttled,
    TlsFailed,
    Unreachable,
    Unsupported,
)

# OpenSSL's X509_V_ERR_* numbers, from x509_vfy.h.
_EXPIRED = 10
_NOT_YET_VALID = 9
_SELF_SIGNED = {18, 19}
_UNKNOWN_ISSUER = {2, 20, 21}
_WRONG_HOST = {62, 64}

_EXCERPT = 200


def from_exception(error: BaseException, host: str) -> RegistryError:
    """Return the error for an exception of the HTTP client while talking to `host`."""
    inner: BaseException = error
    if isinstance(error, aiohttp.ClientConnectorError):
        inner, host = error.os_error, error.host  # after a redirect, another host
    # network.AddressRefused, also where several addresses were tried and became one error.
    if isinstance(inner, OSError) and inner.errno == errno.EACCES:
        return AddressRefused(inner.strerror or str(inner))
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return _certificate_failure(error.certificate_error, host)
    if isinstance(inner, ssl.SSLCertVerificationError):  # of a bare socket, without aiohttp
        return _certificate_failure(inner, host)
    if isinstance(inner, ssl.SSLError):
        return _tls_failure(inner, host)
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return unknown_name(host)
    if isinstance(inner, ConnectionRefusedError):
        return Unreachable(
            f"{host} refuses the connection: nothing listens on that port.",
            advice="Check the port, and whether the registry is running.",
        )
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return Unreachable(
            f"{host} does not answer: no connection came about in time.",
            advice="Check the address, and whether a firewall stands between.",
        )
    if isinstance(error, TimeoutError):
        return Unreachable(
            f"{host} took the request and then fell silent.",
            advice="The registry or its storage may be overloaded; try again later.",
        )
    if isinstance(error, aiohttp.ClientResponseError):
        return NotARegistry(f"{host} does not answer in HTTP as a registry does.")
    if isinstance(error, aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError):
        return Unreachable(f"{host} broke off in the middle of its answer.")
    return Unreachable(f"The connection to {host} failed: {inner}.")


def unknown_name(host: str) -> Unreachable:
    """Return the error for a name that no address was found for."""
    return Unreachable(
        f"The name {host} is unknown: no address was found for it.",
        advice="Check the spelling, and that this machine's DNS knows the name.",
    )


def _certificate_failure(error: BaseException, host: str) -> TlsFailed:
    code = getattr(error, "verify_code", None)
    if code == _EXPIRED:
        return TlsFailed(
            f"The certificate of {host} has expired.",
            advice="Renew the certificate at the registry.",
        )
    if code == _NOT_YET_VALID:
        return TlsFailed(
            f"The certificate of {host} is not valid yet.",
            advice="Check the clocks of both machines.",
        )
    if code in _SELF_SIGNED:
        return TlsFailed(
            f"The certificate of {host} is self-signed.",
            advice="Give that certificate, or the authority that signed it, as the CA certificate.",
        )
    if code in _UNKNOWN_ISSUER:
        return TlsFailed(
            f"The certificate of {host} was signed by an authority this machine does not know.",
            advice="Give that authority's certificate as the CA certificate.",
        )
    if code in _WRONG_HOST:
        return TlsFailed(
            f"The certificate is not for {host}.",
            advice="Use the name the certificate was made for, or renew it for this one.",
        )
    reason = getattr(error, "verify_message", None) or error
    return TlsFailed(f"The certificate of {host} is not accepted: {reason}.")


def _tls_failure(error: ssl.SSLError, host: str) -> TlsFailed:
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE"):
        return TlsFailed(
            f"{host} does not speak TLS on that port.",
            advice="Check the port; a registry without TLS is given as http://.",
        )
    return TlsFailed(f"No TLS connection to {host}: {error.reason or error}.")


def is_worth_retrying(error: BaseException) -> bool:
    """Say whether a connection broke in a way that a new one may mend at once."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return False
    return isinstance(
        error, aiohttp.ClientOSError | aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError
    )


def from_response(
    status: int, content_type: str, body: bytes, what: str, retry_after: float | None = None
) -> RegistryError:
    """Return the error for an answer that is not the one asked for; `what` names the request."""
    said = _said(content_type, body)
    if status == 429:
        return Throttled(f"The registry asks to slow down ({what}).", retry_after=retry_after)
    if status == 401:
        return AuthenticationFailed(f"The registry wants a sign-in for {what}{said}.")
    if status == 403:
        return AccessDenied(f"The registry does not let this account read {what}{said}.")
    if status == 404:
        missing = NotFound(f"The registry has no {what}{said}.")
        missing.is_proof = bool(error_codes(body))
        return missing
    if status >= 500:
        return ServerFailed(
            f"The registry failed with status {status} on {what}{said}.", retry_after=retry_after
        )
    if 300 <= status < 400:
        return NotARegistry(f"The address answers {what} by sending to another address.")
    if status == 200 and mediatypes.bare(content_type) == "text/html":
        return NotARegistry(f"A web page came back for {what}, not a registry's answer.")
    if status in (400, 405, 415, 501):
        return Unsupported(f"The registry does not answer {what} (status {status}{said}).")
    return InvalidDocument(f"The registry answered {what} with status {status}{said}.")


def error_codes(body: bytes) -> frozenset[str]:
    """Return the codes in a registry's error document, none if it is not one."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return frozenset()
    errors = untrusted.objects(untrusted.mapping(document).get("errors"))
    return frozenset(code for entry in errors if (code := untrusted.text(entry.get("code"))))


def _said(content_type: str, body: bytes) -> str:
    """Return what the registry itself gave as the reason, cut short, ready to be appended."""
    if "html" in content_type or not body:
        return ""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    entries = untrusted.objects(untrusted.mapping(document).get("errors"))
    messages = (untrusted.text(entry.get("message")) for entry in entries)
    text = "; ".join(message for message in messages if message)
    return f": {text[:_EXCERPT].rstrip('.')}" if text else ""


def asked_to_wait(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Return for how many seconds an answer asks us to keep away, None if it does not say.

    `Retry-After`; Docker Hub's `X-Retry-After` is a Unix time (docs.docker.com, Hub API, "Rate
    limiting"), as is GitHub's `X-RateLimit-Reset`, which counts once nothing remains (docs.github.com,
    "Rate limits for the REST API").
    """
    asked = retry_after_seconds(headers.get("Retry-After"), now)
    if asked is not None:
        return asked
    resets_at = headers.get("X-Retry-After")
    if resets_at is None and headers.get("X-RateLimit-Remaining") == "0":
        resets_at = headers.get("X-RateLimit-Reset")
    if resets_at is None or not (resets_at.isascii() and resets_at.isdigit()):
        return None
    return max(0.0, float(resets_at[:12]) - (now or datetime.now(UTC)).timestamp())


def retry_after_seconds(value: str | None, now: datetime | None = None) -> float | None:
    """Return a Retry-After header in seconds, from seconds or an HTTP date (RFC 9110 10.2.3)."""
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())

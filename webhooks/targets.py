"""Where a webhook is sent and with which headers, checked before anything is stored.

Values only. That an address is dialled at all is judged again where the socket is opened: a name
says nothing about where it leads.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from registries.oci.addresses import read_url

URL_LIMIT = 2048
HEADERS_LIMIT = 20
HEADER_NAME_LIMIT = 64
HEADER_VALUE_LIMIT = 2048
HEADERS_BYTES = 8192  # what servers take of all headers of a request

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
# RFC 9110, section 5.6.2: what a header's name may be made of.
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x20-\x7e]*")
# Portolan's own: of the message, of its signature, of CloudEvents.
_OURS = ("content-", "webhook-", "ce-")
# What is about the connection and not the receiver (RFC 9110, section 7.6.1), or would let the
# message be taken for another's.
_NEVER = frozenset(
    {
        "accept-encoding",
        "connection",
        "date",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)


@dataclass(frozen=True, slots=True)
class Target:
    """An address that may be stored. `host`, with its port, is what lists show of it; secrets that
    were entered for one `origin` are not sent to another."""

    url: str
    origin: str
    host: str

    def __repr__(self) -> str:
        return f"Target({self.origin})"


def parse_target(text: str, *, allow_http: bool) -> Target:
    """The target of an address; raises ValidationError with a sentence that does not repeat it.

    `allow_http` is whether the operator opened a network in which nobody listens on the way.
    """
    text = text.strip()
    if len(text) > URL_LIMIT:
        raise ValidationError(_("The address is longer than %d characters.") % URL_LIMIT)
    # Parsers differ about such characters, and that is how a check is talked round.
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise ValidationError(
            _("The address has characters that no address has: write it as a browser sends it.")
        )
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
        read_url(text, encoded=True)  # as it is read when it is sent to
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if not _is_host(host) or port == 0:
        raise ValidationError(
            _("Write the whole address, such as https://builds.example.com/hook.")
        )
    if parts.scheme not in ("https", "http"):
        raise ValidationError(_("The address begins with https://."))
    if parts.scheme == "http" and not allow_http:
        raise ValidationError(
            _("Plain http lets everybody on the way read and change what is sent: use https.")
        )
    if "@" in parts.netloc:
        raise ValidationError(
            _("Leave user name and password out of the address: send them as a header.")
        )
    if "#" in text:
        raise ValidationError(_("What stands behind # is never sent: leave it out."))
    shown = f"[{host}]" if ":" in host else host
    if port is not None:
        shown = f"{shown}:{port}"
    return Target(text, f"{parts.scheme}://{shown}", shown)


def parse_headers(text: str) -> dict[str, str]:
    """The headers of a text with one `Name: value` a line; raises ValidationError."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        if not colon:
            # The line itself may be a secret that lost its name.
            raise ValidationError(_("Line %d is no header: write Name: value.") % number)
        if name.strip().lower() in {known.lower() for known in found}:
            raise ValidationError(_("The header %s is given twice.") % name.strip()[:64])
        found[name.strip()] = value.strip()
    return checked_headers(found)


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The same headers; raises ValidationError for those that cannot or must not be sent."""
    if len(headers) > HEADERS_LIMIT:
        raise ValidationError(_("At most %d headers can be added.") % HEADERS_LIMIT)
    for name, value in headers.items():
        _check_header(name, value)
    if sum(len(name) + len(value) + 4 for name, value in headers.items()) > HEADERS_BYTES:
        raise ValidationError(_("All headers together are longer than servers take."))
    return dict(headers)


def _check_header(name: str, value: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > HEADER_NAME_LIMIT:
        raise ValidationError(
            _("“%s” is no name of a header: letters, digits and hyphens.")
            % name[:HEADER_NAME_LIMIT]
        )
    if name.lower() in _NEVER or name.lower().startswith(_OURS):
        raise ValidationError(_("The header %s is Portolan’s own, and cannot be set.") % name)
    if not _VALUE.fullmatch(value) or value != value.strip() or not value:
        raise ValidationError(
            _("The value of %s has characters that a header cannot carry, or is empty.") % name
        )
    if len(value) > HEADER_VALUE_LIMIT:
        raise ValidationError(
            _("The value of %(name)s is longer than %(limit)d characters.")
            % {"name": name, "limit": HEADER_VALUE_LIMIT}
        )


def _is_host(host: str) -> bool:
    if ":" in host:
        try:
            return ip_address(host).version == 6 and "%" not in host
        except ValueError:
            return False
    return len(host) <= 253 and _HOST.fullmatch(host) is not None

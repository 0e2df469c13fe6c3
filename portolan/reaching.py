"""Why a server cannot be reached, in words: what the operating system and TLS say is for programmers."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

import httpx


def why_not(error: httpx.HTTPError) -> str:
    """The rest of the sentence “… cannot be reached: ”. Of what was sent it says nothing: the text
    of such an error may hold a header, and so a token."""
    for cause in _causes(error):
        if said := _said(cause):
            return said
    return f"the connection failed ({type(error).__name__})"


def _said(cause: BaseException) -> str:
    match cause:
        case httpx.TimeoutException():
            return "it did not answer in time"
        case httpx.ProxyError():
            return f"the proxy does not let us through ({cause})"
        case httpx.RemoteProtocolError():
            return "it broke off, or speaks no HTTP there"
        case socket.gaierror():
            return "there is no host of this name, or nobody here who knows it"
        case ConnectionRefusedError():
            return "nobody listens there"
        case ConnectionError():
            return "it broke the connection off"
        case ssl.SSLCertVerificationError():
            return (
                f"its certificate is not trusted ({cause.verify_message})."
                " Authorities of your own are named with --ca-file"
            )
        case ssl.SSLError():
            return "it speaks no TLS there, so that its address may begin with http://"
        case OSError() if cause.strerror:
            return cause.strerror
        case _:
            return ""


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from: httpx and httpcore each wrap what the system said."""
    found: BaseException | None = error
    while found is not None:
        yield found
        found = found.__cause__ or found.__context__

"""Addresses of servers: what may be typed, and when a secret may travel without TLS."""

from __future__ import annotations

import ipaddress
from urllib.parse import quote, urlsplit

from portolan.failures import Misused

API = "/api/v1"


def server_address(text: str, *, insecure_http: bool = False) -> str:
    """The address of a server as it is kept: `https://HOST[:PORT][/PATH]`. Without a scheme it is
    https, and http on this machine. Raises Misused."""
    text = text.strip()
    if "://" not in text:
        text = f"{'http' if is_here(_host_of('//' + text)) else 'https'}://{text}"
    parts = urlsplit(text)
    host = _host_of(text)
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise Misused(f"“{text}” is no server's address. Write https://portolan.example.com.")
    if parts.username is not None or parts.password is not None:
        raise Misused("An address with a name and a password in it is not taken.")
    if parts.scheme == "http" and not insecure_http and not is_here(host):
        raise Misused(
            f"{text} would be asked without TLS, and everybody on the way could read your token."
            " Write https, or --insecure-http if you must."
        )
    return text.rstrip("/").removesuffix(API)


def is_here(host: str) -> bool:
    """Whether it is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def path_of(*parts: str) -> str:
    """A path of the API below its prefix. Each part is quoted; a slash in a part stays, as the names
    of repositories have them. Raises Misused for dots that lead elsewhere."""
    if any(piece in (".", "..") for part in parts for piece in part.split("/")):
        raise Misused(f"“{'/'.join(parts)}” is no name.")
    return "/" + "/".join(quote(part, safe="/:@") for part in parts)


def short_name(address: str) -> str:
    """What a context is called that nobody named: the host, with its port."""
    return urlsplit(address).netloc


def _host_of(text: str) -> str:
    try:
        parts = urlsplit(text)
        _port = parts.port  # raises where it is no number
    except ValueError:
        return ""
    return parts.hostname or ""

"""Addresses of servers: what may be typed, and when a secret may travel without TLS."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import quote, urlsplit

import httpx

from portolan.failures import Misused

API = "/api/v1"
_NO_ADDRESS = "“{}” is no server's address. Write https://portolan.example.com."
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)


def server_address(text: str, *, insecure_http: bool = False) -> str:
    """The address of a server as it is kept: `https://HOST[:PORT][/PATH]`. Without a scheme it is
    https, and http on this machine. Raises Misused."""
    typed = text = text.strip()
    if "://" not in text:
        text = f"{'http' if is_here(_host_of('//' + text)) else 'https'}://{text}"
    host = _host_of(text)
    if not host or not text.isprintable() or " " in text:
        raise Misused(_NO_ADDRESS.format(typed))
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise Misused(_NO_ADDRESS.format(typed))
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
    """The host of an address; empty where it has none that can be one."""
    try:
        parts = urlsplit(text)
        _port = parts.port  # raises where it is no number
        host = parts.hostname or ""
        return host if _is_host(host) else ""
    except (ValueError, httpx.InvalidURL):
        return ""


def _is_host(host: str) -> bool:
    """Whether it is an IP address or a name, also in letters beyond ASCII (IDNA). For some that are
    neither it raises ValueError or httpx.InvalidURL."""
    if ":" in host:
        return bool(ipaddress.ip_address(host))
    # What the client itself would make of it, both ways.
    url = httpx.URL(scheme="https", host=host)
    name = url.raw_host.decode() if url.host else ""
    return all(_LABEL.fullmatch(label) for label in name.removesuffix(".").split("."))

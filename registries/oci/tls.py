"""Whom to believe that a registry is who it says."""

import ssl
from functools import lru_cache

from registries.oci.connection import InvalidConnection


def ssl_context(ca_certificate: str | None) -> ssl.SSLContext:
    """Return the TLS settings: the system's authorities, and the given one (PEM) besides."""
    if ca_certificate is None:
        return _system_context()
    context = ssl.create_default_context()
    try:
        context.load_verify_locations(cadata=ca_certificate)
    except (ssl.SSLError, ValueError):
        raise InvalidConnection("The CA certificate is not a certificate in PEM form.") from None
    return context


@lru_cache(maxsize=1)
def _system_context() -> ssl.SSLContext:
    # Reading the system's authorities takes tens of milliseconds.
    return ssl.create_default_context()

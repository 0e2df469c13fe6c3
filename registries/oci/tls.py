"""Whom to believe that a registry is who it says."""

import ssl
from functools import lru_cache

from registries.oci.connection import InvalidConnection


def ssl_context(ca_certificate: str | None) -> ssl.SSLContext:
    """Return the TLS settings: the system's authorities, and the given one (PEM) besides."""
    if ca_certificate is None:
        return _system_context()
    context = ssl.create_default_context()
    trust(context, ca_certificate)
    return context


def trust(context: ssl.SSLContext, pem: str) -> None:
    """Let the context trust an authority's certificate, too; raises `InvalidConnection`."""
    if not pem.isascii():  # ssl takes that for bytes of another form
        raise InvalidConnection(
            "The CA certificate is not a certificate in PEM form: that is plain ASCII."
        )
    try:
        context.load_verify_locations(cadata=pem)
    except (ssl.SSLError, ValueError):
        raise InvalidConnection("The CA certificate is not a certificate in PEM form.") from None


@lru_cache(maxsize=1)
def _system_context() -> ssl.SSLContext:
    # Reading the system's authorities takes tens of milliseconds.
    return ssl.create_default_context()

"""Addresses that somebody else wrote: people in forms, registries in their answers."""

import re

from yarl import URL

# In a request's first line they end the address, or the line.
_UNSENDABLE = re.compile(r"[\x00-\x20\x7f\ud800-\udfff]")


def read_url(text: str, *, encoded: bool = False) -> URL:
    """Return the URL of a text, with a host and a port that can be read; raises `ValueError`.

    yarl reads some parts only when they are asked for, and looks at the first character of a host
    that has none (`https://[]@`); what is `encoded` it takes as it is, and the client refuses
    control characters only when it writes the request. Whoever catches a ValueError here has caught
    all of it.
    """
    if encoded and _UNSENDABLE.search(text):
        raise ValueError("It has characters that no address has.")
    try:
        url = URL(text, encoded=encoded)
        _ = url.host, url.explicit_port
    except IndexError:
        raise ValueError("It has no host.") from None
    return url

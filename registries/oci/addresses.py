"""Addresses that somebody else wrote: people in forms, registries in their answers."""

from yarl import URL


def read_url(text: str, *, encoded: bool = False) -> URL:
    """Return the URL of a text, with a host and a port that can be read; raises `ValueError`.

    yarl reads some parts only when they are asked for, and looks at the first character of a host
    that has none (`https://[]@`): whoever catches a ValueError here has caught all of it.
    """
    try:
        url = URL(text, encoded=encoded)
        _ = url.host, url.explicit_port
    except IndexError:
        raise ValueError("It has no host.") from None
    return url

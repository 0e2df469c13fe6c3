"""Read the environment, and fail loudly with the variable's name when it does not make sense.

Every variable may also be given as `NAME_FILE`, the path of a file that holds the value: that is
how container platforms hand over secrets.
"""

import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str | None = None) -> str:
    """The value of `name` or of the file that `name`_FILE points at, without surrounding space.

    Raises ImproperlyConfigured when neither is set and there is no default.
    """
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error}.") from error
    if value := os.environ.get(name, "").strip():
        return value
    if default is None:
        raise ImproperlyConfigured(f"Set {name} (or {name}_FILE): Portolan does not run without.")
    return default


def flag(name: str, *, default: bool) -> bool:
    value = text(name, "yes" if default else "no").lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name} must be yes or no, not {value!r}.")


def number(name: str, default: int) -> int:
    value = text(name, str(default))
    try:
        return int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from error


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def pauses(name: str, default: str) -> list[float]:
    """Seconds, separated by commas, none below zero."""
    try:
        found = [float(word) for word in words(name, default)]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be seconds, such as 5,300,1800.") from error
    if not all(0 <= seconds < 1e7 for seconds in found):
        raise ImproperlyConfigured(f"{name} has a pause that nobody can wait for.")
    return found


def database(name: str = "DATABASE_URL") -> dict[str, object]:
    """Django's settings for `postgresql://user:password@host:port/name?option=value`.

    A socket directory is given percent-encoded as the host, or as the option `host`, as libpq has
    it. Other schemes are refused: Portolan uses one database, PostgreSQL, and uses it well.
    """
    url = text(name)
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ImproperlyConfigured(
            f"{name} must start with postgresql://, SQLite is not supported."
        )
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", unquote(parts.hostname or ""))
    if "%2f" in parts.netloc.lower():  # urlsplit lower-cases host names; a path must keep its case
        host = unquote(parts.netloc.rpartition("@")[2].partition(":")[0])
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }

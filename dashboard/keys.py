"""The two keys of an installation: Django's signing key and the keys of secrets at rest.

They are apart, so that changing one (to end all sessions) leaves the other (stored registry
passwords) readable. In production both are given; when Portolan is being tried out on its embedded
services they are made once and kept with the data, readable by their owner alone.
"""

import base64
import binascii
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from dashboard import env

KEY_BYTES = 32


def secret_key(data_dir: Path) -> str:
    """SECRET_KEY, or the one made for this trial installation."""
    return env.text("SECRET_KEY", "") or _kept(
        "SECRET_KEY", data_dir / "secret_key", lambda: secrets.token_urlsafe(50)
    )


def encryption_keys(data_dir: Path) -> dict[str, bytes]:
    """Key id -> 32-byte key, from ENCRYPTION_KEYS = `id:base64,id:base64`; the first one encrypts.

    Raises ImproperlyConfigured for a value that is not of that form.
    """
    listed = env.text("ENCRYPTION_KEYS", "") or _kept(
        "ENCRYPTION_KEYS",
        data_dir / "encryption_keys",
        lambda: "k1:" + base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode(),
    )
    return dict(_parse_key(entry) for entry in listed.split(","))


def _parse_key(entry: str) -> tuple[str, bytes]:
    key_id, _, encoded = entry.strip().partition(":")
    try:
        key = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        key = b""
    if not key_id.isalnum() or len(key) != KEY_BYTES:
        raise ImproperlyConfigured(
            "ENCRYPTION_KEYS must be a comma-separated list of id:key, the id of letters and digits"
            f" and the key {KEY_BYTES} random bytes in base64."
        )
    return key_id, key


def _kept(name: str, path: Path, make: Callable[[], str]) -> str:
    if not os.environ.get("PORTOLAN_TRIAL"):
        raise ImproperlyConfigured(f"Set {name} (or {name}_FILE): Portolan does not run without.")
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
    value = make()
    # A link to a finished file either exists whole or not at all: of two processes that start at
    # once, one makes the key and the other reads it.
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(value, encoding="utf-8")
    try:
        os.link(draft, path)
    except FileExistsError:
        return path.read_text(encoding="utf-8").strip()
    finally:
        draft.unlink()
    return value

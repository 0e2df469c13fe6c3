"""Reading a registry's own bearer tokens, where they can be read: how long, and for what.

They are read and not verified: the registry is who judges them. What they say is shown to people
and decides when to ask for the next one, nothing else.
"""

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

import orjson

from registries.oci import untrusted


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a JWT, an empty dict for anything else."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        body = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
        return untrusted.mapping(orjson.loads(body))
    except (binascii.Error, ValueError):
        return {}


def seconds_left(token: str, now: datetime | None = None) -> float | None:
    """Return for how many seconds a JWT is still good by its `exp`, None if it does not say."""
    ends = claims_of(token).get("exp")
    if isinstance(ends, bool) or not isinstance(ends, int | float):
        return None
    left = float(ends) - (now or datetime.now(UTC)).timestamp()
    return left if left > 0 else None


def actions_in(header: str | None, repository: str) -> frozenset[str] | None:
    """Return the actions that a `Bearer` header's token grants on a repository.

    None for a header of another kind and a token that says nothing of access.
    """
    if header is None or not header.startswith("Bearer "):
        return None
    access = claims_of(header.removeprefix("Bearer ")).get("access")
    if not isinstance(access, list):
        return None
    # Azure's tokens spell the keys with a capital, as its challenges do.
    entries = (
        {key.lower(): it for key, it in entry.items()} for entry in untrusted.objects(access)
    )
    return frozenset(
        action
        for entry in entries
        if entry.get("type") == "repository" and entry.get("name") == repository
        for action in untrusted.texts(entry.get("actions"))
    )

"""The claims of a token for a registry (distribution: docs/content/spec/auth/jwt.md)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any

from access.tokens.scope import Allowed

# Registries' clocks lag: a token is good from a while before it was made.
BACKDATED_SECONDS = 60


def claims(
    *,
    issuer: str,
    service: str,
    subject: str,
    access: Iterable[Allowed],
    now: int,
    lifetime: int,
) -> dict[str, Any]:
    """Times are whole seconds (registries refuse fractions), `aud` is one string (2.8 refuses a
    list), `sub` is empty for who did not sign in; `jti` makes each token one of its kind."""
    return {
        "iss": issuer,
        "sub": subject,
        "aud": service,
        "exp": now + lifetime,
        "nbf": now - BACKDATED_SECONDS,
        "iat": now,
        "jti": secrets.token_urlsafe(12),
        "access": [entry.as_claim() for entry in access],
    }

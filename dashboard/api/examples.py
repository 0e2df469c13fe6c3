"""Examples for the description. All are of one made-up company, so that they can be read together.

It has the registries `prod` (Azure's), `harbour` (a registry of its own that takes Portolan's tokens)
and `hub`, the repository `shop/app`, the team `shop` with Anna, who owns everything, and Otto, and the
machine `shop-builds`. Secrets in examples are cut short (`ptl_pat_…`).
"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample

# What `shop/app:1.4.2` is, what it was before, and one of its layers.
DIGEST = "sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945"
OLD_DIGEST = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
LAYER_DIGEST = "sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"


def sends(name: str, body: Any) -> OpenApiExample:
    """A body that is sent."""
    return OpenApiExample(name, body, request_only=True)


def shows(name: str, value: Any, **more: Any) -> OpenApiExample:
    """An answer of any success; `more` narrows which of several (`media_type`, `status_codes`)."""
    return OpenApiExample(
        name, value, response_only=True, **{"status_codes": ["200", "201", "202"]} | more
    )


def lists(name: str, *rows: Any) -> OpenApiExample:
    """A page of a list, which is all of it."""
    return shows(name, {"items": list(rows), "next": None, "previous": None})

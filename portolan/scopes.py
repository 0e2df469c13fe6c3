"""Scopes as they are typed: `prod/team/*`, and also with a registry's host, as docker writes it."""

from __future__ import annotations

from portolan.references import registry_name
from portolan.server import Server


def scope_of(server: Server, text: str) -> str:
    """The scope as the server knows it; what is wrong with it, the server says."""
    written, slash, path = text.strip().partition("/")
    if written == "*":
        return text.strip()
    # `prod/app:1.0`: rights are a repository's, whatever the tag.
    repository = path.partition("@")[0].partition(":")[0]
    return registry_name(server, written) + slash + repository

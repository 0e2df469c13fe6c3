"""Scopes as they are typed: `prod/team/*`, and also with a registry's host, as docker writes it. And
to whom they are given."""

from __future__ import annotations

from portolan.failures import Misused
from portolan.references import Reference, registry_name
from portolan.server import Server

_KINDS = ("user", "team", "sp")


def scope_of(server: Server, text: str) -> str:
    """The scope as the server knows it; what is wrong with it, the server says."""
    written, slash, path = text.strip().partition("/")
    if written == "*":
        return text.strip()
    # `prod/app:1.0`: rights are a repository's, whatever the tag.
    repository = path.partition("@")[0].partition(":")[0]
    return registry_name(server, written) + slash + repository


def registry_of(scope: str) -> tuple[Reference, ...]:
    """The registry that a scope lies in; none of everything."""
    written = scope.partition("/")[0]
    return () if written == "*" else (Reference(written, ""),)


def principal_of(text: str) -> str:
    """Who is written so; raises Misused for what can be nobody. Whether there is such a one, the
    server knows."""
    kind, _colon, name = text.strip().partition(":")
    if text.strip() == "anonymous" or (kind in _KINDS and name):
        return text.strip()
    raise Misused(f"“{text}” is nobody: write user:NAME, team:NAME, sp:NAME, or anonymous.")

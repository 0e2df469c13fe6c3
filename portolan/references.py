"""What a command is told to look at: `REGISTRY/path`, `REGISTRY/path:tag`, `REGISTRY/path@digest`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from portolan.addresses import path_of
from portolan.failures import Ending, Failure, Misused
from portolan.server import Server

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_COMPONENT = r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*"
_PATH = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_REGISTRY = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?", re.IGNORECASE)
_SCHEMES = ("docker://", "oci://", "https://", "http://")


@dataclass(frozen=True, slots=True)
class Reference:
    """`registry` is a registry's name in Portolan; `tag` and `digest` may both be empty."""

    registry: str
    path: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.registry}/{self.path}{tag}{digest}"

    @property
    def address(self) -> str:
        """Of the repository in the API."""
        return path_of("registries", self.registry, "repositories", self.path)

    def below(self, *parts: str) -> str:
        """An address below the repository's: `…/-/tags/1.0`."""
        return self.address + "/-" + path_of(*parts)


def is_digest(text: str) -> bool:
    return _DIGEST.fullmatch(text) is not None


def is_registry(text: str) -> bool:
    """Whether this can be the name of a registry, or its host."""
    return _REGISTRY.fullmatch(text) is not None


def is_repository(text: str) -> bool:
    """Whether this can be `REGISTRY/path`."""
    registry, _slash, path = text.partition("/")
    return is_registry(registry) and _PATH.fullmatch(path) is not None


def parse(text: str) -> Reference:
    """The reference of a text; raises Misused with a sentence. The registry is as it was written."""
    rest = text.strip()
    for scheme in _SCHEMES:
        rest = rest.removeprefix(scheme)
    rest, _at, digest = rest.partition("@")
    registry, _slash, path = rest.partition("/")
    path, colon, tag = path.partition(":")
    if not is_repository(f"{registry}/{path}"):
        raise Misused(
            f"“{text}” is no repository. Write REGISTRY/path, REGISTRY/path:tag or @digest."
        )
    if digest and not is_digest(digest):
        raise Misused(f"“{digest}” is no digest: sha256: and 64 characters of 0-9a-f.")
    if colon and not _TAG.fullmatch(tag):
        raise Misused(f"“{tag}” is no tag: letters, digits and . _ -, at most 128.")
    return Reference(registry, path, tag, digest)


def find(server: Server, text: str) -> Reference:
    """The reference, its registry by name; one that docker would understand is taken, too, where
    the registry is written as its host."""
    given = parse(text)
    return Reference(registry_name(server, given.registry), given.path, given.tag, given.digest)


def registry_name(server: Server, written: str) -> str:
    """The name of a registry that is written by its name or its host."""
    if "." not in written and ":" not in written:
        return written
    rows: list[Any] = list(server.pages("/registries", fields="name,host"))
    for row in rows:
        if row["host"].partition("/")[0] == written:
            return str(row["name"])
    raise Failure(f"No registry that you see has the host {written}.", Ending.NOT_ALLOWED)

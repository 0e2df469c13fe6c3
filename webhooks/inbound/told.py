"""What a sender said, as values: nothing here is proved, and nothing is longer than its column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import uuid4

from registries.oci.reference import is_digest, is_repository, is_tag

# Verbs, as the model's; written here once more so that parsers know no Django.
PUSH, PULL, DELETE = "push", "pull", "delete"
QUARANTINE, PING, OTHER = "quarantine", "ping", "other"

ID_LIMIT = 255
ACTOR_LIMIT = 255
ADDRESS_LIMIT = 64
METHOD_LIMIT = 8


@dataclass(frozen=True, slots=True)
class Told:
    """One thing that a sender says happened.

    `ignored` says why there is nothing to do; empty where there is. `event_id` is the sender's own.
    Senders that have none get one for each time that they come (`fresh_id`): an id made of the
    content would swallow the second of two equal pushes, and what a repeat costs is one more look
    at the registry.
    """

    event_id: str
    verb: str
    repository: str = ""
    tag: str = ""
    digest: str = ""
    actor: str = ""
    agent: str = ""
    address: str = ""
    method: str = ""
    occurred_at: datetime | None = None
    ignored: str = ""


@dataclass(frozen=True, slots=True)
class Misread:
    """Something that was not understood, and why: one sentence for the registry's owner."""

    why: str


Heard: TypeAlias = "Told | Misread"
Document: TypeAlias = "Mapping[str, Any]"


class NotUnderstood(Exception):  # noqa: N818  named for what happened
    """All that came makes no sense; the text says why, in one sentence."""


def fresh_id() -> str:
    """An id for a sender that has none of its own."""
    return uuid4().hex


def text(value: object, limit: int) -> str:
    """A text cut to its column; empty for whatever is none. Postgres stores no NUL characters:
    a mark in their place keeps what had one from being taken for something else."""
    return value.replace("\0", "\ufffd")[:limit] if isinstance(value, str) else ""


def as_object(value: object) -> Document:
    """The value, if it is a JSON object; else an empty one."""
    return value if isinstance(value, Mapping) else {}


def part(document: Document, name: str) -> Document:
    """The object under this name, empty if there is none."""
    return as_object(document.get(name))


def items(document: Document, name: str) -> Sequence[object]:
    """The list under this name, empty if there is none."""
    value = document.get(name)
    return value if isinstance(value, list) else ()


def moment(value: object) -> datetime | None:
    """RFC 3339 (with as many digits of a second as the sender likes) or seconds since 1970; None
    for what is no moment of our time."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            found = datetime.fromtimestamp(value, UTC)
        elif isinstance(value, str):
            # Nine digits and more: fromisoformat cuts what it cannot hold.
            found = datetime.fromisoformat(value)
        else:
            return None
        if found.tzinfo is None:
            found = found.replace(tzinfo=UTC)
        found = found.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if 2000 <= found.year < 2200 else None


def host_of(address: str) -> str:
    """An address without its port: `10.0.0.1:4000`, `[::1]:4000`."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit() and (host.count(":") == 0 or host.startswith("[")):
        address = host
    return address.strip("[]")[:ADDRESS_LIMIT]


def named(told: Told) -> Heard:
    """The same, if what it names can be a repository, a tag and a digest; else why not."""
    if not told.repository:
        return Misread("It names no repository.")
    if not is_repository(told.repository):
        return Misread("No repository can be called as it says.")
    if told.tag and not is_tag(told.tag):
        return Misread("No tag can be called as it says.")
    if told.digest and not is_digest(told.digest):
        return Misread("What it calls a digest is none.")
    return told

"""Whoever has a shell on the server, as actor and origin of what a management command does."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

from access.origin import Origin, coming_from
from registries.actor import Actor


@contextmanager
def at_shell(command: str) -> Iterator[Actor]:
    """What happens inside is done at a shell; the actor's name is that of the system's account."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError, ImportError):  # in a container, a number without a name
        account = "unknown"
    with coming_from(Origin("shell", agent=f"manage.py {command}")):
        yield Actor(kind="shell", id=account, label=f"{account} at a shell")

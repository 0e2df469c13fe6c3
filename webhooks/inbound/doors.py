"""Which registries have which live secrets, as this process remembers it for a moment.

One small query brings all of them, every two seconds at most while notifications come. Names that
are not there and secrets that are wrong cost no further one, however many come: there is nothing to
wear out, so nobody has to be locked out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from time import monotonic

from django.utils import timezone

from webhooks.inbound.verify import Key
from webhooks.models import InboundSecret

# A secret that was removed works so long in other processes, and a new one is known within the
# second: a refusal looks again, if the last look is longer ago than that.
KNOWN_SECONDS = 2.0
ANEW_SECONDS = 0.2


@dataclass(slots=True)
class Door:
    """A registry that takes notifications."""

    registry_id: int
    keys: list[tuple[Key, datetime | None]] = field(default_factory=list)

    def live(self, at: datetime) -> list[Key]:
        return [key for key, expires_at in self.keys if expires_at is None or expires_at > at]


_doors: dict[str, Door] = {}
_looked_at = float("-inf")


def door_of(name: str, *, anew: bool = False) -> Door | None:
    """The door of the registry of this name; `anew` after a refusal, which may be old news."""
    if monotonic() - _looked_at > (ANEW_SECONDS if anew else KNOWN_SECONDS):
        _look()
    return _doors.get(name)


def forget() -> None:
    """Something changed here; in tests, everything did."""
    global _looked_at  # noqa: PLW0603  a process has one memory
    _looked_at = float("-inf")


def _look() -> None:
    global _doors, _looked_at
    looked_at = monotonic()
    found: dict[str, Door] = {}
    for secret in InboundSecret.objects.live(timezone.now()).select_related("registry"):
        door = found.setdefault(secret.registry.name, Door(secret.registry_id))
        key = Key(str(secret.pk), secret.digest, partial(getattr, secret, "secret"))
        door.keys.append((key, secret.expires_at))
    _doors, _looked_at = found, looked_at

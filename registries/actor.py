"""Who did something: a value, not a foreign key, so that history outlives people."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """`kind` is "system", "user", "service_principal", "registry" or "anonymous"; `label` is what people read."""

    kind: str
    id: str
    label: str


SYSTEM = Actor(kind="system", id="", label="Portolan")
# Whoever did not say, or not prove, who he is.
ANONYMOUS = Actor(kind="anonymous", id="", label="anonymous")

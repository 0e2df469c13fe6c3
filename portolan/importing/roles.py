"""Which roles of Portolan's say exactly a set of its actions.

The built-in ones that a migration needs stand here as access/roles.py has them (a test compares):
this package knows nothing of the server's code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

REGISTRY_READ = "registry read"
CATALOG_LIST = "catalog list"
CONTENT_READ = "content read"
CONTENT_WRITE = "content write"
CONTENT_DELETE = "content delete"
METADATA_READ = "metadata read"
METADATA_WRITE = "metadata write"
POLICY_MANAGE = "policy manage"
WEBHOOK_MANAGE = "webhook manage"
ACCESS_MANAGE = "access manage"
AUDIT_READ = "audit read"

SEEING = frozenset({REGISTRY_READ, CATALOG_LIST, METADATA_READ})
PULL = frozenset({CONTENT_READ, METADATA_READ})
PUSH = frozenset({CONTENT_WRITE})
DELETE = frozenset({CONTENT_DELETE, METADATA_READ})

BUILT_IN = {
    "reader": SEEING | PULL,
    "puller": PULL,
    "pusher": PULL | PUSH,
    "deleter": DELETE,
    "catalog-lister": frozenset({CATALOG_LIST}),
}
_WORDS = {
    REGISTRY_READ: "see",
    CATALOG_LIST: "list",
    CONTENT_READ: "pull",
    CONTENT_WRITE: "push",
    CONTENT_DELETE: "delete",
    METADATA_READ: "facts",
    METADATA_WRITE: "tag",
    POLICY_MANAGE: "policy",
    WEBHOOK_MANAGE: "webhooks",
    ACCESS_MANAGE: "access",
    AUDIT_READ: "audit",
}
_LIMIT = 63


@dataclass(frozen=True, slots=True)
class Role:
    """A role that the document defines itself."""

    name: str
    label: str
    description: str
    actions: frozenset[str]

    def as_data(self) -> dict[str, object]:
        """It as the document has it, its actions in Portolan's order."""
        return {
            "name": self.name,
            "label": self.label,
            "description": self.description,
            "actions": ordered(self.actions),
        }


def ordered(actions: Iterable[str]) -> list[str]:
    """Actions in Portolan's order."""
    wanted = set(actions)
    return [one for one in _WORDS if one in wanted]


def built_in(actions: frozenset[str]) -> tuple[str, ...]:
    """The fewest built-in roles that together allow exactly this; none where there are no such."""
    fitting = [name for name, allowed in BUILT_IN.items() if allowed <= actions]
    for count in range(1, len(fitting) + 1):
        for names in combinations(fitting, count):
            if frozenset().union(*(BUILT_IN[name] for name in names)) == actions:
                return names
    return ()


def own(actions: frozenset[str]) -> Role:
    """A role for actions that no built-in ones say; the same actions are always the same role."""
    words = [_WORDS[one] for one in ordered(actions)]
    name = f"imported-{'-'.join(words)}"
    if len(name) > _LIMIT:
        name = f"imported-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    label = f"Imported: {', '.join(words)}"
    return Role(
        name, label[:_LIMIT], "Made by an import, for rights that no built-in role says.", actions
    )

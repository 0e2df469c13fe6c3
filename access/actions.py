"""What can be done, as (resource, verb) pairs: the one vocabulary of browser, API and docker."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from functools import lru_cache

from django.utils.translation import gettext_lazy as _


class Action(Enum):
    """One thing that a role may allow. Its text form, "content read", is what is stored."""

    REGISTRY_READ = ("registry", "read")
    REGISTRY_MANAGE = ("registry", "manage")
    CATALOG_LIST = ("catalog", "list")
    CONTENT_READ = ("content", "read")
    CONTENT_WRITE = ("content", "write")
    CONTENT_DELETE = ("content", "delete")
    CONTENT_SIGN = ("content", "sign")
    METADATA_READ = ("metadata", "read")
    METADATA_WRITE = ("metadata", "write")
    POLICY_MANAGE = ("policy", "manage")
    WEBHOOK_MANAGE = ("webhook", "manage")
    ACCESS_MANAGE = ("access", "manage")
    AUDIT_READ = ("audit", "read")

    def __init__(self, resource: str, verb: str) -> None:
        self.resource, self.verb = resource, verb
        self.text = f"{resource} {verb}"

    @property
    def label(self) -> str:
        """What it lets one do, in a sentence's words."""
        return str(_LABELS[self])

    @classmethod
    def parse(cls, text: str) -> Action:
        """The action of a text such as "content read"; raises ValueError for any other."""
        if text not in _BY_TEXT:
            raise ValueError(f"{text!r} is not an action.")
        return _BY_TEXT[text]


_LABELS = {
    Action.REGISTRY_READ: _("see the registry, its state and its sync runs"),
    Action.REGISTRY_MANAGE: _("connect, change, sync and remove registries"),
    Action.CATALOG_LIST: _("list repositories and tags"),
    Action.CONTENT_READ: _("pull, and look into images"),
    Action.CONTENT_WRITE: _("push"),
    Action.CONTENT_DELETE: _("delete tags, images and repositories"),
    Action.CONTENT_SIGN: _("sign images (with the right to push beside it)"),
    Action.METADATA_READ: _("see locks, history and usage"),
    Action.METADATA_WRITE: _("move and lock tags"),
    Action.POLICY_MANAGE: _("set clean-up policies"),
    Action.WEBHOOK_MANAGE: _("manage webhooks"),
    Action.ACCESS_MANAGE: _("grant and revoke roles"),
    Action.AUDIT_READ: _("read the audit log"),
}

_BY_TEXT = {action.text: action for action in Action}
ALL = frozenset(Action)
# Docker's three verbs, and what of ours each of them is (distribution: registry/auth).
DOCKER = {
    "pull": Action.CONTENT_READ,
    "push": Action.CONTENT_WRITE,
    "delete": Action.CONTENT_DELETE,
}


def ordered(actions: Iterable[Action]) -> tuple[Action, ...]:
    """The same in the order of the enum, each once."""
    return _ordered(frozenset(actions))


@lru_cache(maxsize=1024)
def _ordered(actions: frozenset[Action]) -> tuple[Action, ...]:
    return tuple(action for action in Action if action in actions)


def texts(actions: Iterable[Action]) -> list[str]:
    """Their text forms in the order of the enum, for storing and showing."""
    return [action.text for action in ordered(actions)]


def parsed(texts: Iterable[str]) -> frozenset[Action]:
    """The actions of stored texts; one that an older or newer version wrote and we do not know
    allows nothing."""
    return frozenset(_BY_TEXT[text] for text in texts if text in _BY_TEXT)

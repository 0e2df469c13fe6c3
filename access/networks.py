"""Which registries somebody may let be on a private network.

Who manages one registry only could make it a probe of all that Portolan reaches: where it lies is for
those who connect registries anywhere, as the issuers of trust rules are.
"""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from access.actions import Action
from access.policy import Rights
from access.scopes import EVERYTHING
from access.trust_rules import may_reach_private
from registries.registry_settings import RegistrySettings

# What decides where requests go.
_STEERING = ("url", "kind", "options")


def opens_private(settings: RegistrySettings, before: RegistrySettings) -> bool:
    """Whether cleaned settings of a registry turn private addresses on, or take what was let there
    elsewhere."""
    if not settings.allow_private:
        return False
    return not before.allow_private or any(
        getattr(settings, name) != getattr(before, name) for name in _STEERING
    )


def require_network(rights: Rights, settings: RegistrySettings, before: RegistrySettings) -> None:
    """Raises PermissionDenied for who would open a private network that he may not."""
    if opens_private(settings, before) and not may_reach_private(rights):
        raise PermissionDenied(refusal(), Action.REGISTRY_MANAGE, EVERYTHING)


def refusal() -> str:
    return _(
        "Only who may connect registries anywhere can turn private addresses on, or give a registry"
        " that is allowed them another address, kind or settings of its kind."
    )

"""The pages of a registry, side by side on each of them."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import RequestContext

from access.actions import Action
from access.policy import may
from access.scopes import Scope
from registries.connectors import CONNECTORS
from registries.models import Registry
from registries.reports import tells

register = template.Library()


@register.inclusion_tag("dashboard/registry/tabs.html", takes_context=True)
def registry_tabs(context: RequestContext, registry: Registry, current: str = "") -> dict[str, Any]:
    """Those that one may see. `current` is the one at hand, by the name of its URL; none is where
    it is only a part of one: a namespace, a run."""
    user, scope = context["user"], Scope(registry.name)
    return {
        "registry": registry,
        "current": current,
        "may_read": may(user, Action.REGISTRY_READ, scope),
        "can_manage": may(user, Action.REGISTRY_MANAGE, scope),
        "can_grant": may(user, Action.ACCESS_MANAGE, scope),
        "vendor": CONNECTORS[registry.kind].label if tells(registry) else "",
    }

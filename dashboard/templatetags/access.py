"""The way from what is shown to who may do what with it."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import RequestContext

from access.actions import Action
from access.policy import may
from access.scopes import Scope

register = template.Library()


@register.inclusion_tag("components/access_link.html", takes_context=True)
def access_link(context: RequestContext, registry: str, path: str = "") -> dict[str, Any]:
    """To who has access there, for who manages it; for others, to asking for more. `path` is a
    repository, or a namespace with a slash at its end."""
    scope = Scope(registry, f"{path}*" if path.endswith("/") else path)
    return {"scope": scope, "manages": may(context["user"], Action.ACCESS_MANAGE, scope)}

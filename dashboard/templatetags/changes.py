"""What may be done with what is shown: changed at its registry, or opened on the vendor's own page."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django import template
from django.template.context import RequestContext
from yarl import URL

from access.actions import Action
from access.policy import may
from access.scopes import Scope
from registries.changing.deleting import abilities_of
from registries.changing.locking import words
from registries.connectors import CONNECTORS, Ability
from registries.models import Registry, Repository
from registries.oci.connection import Connection

register = template.Library()


@register.inclusion_tag("components/changes_menu.html", takes_context=True)
def changes_menu(
    context: RequestContext, repository: Repository, tag: str = "", digest: str = ""
) -> dict[str, Any]:
    """What may be deleted, for who may; of a repository, or of a tag or digest in it."""
    return {
        "registry": repository.registry,
        "repository": repository,
        "tag": tag,
        "digest": digest,
        "may_delete": may_delete(context, repository) and not repository.missing_since,
        "may_lock": _may_lock(context, repository) and not repository.missing_since,
    }


@register.simple_tag(takes_context=True)
def may_untag(context: RequestContext, repository: Repository) -> bool:
    """Whether tags of a list can be chosen to be taken away."""
    offered = Ability.DELETE_TAG in abilities_of(repository.registry)
    return offered and not repository.missing_since and may_delete(context, repository)


@register.inclusion_tag("components/locks.html")
def locks(*found: int) -> dict[str, Any]:
    """A badge of what the registry refuses, by any of these locks; nothing for none."""
    return {"words": words(reduce(or_, found, 0))}


def _may_lock(context: RequestContext, repository: Repository) -> bool:
    if Ability.LOCKS not in abilities_of(repository.registry):
        return False
    scope = Scope(repository.registry.name, repository.path)
    return may(context["user"], Action.METADATA_WRITE, scope)


def may_delete(context: RequestContext, repository: Repository) -> bool:
    scope = Scope(repository.registry.name, repository.path)
    return may(context["user"], Action.CONTENT_DELETE, scope)


@register.inclusion_tag("components/web_page.html")
def web_page(repository: Repository, tag: str = "", digest: str = "") -> dict[str, Any]:
    """A way to the vendor's own page, where the kind has one."""
    registry = repository.registry
    address = address_of(registry, repository.path, tag, digest)
    return {"address": address, "label": CONNECTORS[registry.kind].label}


def address_of(registry: Registry, path: str, tag: str, digest: str) -> str:
    """The address of that page, empty for none: only https, or the registry's own origin."""
    kind = CONNECTORS[registry.kind]
    connection = Connection(registry.url, allow_private=True, options=registry.options)
    address = kind.web_page(connection, path, tag or None, None if tag else digest or None)
    if address is None:
        return ""
    url = URL(address)
    is_own = url.absolute and url.origin() == connection.origin
    return address if url.scheme == "https" or is_own else ""

"""A registry: how it is doing, its namespaces, its repositories."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from access.actions import Action
from access.policy import may
from access.scopes import Scope
from access.shortcuts import get_registry_or_404
from access.sight import eyes_of, visible_in
from dashboard.browse.filters import read_filter
from dashboard.browse.repositories import COLUMNS, few_of
from dashboard.browse.tree import Tree
from dashboard.htmx import render_page
from dashboard.pagination import CappedCount, Order, paginate
from dashboard.totals import held_in
from registries.models import SyncRun


@require_safe
def registry(request: HttpRequest, name: str) -> HttpResponse:
    """The registry's head, the tree down to `?ns=`, and the repositories below that namespace."""
    registry = get_registry_or_404(request.user, name)
    namespace = read_filter(request, "ns")
    text = read_filter(request, "q")
    order = Order.read(request.GET.get("sort", ""), COLUMNS)
    repositories = (
        visible_in(request.user, registry).present().under(namespace.text).matching(text.text)
    )
    flat = request.GET.get("view") == "flat"
    tree = Tree(registry, eyes_of(request.user).on(registry))
    scope = Scope(registry.name)
    may_read = may(request.user, Action.REGISTRY_READ, scope)
    place = tree.place(namespace.text)
    held = held_in([registry], request.user)[registry.pk]
    if text.text:
        rows, count = few_of(repositories)
        page = paginate(rows.as_rows(), order=order, query=request.GET)
    else:
        page = paginate(repositories.as_rows(), order=order, query=request.GET)
        stored = place.repository_count if place else 0 if namespace.text else held.repositories
        count = CappedCount.beside(page, repositories, stored=stored)
    context = {
        "section": "registries",
        "registry": registry,
        "held": held,
        "run": SyncRun.objects.active().filter(registry=registry).first() if may_read else None,
        "may_read": may_read,
        "can_manage": may(request.user, Action.REGISTRY_MANAGE, scope),
        "namespace": namespace.text,
        "place": place,
        "crumbs": _crumbs(namespace.text),
        "filter": text,
        "flat": flat,
        "order": order,
        "page": page,
        "count": count,
        "level": None if flat else tree.levels_to(namespace.text),
    }
    return render_page(request, "dashboard/registry/registry.html", context, fragment="results")


@require_safe
def namespaces(request: HttpRequest, name: str) -> HttpResponse:
    """One level of the tree: what is put below a namespace that is opened, or a page of its own."""
    registry = get_registry_or_404(request.user, name)
    namespace = read_filter(request, "ns").text
    tree = Tree(registry, eyes_of(request.user).on(registry))
    level = tree.level_below(namespace, after=read_filter(request, "after").text)
    context = {
        "section": "registries",
        "registry": registry,
        "namespace": namespace,
        "level": level,
    }
    template = "dashboard/registry/namespaces.html"
    return render_page(request, template, context, fragment="level")


def _crumbs(namespace: str) -> list[tuple[str, str]]:
    """Pairs of a component's name and the namespace it stands for."""
    parts = namespace.split("/") if namespace else []
    return [(part, "/".join(parts[: at + 1])) for at, part in enumerate(parts)]

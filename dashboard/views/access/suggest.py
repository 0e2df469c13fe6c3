"""What the pickers of scopes and principals suggest; never more than one may know of anyway."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from access.models import ServicePrincipal, Team, User
from access.policy import visible_registries, visible_repositories
from access.principals import PUBLIC, Kind, Principal
from access.scopes import EVERYTHING
from dashboard.browse.filters import FilterError, clean
from dashboard.views.access.asking import Asker, asker, manager

OFFERED = 30
# What fields that take a scope are called: a picker sends what is typed under its own name.
SCOPE_FIELDS = ("scope", "source", "target")
# Repositories read to find the namespaces below what was typed.
READ = 200


@require_safe
def scopes(request: HttpRequest) -> HttpResponse:
    """Registries, namespaces and repositories that begin with what was typed."""
    text = next(filter(None, (_typed(request, name) for name in SCOPE_FIELDS)), "")
    return _options(request, suggested_scopes(asker(request), text))


@require_safe
def principals(request: HttpRequest) -> HttpResponse:
    """People, teams and machines whose name begins with what was typed, for who manages access."""
    one = manager(request)
    text = _typed(request, "principal") or _typed(request, "who")
    return _options(request, suggested_principals(one, text))


def suggested_scopes(one: Asker, text: str = "") -> list[str]:
    registry, slash, path = text.partition("/")
    found = ["*"] if not text and one.manages(EVERYTHING) else []
    if not slash:
        names = visible_registries(one.user).filter(name__startswith=registry)
        return [*found, *names.order_by("name").values_list("name", flat=True)[:OFFERED]]
    paths = (
        visible_repositories(one.user)
        .present()
        .filter(registry__name=registry, path__startswith=path.removesuffix("*"))
        .order_by("path")
        .values_list("path", flat=True)[:READ]
    )
    read = list(paths)
    below = dict.fromkeys(
        "/".join(parts[:end]) + "/*"
        for parts in (place.split("/") for place in read)
        for end in range(1, len(parts))
    )
    begins = [pattern for pattern in below if pattern.startswith(path.removesuffix("*"))]
    return [f"{registry}/{place}" for place in (begins + read)[:OFFERED]]


def suggested_principals(one: Asker, text: str = "") -> list[str]:
    if not one.manages_somewhere:
        return []
    kind, colon, name = text.partition(":")
    name = name if colon else kind
    sources = {
        Kind.TEAM: (Team.objects.all(), "name"),
        Kind.MACHINE: (ServicePrincipal.objects.all(), "name"),
        Kind.USER: (User.objects.filter(is_active=True), "username"),
    }
    found = [str(PUBLIC)] if str(PUBLIC).startswith(text) else []
    for of, (rows, key) in sources.items():
        if not colon or kind == of.value:
            names = rows.filter(**{f"{key}__istartswith": name}).order_by(key)
            some = names.values_list(key, flat=True)[:OFFERED]
            found += [str(Principal(of, known)) for known in some]
    return found


def _typed(request: HttpRequest, name: str) -> str:
    try:
        return clean(request.GET.get(name, ""))
    except FilterError:
        return ""


def _options(request: HttpRequest, values: list[str]) -> HttpResponse:
    return render(request, "access/options.html", {"values": values})

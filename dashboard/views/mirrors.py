"""Mirrors: which are kept, how each stands, and two places compared without keeping anything."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from access.actions import Action
from access.policy import visible_registries
from access.scopes import EVERYTHING
from dashboard.browse.boards import pages_of, read_cursor, rows_of
from dashboard.browse.filters import read_filter
from dashboard.browse.mirroring import (
    COLUMNS,
    GLANCE,
    Pair,
    compared,
    get_mirror_or_404,
    manages,
    pair_of,
    require_looking,
    require_managing,
    visible_mirrors,
)
from dashboard.forms_access import refuse
from dashboard.forms_mirrors import MirrorForm
from dashboard.htmx import render_page
from dashboard.pagination import CappedCount, InvalidCursor, Order, paginate
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.submitting import DONE, acted, submitted
from dashboard.views.access.suggest import suggested_scopes
from registries.mirroring import mirrors as actions
from registries.mirroring.board import Asked, Board, State

_form_page = require_http_methods(["GET", "HEAD", "POST"])


# The list, and how each stands ----------------------------------------------------------------


@require_safe
def mirrors(request: HttpRequest) -> HttpResponse:
    """All that one may know of, or those of `?registry=`."""
    one = asker(request)
    name = read_filter(request, "registry").text
    found = visible_mirrors(one.user, registry=name)
    order = Order.read(request.GET.get("sort", ""), COLUMNS)
    page = paginate(found, order=order, query=request.GET)
    context = {
        "section": "registries",
        "registry": visible_registries(one.user).filter(name=name).first() if name else None,
        "order": order,
        "page": page,
        "count": CappedCount.beside(page, found),
        "may_create": one.rights.may_somewhere(Action.REGISTRY_MANAGE),
    }
    return render_page(request, "dashboard/mirrors/list.html", context, fragment="results")


@require_safe
def health(request: HttpRequest, pk: int) -> HttpResponse:
    """How one stands: a cell of the list, asked for when it comes into sight."""
    mirror = get_mirror_or_404(request.user, pk)
    pair = Pair.of(mirror)
    require_looking(request.user, pair)
    board = pair.board(request.user, Asked(tags=pair.tags, limit=GLANCE, size=0))
    context = {"mirror": mirror, "board": board, "states": _states(board)}
    return render(request, "dashboard/mirrors/health.html", context)


# Boards ---------------------------------------------------------------------------------------


@require_safe
def mirror(request: HttpRequest, pk: int) -> HttpResponse:
    """The board of a mirror."""
    pair = Pair.of(get_mirror_or_404(request.user, pk))
    require_looking(request.user, pair)
    return _page(request, pair, {})


@require_safe
def comparison(request: HttpRequest) -> HttpResponse:
    """A board of two places that are named in the address; nothing is stored."""
    one = asker(request)
    asked = "source" in request.GET and "target" in request.GET
    form = MirrorForm(request.GET if asked else None, initial=request.GET.dict())
    context = {"form": form, "scopes": suggested_scopes(one)}
    pair = _typed_pair(one, form) if asked else None
    if pair is None:
        template = "dashboard/mirrors/comparison.html"
        return render(request, template, {"section": "registries", **context})
    return _page(request, pair, context)


def _typed_pair(one: Asker, form: MirrorForm) -> Pair | None:
    """The pair that was typed; None, with the form saying why, where there is none to look at."""
    if not form.is_valid():
        return None
    try:
        return compared(one.user, pair_of(one.user, **form.cleaned_data))
    except ValidationError as error:
        refuse(form, error)
        return None
    except PermissionDenied as error:
        form.add_error(None, str(error.args[0]))
        return None


def _page(request: HttpRequest, pair: Pair, context: Mapping[str, Any]) -> HttpResponse:
    asked = _asked(request, pair)
    board = pair.board(request.user, asked)
    rights = asker(request).rights
    rows = rows_of(board, asked, pair)
    context = {
        "section": "registries",
        "pair": pair,
        "mirror": pair.mirror,
        "manages": manages(rights, pair),
        "board": board,
        "states": _states(board),
        "asked": asked,
        "rows": rows,
        "page": pages_of(request.GET, asked, board, rows),
        **context,
    }
    return render_page(request, "dashboard/mirrors/board.html", context, fragment="results")


def _asked(request: HttpRequest, pair: Pair) -> Asked:
    only = read_filter(request, "repository").text if "repository" in request.GET else None
    wanted = request.GET.get("state", "")
    cursor: tuple[str, str] | None = None
    backwards = False
    with suppress(InvalidCursor):  # a bad one leads to the first page
        cursor, backwards = read_cursor(request.GET)
    return Asked(
        tags=pair.tags,
        state=wanted if wanted in State else "",
        only=only,
        with_referrers=request.GET.get("show") == "all",
        by_repository=pair.is_pattern and only is None and request.GET.get("view") != "tags",
        begin=read_filter(request, "part").text,
        cursor=cursor,
        backwards=backwards,
    )


def _states(board: Board) -> list[tuple[State, int]]:
    return [(state, number) for state, number in board.counts.items() if number]


# Made, changed, removed -----------------------------------------------------------------------


@_form_page
def create(request: HttpRequest) -> HttpResponse:
    """A mirror; from a comparison with what was compared."""
    one = asker(request)
    if not one.rights.may_somewhere(Action.REGISTRY_MANAGE):
        one.rights.require(Action.REGISTRY_MANAGE, EVERYTHING)
    form = MirrorForm(
        request.POST if request.method == "POST" else None, initial=request.GET.dict()
    )
    made: list[int] = []
    status = submitted(request, form, lambda: _create(one, form, made))
    if status is DONE:
        return redirect("mirror", made[0])
    context = {"section": "registries", "form": form, "scopes": suggested_scopes(one)}
    return render(request, "dashboard/mirrors/create.html", context, status=status)


@_form_page
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """All of it; who changes it manages what it was of, and what it becomes of."""
    one = asker(request)
    mirror = get_mirror_or_404(one.user, pk)
    require_managing(one.rights, Pair.of(mirror))
    initial = {"source": mirror.source_text, "target": mirror.target_text, "tags": mirror.tags}
    form = MirrorForm(request.POST if request.method == "POST" else None, initial=initial)
    status = submitted(request, form, lambda: _change(one, form, pk))
    if status is DONE:
        return redirect("mirror", pk)
    context = {
        "section": "registries",
        "form": form,
        "mirror": mirror,
        "scopes": suggested_scopes(one),
    }
    return render(request, "dashboard/mirrors/change.html", context, status=status)


@_form_page
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Compare them no more; nothing in a registry is touched."""
    one = asker(request)
    mirror = get_mirror_or_404(one.user, pk)
    require_managing(one.rights, Pair.of(mirror))
    if request.method == "POST":
        acted(request, lambda: _remove(one, pk))
        return redirect("mirrors")
    context = {"section": "registries", "mirror": mirror}
    return render(request, "dashboard/mirrors/remove.html", context)


def _typed(one: Asker, form: MirrorForm) -> Pair:
    pair = pair_of(one.user, **form.cleaned_data)
    require_managing(one.rights, pair)
    return pair


def _create(one: Asker, form: MirrorForm, made: list[int]) -> str:
    mirror = actions.create_mirror(_typed(one, form).settings, actor=one.actor)
    made.append(mirror.pk)
    return _("The mirror is kept: this is how it stands.")


def _change(one: Asker, form: MirrorForm, pk: int) -> str:
    pair = _typed(one, form)
    actions.change_mirror(get_mirror_or_404(one.user, pk), pair.settings, actor=one.actor)
    return _("The mirror is changed.")


def _remove(one: Asker, pk: int) -> str:
    mirror = get_mirror_or_404(one.user, pk)
    actions.remove_mirror(mirror, actor=one.actor)
    return _("%s is compared no more.") % mirror

"""Roles: what each allows; making, changing and removing one's own."""

from __future__ import annotations

from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from access.actions import Action
from access.models import Role
from access.roles import change_role, create_role, lets_grant_more, remove_role
from access.scopes import EVERYTHING
from dashboard.forms_access import RoleForm
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.reassured import reassure
from dashboard.views.access.submitting import DONE, acted, submitted

_form_page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def roles(request: HttpRequest) -> HttpResponse:
    """All roles. What a role is anybody may read; who has it is another matter."""
    one = asker(request)
    # Grouping forgets the order of the model.
    found = Role.objects.annotate(grant_count=Count("grants")).order_by("-is_built_in", "id")
    context = {
        "section": "access",
        "roles": found,
        "may_change": one.manages(EVERYTHING),
        "manages": one.manages_somewhere,
    }
    return render(request, "access/roles/list.html", context)


@_form_page
def create(request: HttpRequest) -> HttpResponse:
    """A role of one's own."""
    one = asker(request)
    one.rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    form = RoleForm(request.POST or None)
    status = submitted(request, form, lambda: _create(one, form))
    if status is DONE:
        return redirect("role", form.cleaned_data["name"])
    context = {"section": "access", "form": form, "actions": _choices(form)}
    return render(request, "access/roles/form.html", context, status=status)


@_form_page
def role(request: HttpRequest, name: str) -> HttpResponse:
    """What a role allows; the form, if it can be changed."""
    one = asker(request)
    shown = _role_or_404(name)
    if request.method == "POST":
        one.rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    form = RoleForm(request.POST or None, stored=shown, initial=_initial(shown))
    status = submitted(request, form, lambda: _change(request, one, shown, form))
    if status is DONE:
        return redirect("role", shown.name)
    context = {
        "section": "access",
        "role": shown,
        "form": form,
        "actions": _choices(form),
        "may_change": one.manages(EVERYTHING) and not shown.is_built_in,
        "manages": one.manages_somewhere,
        "allowed": [action for action in Action if action in shown.allowed],
        "denied": [action for action in Action if action not in shown.allowed],
    }
    return render(request, "access/roles/role.html", context, status=status)


@_form_page
def remove(request: HttpRequest, name: str) -> HttpResponse:
    """Remove a custom role that nobody has."""
    one = asker(request)
    one.rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    shown = _role_or_404(name)
    if request.method == "POST":
        acted(request, lambda: _remove(one, shown))
        gone = not Role.objects.filter(pk=shown.pk).exists()
        return redirect("roles") if gone else redirect("role", shown.name)
    context = {"section": "access", "role": shown, "held": shown.grants.exists()}
    return render(request, "access/roles/remove.html", context)


def _create(one: Asker, form: RoleForm) -> str:
    data = form.cleaned_data
    made = create_role(
        name=data["name"],
        label=data["label"],
        description=data["description"],
        actions=form.chosen,
        rights=one.rights,
        actor=one.actor,
    )
    return _("The role %s can be granted now.") % made.label


def _change(request: HttpRequest, one: Asker, shown: Role, form: RoleForm) -> str:
    data = form.cleaned_data
    if lets_grant_more(shown, form.chosen, one.rights):
        reassure(request)  # whoever has the role could grant from then on
    change_role(
        shown,
        label=data["label"],
        description=data["description"],
        actions=form.chosen,
        rights=one.rights,
        actor=one.actor,
    )
    return _("Saved. Whoever has the role has it as it is now.")


def _remove(one: Asker, shown: Role) -> str:
    remove_role(shown, rights=one.rights, actor=one.actor)
    return _("The role %s was removed.") % shown.label


def _role_or_404(name: str) -> Role:
    found = Role.objects.filter(name=name).first()
    if found is None:
        raise Http404(_("There is no role of this name."))
    return found


def _initial(shown: Role) -> dict[str, object]:
    return {
        "name": shown.name,
        "label": shown.label,
        "description": shown.description,
        "actions": shown.actions,
    }


def _choices(form: RoleForm) -> list[tuple[Action, bool]]:
    """Every action, and whether it is ticked."""
    ticked = form["actions"].value() or []
    return [(action, action.text in ticked) for action in Action]

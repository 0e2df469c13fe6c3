"""Trust rules: whose jobs sign in without a stored secret; made, changed, switched, removed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import trust_rules as actions
from access.actions import Action
from access.machines import (
    may_care,
    ownable_teams,
    require_care,
    require_control,
    visible_machines,
)
from access.models import ServicePrincipal, TrustRule
from access.policy import rights_of
from access.scopes import EVERYTHING
from access.subjects import GITHUB, GITLAB
from dashboard.callers import Caller
from dashboard.ci_snippets import NO_HOST, snippets
from dashboard.forms_trust import TrustRuleForm
from dashboard.pagination import CappedCount, Column, Order, paginate
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.machines import machine_or_404
from dashboard.views.access.reassured import reassure
from dashboard.views.access.show_once import login_hosts
from dashboard.views.access.submitting import DONE, acted, submitted

# Names offered while one types; more than that one knows by heart.
OFFERED = 100
COLUMNS = {
    "name": Column(F("name"), str),
    "machine": Column(F("service_principal__name"), str),
}

_form_page = require_http_methods(["GET", "HEAD", "POST"])


@dataclass(frozen=True, slots=True)
class Preset:
    """A CI system whose rules need little typing. `subject` is how each of them begins, and no
    pattern yet: a placeholder that is taken could be the name of somebody. `examples` are pairs of
    a subject and what it lets in."""

    key: str
    label: str | Promise
    issuer: str
    subject: str
    examples: tuple[tuple[str, str | Promise], ...]


PRESETS = (
    Preset(
        "github",
        "GitHub Actions",
        GITHUB,
        "repo:",
        (
            ("repo:acme/shop:ref:refs/heads/main", gettext_lazy("pushes to one branch")),
            ("repo:acme/shop:ref:refs/tags/v*", gettext_lazy("tags that begin with v")),
            (
                "repo:acme/shop:environment:production",
                gettext_lazy("jobs of one environment, with its approvals"),
            ),
            (
                "repo:acme/shop:pull_request",
                gettext_lazy("pull requests, whoever may open them in this repository"),
            ),
            ("repo:acme/*", gettext_lazy("every job of every repository of acme")),
        ),
    ),
    Preset(
        "gitlab",
        "GitLab CI",
        GITLAB,
        "project_path:",
        (
            (
                "project_path:acme/shop:ref_type:branch:ref:main",
                gettext_lazy("pipelines of one branch"),
            ),
            (
                "project_path:acme/shop:ref_type:tag:ref:v*",
                gettext_lazy("tags that begin with v"),
            ),
            (
                "project_path:acme/*:ref_type:branch:ref:main",
                gettext_lazy("the main branch of every project of acme"),
            ),
        ),
    ),
    Preset("other", gettext_lazy("Another issuer"), "", "", ()),
)


@require_safe
def rules(request: HttpRequest) -> HttpResponse:
    """The rules of the machines that one may know of; all, or those of one machine."""
    one = asker(request)
    found = actions.visible_rules(one.user, one.rights)
    machine = request.GET.get("machine", "")
    if machine:
        found = found.filter(service_principal=machine_or_404(one, machine))
    order = Order.read(request.GET.get("sort", ""), COLUMNS)
    context = {
        "section": "access",
        "order": order,
        "page": paginate(found, order=order, query=request.GET),
        "count": CappedCount.of(found),
        "machine": machine,
        "may_create": _may_create(one),
    }
    return render(request, "access/trust/list.html", context)


@_form_page
def create(request: HttpRequest) -> HttpResponse:
    """A rule for a machine; its page says what to paste into the pipeline."""
    one = asker(request)
    require_making(one)
    reassure(request)  # who took a session over must not leave a way in that outlives it
    preset = _preset(request.GET.get("kind", ""))
    form = TrustRuleForm(
        request.POST or None,
        may_open=actions.may_reach_private(one.rights),
        initial={
            "machine": request.GET.get("machine", ""),
            "issuer": preset.issuer,
            "audience": settings.PUBLIC_URL,
            "subject": preset.subject,
            "lifetime_minutes": actions.LIFETIME_MINUTES,
        },
    )
    status = submitted(request, form, lambda: _create(one, form))
    if status is DONE:
        return redirect("trust-rule", form.cleaned_data["name"])
    context = {
        "section": "access",
        "form": form,
        "preset": preset,
        "presets": PRESETS,
        "machines": _offered(one),
    }
    return render(request, "access/trust/create.html", context, status=status)


@require_safe
def rule(request: HttpRequest, name: str) -> HttpResponse:
    """What the rule takes, and what to paste into a pipeline."""
    one = asker(request)
    shown = rule_or_404(one, name)
    machine = shown.service_principal
    hosts = login_hosts(one, rights_of(machine))
    context = {
        "section": "access",
        "rule": shown,
        "machine": machine,
        "snippets": snippets(
            shown, portolan=settings.PUBLIC_URL, host=hosts[0] if hosts else NO_HOST
        ),
        "has_host": bool(hosts),
        "cares": may_care(machine, one.rights, one.user),
        "controls": _controls(one, machine),
    }
    return render(request, "access/trust/rule.html", context)


@_form_page
def change(request: HttpRequest, name: str) -> HttpResponse:
    """Other terms; the name and the machine stay."""
    one = asker(request)
    shown = rule_or_404(one, name)
    require_care(shown.service_principal, one.rights, one.user)
    reassure(request)
    form = TrustRuleForm(
        request.POST or None,
        stored=True,
        may_open=actions.may_reach_private(one.rights),
        initial=_initial(shown),
    )
    status = submitted(request, form, lambda: _change(one, shown, form))
    if status is DONE:
        return redirect("trust-rule", shown.name)
    context = {"section": "access", "rule": shown, "form": form, "preset": _preset_of(shown)}
    return render(request, "access/trust/change.html", context, status=status)


@require_POST
def switch(request: HttpRequest, name: str) -> HttpResponse:
    """Off, or on again. What the button said counts, not what the rule is by now."""
    one = asker(request)
    shown = rule_or_404(one, name)
    acted(request, lambda: _switch(one, shown, on=request.POST.get("state") == "on"))
    return redirect("trust-rule", shown.name)


@_form_page
def remove(request: HttpRequest, name: str) -> HttpResponse:
    """Ask, and then remove it."""
    one = asker(request)
    shown = rule_or_404(one, name)
    require_control(shown.service_principal, one.rights, one.user)
    if request.method == "POST":
        acted(request, lambda: _remove(one, shown))
        return redirect("trust-rules")
    context = {"section": "access", "rule": shown}
    return render(request, "access/trust/remove.html", context)


def _create(one: Asker, form: TrustRuleForm) -> str:
    made = actions.create_rule(
        name=form.cleaned_data["name"],
        machine=machine_for(one, form.cleaned_data["machine"], field="machine"),
        terms=form.terms,
        rights=one.rights,
        maintainer=one.user,
        actor=one.actor,
    )
    return _("Tokens that %s takes can be exchanged now.") % made.name


def _change(one: Asker, shown: TrustRule, form: TrustRuleForm) -> str:
    actions.change_rule(
        shown, terms=form.terms, rights=one.rights, maintainer=one.user, actor=one.actor
    )
    return _("Saved.")


def _switch(one: Asker, shown: TrustRule, *, on: bool) -> str:
    act = actions.enable_rule if on else actions.disable_rule
    act(shown, rights=one.rights, maintainer=one.user, actor=one.actor)
    if on:
        return _("%s takes tokens again.") % shown.name
    return _("%s takes no tokens. Secrets that it gave work until they end, minutes later.") % (
        shown.name
    )


def _remove(one: Asker, shown: TrustRule) -> str:
    actions.remove_rule(shown, rights=one.rights, maintainer=one.user, actor=one.actor)
    return _("The trust rule %s was removed.") % shown.name


def rule_or_404(one: Caller, name: str) -> TrustRule:
    """The rule, if he may know of it."""
    found = actions.visible_rules(one.maintainer, one.rights).filter(name=name).first()
    if found is None:
        raise Http404(_("There is no trust rule of this name."))
    return found


def machine_for(one: Caller, name: str, *, field: str) -> ServicePrincipal:
    """The machine that a form or a body names in this field; raises ValidationError."""
    found = visible_machines(one.maintainer, one.rights).filter(name=name).first()
    if found is None:
        raise ValidationError({field: _("There is no machine of this name.")})
    return found


def require_making(one: Caller) -> None:
    """Raises PermissionDenied unless there may be a machine that he can make a rule for; the action
    judges of which."""
    if not _may_create(one):
        raise PermissionDenied(
            _("Trust rules are made by who maintains a team's machines, or manages access.")
        )


def _may_create(one: Caller) -> bool:
    managing = one.rights.may(Action.ACCESS_MANAGE, EVERYTHING)
    return managing or ownable_teams(one.maintainer, one.rights).exists()


def _controls(one: Asker, machine: ServicePrincipal) -> bool:
    try:
        require_control(machine, one.rights, one.user)
    except PermissionDenied:
        return False
    return True


def _offered(one: Asker) -> list[str]:
    visible = visible_machines(one.user, one.rights).order_by("name")
    return list(visible.values_list("name", flat=True)[:OFFERED])


def _preset(key: str) -> Preset:
    return next((preset for preset in PRESETS if preset.key == key), PRESETS[0])


def _preset_of(shown: TrustRule) -> Preset:
    return next((preset for preset in PRESETS if preset.issuer == shown.issuer), PRESETS[-1])


def _initial(shown: TrustRule) -> dict[str, Any]:
    return {
        "name": shown.name,
        "machine": shown.service_principal.name,
        "issuer": shown.issuer,
        "audience": shown.audience,
        "subject": shown.subject,
        "lifetime_minutes": shown.lifetime_minutes,
        "allow_private": shown.allow_private,
        "ca_certificate": shown.ca_certificate,
    }

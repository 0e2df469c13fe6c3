"""Teams: for who manages access on everything, and for their own members."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from access import claims_to_teams
from access import teams as actions
from access.actions import Action
from access.models import Membership, Team, User
from access.principals import Principal
from access.scopes import EVERYTHING
from dashboard.browse.filters import FilterError, clean
from dashboard.callers import Caller
from dashboard.forms_people import MemberForm, RuleForm, TeamForm, providers
from dashboard.htmx import render_page
from dashboard.pagination import Column, Order, paginate
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.reassured import reassure
from dashboard.views.access.rows import COLUMNS, rows_of
from dashboard.views.access.submitting import DONE, acted, submitted

SUGGESTED = 200
BY_NAME = {"name": Column(F("name"), str)}
_page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
def teams(request: HttpRequest) -> HttpResponse:
    """The teams that this person may know of: all of them, or his own."""
    one = asker(request)
    query = _typed(request)
    found = narrowed(counted(actions.visible_teams(one.user, one.rights)), query)
    context = {
        "section": "access",
        "page": paginate(found, order=Order.read("", BY_NAME), query=request.GET),
        "query": query,
        "may_create": one.manages(EVERYTHING),
    }
    return render_page(request, "access/teams/teams.html", context, fragment="list")


@_page
def create(request: HttpRequest) -> HttpResponse:
    one = asker(request)
    one.rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    form = TeamForm(request.POST or None)

    def act() -> str:
        data = form.cleaned_data
        made = actions.create_team(
            name=data["name"],
            description=data["description"],
            rights=one.rights,
            actor=one.actor,
        )
        return _("The team %s was made.") % made.name

    status = submitted(request, form, act)
    if status is DONE:
        return redirect("team", form.cleaned_data["name"])
    context = {"section": "access", "form": form}
    return render(request, "access/teams/create.html", context, status=status)


@_page
def team(request: HttpRequest, name: str) -> HttpResponse:
    """Who is in a team and what it has; posting changes its description."""
    one = asker(request)
    shown = team_or_404(one, name)
    form = TeamForm(request.POST or None, team=shown)

    def act() -> str:
        actions.change_team(
            shown,
            description=form.cleaned_data["description"],
            rights=one.rights,
            actor=one.actor,
        )
        return _("The team was changed.")

    status = submitted(request, form, act)
    if status is DONE:
        return redirect("team", shown.name)
    context = _about(request, one, shown) | {"form": form}
    return render(request, "access/teams/team.html", context, status=status)


@_page
def remove(request: HttpRequest, name: str) -> HttpResponse:
    """What goes with a team, and whether it may."""
    one = asker(request)
    shown = team_or_404(one, name)
    one.rights.require(Action.ACCESS_MANAGE, EVERYTHING)
    if request.method == "POST":
        gone: list[bool] = []

        def act() -> str:
            actions.remove_team(shown, rights=one.rights, actor=one.actor)
            gone.append(True)
            return _("The team %s was removed.") % name

        acted(request, act)
        return redirect("teams") if gone else redirect("team", shown.name)
    context = {
        "section": "access",
        "team": shown,
        "people_count": shown.memberships.count(),
        "rule_count": shown.claim_rules.count(),
        "rows": rows_of(shown.grants.with_names().order_by("pk"), one),
        "machines": shown.service_principals.order_by("name"),
    }
    return render(request, "access/teams/remove.html", context)


@require_POST
def add_member(request: HttpRequest, name: str) -> HttpResponse:
    """Add somebody by user name, or change whether he maintains the team."""
    one = asker(request)
    shown = team_or_404(one, name)
    may_add = actions.maintains(one.user, shown) or actions.masters(shown, one.rights)
    if may_add and actions.lets_grant(shown):
        reassure(request)  # being in it is as good as a grant
    form = MemberForm(request.POST, may_make_maintainers=actions.masters(shown, one.rights))

    def act() -> str:
        if not form.is_valid():
            raise ValidationError([error for errors in form.errors.values() for error in errors])
        person = _person(form.cleaned_data["username"])
        actions.add_member(
            team=shown,
            user=person,
            is_maintainer=form.cleaned_data.get("is_maintainer", False),
            rights=one.rights,
            maintainer=one.user,
            actor=one.actor,
        )
        return _("%(user)s is in %(team)s.") % {"user": person, "team": shown.name}

    acted(request, act)
    return redirect("team", shown.name)


@require_POST
def remove_member(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    one = asker(request)
    shown = team_or_404(one, name)
    membership = shown.memberships.select_related("user").filter(pk=pk).first()
    if membership is None:
        raise Http404(_("Nobody of this team."))
    person = membership.user

    def act() -> str:
        actions.remove_member(
            team=shown, user=person, rights=one.rights, maintainer=one.user, actor=one.actor
        )
        return _("%(user)s is no longer in %(team)s.") % {"user": person, "team": shown.name}

    acted(request, act)
    return redirect("profile" if person.pk == one.user.pk else "team", *_after(one, person, shown))


@require_POST
def add_rule(request: HttpRequest, name: str) -> HttpResponse:
    """Whoever comes with a value of a provider belongs to the team from then on."""
    one = asker(request)
    shown = team_or_404(one, name)
    if actions.masters(shown, one.rights) and actions.lets_grant(shown):
        reassure(request)
    form = RuleForm(request.POST)

    def act() -> str:
        if not form.is_valid():
            raise ValidationError([error for errors in form.errors.values() for error in errors])
        provider = form.cleaned_data["provider"]
        claims_to_teams.create_rule(
            team=shown,
            provider=provider,
            claim=providers()[provider][1],
            value=form.cleaned_data["value"],
            rights=one.rights,
            actor=one.actor,
        )
        return _("The rule holds from everybody’s next sign-in on.")

    acted(request, act)
    return redirect("team", shown.name)


@require_POST
def remove_rule(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    one = asker(request)
    shown = team_or_404(one, name)
    rule = shown.claim_rules.filter(pk=pk).first()
    if rule is None:
        raise Http404(_("No rule of this team."))

    def act() -> str:
        claims_to_teams.remove_rule(rule, rights=one.rights, actor=one.actor)
        return _("The rule was removed.")

    acted(request, act)
    return redirect("team", shown.name)


def _about(request: HttpRequest, one: Asker, shown: Team) -> dict[str, object]:
    manages, masters = one.manages(EVERYTHING), actions.masters(shown, one.rights)
    maintains = actions.maintains(one.user, shown)
    order = Order.read(request.GET.get("sort", ""), COLUMNS)
    page = paginate(shown.grants.with_names(), order=order, query=request.GET)
    members = shown.memberships.select_related("user").order_by("user__username")
    return {
        "section": "access",
        "team": shown,
        "principal": Principal.of(shown),
        "manages": manages,
        "masters": masters,
        "may_add": masters or maintains,
        "member_form": MemberForm(may_make_maintainers=masters),
        "suggested": _suggested(shown) if manages else [],
        "rule_form": RuleForm() if masters and providers() else None,
        "memberships": [(it, masters or _may_take_out(one, it, maintains)) for it in members],
        "order": order,
        "page": page,
        "rows": rows_of(page.rows, one),
        "machines": shown.service_principals.order_by("name"),
        "rules": shown.claim_rules.order_by("pk"),
    }


def _may_take_out(one: Asker, membership: Membership, maintains: bool) -> bool:
    """As `remove_member` judges of who does not master the team."""
    return membership.user_id == one.user.pk or (maintains and not membership.is_maintainer)


def _suggested(shown: Team) -> list[str]:
    """Names to choose from, for who may see them all."""
    others = User.objects.filter(is_active=True).exclude(memberships__team=shown)
    return list(others.order_by("username").values_list("username", flat=True)[:SUGGESTED])


def counted(found: QuerySet[Team]) -> QuerySet[Team]:
    """With the numbers of what each has."""
    return found.annotate(
        people_count=_number_of("memberships"),
        grant_count=_number_of("grants"),
        machine_count=_number_of("service_principals"),
    )


def narrowed(found: QuerySet[Team], query: str) -> QuerySet[Team]:
    """Those with the text in name or description."""
    if not query:
        return found
    return found.filter(Q(name__icontains=query) | Q(description__icontains=query))


def _number_of(related: str) -> Subquery:
    """Counted apart from the others: joins would multiply them."""
    counted = Team.objects.filter(pk=OuterRef("pk")).annotate(number=Count(related))
    return Subquery(counted.values("number"))


def _typed(request: HttpRequest) -> str:
    try:
        return clean(request.GET.get("q", ""))
    except FilterError:
        return ""


def team_or_404(one: Caller, name: str) -> Team:
    """The team, if he may know of it; raises Http404."""
    found = actions.visible_teams(one.maintainer, one.rights).filter(name=name).first()
    if found is None:
        raise Http404(_("There is no team of this name."))
    return found


def _person(username: str) -> User:
    found = User.objects.filter(username=username).first()
    if found is None:
        raise ValidationError(_("There is nobody of the name “%s”.") % username)
    return found


def _after(one: Asker, person: User, shown: Team) -> tuple[str, ...]:
    """Who left the team can no longer look at it."""
    return () if person.pk == one.user.pk else (shown.name,)

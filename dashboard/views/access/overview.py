"""Access: the page that leads to all parts of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from access.models import AccessRequest, AccessReview, Grant
from access.scopes import EVERYTHING
from dashboard.pagination import CappedCount
from dashboard.views.access.asking import Asker, asker
from dashboard.views.access.audit import may_read_some
from dashboard.views.access.rows import SOON


@dataclass(frozen=True, slots=True)
class Part:
    """A screen one can go to, and for whom it opens: the same that it asks itself."""

    url_name: str
    icon: str
    label: str | Promise
    text: str | Promise
    opens: Callable[[Asker], bool] = lambda _one: True
    query: str = ""

    @property
    def address(self) -> str:
        """Empty where the screen is not there."""
        try:
            return reverse(self.url_name) + self.query
        except NoReverseMatch:
            return ""


def _manages(one: Asker) -> bool:
    return one.manages_somewhere


def _manages_all(one: Asker) -> bool:
    return one.manages(EVERYTHING)


def _audits(one: Asker) -> bool:
    return may_read_some(one.rights)


GROUPS = (
    (
        _("For you"),
        (
            Part("my-grants", "key", _("My access"), _("What you may do, and by which grants.")),
            Part("tokens", "tool", _("My tokens"), _("What your tools sign in with.")),
            Part(
                "check-access",
                "shield-check",
                _("Check access"),
                _("May somebody do something somewhere, and why or why not?"),
            ),
            Part(
                "requests",
                "login",
                _("Requests"),
                _("Ask for access, and follow what became of it."),
                query="?show=mine",
            ),
            Part("roles", "certificate", _("Roles"), _("What each role allows.")),
        ),
    ),
    (
        _("Granting"),
        (
            Part(
                "grants",
                "list",
                _("Grants"),
                _("Who was given which role where; grant and revoke."),
                _manages,
            ),
            Part(
                "who-has-access",
                "eye",
                _("Who has access"),
                _("On a registry, a pattern or a repository, and by which way."),
                _manages,
            ),
            Part(
                "requests",
                "login",
                _("Requests to answer"),
                _("People who met a closed door."),
                _manages,
                "?show=answer",
            ),
            Part(
                "reviews",
                "check",
                _("Reviews"),
                _("Confirm or remove each grant of a scope by a date."),
                _manages,
            ),
            Part(
                "unused-rights",
                "clock",
                _("Unused rights"),
                _("Grants that nobody used, and the smaller role that would do."),
                _manages,
            ),
        ),
    ),
    (
        _("People and machines"),
        (
            Part(
                "people",
                "user",
                _("People"),
                _("Invite, switch off, see who signs in how."),
                _manages_all,
            ),
            Part(
                "teams",
                "affiliate",
                _("Teams"),
                _("People who share grants and own machines together."),
            ),
            Part("machines", "server", _("Machines"), _("Service principals and their secrets.")),
            Part(
                "credentials",
                "lock",
                _("Credentials"),
                _("Every secret, its owner, its end and its last use."),
            ),
            Part(
                "trust-rules",
                "link",
                _("Trust rules"),
                _("CI systems whose tokens are taken instead of a secret."),
            ),
            Part(
                "audit",
                "file-text",
                _("Audit log"),
                _("What was changed or refused, by whom, from where."),
                _audits,
            ),
        ),
    ),
)


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The parts that this person can use, and what waits in them."""
    one = asker(request)
    groups = []
    for title, parts in GROUPS:
        opened = [part for part in parts if part.address and part.opens(one)]
        if opened:
            groups.append((title, opened))
    waiting = _waiting(one) if one.manages_somewhere else None
    context = {"section": "access", "groups": groups, "waiting": waiting}
    return render(request, "access/overview.html", context)


def _waiting(one: Asker) -> dict[str, object]:
    """What wants to be looked at, of what one manages."""
    now = timezone.now()
    others = Q(state=AccessRequest.State.OPEN) & ~Q(user=one.user)
    reviews = AccessReview.objects.filter(one.managed, closed_at=None)
    return {
        "requests": CappedCount.of(AccessRequest.objects.filter(one.managed, others)),
        "reviews": CappedCount.of(reviews),
        "late": reviews.filter(due__lt=timezone.localdate(now)).exists(),
        "ending": CappedCount.of(
            Grant.objects.filter(one.managed, until__gt=now, until__lte=now + SOON)
        ),
    }

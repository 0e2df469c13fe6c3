"""What screens show of webhooks: the way to them, their state, and how their last day went."""

from __future__ import annotations

from typing import Any

from django import template
from django.template.context import RequestContext
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from access.actions import Action
from access.policy import rights_of
from access.scopes import Scope
from webhooks.figures import HOURS, Day, Hour
from webhooks.following import follows

register = template.Library()

BAR, GAP, HEIGHT = 10, 3, 48


@register.inclusion_tag("components/webhooks_link.html", takes_context=True)
def webhooks_link(context: RequestContext, registry: str, path: str = "") -> dict[str, Any]:
    """To the webhooks that send what happens there, for who manages any of them."""
    scope = Scope(registry, path)
    may = rights_of(context["user"]).may_somewhere(Action.WEBHOOK_MANAGE, scope)
    return {"scope": scope, "may": may}


@register.inclusion_tag("components/follow.html", takes_context=True)
def follow_button(context: RequestContext, registry: str, path: str = "") -> dict[str, Any]:
    """To follow what one looks at, or to what one follows."""
    scope = Scope(registry, path)
    return {"scope": scope, "followed": follows(context["user"], scope)}


@register.simple_tag
def day_bars(day: Day, label: str = "") -> SafeString:
    """The last 24 hours as bars, failures on top of what was delivered; lengths are SVG attributes.

    Decoration without a label: then the numbers stand beside it.
    """
    highest = max((hour.total for hour in day.hours), default=0) or 1
    bars = format_html_join(
        "", "{}", ((_bar(at, hour, highest),) for at, hour in enumerate(day.hours))
    )
    width = HOURS * (BAR + GAP) - GAP
    named = (
        format_html(' role="img" aria-label="{}"', label)
        if label
        else SafeString(' aria-hidden="true"')
    )
    return format_html(
        '<svg class="day-bars" viewBox="0 0 {} {}" preserveAspectRatio="none"{}>{}</svg>',
        width,
        HEIGHT + 1,
        named,
        bars,
    )


def _bar(at: int, hour: Hour, highest: int) -> SafeString:
    x = at * (BAR + GAP)
    good, bad = (_height(part, highest) for part in (hour.delivered, hour.failed))
    parts = [("is-none", HEIGHT, 1)]
    if good:
        parts.append(("is-delivered", HEIGHT - good, good))
    if bad:
        parts.append(("is-failed", HEIGHT - good - bad, bad))
    return format_html_join(
        "",
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>',
        ((css, x, y, BAR, height) for css, y, height in parts),
    )


def _height(part: int, highest: int) -> int:
    """Never nothing for something: one failure among thousands must be seen."""
    return max(round(part * (HEIGHT - 4) / highest), 2) if part else 0

"""The small marks that lists repeat by the hundred: icons, digests, sizes, dates, badges.

They are functions and not included templates, because a page of tags calls them a thousand times.
All are builtins of the template engine: no page needs to load this library.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cache, lru_cache
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils.formats import date_format, number_format
from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from dashboard.pagination import CappedCount, Order

register = template.Library()

SHORT_DIGEST = 12
PLATFORMS_SHOWN = 4
THEMES = ("auto", "light", "dark")
UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
# A state is never told by colour alone: each has its own shape too.
HEALTH_ICONS = {
    "healthy": "circle-check",
    "succeeded": "circle-check",
    "degraded": "alert-triangle",
    "partial": "alert-triangle",
    "unreachable": "circle-x",
    "failed": "circle-x",
    "lost": "circle-x",
    "cancelled": "circle-minus",
    "running": "refresh",
    "queued": "clock",
}


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """A drawing of the sprite; decoration, unless a label says what it means."""
    drawing = _drawing(name)
    if not label:
        return drawing
    return format_html('{}<span class="visually-hidden">{}</span>', drawing, label)


@cache
def _drawing(name: str) -> SafeString:
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        _sprite(),
        name,
    )


@cache
def _sprite() -> str:
    """Its address, asked for once: a page of tags draws two hundred icons."""
    return static("icons.svg")


@register.simple_tag
def copy_button(value: str, label: str = "") -> SafeString:
    """A button that copies `value` and says so in place; absent without JavaScript."""
    return _copy_button(value, _copy_rest(label or _("Copy"), get_language()))


def _copy_button(value: str, rest: SafeString) -> SafeString:
    return SafeString(f'<clipboard-copy value="{conditional_escape(value)}"{rest}')


@lru_cache(maxsize=256)
def _copy_rest(label: str, _language: str | None) -> SafeString:
    """All of the button but the value, which every row has anew."""
    return format_html(
        ' aria-label="{}" data-copied="{}">'
        '<span class="todo">{}</span><span class="done">{}</span></clipboard-copy>',
        label,
        _("Copied"),
        icon("copy"),
        icon("check"),
    )


@lru_cache(maxsize=16)
def _copy_digest_rest(language: str | None) -> SafeString:
    return _copy_rest(_("Copy the digest"), language)


@register.simple_tag
def digest(value: str, href: str = "", *, copy: bool = True) -> SafeString:
    """A digest's algorithm, muted, and first twelve characters; whole in the title and the copy."""
    if not value:
        return _nothing()
    algorithm, _colon, encoded = value.partition(":")
    text = '<span class="algorithm">{}:</span>{}'
    parts = (value, algorithm, encoded[:SHORT_DIGEST])
    shown = (
        format_html(f'<a href="{{}}" title="{{}}">{text}</a>', href, *parts)
        if href
        else format_html(f'<span title="{{}}">{text}</span>', *parts)
    )
    button = _copy_button(value, _copy_digest_rest(get_language())) if copy else ""
    return SafeString(f'<span class="digest">{shown}{button}</span>')


@register.simple_tag
def filesize(size: int | None) -> SafeString | str:
    """Bytes in binary units, as the reader's language writes numbers."""
    if size is None:
        return _nothing()
    return _filesize(size, get_language())


@lru_cache(maxsize=4096)
def _filesize(size: int, _language: str | None) -> SafeString:
    value, unit = float(size), 0
    # 1023.95 would be written as "1,024.0".
    while abs(value) >= 1023.95 and unit < len(UNITS) - 1:
        value, unit = value / 1024, unit + 1
    places = 0 if unit == 0 or abs(value) >= 100 else 1
    # Django cuts what does not fit; people round.
    number = number_format(round(value, places), places, force_grouping=True)
    return format_html('<span class="num">{}\N{NO-BREAK SPACE}{}</span>', number, UNITS[unit])


@register.simple_tag
def when(at: datetime | None, label: str = "") -> SafeString:
    """A time as people say it ("2 days ago"), the exact one in a tooltip that keys reach too.

    The label tells what happened then: "pushed", "last synced".
    """
    if at is None:
        return _nothing()
    note = format_html('<span class="when-what">{}</span> ', label) if label else ""
    return format_html("{}{}", note, _time(at, get_language()))


@lru_cache(maxsize=4096)
def _time(at: datetime, language: str | None) -> SafeString:
    local = localtime(at)
    exact = f"{_day(local.date(), language)}, {local:%H:%M}"
    return format_html(
        '<time class="when" datetime="{0}" tabindex="0" data-tip="{1} {2}">'
        '<relative-time datetime="{0}" prefix="" no-title>{1}</relative-time></time>',
        at.isoformat(timespec="seconds"),
        exact,
        local.tzname(),
    )


@lru_cache(maxsize=1024)
def _day(day: date, _language: str | None) -> str:
    """Apart from the time: a page has few days, and Django takes long to write one."""
    return date_format(day, pgettext("date", "j M Y"))


@register.simple_tag
def platforms(names: Iterable[str], shown: int = PLATFORMS_SHOWN) -> SafeString:
    """Badges of os/architecture/variant; those beyond the first few are counted."""
    listed = tuple(names)
    if not listed:
        return _nothing()
    return _platforms(listed, shown, get_language())


@lru_cache(maxsize=1024)
def _platforms(names: tuple[str, ...], shown: int, _language: str | None) -> SafeString:
    badges = format_html_join(
        "", '<span class="badge badge-outline">{}</span>', ((name,) for name in names[:shown])
    )
    rest = names[shown:]
    more = (
        format_html(
            '<span class="badge" tabindex="0" data-tip="{}">+{}</span>', ", ".join(rest), len(rest)
        )
        if rest
        else ""
    )
    return format_html('<span class="platforms">{}{}</span>', badges, more)


@register.simple_tag
def count(number: int | CappedCount | None) -> SafeString | str:
    """A number as the reader's language writes it; "1,000+" where counting stopped at the cap."""
    if number is None:
        return _nothing()
    if isinstance(number, CappedCount):
        return _count(number.value, number.capped, get_language())
    return _count(number, False, get_language())


@lru_cache(maxsize=4096)
def _count(number: int, more: bool, _language: str | None) -> SafeString:
    text = number_format(number, 0, force_grouping=True)
    return format_html('<span class="num">{}{}</span>', text, "+" if more else "")


@register.simple_tag
def health(state: str, text: str) -> SafeString:
    """A state of a registry or a run in a shape, a colour and words."""
    return format_html(
        '<span class="health health-{}">{}{}</span>',
        state,
        icon(HEALTH_ICONS.get(state, "circle-dashed")),
        text,
    )


@register.simple_tag(takes_context=True)
def sort_header(context: Mapping[str, Any], key: str, text: str, css: str = "") -> SafeString:
    """A column's head: a link that sorts by it, or turns the order round if it is sorted already.

    Only the sorted column has aria-sort. Reads `order` and `request` from the context; the page
    starts again, so cursors leave the address.
    """
    order: Order = context["order"]
    query = context["request"].GET.copy()
    for name in ("after", "before"):
        query.pop(name, None)
    query["sort"] = order.link_for(key)
    mark, aria = "", ""
    if key == order.key:
        mark = icon("arrow-down" if order.descending else "arrow-up")
        aria = "descending" if order.descending else "ascending"
    return format_html(
        # By its id htmx gives the focus back to it when the list has come.
        '<th scope="col"{}{}><a class="sort" id="sort-{}" href="?{}" hx-get="?{}"'
        ' hx-target="#results" hx-push-url="true">{}{}</a></th>',
        format_html(' class="{}"', css) if css else "",
        format_html(' aria-sort="{}"', aria) if aria else "",
        key,
        query.urlencode(),
        query.urlencode(),
        text,
        mark,
    )


@register.simple_tag(takes_context=True)
def theme(context: Mapping[str, Any]) -> str:
    """The theme this browser asked for: "auto", "light" or "dark"."""
    request = context.get("request")
    chosen = request.COOKIES.get("theme", "") if request else ""
    return chosen if chosen in THEMES else "auto"


def _nothing() -> SafeString:
    """A dash for the eye, a word for the ear."""
    return format_html(
        '<span class="soft" aria-hidden="true">–</span><span class="visually-hidden">{}</span>',
        pgettext("no value", "none"),
    )

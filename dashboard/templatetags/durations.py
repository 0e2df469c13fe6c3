"""How long something took, or will take, in two units at most."""

from __future__ import annotations

from datetime import timedelta

from django import template
from django.utils.formats import number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

register = template.Library()


@register.filter
def duration(span: timedelta) -> SafeString:
    """ "0.4 s", "45 s", "3 min 20 s", "2 h 5 min", "9 d 4 h"."""
    return format_html('<span class="num">{}</span>', text_of(span))


def text_of(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if not seconds and span > timedelta(0):
        # It took some time, though: "0 s" would read as if nothing had been done.
        tenths = number_format(max(span // timedelta(milliseconds=100), 1) / 10, decimal_pos=1)
        return f"{tenths}\N{NO-BREAK SPACE}{pgettext('unit of time', 's')}"
    minutes, seconds = divmod(max(seconds, 0), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = (
        (days, pgettext("unit of time", "d")),
        (hours, pgettext("unit of time", "h")),
        (minutes, pgettext("unit of time", "min")),
        (seconds, pgettext("unit of time", "s")),
    )
    first = next((place for place, (value, _) in enumerate(units) if value), len(units) - 1)
    shown = [units[first], *(unit for unit in units[first + 1 : first + 2] if unit[0])]
    return " ".join(f"{value}\N{NO-BREAK SPACE}{unit}" for value, unit in shown)

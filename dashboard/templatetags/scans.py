"""What the registry's own scanner found, as badges from the worst down."""

from __future__ import annotations

from collections.abc import Mapping

from django import template
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

register = template.Library()

# The words of scanners, in lower case, from the worst down; what is none of them comes after.
SEVERITIES: dict[str, tuple[str | Promise, str]] = {
    "critical": (_("critical"), "bad"),
    "high": (_("high"), "warn"),
    "medium": (_("medium"), "info"),
    "low": (_("low"), ""),
    "negligible": (_("negligible"), ""),
    "informational": (_("informational"), ""),
    "unknown": (_("unknown"), ""),
    "undefined": (_("unknown"), ""),
}


@register.inclusion_tag("components/scan.html")
def scan(found: Mapping[str, object] | None, label: str) -> dict[str, object]:
    """Badges with the number found of each severity; `label` is who scanned."""
    counts = {
        word.lower(): count
        for word, count in (found or {}).items()
        if isinstance(count, int) and count > 0
    }
    order = list(SEVERITIES)
    known = sorted(counts, key=lambda word: order.index(word) if word in order else len(order))
    return {
        "is_scanned": found is not None,
        "label": label,
        "badges": [(counts[word], *SEVERITIES.get(word, (word, ""))) for word in known],
    }

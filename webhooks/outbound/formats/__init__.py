"""How an event is written down for a receiver: one file a form, all of the same shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from webhooks.models import Event, Subscription
from webhooks.outbound.formats import acr, binary, slack, structured, teams

# Event and the public address of Portolan (without a slash at its end) to headers and body.
Write: TypeAlias = Callable[[Event, str], tuple[dict[str, str], bytes]]

FORMS: dict[str, Write] = {
    Subscription.Form.STRUCTURED: structured.write,
    Subscription.Form.BINARY: binary.write,
    Subscription.Form.ACR: acr.write,
    Subscription.Form.SLACK: slack.write,
    Subscription.Form.TEAMS: teams.write,
}

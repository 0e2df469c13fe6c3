"""What a webhook would send, before it is saved: a past event of its scope, or a made-up one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from access.actions import Action
from access.scopes import Extent, Scope
from dashboard.callers import Caller
from dashboard.views.access.asking import ids_of
from dashboard.views.webhooks.asking import keeper
from dashboard.views.webhooks.bodies import readable
from webhooks.catalog import Topic
from webhooks.models import Event, Subscription
from webhooks.outbound.actions import example, preview
from webhooks.readable import happened_in, told_to_manager
from webhooks.subscription_settings import CHOOSABLE, Where

# Past events to choose from.
OFFERED = 10


@dataclass(frozen=True, slots=True)
class Preview:
    """Headers and body of `event`, or why there are none."""

    problem: str = ""
    event: Event | None = None
    is_made_up: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    events: tuple[Event, ...] = ()


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """The part of the form's page that shows it; neither address nor headers are sent here."""
    one = keeper(request)
    return render(request, "webhooks/preview.html", {"preview": preview_of(one, request.GET)})


def preview_of(one: Caller, typed: QueryDict) -> Preview:
    """What the fields `scope`, `topics`, `form` and `event` of a form make."""
    topics = [topic for topic in CHOOSABLE if topic.value in typed.getlist("topics")]
    form = typed.get("form", "")
    if not topics or form not in Subscription.Form.values:
        return Preview(problem=_("Choose what is sent, and as what."))
    try:
        where = Where.parse(typed.get("scope", ""))
    except ValidationError as error:
        typed_any = typed.get("scope", "").strip()
        return Preview(problem=error.messages[0] if typed_any else _("Say where it happens."))
    if not one.rights.may(Action.WEBHOOK_MANAGE, where.scope):
        return Preview(problem=_("You do not manage webhooks on all of this."))
    return preview_in(one, where, topics, form, chosen=ids_of([typed.get("event", "")]))


def preview_in(
    one: Caller, where: Where, topics: Sequence[Topic], form: str, *, chosen: Sequence[int] = ()
) -> Preview:
    """Of a past event there, the chosen one if it is among the newest; or of a made-up one."""
    events = _past(one, where, topics)
    event = next((one for one in events if one.pk in chosen), events[0] if events else None)
    shown = event or _made_up(where, topics[0])
    headers, body = preview(Subscription(form=form), shown)
    return Preview("", shown, event is None, headers, readable(body), events)


def _past(one: Caller, where: Where, topics: Sequence[Topic]) -> tuple[Event, ...]:
    found = Event.objects.filter(
        told_to_manager(one.rights),
        happened_in([where.scope]),
        _tagged(where.tag),
        topic__in=[topic.value for topic in topics],
    )
    return tuple(found.order_by("-id")[:OFFERED])


def _tagged(tag: str) -> Q:
    if not tag:
        return Q()
    return Q(tag__startswith=tag[:-1]) if tag.endswith("*") else Q(tag=tag)


def _made_up(where: Where, topic: Topic) -> Event:
    """In the scope, with names that nothing has."""
    made = example(topic, where.scope.registry or "registry", _repository(where.scope))
    if where.tag and made.tag:
        made.tag = where.tag.replace("*", "0")
    return made


def _repository(scope: Scope) -> str:
    if scope.extent is Extent.REPOSITORY:
        return scope.path
    return f"{scope.prefix}example"

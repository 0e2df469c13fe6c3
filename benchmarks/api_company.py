"""Lists of the REST API over a company of thousands: access, audit, webhooks, events, sync runs."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from access.models import (
    AccessRequest,
    AccessReview,
    AuditEntry,
    Credential,
    Grant,
    Membership,
    Role,
    Secret,
    ServicePrincipal,
    Team,
    TrustRule,
    User,
)
from benchmarks import company
from benchmarks.caller import Caller, caller_of
from benchmarks.listing import API, SIZE, Listing, line, same
from benchmarks.pages import GRANTS, granted_patterns
from benchmarks.report import Line
from dashboard.api.access import machine_secrets, members, roles
from dashboard.api.webhooks import events
from dashboard.runs import problems
from dashboard.views import runs
from dashboard.views.access import (
    audit,
    credentials,
    machines,
    people,
    requests,
    reviews,
    rows,
    trust_rules,
)
from dashboard.views.access.teams import BY_NAME
from dashboard.views.webhooks import listing, notifications, webhook
from registries.models import Registry, SyncRun
from webhooks.models import Event, Subscription

SOMEWHERE = "scale/team-007/*"


def lines(caller: Caller) -> list[Line]:
    """What the owner of everything asks, and then somebody with fifty grants."""
    company.fill()
    limited = caller_of(granted_patterns())
    return [
        *(each for one in (*_of_access(), *_of_what_happened()) for each in one.lines(caller)),
        *(line(caller, what, same(_paged(address))) for what, address in NARROWED.items()),
        *(line(caller, what, same(_paged(address))) for what, address in _narrowed_parts()),
        line(caller, "Effective access", same(f"{API}{EFFECT}")),
        *(
            line(limited, f"{what}, with {GRANTS} pattern grants", same(_paged(address)))
            for what, address in LIMITED.items()
        ),
    ]


def _paged(address: str) -> str:
    return f"{API}{address}{'&' if '?' in address else '?'}limit={SIZE}"


def _of_access() -> Iterator[Listing]:
    first = Team.objects.order_by("pk")[0]
    machine = ServicePrincipal.objects.order_by("pk")[0]
    review = AccessReview.objects.order_by("pk")[0]
    yield Listing("Roles", f"{API}/roles", Role.objects.all(), roles.COLUMNS, "name")
    for sort in ("-granted", "ends", "principal"):
        grants = Grant.objects.all()
        yield Listing(f"Grants by {sort}", f"{API}/grants", grants, rows.COLUMNS, sort)
    yield Listing("Teams", f"{API}/teams", Team.objects.all(), BY_NAME, "name")
    yield Listing(
        f"{company.PEOPLE:,} members",
        f"{API}/teams/{first.name}/members",
        Membership.objects.filter(team=first),
        members.MEMBER_COLUMNS,
        "name",
    )
    for sort in ("name", "-seen"):
        everybody = User.objects.all()
        yield Listing(f"People by {sort}", f"{API}/people", everybody, people.BY_NAME_OR_SEEN, sort)
    for sort in ("name", "-used", "ends"):
        every = ServicePrincipal.objects.with_use(timezone.now())
        what = f"Service principals by {sort}"
        yield Listing(what, f"{API}/service-principals", every, machines.COLUMNS, sort)
    yield Listing(
        "A machine's secrets",
        f"{API}/service-principals/{machine.name}/secrets?state=all",
        Secret.objects.filter(service_principal=machine),
        machine_secrets.COLUMNS,
        "-created",
    )
    rules = TrustRule.objects.all()
    yield Listing("Trust rules", f"{API}/trust-rules", rules, trust_rules.COLUMNS, "name")
    for sort in ("ends", "used", "owner"):
        board = Credential.objects.all()
        what = f"Credentials by {sort}"
        yield Listing(what, f"{API}/credentials?state=all", board, credentials.ORDERS, sort)
    asked = AccessRequest.objects.all()
    yield Listing("Access requests", f"{API}/access-requests", asked, requests.COLUMNS, "-asked")
    every_review = AccessReview.objects.all()
    yield Listing("Reviews", f"{API}/access-reviews", every_review, reviews.COLUMNS, "-opened")
    yield Listing(
        "A review's items",
        f"{API}/access-reviews/{review.pk}/items",
        review.items.all(),
        reviews.ITEM_COLUMNS,
        "item",
    )


def _of_what_happened() -> Iterator[Listing]:
    registry = Registry.objects.get(name="scale")
    first = Subscription.objects.order_by("name")[0]
    run = SyncRun.objects.order_by("-pk")[0]
    here = f"{API}/registries/scale"
    entries = AuditEntry.objects.all()
    for sort in ("-number", "number"):
        yield Listing(f"Audit by {sort}", f"{API}/audit", entries, audit.ORDERS, sort)
    for sort in ("-written", "written"):
        happened = Event.objects.all()
        yield Listing(f"Events by {sort}", f"{API}/events", happened, events.COLUMNS, sort)
    hooks = Subscription.objects.all()
    yield Listing("Webhooks", f"{API}/webhooks", hooks, listing.COLUMNS, "name")
    yield Listing(
        "A webhook's 150,000 deliveries",
        f"{API}/webhooks/{first.pk}/deliveries",
        first.deliveries.all(),
        webhook.ORDERS,
        "-id",
    )
    yield Listing(
        "Notifications",
        f"{here}/notifications",
        registry.notifications.all(),
        notifications.ORDERS,
        "-came",
    )
    yield Listing("Sync runs", f"{here}/runs", registry.runs.all(), runs.COLUMNS, "-queued")
    yield Listing(
        "A run's problems",
        f"{here}/runs/{run.pk}/problems",
        run.problems.all(),
        problems.COLUMNS,
        "found",
    )


def _narrowed_parts() -> Iterator[tuple[str, str]]:
    """Filters of lists that are a part of something."""
    hook, run = Subscription.objects.order_by("name")[0], SyncRun.objects.order_by("-pk")[0]
    deliveries = f"/webhooks/{hook.pk}/deliveries"
    yield "Deliveries given up", f"{deliveries}?state=given%20up"
    yield "Deliveries waiting", f"{deliveries}?state=waiting"
    yield "Deliveries of a topic", f"{deliveries}?topic=tag.created"
    yield "Deliveries of a topic that never was", f"{deliveries}?topic=sync.failed"
    path = hook.deliveries.select_related("event").order_by("-pk")[0].event.repository
    yield "Deliveries of a repository", f"{deliveries}?repository={path}"
    yield "Deliveries of no repository", f"{deliveries}?repository=team-007"
    yield "Deliveries until a day", f"{deliveries}?until=2026-01-01"
    yield "Problems of a cause", f"/registries/scale/runs/{run.pk}/problems?code=throttled"
    yield "Problems of no cause", f"/registries/scale/runs/{run.pk}/problems?code=unknown"


EFFECT = f"/effective-access?principal=user:person-0007&scope={SOMEWHERE}"
NARROWED = {
    "Grants on a pattern": f"/grants?scope={SOMEWHERE}",
    "Grants to who is called so": "/grants?principal=person-00",
    "Grants of a role": "/grants?role=reader",
    "Grants that end soon": "/grants?ending=30",
    "A principal's grants": "/principals/team:team-007/grants",
    "Who can, people": f"/who-can?scope={SOMEWHERE}",
    "Who can, people, anywhere": "/who-can?scope=*",
    "Who can push, machines, anywhere": "/who-can?scope=*&kind=machines&action=content%20write",
    "Unused rights": "/unused-rights",
    "Unused rights, at all": "/unused-rights?at_all=true",
    "People by words": "/people?q=person%20007",
    "People who are off": "/people?state=off",
    "Teams by a part": "/teams?q=00",
    "Machines of a team": "/service-principals?team=team-007",
    "Machines that are off": "/service-principals?state=disabled",
    "Credentials that end soon": "/credentials?ending=30",
    "Credentials by a part": "/credentials?state=all&q=person-00",
    "Credentials that nobody used": "/credentials?unused=10",
    "Credentials of machines": "/credentials?kind=sp",
    "Requests that are open": "/access-requests?state=open",
    "Audit of a person": "/audit?actor=person-0007",
    "Audit of nobody": "/audit?actor=zebra",
    "Audit of an event": "/audit?event=role%20created",
    "Audit of a registry": "/audit?registry=scale",
    "Audit of a target": "/audit?target=app-012345",
    "Audit of targets, many": "/audit?target=team-007",
    "Audit of no target": "/audit?target=zebra",
    "Audit by way of docker": "/audit?way=docker",
    "Audit by way of the shell": "/audit?way=shell",
    "Audit of a person's way": "/audit?actor=person-0007&way=shell",
    "Audit since a day": "/audit?since=2026-11-01&sort=number",
    "Audit until a day": "/audit?until=2026-06-01",
    "Audit before all of it": "/audit?until=2020-01-01",
    "Events of a topic": "/events?topic=tag.moved",
    "Events of a rare topic": "/events?topic=sync.failed",
    "Events of a repository": "/events?repository=team-007/area-7/app-000007",
    "Events below a pattern": "/events?repository=team-007/*&registry=scale",
    "Events of a tag": "/events?tag=1.7&registry=scale",
    "Events of no tag": "/events?tag=zebra",
    "Events of no registry": "/events?registry=zebra",
    "Webhooks by a part": "/webhooks?q=07",
    "Webhooks that fail": "/webhooks?state=failing",
    "Notifications given up": "/registries/scale/notifications?state=given%20up",
    "Notifications waiting": "/registries/scale/notifications?state=waiting",
}
LIMITED = {
    "Repositories of all registries": "/repositories",
    "Events": "/events",
    "Events of a rare topic": "/events?topic=sync.failed",
    "Access requests": "/access-requests",
    "Credentials": "/credentials",
}

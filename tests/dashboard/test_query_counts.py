"""How many statements a page takes is pinned in a file, and the same for little and for much."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access.models import Grant, Membership, Role, Secret, ServicePrincipal, Team, User
from access.scopes import Scope
from registries.models import Manifest, Repository
from tests import catalog
from tests.cast import give, signed_in
from tests.webhooks import outbox
from webhooks.models import Follow

pytestmark = pytest.mark.django_db
PINNED = json.loads((Path(__file__).parent / "query_counts.json").read_text())
PAGES = {
    "overview": "/",
    "registries": "/registries/",
    "registry": "/r/harbour/?ns=team",
    "registry, filtered": "/r/harbour/?q=app&sort=-date&view=flat",
    "namespaces": "/r/harbour/-/namespaces?ns=team",
    "tags": "/r/harbour/team/app",
    "tags, filtered": "/r/harbour/team/app?q=1&sort=name",
    "artifacts": "/r/harbour/team/app/-/artifacts",
    "artifacts, untagged": "/r/harbour/team/app/-/artifacts?show=untagged",
    "activity": "/r/harbour/team/app/-/activity",
    "image": "/r/harbour/team/app/-/tags/latest",
    "image of one platform": "/r/harbour/team/app/-/tags/single",
    "compare": "/r/harbour/team/app/-/compare?from=1.0&to=latest",
    "tag history": "/r/harbour/team/app/-/tags/latest/history",
    "search": "/search?q=app",
    "search for a tag": "/search?q=1.0",
    "search for a digest": "/search?q=sha256:",
    "palette": "/search/palette?q=app",
    "digest": "/digests/{index}",
    "digest of one platform": "/digests/{image}",
    "digest, places": "/digests/{image}/held",
    "digest, tags": "/digests/{index}/tags",
    "digest, referrers": "/digests/{image}/referrers",
    "mirrors": "/mirrors/",
    "mirror": "/mirrors/compare/?source=harbour/team/*&target=harbour/elsewhere/*",
    "mirror, tags": "/mirrors/compare/?source=harbour/team/app&target=harbour/elsewhere/app",
}
ABOUT_ACCESS = {
    "machines": "/access/machines/?sort=-used",
    "machine": "/access/machines/machine-1/",
    "tokens": "/access/tokens/",
    "credentials": "/access/credentials/?sort=ends",
}

ABOUT_WEBHOOKS = {
    "webhooks": "/webhooks/",
    "webhook": "/webhooks/{webhook}/?state=delivered",
    "delivery": "/webhooks/{webhook}/deliveries/{delivery}/",
    "following": "/profile/following/",
}


def fill(size: int) -> Repository:
    """A catalog with `size` of everything that could be many."""
    registry = catalog.registry("harbour")
    app = catalog.repository(registry, "team/app")
    for number in range(size):
        catalog.repository(registry, f"team/app-{number}/service")
    at = catalog.NOON
    layers = [(f"layer {number}", 100 + number, f"RUN {number}") for number in range(size)]
    for number in range(size):
        at += timedelta(minutes=1)
        images = [
            catalog.image(app, f"app {number}", platform=f"linux/amd64/v{variant}", layers=layers)
            for variant in range(size)
        ]
        index = catalog.index(app, images, attested=True)
        catalog.tag(app, f"1.{number}", index, at=at)
        catalog.move(app, "latest", catalog.image(app, f"before {number}"), index, at=at)
        catalog.tag(app, f"alias-{number}", index, at=at)
    catalog.tag(app, "latest", index, at=at)
    catalog.tag(app, "single", images[0], at=at)
    for number in range(size):
        catalog.referrer(app, index, content=f"signature {number}")
        catalog.referrer(app, images[0], Manifest.Kind.SBOM, content=f"packages {number}")
    name = index.manifest.digest.replace(":", "-")
    catalog.tag(app, f"{name}.sig", catalog.artifact(app, "sig"))
    catalog.tag(app, name, catalog.index(app, images[:1]))
    with connection.cursor() as cursor:
        # The database may remember tables as empty from a test before, and plan for that.
        cursor.execute("ANALYZE")
    catalog.recount(registry)
    return app


def fill_access(size: int) -> None:
    """A team of everybody with `size` machines, and as many tokens for each."""
    team = Team.objects.create(name="platform")
    role, registry = Role.objects.get(name="pusher"), catalog.registry("harbour")
    ends = timezone.now() + timedelta(days=9)
    for user in User.objects.all():
        Membership.objects.create(team=team, user=user)
        for number in range(size):
            key_id = f"u{user.pk}n{number}"
            Secret.objects.create(kind="pat", user=user, key_id=key_id, expires_at=ends)
    for number in range(size):
        machine = ServicePrincipal.objects.create(name=f"machine-{number}", team=team)
        for slot in (1, 2):
            key_id = f"m{number}s{slot}"
            Secret.objects.create(kind="sp", service_principal=machine, slot=slot, key_id=key_id)
        for path in range(size):
            Grant.objects.create(
                service_principal=machine, role=role, registry=registry, path=f"team/app-{path}"
            )


def fill_webhooks(size: int) -> dict[str, object]:
    """`size` webhooks, each with as many deliveries of as many attempts; and as much is followed."""
    registry = catalog.registry("harbour")
    for number in range(size):
        webhook = outbox.webhook(name=f"Hook {number}")
        for _ in range(size):
            delivery = outbox.delivery(webhook)
            for _ in range(size):
                outbox.attempt(delivery)
        for user in User.objects.all():
            Follow.objects.create(user=user, registry=registry, path=f"team/app-{number}")
    return {"webhook": webhook.pk, "delivery": delivery.pk}


def statements(client: Client, address: str) -> int:
    client.get(address)  # sessions and the like are remembered from the first time on
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


def counted(client: Client, app: Repository) -> dict[str, int]:
    index, image = (
        app.tags.get(name=name).artifact.manifest.digest for name in ("latest", "single")
    )
    return {
        name: statements(
            client, address.replace("sha256:", index[:16]).format(index=index, image=image)
        )
        for name, address in PAGES.items()
    }


def test_pages_take_as_many_statements_as_are_pinned(as_viewer: Client) -> None:
    assert counted(as_viewer, fill(12)) == PINNED["who sees everything"]


def test_small_pages_take_no_more_statements_than_large_ones(as_viewer: Client) -> None:
    # Fewer perhaps: what fits one page need not be counted.
    found = counted(as_viewer, fill(2))
    assert {name: n for name, n in found.items() if n > PINNED["who sees everything"][name]} == {}


@pytest.mark.parametrize("size", [12, 24])
def test_they_take_no_more_for_many_grants_than_for_few(outsider: User, size: int) -> None:
    app = fill(12)
    give(outsider, "reader", Scope("harbour", "team/app"))
    for number in range(size):
        give(outsider, "reader", Scope("harbour", f"team/app-{number}/*"))
        give(outsider, "puller", Scope("harbour", f"elsewhere/app-{number}"))
    assert counted(signed_in(outsider), app) == PINNED["who sees a part"]


@pytest.mark.parametrize("size", [2, 12])
def test_lists_of_machines_and_secrets_take_as_many_as_are_pinned(
    as_viewer: Client, size: int
) -> None:
    fill_access(size)
    found = {name: statements(as_viewer, address) for name, address in ABOUT_ACCESS.items()}
    assert found == PINNED["machines and secrets"]


@pytest.mark.parametrize("size", [2, 7])
def test_so_do_pages_of_webhooks(as_owner: Client, size: int) -> None:
    values = fill_webhooks(size)
    found = {
        name: statements(as_owner, address.format(**values))
        for name, address in ABOUT_WEBHOOKS.items()
    }
    assert found == PINNED["webhooks and what is followed"]

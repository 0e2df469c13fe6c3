"""Repositories by path: of one registry and of all, filtered, sorted, and only what one may see."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.models import User
from access.scopes import Scope
from registries.models import Registry, Repository
from registries.oci.outlines import Lock
from tests import catalog
from tests.cast import give
from tests.dashboard.api.client import Api

pytestmark = pytest.mark.django_db
PROD = "/registries/prod/repositories"


@pytest.fixture(autouse=True)
def prod(db: None) -> Registry:
    registry = catalog.registry("prod")
    for at, path in enumerate(("team-a/app", "team-a/web", "team-b/app", "alone")):
        pushed = catalog.NOON + timedelta(days=at)
        catalog.repository(registry, path, pushed_at=pushed, unique_bytes=100 - at)
    Repository.objects.filter(path="alone").update(pushed_at=None)
    dev = catalog.registry("dev")
    catalog.repository(dev, "team-a/app", tag_count=7)
    catalog.repository(dev, "gone", missing_since=catalog.NOON)
    return registry


def paths(api: Api, address: str = PROD, **query: Any) -> list[str]:
    answer = api.get(address, **query)
    assert answer.status_code == 200, answer.content
    return [row["path"] for row in answer.json()["items"]]


def places(api: Api, **query: Any) -> list[str]:
    rows = api.get("/repositories", **query).json()["items"]
    return [f"{row['registry']}/{row['path']}" for row in rows]


def test_one_registry_s_are_listed_by_path(api_owner: Api) -> None:
    assert paths(api_owner) == ["alone", "team-a/app", "team-a/web", "team-b/app"]


@pytest.mark.parametrize(
    ("order", "first"),
    [
        ("-path", "team-b/app"),
        ("-date", "team-b/app"),
        ("date", "alone"),
        ("size", "alone"),
        ("-size", "team-a/app"),
    ],
)
def test_they_are_sorted_as_on_screen(api_owner: Api, order: str, first: str) -> None:
    assert paths(api_owner, sort=order, limit=1) == [first]


def test_a_namespace_and_a_part_of_the_path_narrow_them(api_owner: Api) -> None:
    assert paths(api_owner, namespace="team-a") == ["team-a/app", "team-a/web"]
    assert paths(api_owner, q="APP") == ["team-a/app", "team-b/app"]
    assert paths(api_owner, namespace="team-b", q="web") == []


def test_a_text_that_nothing_can_be_called_is_refused(api_owner: Api) -> None:
    for text in ("a\x00b", "a\nb", "x" * 256):
        answer = api_owner.get(PROD, q=text)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")
        assert answer.json()["errors"][0]["field"] == "q"


def test_those_of_all_registries_lie_beside_each_other(api_owner: Api) -> None:
    assert places(api_owner) == [
        "prod/alone",
        "prod/team-a/app",
        "dev/team-a/app",
        "prod/team-a/web",
        "prod/team-b/app",
    ]
    assert places(api_owner, registry="dev", namespace="team-a") == ["dev/team-a/app"]
    assert places(api_owner, q="b/a") == ["prod/team-b/app"]


def test_walking_through_all_meets_each_once(api_owner: Api) -> None:
    query: dict[str, Any] = {"limit": 2}
    seen = []
    while True:
        page = api_owner.get("/repositories", **query).json()
        seen += [(row["registry"], row["path"]) for row in page["items"]]
        if page["next"] is None:
            break
        query["after"] = page["next"]
    assert len(seen) == len(set(seen)) == 5


def test_over_all_registries_no_order_without_an_index_is_offered(api_owner: Api) -> None:
    assert api_owner.get("/repositories", sort="-size").status_code == 400


def test_who_sees_a_part_is_told_of_that_part(outsider: User) -> None:
    give(outsider, "reader", Scope("prod", "team-a/*"))
    api = Api.of(outsider)
    assert places(api) == ["prod/team-a/app", "prod/team-a/web"]
    assert paths(api, q="app") == ["team-a/app"]
    assert api.get(f"{PROD}/team-b/app").status_code == 404
    assert api.get("/repositories", registry="dev").status_code == 404


def test_an_outsider_s_answers_hold_no_name(api_outsider: Api) -> None:
    for address in ("/repositories", PROD, f"{PROD}/team-a/app"):
        answer = api_outsider.get(address)
        assert "team" not in answer.content.decode()
        assert "dev" not in answer.content.decode()


def test_one_repository_is_shown_with_its_counters(api_owner: Api, prod: Registry) -> None:
    app = prod.repositories.get(path="team-a/app")
    catalog.tag(app, "1.0", catalog.image(app))
    catalog.recount(prod)
    Repository.objects.filter(pk=app.pk).update(locks=Lock.DELETE | Lock.READ, pull_count=3)
    row = api_owner.get(f"{PROD}/team-a/app").json()
    assert (row["registry"], row["path"], row["namespace"]) == ("prod", "team-a/app", "team-a")
    assert (row["tags"], row["artifacts"], row["pull_count"]) == (1, 1, 3)
    assert 0 < row["bytes"] < row["logical_bytes"]
    assert row["pushed_at"] == "2026-11-20T12:00:00Z"
    assert row["locks"] == ["delete", "read"]


def test_slashes_may_come_encoded(api_owner: Api) -> None:
    assert api_owner.send("GET", f"{PROD}/team-a%2Fapp").json()["path"] == "team-a/app"


def test_one_that_is_gone_is_not_listed_and_still_shown(api_owner: Api) -> None:
    assert paths(api_owner, "/registries/dev/repositories") == ["team-a/app"]
    shown = api_owner.get("/registries/dev/repositories/gone").json()
    assert shown["missing_since"] == "2026-11-20T12:00:00Z"


@pytest.mark.parametrize("address", [PROD, "/repositories", f"{PROD}?q=app"])
def test_a_page_takes_as_many_statements_however_many_rows(
    api_viewer: Api, prod: Registry, address: str
) -> None:
    counts = []
    for more in (0, 30):
        for at in range(more):
            catalog.repository(prod, f"many/app-{at}")
        with CaptureQueriesContext(connection) as captured:
            api_viewer.ask("GET", address)
        counts.append(len(captured))
    assert counts[0] == counts[1]

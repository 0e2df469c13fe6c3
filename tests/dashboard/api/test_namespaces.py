"""The tree and the room that things take, as far as each caller sees them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.models import User
from access.scopes import Scope
from registries.models import Registry
from tests import catalog
from tests.cast import give
from tests.dashboard.api.client import PREFIX, Api

pytestmark = pytest.mark.django_db
TREE = "/registries/harbour/namespaces"
STORAGE = "/registries/harbour/storage"


@pytest.fixture
def harbour(db: None) -> Registry:
    """team-a/app and team-a/tools/lint, team-b/web, and a secret."""
    registry = catalog.registry("harbour")
    for path, tags in (
        ("team-a/app", 3),
        ("team-a/tools/lint", 1),
        ("team-b/web", 2),
        ("secret-project/api", 1),
    ):
        one = catalog.repository(registry, path)
        for number in range(tags):
            layer = (f"{path} {number}", 1_000_000, "COPY . .")
            catalog.tag(one, f"{number}", catalog.image(one, layers=[layer]))
    catalog.recount(registry)
    return registry


@pytest.fixture
def limited(outsider: User, harbour: Registry) -> Api:
    """Who sees all of team-a, and of team-b one repository."""
    give(outsider, "reader", Scope("harbour", "team-a/*"))
    give(outsider, "reader", Scope("harbour", "team-b/web"))
    return Api.of(outsider)


def paths(answer: Any) -> list[str]:
    return [row["path"] for row in answer.json()["items"]]


def test_a_level_has_its_namespaces_with_what_is_below_them(
    api_viewer: Api, harbour: Registry
) -> None:
    rows = {row["path"]: row for row in api_viewer.get(TREE).json()["items"]}
    assert list(rows) == ["secret-project", "team-a", "team-b"]
    team_a = rows["team-a"]
    assert (team_a["repositories"], team_a["tags"], team_a["has_children"]) == (2, 4, True)
    assert rows["team-b"]["has_children"] is False
    assert paths(api_viewer.get(TREE, parent="team-a")) == ["team-a/tools"]
    assert paths(api_viewer.get(TREE, parent="nothing")) == []


def test_a_level_is_walked_in_pages(api_viewer: Api, harbour: Registry) -> None:
    first = api_viewer.get(TREE, limit=2)
    assert paths(first) == ["secret-project", "team-a"]
    assert first.json()["next"] == "team-a"
    onward = first.headers["Link"].removeprefix("<").partition(">")[0].partition(PREFIX)[2]
    second = api_viewer.ask("GET", onward)
    assert paths(second) == ["team-b"]
    assert second.json()["next"] is None


def test_of_a_part_only_what_is_seen_is_counted(limited: Api) -> None:
    answer = limited.get(TREE)
    assert [(row["path"], row["repositories"]) for row in answer.json()["items"]] == [
        ("team-a", 2),
        ("team-b", 1),
    ]
    assert paths(limited.get(TREE, limit=1)) == ["team-a"]
    assert paths(limited.get(TREE, parent="secret-project")) == []
    assert "secret" not in answer.content.decode()


def test_the_tree_takes_the_same_number_of_statements_however_long_a_level_is(
    api_viewer: Api, harbour: Registry
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            api_viewer.get(TREE)
        return len(captured)

    api_viewer.get(TREE)
    few = statements()
    for number in range(30):
        catalog.repository(harbour, f"many-{number}/app")
    catalog.recount(harbour)
    assert statements() == few


def test_storage_sums_up_and_names_the_largest(api_viewer: Api, harbour: Registry) -> None:
    shown = api_viewer.get(STORAGE, limit=2).json()
    harbour.refresh_from_db()
    assert (shown["repositories"], shown["tags"], shown["is_part"]) == (4, 7, False)
    assert shown["bytes"] == harbour.unique_bytes
    sizes = [row["bytes"] for row in shown["namespaces"]]
    assert [row["path"] for row in shown["namespaces"]] == ["team-a", "team-b"]
    assert sizes == sorted(sizes, reverse=True)
    assert [row["path"] for row in shown["largest"]] == ["team-a/app", "team-b/web"]


def test_storage_of_a_namespace_is_what_lies_below_it(api_viewer: Api, harbour: Registry) -> None:
    shown = api_viewer.get(STORAGE, namespace="team-a").json()
    assert (shown["repositories"], shown["tags"], shown["is_part"]) == (2, 4, True)
    assert [row["path"] for row in shown["namespaces"]] == ["team-a/tools"]
    assert {row["path"] for row in shown["largest"]} == {"team-a/app", "team-a/tools/lint"}
    assert api_viewer.get(STORAGE, namespace="nothing").status_code == 404


def test_storage_of_a_part_holds_no_name_of_the_rest(limited: Api, api_outsider: Api) -> None:
    shown = limited.get(STORAGE)
    assert (shown.json()["repositories"], shown.json()["is_part"]) == (3, True)
    assert [row["path"] for row in shown.json()["namespaces"]] == ["team-a", "team-b"]
    assert "secret" not in shown.content.decode()
    assert limited.get(STORAGE, namespace="secret-project").status_code == 404
    total = limited.get("/storage").json()
    assert (total["registries"], total["repositories"], total["tags"]) == (1, 3, 6)


def test_all_registries_are_summed_up(api_viewer: Api, harbour: Registry) -> None:
    other = catalog.registry("other")
    catalog.repository(other, "x")
    catalog.recount(other)
    total = api_viewer.get("/storage").json()
    assert (total["registries"], total["repositories"], total["tags"]) == (2, 5, 7)


def test_an_outsider_sees_nothing_of_it(api_outsider: Api, harbour: Registry) -> None:
    assert api_outsider.get(TREE).status_code == 404
    assert api_outsider.get(STORAGE).status_code == 404
    assert api_outsider.get("/storage").json()["registries"] == 0


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1000}, {"parent": "x\u200b"}])
def test_what_cannot_be_asked_is_refused(
    api_viewer: Api, harbour: Registry, query: dict[str, Any]
) -> None:
    answer = api_viewer.get(TREE, **query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")

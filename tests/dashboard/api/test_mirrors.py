"""Mirrors for programs: kept by who manages both ends, seen as far as one sees both ends."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.models import AuditEntry, Role, User
from access.scopes import Scope
from registries.models import Mirror
from tests import catalog
from tests.cast import give
from tests.dashboard.api.client import PREFIX, Api
from tests.dashboard.test_mirror_screens import SECRET, mirror

__all__ = ["mirror"]

pytestmark = pytest.mark.django_db
HUB, HARBOUR = Scope("hub"), Scope("harbour")
PAIR: dict[str, Any] = {"source": "hub/library/nginx", "target": "harbour/mirror/nginx"}


def manager(*scopes: Scope) -> Api:
    user = User.objects.create_user("marta")
    actions = ["registry read", "registry manage"]
    role = Role.objects.create(name="of-marta", label="Own", actions=actions)
    for scope in scopes:
        give(user, role.name, scope)
    return Api.of(user)


def states(answer: Any) -> dict[str, str]:
    return {f"{row['source_path']}:{row['tag']}": row["state"] for row in answer.json()["items"]}


# Boards ------------------------------------------------------------------------------------------


def test_a_board_lists_tags_with_the_sums_of_all(api_viewer: Api, mirror: Mirror) -> None:
    answer = api_viewer.get(f"/mirrors/{mirror.pk}/tags")
    assert states(answer) == {
        "library/nginx:1.0": "same",
        "library/nginx:1.1": "missing",
        "library/redis:7": "extra",
        f"library/{SECRET}:9.9": "missing",
    }
    shown = answer.json()
    assert {name: count for name, count in shown["counts"].items() if count} == {
        "missing": 2,
        "extra": 1,
        "same": 1,
    }
    assert (shown["repositories"], shown["next_part"]) == (3, None)
    missing = next(row for row in shown["items"] if row["tag"] == "1.1")
    assert missing["target_digest"] == ""
    assert missing["target_path"] == "mirror/nginx"
    assert missing["source_digest"].startswith("sha256:")


def test_a_board_is_narrowed_by_state_and_repository(api_viewer: Api, mirror: Mirror) -> None:
    board = f"/mirrors/{mirror.pk}/tags"
    assert list(states(api_viewer.get(board, state="extra"))) == ["library/redis:7"]
    assert list(states(api_viewer.get(board, repository="nginx", state="missing"))) == [
        "library/nginx:1.1"
    ]
    assert states(api_viewer.get(board, repository="nothing")) == {}
    answer = api_viewer.get(board, state="sunk")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_parameter")


def test_a_board_by_repository_counts_each(api_viewer: Api, mirror: Mirror) -> None:
    rows = api_viewer.get(f"/mirrors/{mirror.pk}/repositories").json()["items"]
    by_name = {row["repository"]: row for row in rows}
    assert list(by_name) == ["nginx", "redis", SECRET]
    assert by_name["redis"]["in_source"] is False
    assert (by_name["nginx"]["counts"]["same"], by_name["nginx"]["counts"]["missing"]) == (1, 1)


def test_a_long_board_is_walked_in_pages_and_back(api_viewer: Api, mirror: Mirror) -> None:
    nginx = mirror.source.repositories.get(path="library/nginx")
    for number in range(30):
        catalog.tag(nginx, f"x{number:03}", nginx.artifacts.all()[0])
    way = f"/mirrors/{mirror.pk}/tags?repository=nginx&limit=20&fields=tag"
    first = api_viewer.ask("GET", way)
    second = api_viewer.ask("GET", _way(first, "next"))
    names = [row["tag"] for page in (first, second) for row in page.json()["items"]]
    assert names == ["1.0", "1.1", *(f"x{number:03}" for number in range(30))]
    assert second.json()["next"] is None
    assert api_viewer.ask("GET", _way(second, "prev")).json()["items"] == first.json()["items"]


def test_a_forged_cursor_is_refused_and_does_not_begin_anew(
    api_viewer: Api, mirror: Mirror
) -> None:
    for what in ("tags", "repositories"):
        answer = api_viewer.get(f"/mirrors/{mirror.pk}/{what}", after="forged")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_cursor")
        assert (
            api_viewer.get(f"/mirrors/{mirror.pk}/{what}", after="a", before="b").status_code == 400
        )


def test_health_is_the_sums_alone(api_viewer: Api, mirror: Mirror) -> None:
    shown = api_viewer.get(f"/mirrors/{mirror.pk}/health").json()
    assert (shown["total"], shown["lacking"], shown["is_whole"]) == (4, 2, True)


# Who sees what -----------------------------------------------------------------------------------


def test_one_sees_and_counts_what_one_sees_at_both_ends(
    api_outsider: Api, outsider: User, mirror: Mirror
) -> None:
    board = f"/mirrors/{mirror.pk}"
    assert api_outsider.get(board).status_code == 404
    assert api_outsider.get("/mirrors").json()["items"] == []
    give(outsider, "reader", Scope("hub", "library/nginx"))
    give(outsider, "reader", HARBOUR)
    for what in ("tags", "repositories", "health"):
        answer = api_outsider.get(f"{board}/{what}")
        assert SECRET not in answer.content.decode()
        assert answer.json()["counts"]["missing"] == 1
    assert [row["id"] for row in api_outsider.get("/mirrors").json()["items"]] == [mirror.pk]
    assert api_outsider.patch(board, {"tags": "v1.*"}).status_code == 403


def test_places_are_compared_by_their_names_and_nothing_is_kept(
    api_viewer: Api, mirror: Mirror
) -> None:
    assert states(api_viewer.get("/mirrors/compare", **PAIR)) == {
        "library/nginx:1.0": "same",
        "library/nginx:1.1": "missing",
    }
    assert list(states(api_viewer.get("/mirrors/compare", **PAIR, tags="1.1"))) == [
        "library/nginx:1.1"
    ]
    rows = api_viewer.get("/mirrors/compare/repositories", source="hub", target="harbour")
    assert len(rows.json()["items"]) == 4
    assert Mirror.objects.count() == 1


@pytest.mark.parametrize(
    ("places", "field"),
    [
        ({"source": "hub/library/*"}, "target"),
        ({"target": "hub/library/nginx"}, "target"),
        ({"source": "*"}, "source"),
        ({"source": "nowhere/x"}, "source"),
        ({"source": "hub/Library/x"}, "source"),
        ({"tags": "a b"}, "tags"),
    ],
)
def test_what_cannot_be_compared_is_refused_neither_here_nor_there(
    api_owner: Api, mirror: Mirror, places: dict[str, str], field: str
) -> None:
    compared = api_owner.get("/mirrors/compare", **(PAIR | places))
    kept = api_owner.post("/mirrors", PAIR | places)
    assert (compared.status_code, kept.status_code) == (400, 422)
    for answer in (compared, kept):
        assert [error["field"] for error in answer.json()["errors"]] == [field]


def test_a_registry_that_one_may_not_know_of_is_as_one_that_is_not_there(
    api_outsider: Api, outsider: User, mirror: Mirror
) -> None:
    give(outsider, "reader", HARBOUR)
    answers = [
        api_outsider.get("/mirrors/compare", **(PAIR | {"source": f"{name}/library/nginx"}))
        for name in ("hub", "huc")
    ]
    said = [answer.content.decode().replace("huc", "hub") for answer in answers]
    assert said[0] == said[1]


# Kept, changed, removed --------------------------------------------------------------------------


def test_who_manages_both_registries_keeps_changes_and_removes(mirror: Mirror) -> None:
    api = manager(HUB, HARBOUR)
    made = api.post("/mirrors", PAIR)
    assert made.status_code == 201
    address = f"/mirrors/{made.json()['id']}"
    assert made.headers["Location"] == PREFIX + address
    assert (made.json()["tags"], made.json()["created_by"]) == ("", "marta")
    read = {"If-Match": api.get(address).headers["ETag"]}
    changed = api.patch(address, {"tags": "1.*"}, headers=read)
    assert changed.json() == made.json() | {"tags": "1.*"}
    assert api.patch(address, {"tags": "2.*"}, headers=read).status_code == 412
    assert api.delete(address, headers=read).status_code == 412
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404
    told = AuditEntry.objects.filter(actor_label="marta").order_by("number")
    assert [entry.event for entry in told] == [
        "mirror created",
        "mirror changed",
        "mirror removed",
    ]


@pytest.mark.parametrize("one", [HUB, HARBOUR])
def test_who_manages_one_of_them_does_not(mirror: Mirror, one: Scope) -> None:
    api = manager(one)
    give(User.objects.get(username="marta"), "reader")  # sees everything
    assert api.post("/mirrors", PAIR).status_code == 403
    assert api.patch(f"/mirrors/{mirror.pk}", {"tags": "1.*"}).status_code == 403
    assert api.delete(f"/mirrors/{mirror.pk}").status_code == 403
    assert Mirror.objects.get() == mirror


def test_none_is_led_into_a_registry_that_one_does_not_manage(mirror: Mirror) -> None:
    catalog.registry("pier")
    api = manager(HUB, HARBOUR)
    sent = {"target": "pier/mirror/*"}
    assert api.patch(f"/mirrors/{mirror.pk}", sent).status_code == 422  # he knows of none such
    give(User.objects.get(username="marta"), "reader", Scope("pier"))
    assert api.patch(f"/mirrors/{mirror.pk}", sent).status_code == 403
    assert Mirror.objects.get().target.name == "harbour"


def test_the_same_pair_is_kept_once(api_owner: Api, mirror: Mirror) -> None:
    sent = {"source": "hub/library/*", "target": "harbour/mirror/*"}
    answer = api_owner.post("/mirrors", sent)
    assert (answer.status_code, answer.json()["detail"]) == (
        422,
        "These two are compared already.",
    )


def test_the_list_is_filtered_sorted_and_of_constant_cost(api_viewer: Api, mirror: Mirror) -> None:
    assert api_viewer.get("/mirrors", registry="pier").json()["items"] == []
    api_viewer.get("/mirrors")
    with CaptureQueriesContext(connection) as few:
        api_viewer.get("/mirrors", registry="hub")
    for number in range(30):
        source = f"library/n{number}"
        Mirror.objects.create(
            source=mirror.source, source_path=source, target=mirror.target, target_path=source
        )
    with CaptureQueriesContext(connection) as many:
        rows = api_viewer.get("/mirrors", registry="hub").json()["items"]
    assert (len(rows), len(many)) == (31, len(few))
    page = api_viewer.get("/mirrors", sort="-target", limit=3, fields="target")
    assert len(page.json()["items"]) == 3
    assert page.json()["next"]


def _way(answer: Any, rel: str) -> str:
    found = re.search(rf'<([^>]+)>; rel="{rel}"', answer.headers["Link"])
    assert found
    return found[1].partition(PREFIX)[2]

"""What a run could not read, for programs."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registries.models import Registry, SyncProblem, SyncRun
from tests import catalog
from tests.dashboard.api.client import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(db: None) -> SyncRun:
    """With two throttled repositories and one that was denied."""
    run = run_of(catalog.registry("harbour"))
    for path, code in (("a", "throttled"), ("b", "access-denied"), ("c", "throttled")):
        add(run, path, code)
    return run


def run_of(registry: Registry) -> SyncRun:
    return SyncRun.objects.create(
        registry=registry,
        trigger=SyncRun.Trigger.SCHEDULE,
        state=SyncRun.State.PARTIAL,
        actor_kind="system",
        actor_label="Portolan",
    )


def add(run: SyncRun, path: str, code: str) -> None:
    SyncProblem.objects.create(
        run=run, repository=path, code=code, message=f"{code}: {path}", advice="Wait."
    )


def test_problems_are_listed_as_they_were_met_and_filtered_by_cause(
    api_viewer: Api, run: SyncRun
) -> None:
    address = f"/registries/harbour/runs/{run.pk}/problems"
    rows = api_viewer.get(address).json()["items"]
    assert [(row["repository"], row["code"]) for row in rows] == [
        ("a", "throttled"),
        ("b", "access-denied"),
        ("c", "throttled"),
    ]
    assert rows[0]["advice"] == "Wait."
    some = api_viewer.get(address, code="throttled", limit=1)
    assert [row["repository"] for row in some.json()["items"]] == ["a"]
    rest = api_viewer.get(address, code="throttled", limit=1, after=some.json()["next"])
    assert [row["repository"] for row in rest.json()["items"]] == ["c"]
    last = api_viewer.get(address, sort="-found", fields="repository", limit=1).json()["items"]
    assert last == [{"repository": "c"}]


def test_causes_are_counted(api_viewer: Api, run: SyncRun) -> None:
    rows = api_viewer.get(f"/registries/harbour/runs/{run.pk}/causes").json()["items"]
    assert [(row["code"], row["count"], row["is_capped"]) for row in rows] == [
        ("throttled", 2, False),
        ("access-denied", 1, False),
    ]
    assert rows[0]["message"] == "throttled: a"


def test_a_list_takes_the_same_number_of_statements_however_long_it_is(
    api_viewer: Api, run: SyncRun
) -> None:
    address = f"/registries/harbour/runs/{run.pk}/problems"
    api_viewer.get(address)
    with CaptureQueriesContext(connection) as few:
        api_viewer.get(address)
    for number in range(30):
        add(run, f"n{number}", "throttled")
    with CaptureQueriesContext(connection) as many:
        api_viewer.get(address)
    assert len(many) == len(few)


def test_a_run_of_another_registry_is_not_found_here(api_viewer: Api, run: SyncRun) -> None:
    theirs = run_of(catalog.registry("other"))
    add(theirs, "secret", "throttled")
    for what in ("problems", "causes"):
        answer = api_viewer.get(f"/registries/harbour/runs/{theirs.pk}/{what}")
        assert answer.status_code == 404
        assert "secret" not in answer.content.decode()

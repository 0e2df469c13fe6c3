"""The overview and the list of registries."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from registries.models import Registry, SyncRun, TagMove
from tests import catalog

pytestmark = pytest.mark.django_db
OLD, NEW = catalog.digest_of("old"), catalog.digest_of("new")


def page_of(client: Client, path: str = "/") -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def a_run(registry: Registry, state: SyncRun.State, **fields: Any) -> SyncRun:
    return SyncRun.objects.create(
        registry=registry,
        trigger=SyncRun.Trigger.SCHEDULE,
        state=state,
        actor_kind="system",
        actor_label="Portolan",
        **fields,
    )


def a_move(registry: Registry, tag: str, *, old: str = "", new: str = "", minutes: int = 0) -> None:
    repository = registry.repositories.get_or_create(path="team-a/api")[0]
    TagMove.objects.create(
        registry=registry,
        repository=repository,
        tag=tag,
        old_digest=old,
        new_digest=new,
        at=timezone.now() - timedelta(minutes=minutes),
        source=TagMove.Source.SYNC,
        actor_kind="system",
        actor_label="Portolan",
    )


# Nothing yet -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/registries/"])
def test_at_first_an_owner_is_offered_one_thing_to_do(as_owner: Client, path: str) -> None:
    page = page_of(as_owner, path)
    assert "No registry is connected yet" in page
    assert page.count("btn btn-primary") == 1
    assert "Getting under way" in page


@pytest.mark.parametrize("path", ["/", "/registries/"])
def test_at_first_a_viewer_is_told_whom_to_ask(as_viewer: Client, path: str) -> None:
    page = page_of(as_viewer, path)
    assert "An owner of this Portolan can connect one" in page
    assert "/registries/connect/" not in page
    assert 'class="btn btn-primary" href="/access/requests/new/"' in page


@pytest.mark.parametrize("path", ["/", "/registries/"])
def test_whom_nobody_let_in_is_not_told_that_there_is_nothing(
    as_outsider: Client, path: str
) -> None:
    catalog.registry("harbour")
    page = page_of(as_outsider, path)
    assert "none is open to you" in page
    assert "harbour" not in page


def test_strangers_see_neither(as_stranger: Client) -> None:
    catalog.registry()
    for path in ("/", "/registries/"):
        assert as_stranger.get(path).headers["Location"].startswith("/accounts/login/")


def test_the_checklist_stays_until_a_registry_was_read(as_owner: Client) -> None:
    registry = catalog.registry(imported_at=None, synced_at=None)
    a_run(registry, SyncRun.State.RUNNING)
    assert "Getting under way" in page_of(as_owner)
    Registry.objects.update(imported_at=timezone.now())
    assert "Getting under way" not in page_of(as_owner)


# How things are ----------------------------------------------------------------------------------


def test_a_registry_shows_how_it_is_and_as_of_when(as_viewer: Client) -> None:
    catalog.registry(
        "north",
        health=Registry.Health.UNREACHABLE,
        health_detail="Its certificate has expired.",
    )
    for path in ("/", "/registries/"):
        page = page_of(as_viewer, path)
        assert "cannot be read" in page
        assert "Its certificate has expired." in page
        assert f'datetime="{catalog.NOON.isoformat(timespec="seconds")}"' in page


def test_what_was_wrong_once_is_not_told_when_all_is_well(as_viewer: Client) -> None:
    catalog.registry(health_detail="Its certificate has expired.")
    assert "expired" not in page_of(as_viewer)


def test_the_newest_run_of_a_registry_tells_whether_something_went_wrong(
    as_viewer: Client,
) -> None:
    now = timezone.now()
    registry = catalog.registry()
    failed = a_run(
        registry, SyncRun.State.FAILED, queued_at=now - timedelta(hours=1), summary="No answer."
    )
    page = page_of(as_viewer)
    assert "No answer." in page
    assert f"/registries/{registry.name}/runs/{failed.pk}/" in page
    a_run(registry, SyncRun.State.SUCCEEDED, queued_at=now)
    assert "No answer." not in page_of(as_viewer)


def test_all_registries_are_added_up(as_viewer: Client) -> None:
    catalog.registry("north", repository_count=1_200, tag_count=30, unique_bytes=1024**3)
    catalog.registry("south", repository_count=34, tag_count=4, unique_bytes=1024**3)
    page = page_of(as_viewer)
    assert ">1,234<" in page
    assert ">2.0\N{NO-BREAK SPACE}GiB<" in page


# What changed ------------------------------------------------------------------------------------


def test_changes_are_told_newest_first_with_what_became_of_the_tag(as_viewer: Client) -> None:
    registry = catalog.registry()
    a_move(registry, "v3", old=OLD, minutes=3)
    a_move(registry, "v2", old=OLD, new=NEW, minutes=2)
    a_move(registry, "v1", new=NEW, minutes=1)
    told = page_of(as_viewer).partition("What changed lately")[2]
    assert told.index("v1") < told.index("v2") < told.index("v3")
    assert told.index(">new<") < told.index(">moved<") < told.index(">gone<")
    assert "/r/harbour/team-a/api/-/tags/v1" in told
    assert "/r/harbour/team-a/api/-/tags/v3" not in told  # there is nothing to lead to


def test_older_changes_are_on_further_pages(as_viewer: Client) -> None:
    registry = catalog.registry()
    for number in range(40):
        a_move(registry, f"build-{number:02}", new=NEW, minutes=number)
    first = page_of(as_viewer)
    assert "build-29" in first
    assert "build-30" not in first
    after = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    fragment = as_viewer.get(f"/{after}", headers={"HX-Request": "true"}).content.decode()
    assert "build-39" in fragment
    assert "<html" not in fragment


@pytest.mark.parametrize(("path", "queries"), [("/", 5), ("/registries/", 4)])
def test_pages_take_the_same_number_of_queries_however_many_registries(
    as_viewer: Client, django_assert_num_queries: DjangoAssertNumQueries, path: str, queries: int
) -> None:
    for number in range(12):
        registry = catalog.registry(f"registry-{number}")
        a_run(registry, SyncRun.State.PARTIAL, summary="Some failed.")
        a_move(registry, "v1", new=NEW)
    as_viewer.get(path)  # the session is read into the cache
    with django_assert_num_queries(queries):
        as_viewer.get(path)


def test_when_much_goes_wrong_the_latest_stay_in_sight(as_viewer: Client) -> None:
    now = timezone.now()
    for age in range(5):
        registry = catalog.registry(f"registry-{age}")
        a_run(registry, SyncRun.State.FAILED, queued_at=now - timedelta(hours=age), summary="!")
    shown, _, folded = page_of(as_viewer).partition("Show all 5 registries")
    assert "The last sync of registry-0" in shown
    assert "The last sync of registry-4" not in shown
    assert "The last sync of registry-4" in folded

"""Runs on screen: live, past, started and stopped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from access.models import User
from registries.models import Registry, SyncProblem, SyncRun
from tests import catalog

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def handed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The ids of runs that were handed to a worker."""
    ids: list[int] = []
    monkeypatch.setattr("registries.tasks.sync_registry.delay", ids.append)
    return ids


@pytest.fixture
def registry(db: None) -> Registry:
    return catalog.registry()


def a_run(registry: Registry, **fields: Any) -> SyncRun:
    now = timezone.now()
    defaults = {
        "trigger": SyncRun.Trigger.MANUAL,
        "state": SyncRun.State.RUNNING,
        "phase": SyncRun.Phase.TAGS,
        "actor_kind": "user",
        "actor_label": "anna",
        "queued_at": now,
        "started_at": now - timedelta(seconds=30),
        "repositories_found": 100,
        "repositories_done": 25,
        "requests": 300,
    }
    return SyncRun.objects.create(registry=registry, **(defaults | fields))


def ended(registry: Registry, state: SyncRun.State, **fields: Any) -> SyncRun:
    return a_run(registry, state=state, finished_at=timezone.now(), **fields)


def address(run: SyncRun) -> str:
    return reverse("run", args=[run.registry.name, run.pk])


def page_of(client: Client, path: str, **headers: str) -> str:
    response = client.get(path, headers=headers or None)
    assert response.status_code == 200
    return response.content.decode()


# Who may -----------------------------------------------------------------------------------------


def test_everybody_signed_in_reads_runs(
    as_owner: Client, as_viewer: Client, as_stranger: Client, registry: Registry
) -> None:
    for path in (address(a_run(registry)), reverse("registry-runs", args=[registry.name])):
        assert as_owner.get(path).status_code == 200
        assert as_viewer.get(path).status_code == 200
        assert as_stranger.get(path).status_code == 302


def test_only_owners_start_and_stop(
    as_owner: Client, as_viewer: Client, as_stranger: Client, registry: Registry
) -> None:
    run = a_run(registry)
    for name, args in (("registry-sync", [registry.name]), ("run-cancel", [registry.name, run.pk])):
        path = reverse(name, args=args)
        assert as_viewer.post(path).status_code == 403
        assert as_stranger.post(path).headers["Location"].startswith("/accounts/login/")
        assert as_owner.get(path).status_code == 405
        assert as_owner.post(path).headers["Location"] == address(run)


def test_viewers_are_not_shown_what_they_may_not_do(
    as_owner: Client, as_viewer: Client, registry: Registry
) -> None:
    path = address(a_run(registry))
    assert "cancel-run" in page_of(as_owner, path)
    assert "cancel-run" not in page_of(as_viewer, path)
    listed = reverse("registries")
    ended_ones = SyncRun.objects.all()
    ended_ones.update(state=SyncRun.State.SUCCEEDED)
    assert "Sync now" in page_of(as_owner, listed)
    assert "Sync now" not in page_of(as_viewer, listed)


def test_who_manages_syncs_again_from_a_run_that_failed(
    as_owner: Client, as_viewer: Client, registry: Registry
) -> None:
    path = address(ended(registry, SyncRun.State.FAILED, repositories_done=70))
    shown, settings = page_of(as_owner, path), reverse("registry-edit", args=[registry.name])
    assert "Sync again" in shown
    assert f'<a class="btn btn-sm" href="{settings}">' in shown
    # All seventy were asked for, and none of them could be read.
    assert "repositories read" not in shown
    assert "Sync again" not in page_of(as_viewer, path)


def test_a_run_under_way_is_not_offered_again(as_owner: Client, registry: Registry) -> None:
    assert "Sync again" not in page_of(as_owner, address(a_run(registry)))


def test_a_run_of_another_registry_is_not_found(as_owner: Client, registry: Registry) -> None:
    run = a_run(catalog.registry("other"))
    for path in (
        reverse("run", args=[registry.name, run.pk]),
        reverse("run", args=["nowhere", run.pk]),
        reverse("registry-runs", args=["nowhere"]),
    ):
        assert as_owner.get(path).status_code == 404


# Starting and stopping ---------------------------------------------------------------------------


def test_sync_now_leads_to_the_new_run(
    as_owner: Client, owner: User, registry: Registry, handed: list[int]
) -> None:
    response = as_owner.post(reverse("registry-sync", args=[registry.name]))
    run = SyncRun.objects.get()
    assert response.headers["Location"] == address(run)
    assert (run.state, run.full, run.actor_id) == ("queued", False, str(owner.pk))
    assert handed == [run.pk]


def test_everything_can_be_read_again(as_owner: Client, registry: Registry) -> None:
    as_owner.post(reverse("registry-sync", args=[registry.name]), {"full": "1"})
    assert SyncRun.objects.get().full


def test_sync_now_leads_to_the_run_under_way(
    as_owner: Client, registry: Registry, handed: list[int]
) -> None:
    run = a_run(registry)
    response = as_owner.post(reverse("registry-sync", args=[registry.name]), follow=True)
    assert response.redirect_chain == [(address(run), 302)]
    assert "is running already" in response.content.decode()
    assert handed == []


def test_a_dead_broker_does_not_lose_the_run(
    as_owner: Client, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    from kombu.exceptions import OperationalError

    def refuse(pk: int) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr("registries.tasks.sync_registry.delay", refuse)
    response = as_owner.post(reverse("registry-sync", args=[registry.name]), follow=True)
    assert response.status_code == 200
    assert "waits for a free worker" in response.content.decode()


def test_stopping_a_run_says_so_until_it_stops(as_owner: Client, registry: Registry) -> None:
    run = a_run(registry)
    as_owner.post(reverse("run-cancel", args=[registry.name, run.pk]))
    run.refresh_from_db()
    assert run.cancel_requested_at is not None
    assert "Stopping…" in page_of(as_owner, address(run))


def test_stopping_what_has_ended_changes_nothing(as_owner: Client, registry: Registry) -> None:
    run = ended(registry, SyncRun.State.SUCCEEDED)
    as_owner.post(reverse("run-cancel", args=[registry.name, run.pk]))
    run.refresh_from_db()
    assert (run.state, run.cancel_requested_at) == ("succeeded", None)


# Looking -----------------------------------------------------------------------------------------


def test_a_running_sync_polls_and_an_ended_one_does_not(
    as_viewer: Client, registry: Registry
) -> None:
    run = a_run(registry)
    live = page_of(as_viewer, address(run), **HTMX)
    assert 'hx-trigger="every 2s"' in live
    assert "<html" not in live
    SyncRun.objects.update(state=SyncRun.State.SUCCEEDED, finished_at=timezone.now())
    last = page_of(as_viewer, address(run), **HTMX, **{"HX-Trigger": "run-poll"})
    assert "hx-trigger" not in last
    assert "The sync ended: succeeded." in last
    assert "The sync ended" not in page_of(as_viewer, address(run), **HTMX)  # somebody turns pages


def test_a_running_sync_tells_how_far_it_is(as_viewer: Client, registry: Registry) -> None:
    page = page_of(as_viewer, address(a_run(registry, throttled=3)))
    assert "<progress" in page
    assert 'max="100" value="25"' in page
    assert "left in this phase" in page
    assert "asked 3 times to slow down" in page


def test_without_javascript_there_is_a_way_to_look_again(
    as_viewer: Client, registry: Registry
) -> None:
    page = page_of(as_viewer, address(a_run(registry)))
    assert "without-script" in page
    assert "Look again" in page


def test_problems_are_grouped_by_cause_with_what_to_do(
    as_viewer: Client, registry: Registry
) -> None:
    run = ended(registry, SyncRun.State.PARTIAL, summary="Some could not be read.")
    for number in range(60):
        SyncProblem.objects.create(
            run=run,
            repository=f"team-a/{number:02}",
            code="server-failed",
            message="It failed.",
            advice="Look at its log.",
        )
    SyncProblem.objects.create(
        run=run, repository="team-b/web", code="not-found", message="It is gone."
    )
    page = page_of(as_viewer, address(run))
    assert "Some could not be read." in page
    assert "Look at its log." in page
    assert ">60<" in page
    assert 'rel="next"' in page
    only = page_of(as_viewer, f"{address(run)}?cause=not-found")
    assert "team-b/web" in only
    assert "team-a/00" not in only


def test_a_cause_nobody_has_shows_no_problems(as_viewer: Client, registry: Registry) -> None:
    run = ended(registry, SyncRun.State.PARTIAL)
    SyncProblem.objects.create(run=run, code="not-found", message="It is gone.")
    assert "No problem of this cause." in page_of(as_viewer, f"{address(run)}?cause=%3Cb%3E")


def test_what_a_registry_says_is_not_taken_for_html(as_viewer: Client, registry: Registry) -> None:
    run = ended(registry, SyncRun.State.FAILED, summary="<script>alert(1)</script>")
    SyncProblem.objects.create(run=run, code="x", message="<img src=x>", advice="<b>do</b>")
    page = page_of(as_viewer, address(run))
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "<b>do" not in page


def test_the_newest_run_comes_first_and_older_ones_on_further_pages(
    as_viewer: Client, registry: Registry
) -> None:
    now = timezone.now()
    for age in range(60):
        ended(registry, SyncRun.State.SUCCEEDED, queued_at=now - timedelta(minutes=age))
    newest, oldest = (
        SyncRun.objects.order_by("-queued_at")[0],
        SyncRun.objects.earliest("queued_at"),
    )
    path = reverse("registry-runs", args=[registry.name])
    first = page_of(as_viewer, path)
    assert address(newest) in first
    assert address(oldest) not in first
    after = first.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert address(oldest) in page_of(as_viewer, path + after)


def test_a_registry_that_was_never_synced_says_so(as_viewer: Client, registry: Registry) -> None:
    page = page_of(as_viewer, reverse("registry-runs", args=[registry.name]))
    assert "It was never synced" in page


def test_pages_take_the_same_number_of_queries_however_much_there_is(
    as_viewer: Client, registry: Registry, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run = ended(registry, SyncRun.State.PARTIAL)
    for number in range(40):
        ended(registry, SyncRun.State.SUCCEEDED)
        SyncProblem.objects.create(run=run, repository=f"r{number}", code="x", message="m")
    as_viewer.get(address(run))  # the session is read into the cache
    with django_assert_num_queries(6):  # person, grants, registry, run, causes, problems
        as_viewer.get(address(run))
    with django_assert_num_queries(4):  # person, grants, registry, runs
        as_viewer.get(reverse("registry-runs", args=[registry.name]))


def test_what_failed_as_a_whole_is_explained_once(as_viewer: Client, registry: Registry) -> None:
    run = ended(registry, SyncRun.State.FAILED, summary="It is away.")
    SyncProblem.objects.create(run=run, code="unreachable", message="It is away.", advice="Wait.")
    page = page_of(as_viewer, address(run))
    assert "What went wrong, and what to do" in page
    assert "What could not be read" not in page
    SyncProblem.objects.create(run=run, repository="team-a/api", code="x", message="No.")
    assert "What could not be read" in page_of(as_viewer, address(run))

"""How a run ends: judged, written down, and told, however it came to its end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registries import events
from registries.actor import SYSTEM
from registries.models import Registry, SyncBatch, SyncProblem, SyncRun
from registries.oci.errors import RegistryError
from registries.sync.counters import count_registry
from registries.sync.progress import Progress, RunCancelled, RunEnded
from registries.sync.readings import Problem
from registries.sync.shares import WORKER_DIED
from registries.sync.staging import persistently
from registries.sync.tally import KEPT_PROBLEMS

State = SyncRun.State

HEALTH_AFTER = {
    State.SUCCEEDED: Registry.Health.HEALTHY,
    State.PARTIAL: Registry.Health.DEGRADED,
    State.FAILED: Registry.Health.UNREACHABLE,
}


@contextmanager
def ending(run: SyncRun, progress: Progress) -> Iterator[None]:
    """However it ends, the run's row says so: a run is never left behind as running.

    Only where the database stayed away for longer than anybody waits, nobody can be told; then the
    silence of the row's heartbeat tells, and what is left to do is found by it.
    """
    try:
        yield
    except (OperationalError, InterfaceError):
        raise
    except RunCancelled:
        _end(run, State.CANCELLED)
    except RunEnded:
        pass  # somebody else has written how
    except RegistryError as error:
        progress.note([Problem.of(error)])
        _tell_the_rest(progress)
        _end(run, State.FAILED, summary=f"{error} {error.advice}")
    except KeyboardInterrupt:
        _end(run, State.CANCELLED, summary=_("Interrupted."))
        raise
    except Exception as error:
        _end(
            run,
            State.FAILED,
            summary=_("Portolan itself failed: %s. This is a bug; its log says more.")
            % type(error).__name__,
        )
        raise


def _tell_the_rest(progress: Progress) -> None:
    with suppress(RunEnded):  # it is ending anyway
        progress.flush()


def finish(run: SyncRun, *, given_up: bool) -> None:
    """Judge a run that was carried through (or as far as its registry answered), and end it."""
    persistently(partial(count_registry, run.registry))
    persistently(partial(_judge, run, given_up=given_up))


def _judge(run: SyncRun, *, given_up: bool) -> None:
    run.refresh_from_db()
    given_up = given_up or run.batches.filter(state=SyncBatch.State.FAILED).exists()
    # What a registry that died leaves for the next run is a part of the first import, and no news.
    is_import = run.catalog_complete and not given_up
    if not run.error_count and not given_up:
        _end(run, State.SUCCEEDED, is_import=is_import)
        return
    read_something = run.tags_seen > 0 or run.repositories_done > _failed_repositories(run)
    state = State.PARTIAL if read_something else State.FAILED
    _end(run, state, summary=_summary(run, given_up=given_up), is_import=is_import)


def _failed_repositories(run: SyncRun) -> int:
    if run.error_count > KEPT_PROBLEMS:  # not all of them were kept
        return run.error_count
    failed = SyncProblem.objects.filter(run=run, reference="").exclude(repository="")
    return failed.values("repository").distinct().count()


def _summary(run: SyncRun, *, given_up: bool) -> str:
    first = run.problems.order_by("id").first()
    if first is None:
        return _("A part of it was not read.")
    last = run.problems.order_by("-id").first() or first
    if given_up and last.code != WORKER_DIED:
        return _("The registry stopped answering: %(message)s %(advice)s") % {
            "message": last.message,
            "advice": last.advice,
        }
    rest = run.error_count - 1
    if not rest:
        return f"{first.message} {first.advice}"
    return ngettext(
        "%(message)s And %(count)d other problem.",
        "%(message)s And %(count)d other problems.",
        rest,
    ) % {"message": first.message, "count": rest}


def _end(run: SyncRun, state: State, *, summary: str = "", is_import: bool = False) -> None:
    persistently(partial(_write_end, run, state, summary, is_import=is_import))


@transaction.atomic(durable=True)
def _write_end(run: SyncRun, state: State, summary: str, *, is_import: bool) -> None:
    """The run's row, the registry's health and schedule, and the events, in one transaction."""
    now = timezone.now()
    run = SyncRun.objects.select_for_update(of=("self",)).select_related("registry").get(pk=run.pk)
    if run.state != State.RUNNING:
        return
    registry = Registry.objects.select_for_update().get(pk=run.registry_id)
    run.state, run.finished_at, run.heartbeat_at = state, now, now
    run.summary = summary or run.summary
    run.save(update_fields=["state", "finished_at", "heartbeat_at", "summary"])
    happened: list[events.Event] = [events.SyncEnded(registry.name, now, run.pk, state.value)]
    if state in (State.SUCCEEDED, State.PARTIAL):
        registry.synced_at = run.started_at
        if registry.imported_at is None and is_import:
            registry.imported_at = now
            happened.append(
                events.RegistryImported(
                    registry.name, now, registry.repository_count, registry.tag_count
                )
            )
    if state in HEALTH_AFTER:
        registry.health = HEALTH_AFTER[state]
        registry.health_detail = summary
    registry.next_sync_at = now + registry.sync_interval if registry.sync_interval else None
    registry.save(
        update_fields=["synced_at", "imported_at", "health", "health_detail", "next_sync_at"]
    )
    events.emit(happened, actor=SYSTEM)

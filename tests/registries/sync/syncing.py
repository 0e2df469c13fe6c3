"""Syncing in tests, and what is then ours and theirs to compare."""

from __future__ import annotations

from typing import Any

from registries.actor import SYSTEM
from registries.models import Artifact, Registry, Repository, SyncProblem, SyncRun, Tag, TagMove
from registries.sync.run import execute_run, request_run
from tests.fakes.registry import FakeRegistry

Tags = dict[str, dict[str, str]]


def sync(registry: Registry, *, full: bool = False, **how: Any) -> SyncRun:
    """One sync in this process, and its run as the database has it afterwards."""
    registry.refresh_from_db()
    run = request_run(registry, trigger=SyncRun.Trigger.MANUAL, full=full, actor=SYSTEM)
    execute_run(run, **how)
    run.refresh_from_db()
    registry.refresh_from_db()
    return run


def succeed(registry: Registry, *, full: bool = False) -> SyncRun:
    """A sync in which nothing may go wrong."""
    run = sync(registry, full=full)
    said = [f"{it.repository}:{it.reference} {it.message}" for it in run.problems.all()]
    found = (run.state, run.summary, said)
    assert found == ("succeeded", "", []), found
    return run


def ours(registry: Registry) -> Tags:
    """By path and tag: the digests in our copy, of repositories that are there."""
    held: Tags = {
        path: {}
        for path in Repository.objects.present()
        .filter(registry=registry)
        .values_list("path", flat=True)
    }
    tags = Tag.objects.filter(repository__registry=registry)
    for path, name, digest in tags.values_list(
        "repository__path", "name", "artifact__manifest__digest"
    ):
        held[path][name] = digest
    return held


def theirs(fake: FakeRegistry) -> Tags:
    """The same, as the registry has it."""
    return {path: dict(holdings.tags) for path, holdings in fake.repositories.items()}


def replayed(registry: Registry, start: Tags) -> Tags:
    """What the history of moves makes of a starting state; every step must fit on the last."""
    state = {(path, tag): digest for path, tags in start.items() for tag, digest in tags.items()}
    for move in (
        TagMove.objects.filter(registry=registry).select_related("repository").order_by("id")
    ):
        place = move.repository.path, move.tag
        assert state.pop(place, "") == move.old_digest, f"{place} did not come from there"
        if move.new_digest:
            state[place] = move.new_digest
    tags: Tags = {}
    for (path, tag), digest in state.items():
        tags.setdefault(path, {})[tag] = digest
    return tags


def holding_tags(tags: Tags) -> Tags:
    """Without repositories that have none."""
    return {path: held for path, held in tags.items() if held}


def present(registry: Registry, path: str) -> set[str]:
    """Digests that our copy says are in a repository."""
    artifacts = Artifact.objects.present().filter(
        repository__registry=registry, repository__path=path
    )
    return set(artifacts.values_list("manifest__digest", flat=True))


def problems(run: SyncRun) -> set[tuple[str, str, str]]:
    """(repository, reference, code) of everything that a run could not read."""
    rows = SyncProblem.objects.filter(run=run)
    return set(rows.values_list("repository", "reference", "code"))

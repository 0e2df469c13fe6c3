"""manage.py sync NAME: one sync now, in this process."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from registries.actor import SYSTEM
from registries.models import Artifact, Registry, SyncRun
from registries.sync.run import AlreadyRunning, execute_run, request_run


class Command(BaseCommand):
    help = "Read a registry's catalog now, in this process, and bring Portolan's copy up to date."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the registry's name in Portolan")
        parser.add_argument("--full", action="store_true", help="read every manifest again")
        parser.add_argument("--json", action="store_true", help="end with one line of JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        name: str = options["name"]
        registry = Registry.objects.filter(name=name).first()
        if registry is None:
            known = ", ".join(Registry.objects.values_list("name", flat=True)) or "none yet"
            raise CommandError(f"There is no registry named {name!r}. Connected are: {known}.")
        try:
            run = request_run(
                registry, trigger=SyncRun.Trigger.COMMAND, full=options["full"], actor=SYSTEM
            )
        except AlreadyRunning as error:
            raise CommandError(
                f"A sync of {name} is already under way (run {error.run.pk}). Wait for it, or"
                " cancel it on the registry's page."
            ) from error
        self._execute(run)
        run.refresh_from_db()
        if options["json"]:
            self.stdout.write(as_json(run))
        else:
            self._say(run)
        if run.state not in (SyncRun.State.SUCCEEDED, SyncRun.State.PARTIAL):
            sys.exit(1)

    def _execute(self, run: SyncRun) -> None:
        if not sys.stderr.isatty():
            execute_run(run)
            return
        with Bar(
            TextColumn("{task.description:<40}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[requests]} requests"),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        ) as bar:
            task = bar.add_task("Listing repositories", total=None, requests=0)

            def show(run: SyncRun) -> None:
                is_details = run.phase == SyncRun.Phase.DETAILS
                bar.update(
                    task,
                    description=run.get_phase_display(),
                    completed=run.details_done if is_details else run.repositories_done,
                    total=(run.details_found if is_details else run.repositories_found) or None,
                    requests=run.requests,
                )

            execute_run(run, told=show)

    def _say(self, run: SyncRun) -> None:
        self.stdout.write(
            f"{run.registry.name}: {run.get_state_display()}. {run.repositories_done}"
            f" repositories asked; tags: {run.added} added, {run.moved} moved, {run.removed}"
            f" removed; {run.requests} requests in {seconds(run):.1f} s."
        )
        if run.summary:
            self.stderr.write(run.summary)
        for problem in run.problems.order_by("id")[:10]:
            place = ":".join(part for part in (problem.repository, problem.reference) if part)
            self.stderr.write(f"  {place or run.registry.name}: {problem.message}")


def as_json(run: SyncRun) -> str:
    """One line for scripts; totals are the registry's, the rest is this run's."""
    run.registry.refresh_from_db()
    artifacts = Artifact.objects.filter(
        repository__registry=run.registry,
        repository__missing_since__isnull=True,
        missing_since__isnull=True,
    )
    return json.dumps(
        {
            "status": run.state,
            "repositories": run.registry.repository_count,
            "tags": run.registry.tag_count,
            "artifacts": artifacts.count(),
            "manifests_fetched": run.manifests_fetched,
            "requests": run.requests,
            "added": run.added,
            "moved": run.moved,
            "removed": run.removed,
            "errors": run.error_count,
            "seconds": round(seconds(run), 3),
        }
    )


def seconds(run: SyncRun) -> float:
    """How long a run took, from its start to its end."""
    if run.started_at is None or run.finished_at is None:
        return 0.0
    return (run.finished_at - run.started_at).total_seconds()

"""`sync`: have a registry read again, and watch it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from portolan import completion
from portolan.addresses import path_of
from portolan.failures import Ending, Refused
from portolan.options import command
from portolan.references import registry_name
from portolan.session import Session
from portolan.units import count

# A run's counts are written every second or so.
PAUSE_SECONDS = 1.0
ACTIVE = ("queued", "running")

RegistryName = Annotated[
    str, typer.Argument(metavar="REGISTRY", autocompletion=completion.registry_names)
]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Stay until it has ended.")]
Full = Annotated[
    bool, typer.Option("--full", help="Read every manifest again, and what was deleted meanwhile.")
]


def add_to(app: typer.Typer) -> None:
    command(app)(sync)


def sync(session: Session, registry: RegistryName, watch: Watch = False, full: Full = False) -> int:
    """Start a sync of a registry; with --watch, the exit code says how it ended.

    While one is running already, --watch watches that one.
    """
    out, server = session.out, session.server
    runs = path_of("registries", registry_name(server, registry), "runs")
    run = _start(session, runs, full=full, join=watch)
    if not watch:
        if out.as_json:
            out.document(run)
        else:
            out.print(
                f"Sync {run['id']} of {registry} is {_STATES.get(run['state'], run['state'])}."
            )
        return Ending.OK
    followed = _followed(session, f"{runs}/{run['id']}", run)
    if out.as_json:
        for run in followed:
            out.line(run)
    elif out.is_terminal:
        run = _drawn(session, registry, followed)
    else:
        *_before, run = followed
    if not out.as_json:
        _tell(session, registry, run)
    return Ending.OK if run["state"] == "succeeded" else Ending.NO


_STATES = {
    "queued": "waiting for a worker",
    "running": "under way",
    "succeeded": "done",
    "partial": "done in part",
    "failed": "failed",
    "cancelled": "stopped",
    "lost": "lost with its worker",
}


def _start(session: Session, runs: str, *, full: bool, join: bool) -> Any:
    try:
        return session.server.post(runs, {"full": full})
    except Refused as refused:
        running = refused.more.get("run")
        if not join or refused.status != 409 or running is None:
            raise
        session.out.note("One is running already: watching that.")
        return session.server.get(f"{runs}/{running}")


def _followed(session: Session, address: str, run: Any) -> Iterator[Any]:
    """The run each time that it has changed, until it has ended."""
    yield run
    while run["state"] in ACTIVE:
        time.sleep(PAUSE_SECONDS)
        now = session.server.get(address)
        if now != run:
            run = now
            yield run


def _drawn(session: Session, registry: str, followed: Iterator[Any]) -> Any:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[now]}"),
        TimeElapsedColumn(),
        console=session.out.notes,
        transient=True,
    ) as progress:
        task = progress.add_task(registry, total=None, now="")
        run: Any = None
        for run in followed:
            progress.update(
                task,
                total=run["repositories_found"] or None,
                completed=run["repositories_done"],
                now=f"{count(run['tags_seen'])} tags, {count(run['requests'])} requests",
            )
        return run


def _tell(session: Session, registry: str, run: Any) -> None:
    session.out.print(
        f"Sync {run['id']} of {registry} {_ENDED.get(run['state'], run['state'])}:"
        f" {count(run['repositories_done'])} repositories, {count(run['tags_seen'])} tags;"
        f" {count(run['added'])} came, {count(run['moved'])} moved, {count(run['removed'])} went."
    )
    if run["summary"]:
        session.out.note(run["summary"])


_ENDED = {
    "succeeded": "is done",
    "partial": "is done in part",
    "failed": "failed",
    "cancelled": "was stopped",
    "lost": "lost its worker",
}

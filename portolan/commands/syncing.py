"""`sync`: have a registry read again, and watch it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from portolan import completion
from portolan.addresses import path_of
from portolan.failures import Ending, Failure, Misused, Refused
from portolan.missing import named
from portolan.options import command
from portolan.references import Reference, registry_name
from portolan.session import Session
from portolan.units import count

# A run's counts are written every second or so.
PAUSE_SECONDS = 1.0
# A worker that is there and free takes a run at once.
LONG_SECONDS = 15.0
ACTIVE = ("queued", "running")

RegistryName = Annotated[
    str, typer.Argument(metavar="REGISTRY", autocompletion=completion.registry_names)
]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Stay until it has ended.")]
Full = Annotated[
    bool, typer.Option("--full", help="Read every manifest again, and what was deleted meanwhile.")
]
Timeout = Annotated[
    float, typer.Option(metavar="SECONDS", min=0, help="Watch no longer than this; 0 is no end.")
]


def add_to(app: typer.Typer) -> None:
    command(app, to_the_end=True)(sync)


def sync(
    session: Session,
    registry: RegistryName,
    watch: Watch = False,
    full: Full = False,
    timeout: Timeout = 0,
) -> int:
    """Start a sync of a registry; with --watch, the exit code says how it ended.

    0 is that all was read, and 1 anything else, also what is done in part. While one is running
    already, --watch watches that one.
    """
    if timeout and not watch:
        raise Misused("--timeout is for --watch.")
    out, server = session.out, session.server
    name = registry_name(server, registry)
    runs = path_of("registries", name, "runs")
    with named(server, Reference(name, "")):
        run = _start(session, runs, full=full, join=watch)
    if not watch:
        if out.as_json:
            out.document(run)
        else:
            out.print(
                f"Sync {run['id']} of {registry} is {_STATES.get(run['state'], run['state'])}."
            )
        return Ending.OK
    followed = _followed(session, f"{runs}/{run['id']}", run, timeout)
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


def _followed(session: Session, address: str, run: Any, timeout: float) -> Iterator[Any]:
    """The run each time that it has changed, until it has ended; raises Failure if that takes more
    than so many seconds, unless they are 0."""
    watched = _Watched(session, timeout)
    yield run
    while run["state"] in ACTIVE:
        watched.look(run)
        time.sleep(PAUSE_SECONDS)
        now = session.server.get(address)
        if now != run:
            run = now
            yield run


class _Watched:
    """Tells whoever waits how a run stands, since when, and when it was waited long enough."""

    def __init__(self, session: Session, timeout: float) -> None:
        self._out = session.out
        self._timeout = timeout
        self._began = time.monotonic()
        self._state = ""
        self._said_long = False

    def look(self, run: Any) -> None:
        state, waited = run["state"], time.monotonic() - self._began
        if state != self._state:
            self._state = state
            self._out.note(f"Sync {run['id']} is {_STATES[state]}.")
        if state == "queued" and waited >= LONG_SECONDS and not self._said_long:
            self._said_long = True
            self._out.note("No worker has taken it yet: does one run at the server?")
        if self._timeout and waited >= self._timeout:
            raise Failure(
                f"Sync {run['id']} is {_STATES[state]} after {self._timeout:g} seconds. It was not"
                " stopped, and goes on."
            )


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

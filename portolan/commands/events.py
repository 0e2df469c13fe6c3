"""`events`: what happened, and what happens while one looks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import typer

from portolan import choices, completion
from portolan.failures import Unreachable
from portolan.missing import require
from portolan.options import command
from portolan.references import Reference, registry_name
from portolan.session import Session
from portolan.units import short_digest

PAUSE_SECONDS = 2.0
# While the server does not answer.
LONG_PAUSE_SECONDS = 10.0
_LARGEST_PAGE = 200

Where = Annotated[
    str,
    typer.Argument(
        metavar="WHERE",
        help="REGISTRY, REGISTRY/path or REGISTRY/namespace/*; everywhere, if it is left out.",
        autocompletion=completion.repository_names,
        show_default=False,
    ),
]
Topics = Annotated[
    list[str] | None,
    typer.Option("--topic", "-t", help="Only these, such as tag.moved, push or pull."),
]
Tag = Annotated[str, typer.Option("--tag", help="Only of this tag.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Stay, and print what comes.")]
Last = Annotated[
    int, typer.Option("--limit", "-n", min=0, max=_LARGEST_PAGE, help="So many of the last ones.")
]


def add_to(app: typer.Typer) -> None:
    command(app)(events)


def events(
    session: Session,
    where: Where = "",
    topic: Topics = None,
    tag: Tag = "",
    follow: Follow = False,
    limit: Last = 20,
) -> None:
    """Print what happened lately, the newest last; with --follow, also what comes.

    With --json each event is a line.
    """
    written, _slash, path = where.partition("/")
    server, topics = session.server, topic or []
    registry = registry_name(server, written) if written else ""
    wanted = {"registry": registry, "repository": path, "topic": topics or None, "tag": tag}
    with choices.offered(server, "topic", "topic", topics, choices.topics):
        page = server.get("/events", **wanted, limit=max(limit, 1))
    if not page["items"]:
        _tell_of_nothing(session, Reference(registry, path), follow=follow)
    for event in reversed(page["items"][:limit]):
        _print(session, event)
    if follow:
        for event in _coming(session, wanted, page["follow"]):
            _print(session, event)


def _tell_of_nothing(session: Session, where: Reference, *, follow: bool) -> None:
    """Nothing came of a place: raises Failure where there is none. A repository may be made yet."""
    if where.registry:
        is_one = bool(where.path) and not where.path.endswith("*") and not follow
        require(session.server, where if is_one else Reference(where.registry, ""))
    session.out.note(f"Nothing happened here lately.{' Waiting for it.' if follow else ''}")


def _coming(session: Session, wanted: dict[str, Any], cursor: str) -> Iterator[Any]:
    """What is written after the cursor, for ever; while the server is away, it is waited for."""
    away = False
    while True:
        try:
            page = session.server.get(
                "/events", **wanted, sort="written", after=cursor, limit=_LARGEST_PAGE
            )
        except Unreachable as failure:
            if not away:
                session.out.note(f"{failure.sentence} Waiting for it.")
            away = True
            time.sleep(LONG_PAUSE_SECONDS)
            continue
        away = False
        yield from page["items"]
        cursor = page["follow"]
        if not page["next"]:
            time.sleep(PAUSE_SECONDS)


def _print(session: Session, event: Any) -> None:
    out = session.out
    if out.as_json:
        out.line(event)
        return
    place = "/".join(one for one in (event["registry"], event["repository"]) if one)
    name = f"{place}:{event['tag']}" if event["tag"] else place
    digests = [event["old_digest"], event["digest"]]
    shown = " → ".join((short_digest(one) if out.is_terminal else one) for one in digests if one)
    by = f"by {event['actor']}" if event["actor"] else ""
    out.event(_time(out.is_terminal, event["at"]), event["topic"], [name, shown, by])


def _time(is_terminal: bool, text: str) -> str:
    """Here on a terminal, and as it is in a pipe."""
    if not is_terminal:
        return text
    return datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M:%S")

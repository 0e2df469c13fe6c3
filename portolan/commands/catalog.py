"""`registries`, `repos`, `tags`, `search`: what there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from portolan import completion
from portolan.addresses import path_of
from portolan.choices import order
from portolan.failures import Misused
from portolan.listing import list_rows
from portolan.missing import named
from portolan.options import Everything, Limit, command
from portolan.output import Column
from portolan.references import Reference, find, registry_name
from portolan.session import Session
from portolan.units import count, short_digest, since, size

USUAL = 100
# Of a search: rows of each kind.
USUAL_FOUND = 20

InRegistry = Annotated[
    str,
    typer.Argument(
        metavar="REGISTRY",
        help="All of them, if it is left out; REGISTRY/namespace for what lies below.",
        autocompletion=completion.registry_names,
        show_default=False,
    ),
]
InRepository = Annotated[
    str,
    typer.Argument(metavar="REGISTRY/PATH", autocompletion=completion.repository_names),
]
Match = Annotated[
    str, typer.Option("--match", "-m", metavar="TEXT", help="Only those that contain this.")
]
SortRepositories = Annotated[
    str, typer.Option("--sort", help="path, date or size; a minus turns it round.")
]
SortTags = Annotated[
    str, typer.Option("--sort", help="date, name or size; a minus turns it round.")
]
Hidden = Annotated[
    bool, typer.Option("--signatures", help="Also tags that only hang a signature on an image.")
]
ForText = Annotated[str, typer.Argument(metavar="TEXT", help="Part of a name, path:tag, digest.")]
LimitFound = Annotated[
    int, typer.Option("--limit", "-n", min=1, max=100, help="At most so many of each kind.")
]


def add_to(app: typer.Typer) -> None:
    command(app)(registries)
    command(app)(repos)
    command(app)(tags)
    command(app)(search)


def registries(session: Session, limit: Limit = USUAL, everything: Everything = False) -> None:
    """List the registries that you see."""
    list_rows(session, "/registries", _REGISTRIES, limit=None if everything else limit)


def repos(
    session: Session,
    registry: InRegistry = "",
    match: Match = "",
    sort: SortRepositories = "",
    limit: Limit = USUAL,
    everything: Everything = False,
) -> None:
    """List repositories, of one registry or of all."""
    written, _slash, namespace = registry.strip("/").partition("/")
    if not written and sort.lstrip("-") not in ("", "path"):
        raise Misused("Name a registry to sort by date or size: all together are sorted by path.")
    name = registry_name(session.server, written) if written else ""
    with named(session.server, *([Reference(name, "")] if name else [])):
        list_rows(
            session,
            path_of("registries", name, "repositories") if name else "/repositories",
            _REPOSITORIES,
            limit=None if everything else limit,
            q=match,
            namespace=namespace,
            sort=order(sort, ("path", "date", "size")),
        )


def tags(
    session: Session,
    repository: InRepository,
    match: Match = "",
    sort: SortTags = "",
    signatures: Hidden = False,
    limit: Limit = USUAL,
    everything: Everything = False,
) -> None:
    """List the tags of a repository, the newest first."""
    found = find(session.server, repository)
    with named(session.server, Reference(found.registry, found.path)):
        list_rows(
            session,
            found.below("tags"),
            _TAGS,
            limit=None if everything else limit,
            q=match,
            sort=order(sort, ("date", "name", "size")),
            show="all" if signatures else "",
        )


def search(session: Session, text: ForText, limit: LimitFound = USUAL_FOUND) -> None:
    """Search registries, repositories, tags and digests by what they are called."""
    found = session.server.get("/search", q=text, limit=limit)
    if session.out.as_json:
        session.out.document(found)
        return
    session.out.rows(_FOUND, list(_found(found)), empty="Nothing is called so.")
    if found["more"]:
        session.out.note(f"There are more {', '.join(found['more'])}: --limit N.")


def _found(found: Any) -> Iterator[dict[str, Any]]:
    for row in found["registries"]:
        yield _called("registry", row["name"], row["host"])
    for row in found["repositories"]:
        number = f"{count(row['tags'])} tags"
        yield _called("repository", f"{row['registry']}/{row['path']}", number, row["tags"])
    for row in found["tags"]:
        name = f"{row['registry']}/{row['repository']}:{row['name']}"
        yield _called("tag", name, short_digest(row["digest"]), row["digest"])
    for row in found["manifests"]:
        yield _called(row["kind"], f"{row['registry']}/{row['repository']}@{row['digest']}")


def _called(kind: str, name: str, about: str = "", piped: Any = None) -> dict[str, Any]:
    return {"kind": kind, "name": name, "about": about, "piped": about if piped is None else piped}


def _place(row: Any) -> str:
    return f"{row['registry']}/{row['path']}"


_REGISTRIES = (
    Column("Registry", lambda row: row["name"], style="bold"),
    Column("Kind", lambda row: row["kind"]),
    Column("Host", lambda row: row["host"], spare=True),
    Column("Health", lambda row: row["health"]),
    Column(
        "Synced",
        lambda row: since(row["synced_at"]),
        spare=True,
        piped=lambda row: row["synced_at"],
    ),
    Column(
        "Repositories",
        lambda row: count(row["repositories"]),
        right=True,
        piped=lambda row: row["repositories"],
    ),
    Column("Tags", lambda row: count(row["tags"]), right=True, piped=lambda row: row["tags"]),
    Column(
        "Size",
        lambda row: size(row["bytes"]),
        right=True,
        spare=True,
        piped=lambda row: row["bytes"],
    ),
)
_REPOSITORIES = (
    Column("Repository", _place, style="bold"),
    Column("Tags", lambda row: count(row["tags"]), right=True, piped=lambda row: row["tags"]),
    Column(
        "Size",
        lambda row: size(row["bytes"]),
        right=True,
        spare=True,
        piped=lambda row: row["bytes"],
    ),
    Column("Pushed", lambda row: since(row["pushed_at"]), piped=lambda row: row["pushed_at"]),
    Column(
        "Pulled",
        lambda row: since(row["pulled_at"]),
        spare=True,
        piped=lambda row: row["pulled_at"],
    ),
)
_TAGS = (
    Column("Tag", lambda row: row["name"], style="bold"),
    Column(
        "Digest",
        lambda row: short_digest(row["digest"]),
        style="dim",
        spare=True,
        piped=lambda row: row["digest"],
    ),
    Column("Kind", lambda row: row["kind"], spare=True),
    Column("Platforms", lambda row: ", ".join(row["platforms"]) or None, spare=True),
    Column("Size", lambda row: size(row["size"]), right=True, piped=lambda row: row["size"]),
    Column("Dated", lambda row: since(row["dated_at"]), piped=lambda row: row["dated_at"]),
    Column("Locks", lambda row: ", ".join(row["locks"]) or None, spare=True),
)
_FOUND = (
    Column("Kind", lambda row: row["kind"]),
    Column("Name", lambda row: row["name"], style="bold"),
    Column("About", lambda row: row["about"] or None, spare=True, piped=lambda row: row["piped"]),
)

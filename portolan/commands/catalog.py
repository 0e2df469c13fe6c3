"""`registries`: what is connected."""

from __future__ import annotations

import typer

from portolan.listing import list_rows
from portolan.options import Everything, Limit, command
from portolan.output import Column
from portolan.session import Session
from portolan.units import count, since, size

USUAL = 100


def add_to(app: typer.Typer) -> None:
    command(app)(registries)


def registries(session: Session, limit: Limit = USUAL, everything: Everything = False) -> None:
    """List the registries that you see."""
    list_rows(session, "/registries", _REGISTRIES, limit=None if everything else limit)


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
    Column("Repositories", lambda row: count(row["repositories"]), right=True),
    Column("Tags", lambda row: count(row["tags"]), right=True),
    Column(
        "Size",
        lambda row: size(row["bytes"]),
        right=True,
        spare=True,
        piped=lambda row: row["bytes"],
    ),
)

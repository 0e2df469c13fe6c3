"""`manage.py kinds`: what each kind of registry offers, as the table in docs/registries.md."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from registries.connectors import CONNECTORS, Ability, Connector

_HEADS = {
    Ability.CATALOG: "lists repositories",
    Ability.BULK: "lists tags in bulk",
    Ability.UNTAGGED: "lists untagged",
    Ability.PULLS: "tells of pulls",
    Ability.DELETE_TAG: "deletes tags",
    Ability.DELETE_MANIFEST: "deletes images",
    Ability.DELETE_REPOSITORY: "deletes repositories",
    Ability.LOCKS: "locks",
    Ability.WEBHOOKS: "sets up webhooks",
    Ability.PINGS: "tests webhooks",
    Ability.ACCESS: "tells of access",
    Ability.USAGE: "tells of usage",
    Ability.SCANS: "tells of scans",
}


class Command(BaseCommand):
    help = "Shows what each kind of registry offers and Portolan does there, as a Markdown table."

    def handle(self, *_: Any, **__: Any) -> None:
        self.stdout.write(table())


def table() -> str:
    """Return the kinds as rows and what they offer as columns."""
    heads = ["kind", *_HEADS.values(), "budget a minute", "pulls and pushes judged by"]
    rows = [" | ".join(_row(connector)) for connector in CONNECTORS.values()]
    lines = [" | ".join(heads), "|".join("---" for _ in heads), *rows]
    return "\n".join(f"| {line} |" if "---" not in line else f"|{line}|" for line in lines)


def _row(connector: type[Connector]) -> list[str]:
    budget = connector.requests_per_minute
    return [
        f"{connector.label} (`{connector.kind}`)",
        *("yes" if ability in connector.abilities else "" for ability in _HEADS),
        f"{budget:,}" if budget else "",
        "itself" if connector.judges_access else "Portolan's tokens",
    ]

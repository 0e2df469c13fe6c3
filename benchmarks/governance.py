"""A plan of ten thousand grants, against a bare loop that reads the same rows and the same file."""

from __future__ import annotations

import time
from collections.abc import Callable

import yaml

from benchmarks.report import Line

ROUNDS = 5
SECONDS = 2.0
# What is there is changed so that each of these is found: made, changed, left out.
TOUCHED = 100


def measure() -> list[Line]:
    from access.policy import SHELL
    from benchmarks.tokens import GRANTS_OF_EACH, MACHINES, fill
    from dashboard.governance.document import dump, parse
    from dashboard.governance.export import export
    from dashboard.governance.plan import plan

    fill()
    text = dump(export(SHELL))
    _touch()

    def ours() -> None:
        shown = plan(parse(text), rights=SHELL, prune=True)
        if len(shown.changes) != 3 * TOUCHED:
            raise RuntimeError(f"{len(shown.changes)} changes were found.")

    planned, bare = _times(ours), _times(lambda: _bare(text))
    exported = _times(lambda: dump(export(SHELL)))
    grants = MACHINES * GRANTS_OF_EACH
    return [
        Line(
            f"Plan of a file with {grants:,} grants, read, compared and pruned",
            f"{planned:.2f} s",
            f"≤ {SECONDS:.0f} s",
            planned <= SECONDS,
        ),
        Line(
            "The same against a bare loop that reads file and rows and compares two sets"
            f" ({bare:.2f} s)",
            f"x {planned / bare:.1f}",
            "≤ 2.5",
            planned / bare <= 2.5,
        ),
        Line(
            f"Export of the same ({len(text) / 1024**2:.1f} MiB)",
            f"{exported:.2f} s",
            f"≤ {SECONDS:.0f} s",
            exported <= SECONDS,
        ),
    ]


def _touch() -> None:
    """A hundred grants more than the file has, a hundred less, and a hundred with another reason."""
    from access.models import Grant

    first = list(Grant.objects.order_by("pk").values_list("pk", flat=True)[: 3 * TOUCHED])
    Grant.objects.filter(pk__in=first[:TOUCHED]).delete()
    Grant.objects.filter(pk__in=first[TOUCHED : 2 * TOUCHED]).update(reason="by hand")
    moved = Grant.objects.filter(pk__in=first[2 * TOUCHED :])
    for grant in moved:
        grant.pk, grant.path = None, f"by-hand/{grant.path}"[:250]
    Grant.objects.bulk_create(moved)


def _bare(text: str) -> None:
    """The floor: the parser alone, one statement, two sets."""
    from django.db import connection

    said = yaml.load(text, Loader=yaml.CSafeLoader)
    wanted = {(it["principal"], it["role"], it["scope"]) for it in said["grants"]}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 'sp:' || m.name, o.name, r.name || '/' || g.path, g.until, g.reason"
            " FROM access_grant g JOIN access_serviceprincipal m ON m.id = g.service_principal_id"
            " JOIN access_role o ON o.id = g.role_id JOIN registries_registry r ON r.id = g.registry_id"
        )
        there = {row[:3] for row in cursor.fetchall()}
    if len(wanted - there) != TOUCHED or len(there - wanted) != TOUCHED:
        raise RuntimeError("The floor compares something else.")


def _times(act: Callable[[], object]) -> float:
    """The fastest of some rounds, in seconds: others' minutes on these cores are not ours."""
    rounds = []
    for _round in range(ROUNDS):
        begun = time.perf_counter()
        act()
        rounds.append(time.perf_counter() - begun)
    return min(rounds)

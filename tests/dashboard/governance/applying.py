"""Files planned and applied as from a shell, and an installation made empty again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection

from access.models import User
from access.policy import SHELL
from dashboard.governance.apply import Applied, apply
from dashboard.governance.document import Document, dump, parse
from dashboard.governance.export import export
from dashboard.governance.plan import Plan, plan
from dashboard.governance.secrets import sent_along
from registries.actor import Actor

AT_SHELL = Actor("shell", "root", "root at a shell")
NOTHING: Mapping[str, str] = {}

# Children before parents.
TABLES = (
    "webhooks_delivery",
    "webhooks_event",
    "webhooks_subscription",
    "access_adminaccount",
    "access_grant",
    "access_trustrule",
    "access_serviceprincipal",
    "access_claimrule",
    "access_membership",
    "access_team",
    "registries_mirror",
    "registries_registrycredential",
    "registries_apicredential",
    "registries_registry",
)


def empty() -> None:
    """Only people are left, and the built-in roles."""
    with connection.cursor() as cursor:
        cursor.execute(
            "; ".join(f"DELETE FROM {table}" for table in TABLES)
            + "; DELETE FROM access_role WHERE NOT is_built_in"
        )


def people(*names: str) -> list[User]:
    """Ordinary people, beside somebody who owns everything whatever happens."""
    User.objects.create_superuser("root", "root@example.com", "a passphrase of some length")
    return [User.objects.create_user(name) for name in names]


def planned(said: str | Document, *, secrets: Mapping[str, str] = NOTHING, **options: Any) -> Plan:
    document = parse(f"version: 1\n{said}") if isinstance(said, str) else said
    return plan(document, rights=SHELL, secrets=sent_along(secrets), **options)


def applied(
    said: str | Document,
    *,
    secrets: Mapping[str, str] = NOTHING,
    check: bool = False,
    **options: Any,
) -> Applied:
    return apply(
        planned(said, secrets=secrets, **options),
        rights=SHELL,
        actor=AT_SHELL,
        secrets=sent_along(secrets),
        check=check,
    )


def exported() -> str:
    return dump(export(SHELL))


def told(shown: Plan) -> list[str]:
    """The changes of a plan, a line each."""
    return [f"{one.verb} {one.section.name} {one.name}" for one in shown.changes]


def problems(shown: Plan) -> list[str]:
    return [str(one) for one in shown.problems]

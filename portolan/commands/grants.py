"""`grants`, `grant`, `revoke`: who has which role where."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from portolan import choices, completion
from portolan.ends import end_of
from portolan.failures import Ending, Failure, Misused, Refused
from portolan.listing import list_rows
from portolan.missing import named, require
from portolan.options import Everything, Limit, command
from portolan.output import Column
from portolan.scopes import principal_of, registry_of, scope_of
from portolan.server import Server
from portolan.session import Session
from portolan.units import since

Principal = Annotated[
    str, typer.Argument(metavar="PRINCIPAL", help="user:NAME, team:NAME, sp:NAME or anonymous.")
]
Role = Annotated[str, typer.Argument(metavar="ROLE", help="Such as reader, pusher, owner.")]
Scope = Annotated[
    str,
    typer.Argument(
        metavar="SCOPE",
        help="REGISTRY/path, REGISTRY/namespace/*, REGISTRY, or * for everything.",
        autocompletion=completion.repository_names,
    ),
]
Until = Annotated[
    str, typer.Option(metavar="WHEN", help="The last day, such as 2027-01-31; or 30d, 12h.")
]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why; it is kept.")]
What = Annotated[
    list[str],
    typer.Argument(
        metavar="PRINCIPAL ROLE SCOPE | NUMBER...",
        help="A grant by what it says, or some by their numbers.",
    ),
]
OfPrincipal = Annotated[str, typer.Option("--principal", help="Whose name contains this.")]
OfRole = Annotated[str, typer.Option("--role", help="Only of this role.")]
InScope = Annotated[str, typer.Option("--scope", help="Only what lies in this.")]
Ending_ = Annotated[int, typer.Option("--ending", metavar="DAYS", help="Ends within so many days.")]


def add_to(app: typer.Typer) -> None:
    command(app)(grants)
    command(app, to_the_end=True)(grant)
    command(app, to_the_end=True)(revoke)


def grants(
    session: Session,
    principal: OfPrincipal = "",
    role: OfRole = "",
    scope: InScope = "",
    ending: Ending_ = 0,
    limit: Limit = 100,
    everything: Everything = False,
) -> None:
    """List grants, where you manage access."""
    within = scope_of(session.server, scope) if scope else ""
    for registry in registry_of(within) if within else ():
        require(session.server, registry)
    if role:
        choices.one_of(role, "role", list(choices.roles(session.server)))
    list_rows(
        session,
        "/grants",
        _GRANTS,
        limit=None if everything else limit,
        principal=principal,
        role=role,
        scope=within,
        ending=ending or None,
    )


def grant(
    session: Session,
    principal: Principal,
    role: Role,
    scope: Scope,
    until: Until = "",
    reason: Reason = "",
) -> None:
    """Give somebody a role somewhere; the same again changes its end and reason."""
    wanted: dict[str, Any] = {
        "principals": [principal_of(principal)],
        "roles": [role],
        "scopes": [scope_of(session.server, scope)],
        "until": end_of(until),
        "reason": reason,
    }
    server = session.server
    with (
        named(server, *registry_of(wanted["scopes"][0])),
        choices.offered(server, "roles", "role", [role], choices.roles),
    ):
        (made,) = _granted(server, wanted)
    if session.out.as_json:
        session.out.document(made)
        return
    end = f" until {made['until']}" if made["until"] else ""
    session.out.print(f"{made['principal']} is {made['role']} on {made['scope']}{end}.")


def _granted(server: Server, wanted: Any) -> Any:
    try:
        return server.post("/grants", wanted)["items"]
    except Refused as refused:
        if refused.fields != {"principals"}:
            raise
        # That it can be somebody was seen before.
        sentence = refused.sentence.removeprefix("principals: ")
        raise Failure(sentence, Ending.NOT_ALLOWED) from None


def revoke(session: Session, what: What, reason: Reason = "") -> None:
    """Take a role away."""
    numbers = _numbers(what) or [_number(session, what)]
    taken = session.server.post("/grants/revocations", {"grants": numbers, "reason": reason})
    if session.out.as_json:
        session.out.document(taken["items"])
        return
    for one in taken["items"]:
        session.out.print(f"{one['principal']} is {one['role']} on {one['scope']} no more.")


def _numbers(what: list[str]) -> list[int]:
    return [int(one) for one in what] if all(one.isdecimal() for one in what) else []


def _number(session: Session, what: list[str]) -> int:
    """The grant that says this."""
    if len(what) != 3:
        raise Misused(
            "Say which: PRINCIPAL ROLE SCOPE, or the numbers that `portolan grants` shows."
        )
    principal, role, scope = what
    principal = principal_of(principal)
    scope = scope_of(session.server, scope)
    rows: Any = session.server.pages("/grants", principal=principal, role=role, scope=scope)
    for row in rows:
        if (row["principal"], row["role"], row["scope"]) == (principal, role, scope):
            return int(row["id"])
    raise Failure(f"{principal} has no grant of {role} on {scope}.", Ending.NOT_ALLOWED)


_GRANTS = (
    Column("Number", lambda row: row["id"], right=True, style="dim"),
    Column("Who", lambda row: row["principal"], style="bold"),
    Column("Role", lambda row: row["role"]),
    Column("Scope", lambda row: row["scope"]),
    Column("Until", lambda row: since(row["until"]), spare=True, piped=lambda row: row["until"]),
    Column("By", lambda row: row["granted_by"] or None, spare=True),
    Column("Reason", lambda row: row["reason"] or None, spare=True, long=True),
)

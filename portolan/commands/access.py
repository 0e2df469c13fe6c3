"""`can-i` and `who-can`: whether somebody may, and who may, with the reasons."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer

from portolan import choices, completion
from portolan.failures import Ending, answered
from portolan.listing import list_rows
from portolan.missing import named
from portolan.options import Everything, Limit, command
from portolan.output import Column
from portolan.scopes import principal_of, registry_of, scope_of
from portolan.server import Server
from portolan.session import Session
from portolan.units import since

# What people say, and what of Portolan's actions it is. All others are written as they are called.
WORDS = {
    "pull": "content read",
    "read": "content read",
    "push": "content write",
    "write": "content write",
    "delete": "content delete",
    "sign": "content sign",
    "list": "catalog list",
    "lock": "metadata write",
    "sync": "registry manage",
    "grant": "access manage",
    "audit": "audit read",
}
KINDS = ("people", "machines", "public")

Act = Annotated[
    str,
    typer.Argument(
        metavar="ACTION",
        help="pull, push, delete, sign, list, lock, sync, grant, audit, or such as policy-manage.",
        autocompletion=lambda incomplete: [one for one in WORDS if one.startswith(incomplete)],
    ),
]
Scope = Annotated[
    str,
    typer.Argument(
        metavar="SCOPE",
        help="REGISTRY/path, REGISTRY/namespace/*, REGISTRY, or * for everything.",
        autocompletion=completion.repository_names,
    ),
]
As = Annotated[
    str | None,
    typer.Option(
        "--as",
        metavar="PRINCIPAL",
        help="Somebody else: user:NAME, team:NAME, sp:NAME, anonymous.",
        show_default=False,
    ),
]
Kind = Annotated[
    str, typer.Option(help="people, machines or public; all of them, if it is left out.")
]


def add_to(app: typer.Typer) -> None:
    command(app, "can-i", to_the_end=True)(can_i)
    command(app, "who-can")(who_can)


def can_i(session: Session, action: Act, scope: Scope, as_: As = None) -> int:
    """Say whether you may do something somewhere, and why: the exit code is 0 for yes, 1 for no."""
    query = {
        "action": action_of(action),
        # An empty name, as of a variable that is not set, is not oneself.
        "principal": None if as_ is None else principal_of(as_),
        "scope": scope_of(session.server, scope),
    }
    with answered(), _told(session, query):
        verdict = session.server.get("/check-access", **query)
    if session.out.as_json:
        session.out.document(verdict)
    else:
        _tell(session, verdict)
    return Ending.OK if verdict["allowed"] else Ending.NO


def who_can(
    session: Session,
    action: Act,
    scope: Scope,
    kind: Kind = "",
    limit: Limit = 100,
    everything: Everything = False,
) -> None:
    """List who may do something somewhere, and by which role."""
    if kind:
        choices.one_of(kind, "kind", KINDS)
    query = {"action": action_of(action), "scope": scope_of(session.server, scope)}
    with _told(session, query):
        list_rows(
            session,
            "/who-can",
            _HOLDERS,
            limit=None if everything else limit,
            empty="Nobody may.",
            each=[{"kind": one} for one in ([kind] if kind else KINDS)],
            **query,
        )


def action_of(text: str) -> str:
    """The action of a word such as `push`, or of its own name in any spelling: `content write`,
    `content-write`, `content:write`. Whether there is such a one, the server knows."""
    word = text.strip().lower()
    return WORDS.get(word) or word.replace("-", " ").replace(":", " ").replace("_", " ")


@contextlib.contextmanager
def _told(session: Session, query: Mapping[str, Any]) -> Iterator[None]:
    """An action or a registry that there is not, by its name."""
    server = session.server
    with (
        named(server, *registry_of(query["scope"])),
        choices.offered(server, "action", "action", [query["action"]], _actions),
    ):
        yield


def _actions(server: Server) -> list[str]:
    """Those that the server knows, and the words for some of them."""
    return [*WORDS, *choices.actions(server)]


def _tell(session: Session, verdict: Any) -> None:
    out = session.out
    who, what, where = verdict["principal"], verdict["action"], verdict["scope"]
    if verdict["allowed"]:
        out.say("Yes", "bold green", f": {who} has “{what}” on {where}.")
        out.print("")
        out.rows(_REASONS, verdict["reasons"])
        return
    out.say("No", "bold red", f": {who} has no “{what}” on all of {where}.")
    for line in _hints(verdict):
        out.print(line)


def _hints(verdict: Any) -> Iterator[str]:
    if verdict["switched_off"]:
        yield "The account is switched off, so no grant counts."
    for one in verdict["misses"]:
        through = f" (through team:{one['team']})" if one["team"] else ""
        why = _OBSTACLES.get(one["obstacle"], one["obstacle"])
        yield f"{one['role']} on {one['scope']}{through} {why}."
    if verdict["roles"]:
        yield f"Roles that would allow it: {', '.join(verdict['roles'])}."
    if verdict["granters"]:
        yield f"Who could grant it: {', '.join(verdict['granters'])}."


_OBSTACLES = {
    "other actions": "holds there, but allows other things",
    "elsewhere": "would allow it, but holds elsewhere or in a part only",
    "ended": "allowed it, but has ended",
}


def _through(row: Any) -> str | None:
    if row["team"]:
        return f"team:{row['team']}"
    return "everybody" if row["is_public"] else None


_REASONS = (
    Column("Role", lambda row: row["role"], style="bold"),
    Column("Scope", lambda row: row["scope"]),
    Column("Through", _through, spare=True),
    Column("Until", lambda row: since(row["until"]), spare=True, piped=lambda row: row["until"]),
    Column("Grant", lambda row: row["grant"], spare=True),
)
_HOLDERS = (
    Column("Who", lambda row: row["principal"], style="bold"),
    Column("Where", lambda row: "all of it" if row["everywhere"] else "a part"),
    Column(
        "By",
        lambda row: ", ".join(
            dict.fromkeys(
                f"{one['role']} on {one['scope']}"
                + (f" through team:{one['team']}" if one["team"] else "")
                for one in row["reasons"]
            )
        ),
        long=True,
    ),
)

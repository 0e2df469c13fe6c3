"""`plan`, `apply`, `export`: what is set up, as one file."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from portolan.failures import Ending, Failure, Misused
from portolan.options import command
from portolan.output import as_json
from portolan.resolving import resolved, wanted
from portolan.session import Session

# Of what is left out, so many are named; the rest is counted.
NAMED = 20
_LARGEST = 8 * 1024**2

File = Annotated[str, typer.Argument(metavar="FILE", help="A governance file; - is stdin.")]
Prune = Annotated[
    bool,
    typer.Option("--prune", help="Also remove what is not in the sections that the file has."),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
NoCheck = Annotated[
    bool, typer.Option("--no-check", help="Store connections without trying them out.")
]
OutputFile = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="Write it there.")]
Schema = Annotated[
    bool, typer.Option("--schema", help="The JSON Schema of such files, for editors.")
]


def add_to(app: typer.Typer) -> None:
    command(app, to_the_end=True)(plan)
    command(app, "apply", to_the_end=True)(apply_)
    command(app)(export)


def plan(session: Session, file: File, prune: Prune = False) -> int:
    """Show what applying a governance file would create, change and delete.

    The exit code is 0 where nothing would, 2 where something would, 1 where it cannot be applied.
    Secrets stay where they are: none is read or sent.
    """
    planned = _planned(session, _text(file), prune=prune)
    _show(session, planned)
    if planned["problems"]:
        return Ending.NO
    return Ending.CHANGES if planned["changes"] else Ending.OK


def apply_(
    session: Session, file: File, prune: Prune = False, yes: Yes = False, no_check: NoCheck = False
) -> int:
    """Make a governance file true, all of it or nothing, after showing its plan.

    What the file says of secrets (env:NAME, file:PATH) is read here and sent along, once it is agreed.
    """
    out, text = session.out, _text(file)
    planned = _planned(session, text, prune=prune)
    references = wanted(text, planned["references"], by=session.context.server)
    secrets: dict[str, str] = {}
    agreed: Any = None
    if references and not planned["problems"]:
        if not yes:
            agreed = planned["changes"]
            _show_people(session, planned)
            _ask(session, file, references)
        secrets = resolved(references)
        out.note(f"Secrets read here and sent: {', '.join(references)}.")
        planned = _planned(session, text, prune=prune, secrets=secrets)
    if planned["problems"]:
        _show(session, planned)
        return Ending.NO
    if planned["changes"] != agreed:
        _show_people(session, planned)
    if not planned["changes"]:
        if out.as_json:
            out.document({"changes": [], "secrets": []})
        return Ending.OK
    # With its secrets the plan may be another one than that which was agreed to.
    if not yes and planned["changes"] != agreed:
        _ask(session, file)
    applied = session.server.post(
        "/apply",
        {
            "document": text,
            "prune": prune,
            "secrets": secrets,
            "check": not no_check,
            "fingerprint": planned["fingerprint"],
        },
    )
    _tell(session, applied)
    return Ending.OK


def export(session: Session, output: OutputFile = "", schema: Schema = False) -> None:
    """Write what is set up, as far as you manage it, as one YAML file without secrets."""
    out, server = session.out, session.server
    if schema:
        found = server.get("/export/schema")
        if output:
            _keep(output, as_json(found, indent=2) + "\n")
        else:
            out.document(found)
        return
    text = server.text("/export", "application/yaml")
    if output:
        _keep(output, text)
    if out.as_json:
        out.document({"document": text})
    elif not output:
        out.whole(text)


def _keep(name: str, text: str) -> None:
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(f"{name} cannot be written: {error.strerror}.") from None


def _planned(session: Session, text: str, **more: Any) -> Any:
    return session.server.post("/plan", {"document": text, **more})


def _text(name: str) -> str:
    try:
        if name == "-":
            return sys.stdin.read(_LARGEST + 1)
        with Path(name).open(encoding="utf-8", newline="") as file:
            return file.read(_LARGEST + 1)
    except OSError as error:
        raise Misused(f"{name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise Misused(f"{name} is no text in UTF-8.") from None


def _ask(session: Session, file: str, references: Sequence[str] = ()) -> None:
    if file == "-" or not sys.stdin.isatty():
        raise Misused("Nobody can be asked here: say --yes. Nothing was changed.")
    if references:
        session.out.note(f"Secrets that are to be read here and sent: {', '.join(references)}.")
    if not typer.confirm(f"Apply this at {session.context.server}?", err=True):
        raise Failure("Nothing was changed.")


# Showing -------------------------------------------------------------------------------------------

_SIGNS = {"create": "+", "change": "~", "delete": "-"}
_WORDS = {"create": "to create", "change": "to change", "delete": "to delete"}


def _show_people(session: Session, planned: Any) -> None:
    """Before it is applied: to a program, what was done is told instead."""
    if not session.out.as_json:
        _show(session, planned)


def _show(session: Session, planned: Any) -> None:
    out = session.out
    if out.as_json:
        out.document(planned)
        return
    for change in planned["changes"]:
        out.changed(_SIGNS[change["verb"]], f"{change['section']:<18} {change['name']}")
        if change["verb"] == "change":
            for one in change["fields"]:
                out.print(f"    {one['name']}: {_value(one['old'])} → {_value(one['new'])}")
    for note in planned["notes"]:
        out.note(f"note: {_remark(note)}")
    for line in _left(planned["left"]):
        out.note(line)
    for problem in planned["problems"]:
        out.note(f"problem: {_remark(problem)}")
    out.print(_summary(planned))


def _summary(planned: Any) -> str:
    verbs = [change["verb"] for change in planned["changes"]]
    counts = [f"{verbs.count(verb)} {words}" for verb, words in _WORDS.items() if verb in verbs]
    said = f"{', '.join(counts)}." if counts else "No changes."
    return f"{said} It cannot be applied." if planned["problems"] else said


def _left(left: Sequence[Any]) -> Iterator[str]:
    if not left:
        return
    yield f"Not in the file, and left as they are ({len(left)}); --prune would remove them:"
    for change in left[:NAMED]:
        yield f"    {change['section']:<18} {change['name']}"
    if len(left) > NAMED:
        yield f"    and {len(left) - NAMED} more"


def _remark(one: Any) -> str:
    line = f"line {one['line']}: " if one["line"] else ""
    path = f"{one['path']}: " if one["path"] else ""
    return line + path + str(one["sentence"])


def _value(text: str) -> str:
    return text or "(nothing)"


def _tell(session: Session, applied: Any) -> None:
    out = session.out
    if out.as_json:
        # Asked for as data, which is where a new secret has to be.
        out.document(applied)
        return
    out.print("Applied.")
    for one in applied["secrets"]:
        # What is no terminal is often a pipeline's log.
        secret = one["secret"] if out.is_watched else "not printed here: rotate it, or use --json"
        out.print(f"{one['name']}, {one['what']}: {secret}")

"""Options and arguments that commands share, and the decorator that gives them to each command."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeVar

import typer

from portolan.failures import Misused
from portolan.output import Output
from portolan.session import Choice, Session

_PANEL = "Server and output"

AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON, for programs.", rich_help_panel=_PANEL)
]
AtServer = Annotated[
    str,
    typer.Option(
        "--server",
        metavar="URL",
        help="Ask this server; also PORTOLAN_SERVER.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
InContext = Annotated[
    str,
    typer.Option(
        "--context",
        metavar="NAME",
        envvar="PORTOLAN_CONTEXT",
        help="Ask where this context is signed in.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
CaFile = Annotated[
    str,
    typer.Option(
        "--ca-file",
        metavar="FILE",
        envvar="PORTOLAN_CA_FILE",
        help="Trust these certificate authorities, too.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
InsecureHttp = Annotated[
    bool,
    typer.Option(
        "--insecure-http",
        help="Let the token travel without TLS.",
        rich_help_panel=_PANEL,
    ),
]
_SHARED = {
    "as_json": (AsJson, False),
    "at_server": (AtServer, ""),
    "in_context": (InContext, ""),
    "ca_file": (CaFile, ""),
    "insecure_http": (InsecureHttp, False),
}

Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many rows.")]
Everything = Annotated[bool, typer.Option("--all", help="All rows, however many.")]

F = TypeVar("F", bound=Callable[..., Any])


def command(
    app: typer.Typer, name: str | None = None, *, to_the_end: bool = False, **settings: Any
) -> Callable[[F], F]:
    """A command of `app`: a function that takes a Session first, and then what is its own. What all
    commands can be given (--json, --server and so on) is added to it here. One that changes something
    or answers by its exit code goes `to_the_end`, whoever reads what it prints."""

    def add(function: F) -> F:
        own = inspect.signature(function, eval_str=True)
        _session, *parameters = own.parameters.values()
        shared = [
            inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=kind)
            for key, (kind, default) in _SHARED.items()
        ]

        @functools.wraps(function)
        def run(typer_context: typer.Context, **given: Any) -> Any:
            _refuse_empty(typer_context, given)
            mine = {key: given.pop(key) for key in _SHARED}
            choice = Choice(
                mine["at_server"], mine["in_context"], mine["ca_file"], mine["insecure_http"]
            )
            out = Output(as_json=mine["as_json"], to_the_end=to_the_end)
            with Session(choice, out) as session:
                return function(session, **given)

        # What typer reads options from.
        del run.__wrapped__
        context = inspect.Parameter(
            "typer_context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
        )
        signature = own.replace(parameters=[context, *parameters, *shared])
        run.__signature__ = signature  # type: ignore[attr-defined]  # what typer reads
        run.__annotations__ = {
            key: parameter.annotation for key, parameter in signature.parameters.items()
        }
        app.command(name, **settings)(run)
        return function

    return add


def _refuse_empty(context: typer.Context, given: Mapping[str, Any]) -> None:
    """An argument that was given and is empty is a variable that was not set. Raises Misused."""
    for one in context.command.params:
        value = given.get(one.name or "")
        texts = value if isinstance(value, list) else [value]
        source = context.get_parameter_source(one.name or "")
        if (
            one.param_type_name == "argument"
            and source is not None
            and source.name == "COMMANDLINE"
            and any(isinstance(text, str) and not text.strip() for text in texts)
        ):
            title = getattr(one, "metavar", None) or str(one.name).upper()
            raise Misused(f"An argument is empty: {title}.")

"""The command itself: its parts, and how whatever goes wrong in them ends."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from portolan import VERSION
from portolan.commands import (
    access,
    catalog,
    events,
    governance,
    grants,
    import_,
    looking,
    raw,
    sign_in,
    syncing,
)
from portolan.failures import Ending, Failure
from portolan.output import Output

app = typer.Typer(
    name="portolan",
    help="Every container registry of a company: browse them, and decide who may do what.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    # Boxes and colours are for people.
    rich_markup_mode="rich" if sys.stdout.isatty() else None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"portolan {VERSION}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def portolan(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001  its callback does it
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


for part in (sign_in, catalog, looking, access, grants, syncing, events, governance, import_, raw):
    part.add_to(app)


def main(arguments: list[str] | None = None) -> int:
    """Runs it and returns its exit code (portolan.failures.Ending)."""
    out = Output()
    try:
        ended = app(arguments, prog_name="portolan", standalone_mode=False)
    except Failure as failure:
        out.failed(failure.sentence, failure.details)
        return failure.ending
    except (typer.Abort, KeyboardInterrupt):
        return Ending.INTERRUPTED
    except typer.TyperException as misuse:
        out.failed(misuse.format_message(), _where_help_is(misuse))
        return Ending.USAGE
    return ended if isinstance(ended, int) else Ending.OK


def _where_help_is(misuse: typer.TyperException) -> list[str]:
    context = getattr(misuse, "ctx", None)
    return [f"Help: {context.command_path} --help"] if context is not None else []


def run() -> None:
    """The entry point. A reader that closes its pipe early (`| head`) is no mistake."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        ending = main()
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stdout = None  # or Python tells of it once more
        ending = Ending.OK
    sys.exit(int(ending))

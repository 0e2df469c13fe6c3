"""The command itself: its parts, and how whatever goes wrong in them ends."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
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

DEBUG = "PORTOLAN_DEBUG"

app = typer.Typer(
    name="portolan",
    help="Every container registry of a company: browse them, and decide who may do what.",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    # Boxes and colours are for people. (A stream that was closed is none.)
    rich_markup_mode="rich" if sys.stdout is not None and sys.stdout.isatty() else None,
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
    except SystemExit as left:
        # Typer leaves with 1 where the reader of a pipe has gone; commands return.
        if isinstance(left.__context__, BrokenPipeError):
            raise BrokenPipeError from None
        raise
    except typer.TyperException as misuse:
        out.failed(misuse.format_message(), _where_help_is(misuse))
        return Ending.USAGE
    except BrokenPipeError:
        raise
    except OSError as error:
        out.failed(_of_system(error), _trace())
        return Ending.NO
    except Exception as error:  # noqa: BLE001  whatever it is, it is said in a sentence
        out.failed(_mistake(error), _trace())
        return Ending.MISTAKE
    return ended if isinstance(ended, int) else Ending.OK


def _where_help_is(misuse: typer.TyperException) -> list[str]:
    context = getattr(misuse, "ctx", None)
    return [f"Help: {context.command_path} --help"] if context is not None else []


def _of_system(error: OSError) -> str:
    """Where, and what the operating system says."""
    why = error.strerror or type(error).__name__
    return f"{error.filename}: {why}." if error.filename else f"{why}."


def _mistake(error: Exception) -> str:
    """What nobody thought of. Its words may hold what was sent, a token too: they are not printed."""
    at = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"This is a mistake in portolan {VERSION}: {type(error).__name__} in"
        f" {Path(at.filename).name}, line {at.lineno}. Please report it."
    )


def _trace() -> list[str]:
    """Where it happened, for who asks for that."""
    return traceback.format_exc().splitlines() if os.environ.get(DEBUG) else []


def run() -> None:
    """The entry point. A reader that closes its pipe early (`| head`) is no mistake."""
    _open_closed()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    ending: int = Ending.OK
    try:
        ending = main()
        sys.stdout.flush()
    except BrokenPipeError:
        sys.stdout = None  # or Python tells of it once more
    except OSError as error:  # a full disk: what was written before it is not all there
        sys.stdout = None
        Output().failed(f"The answer cannot be written: {_of_system(error)}")
        ending = Ending.NO
    sys.exit(ending)


def _open_closed() -> None:
    """Standard streams that whoever started us has closed (`<&-`) are empty ones, not None."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = Path(os.devnull).open(mode, encoding="utf-8")  # noqa: SIM115  to the end
            setattr(sys, name, stream)

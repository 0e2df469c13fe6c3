"""`import`: what Harbor, docker_auth or Portus allow, as a governance document."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from portolan.addresses import server_address
from portolan.failures import Failure, Misused, Unreachable
from portolan.importing import docker_auth, harbor, portus, reading
from portolan.importing.problems import Mistyped, NotAnswering, NotImportable
from portolan.importing.reading import Credential
from portolan.importing.result import Imported, Options, Remark
from portolan.importing.writing import write
from portolan.output import Output
from portolan.tokens import piped

Source = Annotated[
    str, typer.Argument(metavar="FILE|URL", help="A file of its answers, or its address.")
]
ConfigFile = Annotated[Path, typer.Argument(metavar="FILE", help="docker_auth's configuration.")]
Registry = Annotated[
    str, typer.Option("--registry", "-r", metavar="NAME", help="What Portolan calls the registry.")
]
Into = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write the document there, not to stdout."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print document and remarks as JSON.")]
Provider = Annotated[
    str,
    typer.Option(
        "--provider", metavar="NAME", help="The sign-on provider whose groups become teams."
    ),
]
Claim = Annotated[str, typer.Option("--claim", metavar="NAME", help="Its claim that names groups.")]
Username = Annotated[str, typer.Option("--username", "-u", help="Whom to ask as, for a URL.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password or token there.")
]
CaFile = Annotated[str, typer.Option("--ca-file", metavar="FILE", help="Trust these, for a URL.")]
InsecureHttp = Annotated[
    bool, typer.Option("--insecure-http", help="Let the password travel without TLS.")
]
PushPolicy = Annotated[
    str,
    typer.Option(
        "--push-policy",
        metavar="POLICY",
        help="push_images.policy of Portus' configuration: allow-teams, allow-personal, admin-only.",
    ),
]
Repositories = Annotated[
    Path | None,
    typer.Option("--repositories", metavar="FILE", help="Names that are there, one a line."),
]
Machines = Annotated[
    list[str] | None,
    typer.Option("--machine", metavar="ACCOUNT", help="An account that is no person; repeatable."),
]
ServiceName = Annotated[
    str | None, typer.Option("--service", metavar="NAME", help="Only rules for this service.")
]
Deep = Annotated[
    bool, typer.Option("--deep", help="Take team/* for all levels below team, as Portolan does.")
]


def add_to(app: typer.Typer) -> None:
    importing = typer.Typer(
        help="Turn what another system allows into a document for `portolan plan`; changes nothing.",
    )
    importing.callback(invoke_without_command=True)(_which)
    importing.command("harbor")(from_harbor)
    importing.command("docker-auth")(from_docker_auth)
    importing.command("portus")(from_portus)
    app.add_typer(importing, name="import")


def _which(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def from_harbor(
    source: Source,
    registry: Registry,
    output: Into = None,
    provider: Provider = "",
    claim: Claim = "groups",
    username: Username = "",
    password_stdin: PasswordStdin = False,
    ca_file: CaFile = "",
    insecure_http: InsecureHttp = False,
    as_json: AsJson = False,
) -> None:
    """Harbor: projects, members, groups and robots."""
    _run(
        lambda: harbor.convert(
            _answers(reading.harbor, source, username, password_stdin, ca_file, insecure_http),
            Options(registry, provider=provider, claim=claim, now=time.time()),
        ),
        output,
        Output(as_json=as_json),
    )


def from_docker_auth(
    source: ConfigFile,
    registry: Registry,
    output: Into = None,
    provider: Provider = "",
    claim: Claim = "groups",
    repositories: Repositories = None,
    machine: Machines = None,
    service: ServiceName = None,
    deep: Deep = False,
    as_json: AsJson = False,
) -> None:
    """docker_auth: users and the rules of its ACL."""

    def convert() -> Imported:
        options = Options(registry, provider=provider, claim=claim, service=service, deep=deep)
        names = reading.names_file(repositories) if repositories else ()
        options = replace(options, repositories=names, machines=frozenset(machine or ()))
        return docker_auth.convert(reading.configuration_file(source), options)

    _run(convert, output, Output(as_json=as_json))


def from_portus(
    source: Source,
    registry: Registry,
    output: Into = None,
    push_policy: PushPolicy = "",
    username: Username = "",
    password_stdin: PasswordStdin = False,
    ca_file: CaFile = "",
    insecure_http: InsecureHttp = False,
    as_json: AsJson = False,
) -> None:
    """Portus: teams, namespaces and users."""

    def convert() -> Imported:
        answers = _answers(reading.portus, source, username, password_stdin, ca_file, insecure_http)
        if push_policy and isinstance(answers, dict):
            answers = {**answers, "push_policy": push_policy}
        return portus.convert(answers, Options(registry))

    _run(convert, output, Output(as_json=as_json))


def _answers(
    ask: Callable[..., Any],
    source: str,
    username: str,
    password_stdin: bool,
    ca_file: str,
    insecure_http: bool,
) -> Any:
    """A file's answers, or the service's own."""
    if "://" not in source:
        return _from_file(Path(source))
    address = server_address(source, insecure_http=insecure_http)
    if not username or not password_stdin:
        raise Misused("An address is asked with --username NAME and --password-stdin.")
    secret = piped()
    if not secret:
        raise Misused("There is no password on standard input.")
    return ask(address, Credential(username, secret), ca_file=ca_file)


def _from_file(path: Path) -> Any:
    try:
        return reading.answers_file(path)
    except Mistyped as error:
        hint = "" if path.exists() else f" If it is an address, write https://{path}."
        raise Mistyped(f"{error}{hint}") from None


def _run(convert: Callable[[], Imported], output: Path | None, out: Output) -> None:
    """Writes the document, and says what is not in it."""
    try:
        imported = convert()
    except Mistyped as error:
        raise Misused(str(error)) from None
    except NotAnswering as error:
        raise Unreachable(str(error)) from None
    except NotImportable as error:
        raise Failure(str(error)) from None
    text = write(imported.document)
    if output is not None:
        try:
            output.write_text(text, encoding="utf-8")
        except OSError as error:
            raise Failure(f"{output} cannot be written: {error.strerror}.") from None
    if out.as_json:
        remarks = [one.as_data() for one in imported.remarks]
        out.document({"document": imported.document, "remarks": remarks, "people": imported.people})
        return
    if output is None:
        sys.stdout.write(text)
    _tell(imported, output, out)


def _tell(imported: Imported, output: Path | None, out: Output) -> None:
    for remark in imported.remarks:
        out.note(_line(remark))
        if remark.advice:
            out.note(f"    → {remark.advice}")
    count = len(imported.grants)
    where = f" in {output}" if output else ""
    out.note(f"{count:,} grants{where}, {len(imported.remarks):,} remarks. Nothing was changed.")


def _line(remark: Remark) -> str:
    return f"{remark.kind.value}: {remark.subject}: {remark.reason}"

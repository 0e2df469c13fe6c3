"""`api`: any address of the REST API, for what has no command of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from portolan.addresses import API
from portolan.failures import Misused
from portolan.options import command
from portolan.server import read
from portolan.session import Session

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")

Method = Annotated[str, typer.Argument(metavar="METHOD", help="GET, POST, PUT, PATCH or DELETE.")]
Path_ = Annotated[str, typer.Argument(metavar="PATH", help="Such as /registries?limit=5.")]
Fields = Annotated[
    list[str] | None,
    typer.Option(
        "--field", "-f", metavar="NAME=VALUE", help="A field of the body; JSON values as they are."
    ),
]
Input = Annotated[
    str, typer.Option("--input", metavar="FILE", help="The body, from a file or - for stdin.")
]
Headers = Annotated[
    list[str] | None, typer.Option("--header", "-H", metavar="NAME:VALUE", help="Send it, too.")
]
Paginate = Annotated[bool, typer.Option("--paginate", help="Walk a list to its end: JSON lines.")]


def add_to(app: typer.Typer) -> None:
    command(app)(api)


def api(
    session: Session,
    method: Method,
    path: Path_,
    field: Fields = None,
    input_: Input = "",
    header: Headers = None,
    paginate: Paginate = False,
) -> None:
    """Ask any address of the REST API and print what it answers.

    The addresses: /api/v1/docs/ of your server. Example: portolan api POST /registries/prod/runs -f full=true
    """
    method = method.upper()
    if method not in METHODS:
        raise Misused(f"“{method}” is no method; there are {', '.join(METHODS)}.")
    address = _address(path)
    if paginate:
        _walk(session, method, address)
        return
    content = _body(field or [], input_)
    headers = dict(_header(one) for one in header or [])
    if content is not None:
        headers.setdefault("Content-Type", "application/json")
    response = session.server.send(method, address, content=content, headers=headers, largest=None)
    media_type = response.headers.get("Content-Type", "").partition(";")[0]
    if method == "HEAD":
        session.out.document(dict(response.headers))
    elif media_type == "application/json":
        value = read(response)
        if value is not None:
            session.out.document(value)
    else:
        session.out.content(response.content)


def _address(path: str) -> str:
    """Below the prefix, with which it may be written, too."""
    if "://" in path:
        raise Misused(
            "Write the path alone, such as /registries: the server is the one signed in to."
        )
    return "/" + path.removeprefix(API).lstrip("/")


def _walk(session: Session, method: str, address: str) -> None:
    if method != "GET":
        raise Misused("--paginate is for GET.")
    for row in session.server.pages(address):
        session.out.line(row)


def _body(fields: list[str], file: str) -> bytes | None:
    if fields and file:
        raise Misused("Give --field or --input, not both.")
    if file == "-":
        return sys.stdin.buffer.read()
    if file:
        try:
            return Path(file).read_bytes()
        except OSError as error:
            raise Misused(f"{file} cannot be read: {error.strerror}.") from None
    if not fields:
        return None
    return json.dumps(dict(_field(one) for one in fields)).encode()


def _field(text: str) -> tuple[str, Any]:
    """`full=true` is a truth and `name=prod` a text."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise Misused(f"“{text}” is no field: write NAME=VALUE.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or name.lower() == "authorization":
        raise Misused(f"“{name}” is no header to send: write NAME:VALUE.")
    return name.strip(), value.strip()

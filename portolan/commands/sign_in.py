"""`login`, `logout`, `whoami`, `contexts`, `use`: at which servers one is known, and to docker as whom."""

from __future__ import annotations

import contextlib
import getpass
import os
import platform
import shutil
import sys
import webbrowser
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import typer

from portolan import completion, docker_config
from portolan.addresses import server_address, short_name
from portolan.browser import token_from_browser
from portolan.contexts import Context
from portolan.failures import Failure, Misused, NotSignedIn
from portolan.options import command
from portolan.output import Column
from portolan.served import hosts_served
from portolan.server import Server
from portolan.session import Session, how_to_choose
from portolan.tokens import piped, token_in
from portolan.units import since

HELPER_PROGRAM = "docker-credential-portolan"

ToServer = Annotated[
    str,
    typer.Argument(metavar="SERVER", help="Such as portolan.example.com.", show_default=False),
]
TokenStdin = Annotated[bool, typer.Option("--token-stdin", help="Read the token there.")]
InBrowser = Annotated[
    bool | None,
    typer.Option(
        "--browser/--no-browser",
        help="Agree on the server's page, or paste a token; without either, what is possible here.",
        show_default=False,
    ),
]
Name = Annotated[
    str,
    typer.Option(help="What to call this context, if not by its host.", show_default=False),
]
NoDocker = Annotated[
    bool, typer.Option("--no-docker", help="Leave docker's configuration as it is.")
]
ContextName = Annotated[str, typer.Argument(autocompletion=completion.context_names)]


def add_to(app: typer.Typer) -> None:
    command(app, to_the_end=True)(login)
    command(app, to_the_end=True)(logout)
    command(app)(whoami)
    command(app, "contexts")(list_contexts)
    command(app)(use)


def login(
    session: Session,
    to: ToServer = "",
    token_stdin: TokenStdin = False,
    browser: InBrowser = None,
    name: Name = "",
    no_docker: NoDocker = False,
) -> None:
    """Sign in at a server, and let docker use it.

    In a browser you agree that a token is made for this machine; or paste one, or pipe it in. It is kept in a file that only you can read. For the registries whose token server is this
    Portolan, docker, podman, skopeo and crane are told to ask `docker-credential-portolan`.
    """
    before = _before(session, to)
    token = _token(session, before, from_stdin=token_stdin, browser=browser)
    with Server(before.server, token, ca_file=before.ca_file) as server:
        me = _me(server)
        context = replace(before, name=name or before.name, token=token, principal=me["principal"])
        # Before docker's file is touched: whatever is wrong with that, one is signed in.
        session.contexts.with_context(context).save()
        served = [] if no_docker else hosts_served(server)
    ours, others = _told_docker(session, context, served)
    # What was found before and cannot be reached today stays known.
    registries = () if no_docker else tuple(dict.fromkeys((*ours, *before.registries)))
    context = replace(context, registries=registries)
    session.contexts.with_context(context).save()
    _tell(session, context, ours, others)


def logout(session: Session) -> None:
    """Forget the token, and tell docker to ask here no more.

    The token itself stays valid: revoke it on your profile's page if it may have been seen.
    """
    context = session.contexts.find(session.choice.context, _typed(session))
    if context is None:
        known = session.contexts
        named = session.choice.context or session.choice.server
        raise NotSignedIn(
            how_to_choose(known) if known.contexts and not named else "You are not signed in there."
        )
    left = session.contexts.without(context.name)
    left.save()
    # By another context, or by hand: that was another sign-in, and is ended by itself.
    stays = [host for host in context.registries if left.knows(host)]
    gone = docker_config.remove(host for host in context.registries if host not in stays)
    shown = {"context": context.name, "server": context.server, "docker": gone}
    if session.out.as_json:
        session.out.document(shown)
        return
    session.out.print(f"Signed out of {context.server}.")
    if gone:
        session.out.print(f"docker asks here no more for {', '.join(gone)}.")
    if stays:
        session.out.note(f"docker is still signed in at {', '.join(stays)}, otherwise.")
    if left.contexts and not left.current:
        session.out.note(how_to_choose(left))


def whoami(session: Session) -> None:
    """Say as whom you are signed in, and what that allows."""
    me = _me(session.server)
    out = session.out
    if out.as_json:
        out.document(me | {"server": session.context.server})
        return
    out.print(f"{me['principal']} at {session.context.server}")
    if me["entitlements"]:
        out.print("")
    out.rows(_ENTITLEMENTS, me["entitlements"], empty="This allows nothing yet.")


def list_contexts(session: Session) -> None:
    """List the servers that you are signed in to."""
    known = session.contexts
    rows = [
        {
            "name": one.name,
            "server": one.server,
            "principal": one.principal,
            "current": one.name == known.current,
            "docker": list(one.registries),
        }
        for one in known.contexts.values()
    ]
    session.out.rows(_CONTEXTS, rows, empty="You are not signed in anywhere.")


def use(session: Session, name: ContextName) -> None:
    """Make a context the one that commands ask when nothing else is said."""
    if name not in session.contexts.contexts:
        raise Misused(f"There is no context “{name}”. See: portolan contexts")
    changed = replace(session.contexts, current=name)
    changed.save()
    session.out.print(f"Commands ask {changed.contexts[name].server} now.")


_ENTITLEMENTS = (
    Column("Role", lambda row: row["role"], style="bold"),
    Column("Scope", lambda row: row["scope"]),
    Column("Through", lambda row: f"team:{row['team']}" if row["team"] else "–", spare=True),
    Column("Until", lambda row: since(row["until"]), spare=True, piped=lambda row: row["until"]),
    Column("Allows", lambda row: ", ".join(row["actions"]), spare=True, long=True),
)
_CONTEXTS = (
    Column("Context", lambda row: row["name"], style="bold"),
    Column("Current", lambda row: "yes" if row["current"] else ""),
    Column("As", lambda row: row["principal"]),
    Column("Server", lambda row: row["server"], spare=True),
    Column("Docker asks for", lambda row: ", ".join(row["docker"]), spare=True, long=True),
)


def _told_docker(
    session: Session, context: Context, hosts: list[str]
) -> tuple[list[str], list[str]]:
    try:
        return docker_config.add(hosts) if hosts else ([], [])
    except Failure:
        session.out.note(f"You are signed in at {context.server}; docker is not.")
        raise


def _typed(session: Session) -> str:
    given = session.choice.server
    return server_address(given, insecure_http=True) if given else ""


def _before(session: Session, to: str) -> Context:
    """What is known of the server to sign in to; the current one where none is named."""
    choice = session.choice
    given = to or choice.server
    if not given:
        known = session.contexts.find(choice.context)
        if known is None:
            raise Misused("Say where: portolan login portolan.example.com")
        given = known.server
    address = server_address(given, insecure_http=choice.insecure_http)
    found = session.contexts.find(choice.context, "" if choice.context else address)
    found = found or Context(choice.context or short_name(address), address, "")
    if found.server != address:
        raise Misused(f"The context “{found.name}” is at {found.server}, not at {address}.")
    return replace(
        found,
        ca_file=choice.ca_file or found.ca_file,
        insecure_http=choice.insecure_http or found.insecure_http,
    )


def _token(session: Session, context: Context, *, from_stdin: bool, browser: bool | None) -> str:
    """Made in the browser, typed without being seen, or read from a pipe."""
    if from_stdin:
        return token_in(piped(), "What came in")
    here = sys.stdin.isatty()
    if browser or (browser is None and here and _has_browser()):
        made = token_from_browser(
            context.server, ca_file=context.ca_file, opened=partial(_open, session)
        )
        return token_in(made, "What the server answered")
    if not here:
        raise Misused("Nobody is here to type a token: pipe it in with --token-stdin.")
    session.out.note(f"Make a token at {context.server}/access/tokens/new/ and paste it here.")
    return token_in(getpass.getpass("Token (it is not shown): "), "What was typed")


def _has_browser() -> bool:
    """Whether one would open beside this terminal, and not in it or on another machine."""
    if "SSH_CONNECTION" in os.environ:
        return False
    if platform.system() == "Linux":
        return any(name in os.environ for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    return True


def _open(session: Session, page: str, words: str) -> None:
    session.out.note(f"Agree in the browser, where it shows {words}. The page:")
    session.out.note(page)
    with contextlib.suppress(webbrowser.Error, OSError):
        if _has_browser():
            webbrowser.open(page)


def _me(server: Server) -> dict[str, Any]:
    me = server.get("/")
    return dict(me)


def _tell(session: Session, context: Context, ours: list[str], others: list[str]) -> None:
    out = session.out
    if out.as_json:
        out.document(
            {
                "context": context.name,
                "server": context.server,
                "principal": context.principal,
                "docker": ours,
                "left_to_other_helpers": others,
            }
        )
        return
    out.print(f"Signed in at {context.server} as {context.principal}.")
    if ours:
        out.print(f"docker signs in by itself at {', '.join(ours)}.")
        if shutil.which(HELPER_PROGRAM) is None:
            out.note(f"{HELPER_PROGRAM} is not on PATH, where docker looks for it.")
    for host in others:
        out.note(f"docker asks another helper for {host}, and still does.")

"""What every command has in hand: the output, and the server that it is about, asked when needed."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

from portolan.addresses import server_address
from portolan.contexts import Context, Contexts
from portolan.failures import Misused, NotSignedIn
from portolan.output import Output
from portolan.server import Server
from portolan.tokens import token_in

SERVER = "PORTOLAN_SERVER"
TOKEN = "PORTOLAN_TOKEN"  # noqa: S105  the name of a variable


@dataclass(frozen=True, slots=True)
class Choice:
    """Which server was asked for, by the options that every command has."""

    server: str = ""
    context: str = ""
    ca_file: str = ""
    insecure_http: bool = False


@dataclass
class Session:
    """One run of a command. Used as a context, it closes what it opened."""

    choice: Choice
    out: Output
    _closing: contextlib.ExitStack = field(default_factory=contextlib.ExitStack)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._closing.close()

    @cached_property
    def contexts(self) -> Contexts:
        return Contexts.load()

    @cached_property
    def context(self) -> Context:
        """Where this run signs in. A token belongs to the server that it was made at: one that is
        remembered goes nowhere else, and PORTOLAN_TOKEN goes to the server that was chosen."""
        known = self._known()
        given = os.environ.get(TOKEN, "")
        token = token_in(given, TOKEN) if given else ""
        address = self._address(known)
        if not address:
            raise NotSignedIn(
                how_to_choose(self.contexts)
                if self.contexts.contexts
                else "You are not signed in anywhere. Run: portolan login SERVER"
            )
        if not token and (known is None or not known.token):
            raise NotSignedIn(f"You are not signed in at {address}. Run: portolan login {address}")
        remembered = known or Context("", address, "")
        return Context(
            remembered.name,
            address,
            token or remembered.token,
            "" if token else remembered.principal,
            self.choice.ca_file or remembered.ca_file,
            remembered.insecure_http,
            remembered.registries,
        )

    @cached_property
    def server(self) -> Server:
        context = self.context
        return self._closing.enter_context(
            Server(context.server, context.token, ca_file=context.ca_file)
        )

    def _known(self) -> Context | None:
        name, server = self.choice.context, self._chosen_server
        if name and name not in self.contexts.contexts:
            there = ", ".join(self.contexts.contexts) or "none"
            raise Misused(f"There is no context “{name}”. Known: {there}.")
        found = self.contexts.find(name, server)
        if name and server and found is not None and found.server != server:
            raise Misused(f"The context “{name}” is at {found.server}, not at {server}.")
        return found

    def _address(self, known: Context | None) -> str:
        if known is None:
            return self._chosen_server
        return server_address(
            known.server, insecure_http=known.insecure_http or self.choice.insecure_http
        )

    @cached_property
    def _chosen_server(self) -> str:
        """By option, or by environment; a context that was named goes before the environment."""
        given = self.choice.server or ("" if self.choice.context else os.environ.get(SERVER, ""))
        return server_address(given, insecure_http=self._may_be_plain(given)) if given else ""

    def _may_be_plain(self, given: str) -> bool:
        """Whether it was allowed now, or when one signed in there."""
        known = self.contexts.find(server=given.rstrip("/"))
        return self.choice.insecure_http or (known.insecure_http if known else False)


def how_to_choose(contexts: Contexts) -> str:
    """For who is signed in somewhere, and has said at no place which server to ask."""
    return f"No server is chosen. Run: portolan use {' or '.join(contexts.contexts)}"

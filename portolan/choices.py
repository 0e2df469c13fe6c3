"""What there is to choose from, told to who chose something else."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence

from portolan.failures import Failure, Misused, Refused
from portolan.server import Server

Known = Callable[[Server], Iterable[str]]


@contextlib.contextmanager
def offered(
    server: Server, field: str, noun: str, written: Sequence[str], known: Known
) -> Iterator[None]:
    """While the server is given what was `written` as this field: if it refuses that, it raises
    Misused with all that are `known`, which costs a request only then."""
    try:
        yield
    except Refused as refused:
        if refused.fields != {field}:
            raise
        there: list[str] = []
        with contextlib.suppress(Failure):  # who may not read the list has the server's words
            there = list(known(server))
        wrong = next((one for one in written if one not in there), "")
        if not there or not wrong:
            raise
        raise Misused(f"“{wrong}” is no {noun}. There are {', '.join(there)}.") from None


def one_of(written: str, noun: str, known: Sequence[str]) -> str:
    """What was written, if it is known here; raises Misused."""
    if written not in known:
        raise Misused(f"“{written}” is no {noun}. There are {', '.join(known)}.")
    return written


def order(written: str, known: Sequence[str]) -> str:
    """A sort key, which a minus turns round, or nothing; raises Misused."""
    if written:
        one_of(written.removeprefix("-"), "order", known)
    return written


def roles(server: Server) -> Iterator[str]:
    return (str(row["name"]) for row in server.pages("/roles"))


def actions(server: Server) -> list[str]:
    """All that a role may allow."""
    return [str(row["name"]) for row in server.get("/actions")["items"]]


def topics(server: Server) -> Iterator[str]:
    return (str(one["topic"]) for one in server.get("/webhooks/topics")["topics"])

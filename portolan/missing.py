"""What is not there, told by its name: the server says only of what kind it is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from portolan.addresses import path_of
from portolan.failures import Ending, Failure, Refused
from portolan.references import Reference
from portolan.server import Server


@contextlib.contextmanager
def named(server: Server, *asked: Reference) -> Iterator[None]:
    """While these are asked for: where one is not there, it raises Failure with the name of it, or
    of what should hold it. It costs requests only then."""
    try:
        yield
    except Refused as refused:
        if refused.status in (404, 422) and refused.ending is not Ending.USAGE:
            for reference in asked:
                require(server, reference)
        raise


def require(server: Server, reference: Reference) -> None:
    """Raises Failure where it is not there. One without a path is a registry."""
    for address, sentence in _parts(reference):
        try:
            server.get(address)
        except Refused as refused:
            if refused.status == 404:
                raise Failure(sentence, Ending.NOT_ALLOWED) from None
            raise


def _parts(one: Reference) -> Iterator[tuple[str, str]]:
    """From the outside in: an address that is there if the part is, and the sentence if not."""
    registry, path = one.registry, one.path
    yield path_of("registries", registry), f"You see no registry “{registry}”."
    if not path:
        return
    yield one.address, f"You see no repository “{path}” in {registry}."
    if one.tag:
        yield one.below("tags", one.tag), f"There is no tag “{one.tag}” in {registry}/{path}."
    if one.digest:
        sentence = f"There is no image {one.digest} in {registry}/{path}."
        yield one.below("manifests", one.digest), sentence

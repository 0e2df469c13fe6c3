"""Tags that point at a manifest at the registry and were confirmed by nobody: asked just before it goes.

A pipeline may have set one since the last sync. What happens between this and the deletion itself no
registry lets anybody rule out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from registries.connectors import Connector
from registries.models import Repository
from registries.oci.errors import NotFound, ServerFailed
from registries.oci.listings import TagListing

# Tags that are asked one by one where the listing does not say what they point at: somebody waits.
MOST_ASKED = 200
AT_A_TIME = 8
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Others:
    """Tags that would go unseen. None are named where there are too many new ones to ask."""

    tags: frozenset[str] = frozenset()

    def __str__(self) -> str:
        if not self.tags:
            return _("The registry has many tags that Portolan has not read yet: look again later.")
        named = ", ".join(sorted(self.tags)[:_NAMED])
        more = "" if len(self.tags) <= _NAMED else ", …"
        told = ngettext(
            "At the registry %(count)d more tag points at it (%(names)s): look again at what would go.",
            "At the registry %(count)d more tags point at it (%(names)s): look again at what would go.",
            len(self.tags),
        )
        return told % {"count": len(self.tags), "names": named + more}


def latest_first(repository: Repository) -> list[str]:
    """The tags that we know in a repository, those that moved last first: they move again."""
    return list(repository.tags.order_by("-changed_at", "pk").values_list("name", flat=True))


async def others_at(
    connector: Connector, path: str, digest: str, confirmed: AbstractSet[str], known: Sequence[str]
) -> Others | None:
    """The tags at the registry that point at `digest` and are not `confirmed`, None for none.

    Where the vendor's listing says what tags point at, it is asked nothing else. Elsewhere tags are
    asked one by one, at most `MOST_ASKED`: all that are not `known`, then the known ones in order;
    that one beyond them was moved there since the last sync is not found. Raises RegistryError
    where the tags cannot be listed.
    """
    try:
        listing = await connector.tags(path)
    except NotFound as error:
        if error.is_proof:
            return None
        raise
    if not listing.complete:
        raise listing.problem or ServerFailed(f"The tags of {path} were not listed to the end.")
    told = {tag for tag, pointed in listing.digests.items() if pointed == digest} - confirmed
    asked = _worth_asking(listing, confirmed, known)
    if asked is None:
        return Others()
    told |= await _pointing(connector, path, digest, asked)
    return Others(frozenset(told)) if told else None


def _worth_asking(
    listing: TagListing, confirmed: AbstractSet[str], known: Sequence[str]
) -> list[str] | None:
    untold = set(listing.names) - listing.digests.keys() - confirmed
    new = untold.difference(known)
    if len(new) > MOST_ASKED:
        return None
    return [*new, *(tag for tag in known if tag in untold)][:MOST_ASKED]


async def _pointing(connector: Connector, path: str, digest: str, tags: Sequence[str]) -> set[str]:
    turns = asyncio.Semaphore(AT_A_TIME)

    async def points(tag: str) -> bool:
        async with turns:
            head = await connector.head(path, tag)
        return head is not None and head.digest == digest

    answers = await asyncio.gather(*map(points, tags))
    return {tag for tag, answer in zip(tags, answers, strict=True) if answer}

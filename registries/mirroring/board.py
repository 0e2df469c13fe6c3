"""Two places tag by tag: the same digest, behind, ahead, missing, and since when.

Nothing is stored and no registry is asked: a board is as true as the last reading of both.

Whoever looks sees pairs of which he may see both ends, whether or not there is anything at the other
end. Else the lack of a row would tell that there is a repository which he may not know of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db import models
from django.utils.translation import gettext_lazy as _

from registries.mirroring.mirrors import is_pattern
from registries.mirroring.statement import statement
from registries.models.tags import REFERRING_TAG
from registries.sync.plan import version_key
from registries.sync.staging import fetch

PAGE_SIZE = 50
# Tags compared at once, of both sides together. What a pair has beyond is another part of its board.
TAGS_COMPARED = 50_000


class State(models.TextChoices):
    """How a tag stands in the target; in the order of what wants looking at."""

    MISSING = "missing", _("missing")
    BEHIND = "behind", _("behind")
    PLATFORM = "platform", _("one platform only")
    DIFFERENT = "different", _("different")
    AHEAD = "ahead", _("ahead")
    EXTRA = "extra", _("only in the target")
    SAME = "same", _("same")


class Seen(Protocol):
    """How much of a registry somebody may look into; namespaces have no slash at the end."""

    @property
    def whole(self) -> bool: ...
    @property
    def namespaces(self) -> Sequence[str]: ...
    @property
    def repositories(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a pair: a registry's id, a path as in `Mirror`, and what of it may be seen."""

    registry: int
    path: str
    seen: Seen

    @property
    def prefix(self) -> str:
        """What stands before the part that both sides share."""
        return self.path.removesuffix("*")


@dataclass(frozen=True, slots=True)
class Asked:
    """What of a board is wanted. A cursor is the (repository, tag) of the row at the page's edge.

    `only` is one repository, by the part of its path that both sides share; None asks for all.
    `tags` is a pattern with * and ?. `begin` is where a part begins that is not the first.
    """

    tags: str = ""
    state: str = ""
    only: str | None = None
    with_referrers: bool = False
    by_repository: bool = False
    begin: str = ""
    cursor: tuple[str, str] | None = None
    backwards: bool = False
    size: int = PAGE_SIZE
    limit: int = TAGS_COMPARED


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag of a pair of repositories; a digest is empty where that side has no such tag.

    `since` is when the source got what is missing, when it moved on from what the target still has,
    when the target moved on, or when it got what the source has not; None where nobody saw that.
    """

    rest: str
    name: str
    state: State
    since: datetime | None
    source_digest: str
    target_digest: str


@dataclass(frozen=True, slots=True)
class RepositoryRow:
    """A pair of repositories with its tags by state; either side may have none. `is_read` says that
    the tags of both were read completely once."""

    rest: str
    in_source: bool
    in_target: bool
    is_read: bool
    counts: Mapping[State, int]


@dataclass(frozen=True, slots=True)
class Board:
    """A page, and the sums of the part of the board that it is of.

    `next_part` is where the next part begins, None if this is the last; `more` says that there are
    rows beyond the page, in the direction that was asked for.
    """

    counts: Mapping[State, int]
    repositories: int
    next_part: str | None
    more: bool
    tags: Sequence[TagRow] = ()
    pairs: Sequence[RepositoryRow] = ()

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def lacking(self) -> int:
        """How many tags of the source the target does not have as they are."""
        return self.total - self.counts[State.SAME] - self.counts[State.EXTRA]


def compare(source: Side, target: Side, asked: Asked) -> Board:
    """The page of the board that was asked for, with one statement.

    At most about `asked.limit` tags are compared, but always a whole repository.
    """
    rest, name = asked.cursor or ("", "")
    parameters: dict[str, Any] = {
        "only": asked.only,
        "begin": asked.begin,
        "limit": asked.limit,
        "tags": _like(asked.tags),
        "referring": REFERRING_TAG,
        "state": asked.state,
        "rows": asked.size + 1,
        "rest": rest,
        "name": name,
        "version_key": version_key(name),
        **_end("source", source),
        **_end("target", target),
    }
    text = statement(
        source=_extent(source),
        target=_extent(target),
        source_whole=source.seen.whole,
        target_whole=target.seen.whole,
        only=asked.only is not None,
        tags=bool(asked.tags),
        with_referrers=asked.with_referrers,
        by_repository=asked.by_repository,
        cursor=("<" if asked.backwards else ">") if asked.cursor else "",
    )
    [(counts, repositories, next_part, rows)] = fetch(text, parameters)
    found = (rows or [])[: asked.size]
    if asked.backwards:
        found.reverse()
    return Board(
        counts=_counts(counts),
        repositories=repositories,
        next_part=next_part,
        more=len(rows or []) > asked.size,
        tags=() if asked.by_repository else [_tag_row(*row) for row in found],
        pairs=[_repository_row(*row) for row in found] if asked.by_repository else (),
    )


def _end(name: str, side: Side) -> dict[str, Any]:
    return {
        f"{name}_registry": side.registry,
        f"{name}_prefix": side.prefix,
        f"{name}_length": len(side.prefix),
        # "/" + 1 is "0": all that begins with the prefix, by byte order (collation C).
        f"{name}_before": f"{side.prefix[:-1]}0",
        f"{name}_paths": list(side.seen.repositories),
        f"{name}_below": [f"{namespace}/" for namespace in side.seen.namespaces],
    }


def _extent(side: Side) -> str:
    if not side.path:
        return "registry"
    return "pattern" if is_pattern(side.path) else "repository"


def _like(pattern: str) -> str:
    """A pattern of people as LIKE has it; what LIKE reads otherwise stands for itself."""
    escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return escaped.replace("*", "%").replace("?", "_")


def _tag_row(
    rest: str, name: str, state: str, since: str | None, source: str | None, target: str | None
) -> TagRow:
    at = datetime.fromisoformat(since) if since else None
    return TagRow(rest, name, State(state), at, source or "", target or "")


def _repository_row(
    rest: str,
    in_source: bool,
    in_target: bool,
    is_read: bool,
    counts: Mapping[str, int] | None,
) -> RepositoryRow:
    return RepositoryRow(rest, in_source, in_target, is_read, _counts(counts))


def _counts(found: Mapping[str, int] | None) -> dict[State, int]:
    return {state: (found or {}).get(state.value, 0) for state in State}

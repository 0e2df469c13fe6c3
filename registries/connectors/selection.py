"""Which repositories of a registry are wanted: exact names, or patterns such as `team-a/*`."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import translate

from registries.oci.connection import InvalidConnection
from registries.oci.reference import InvalidReference, is_repository, parse_repository

_WILDCARDS = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Selection:
    """Exact names and a pattern for names; with neither, everything is wanted."""

    names: tuple[str, ...]
    pattern: re.Pattern[str] | None

    @classmethod
    def parse(cls, texts: Sequence[str]) -> "Selection":
        """Return the selection written in `texts`, or raise `InvalidConnection`.

        `*` also stands for `/`, so `team-a/*` is all that lies below team-a.
        """
        wanted = [text.strip() for text in texts if text.strip()]
        patterns = [text for text in wanted if _WILDCARDS.search(text)]
        names = [text for text in wanted if not _WILDCARDS.search(text)]
        try:
            names = [parse_repository(name) for name in names]
        except InvalidReference as error:
            raise InvalidConnection(str(error)) from None
        pattern = re.compile("|".join(map(translate, patterns))) if patterns else None
        return cls(tuple(dict.fromkeys(names)), pattern)

    @property
    def needs_catalog(self) -> bool:
        """Whether the registry must be asked what it holds."""
        return self.pattern is not None or not self.names

    def of_catalog(self, paths: Iterable[str]) -> tuple[str, ...]:
        """Return those of a catalog page that are wanted and not among the exact names."""
        given = set(self.names)
        return tuple(
            path
            for path in paths
            if path not in given and (self.pattern is None or self.pattern.match(path))
        )


def namespaces_of(given: str, wanted: Iterable[str]) -> tuple[str, ...]:
    """Return the namespaces named in a field, and those that patterns such as `team-a/*` begin with.

    For vendors that list by namespace only. Raises `InvalidConnection` for a name none can have.
    """
    named = given.replace(",", " ").split()
    for name in named:
        if "/" in name or not is_repository(name):
            raise InvalidConnection(f"{name[:80]!r} is not the name of a user or organisation.")
    heads = (text.strip().partition("/") for text in wanted if _WILDCARDS.search(text))
    begun = (head for head, slash, _ in heads if slash and is_repository(head))
    return tuple(dict.fromkeys((*named, *begun)))

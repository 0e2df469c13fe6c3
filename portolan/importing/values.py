"""Taking values out of a stranger's JSON or YAML: what is not of the sort is not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portolan.importing.problems import NotImportable


def mapping(value: object) -> dict[Any, Any]:
    """It, if it is a mapping; else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: object) -> Iterator[dict[Any, Any]]:
    """The mappings in a list."""
    if isinstance(value, list):
        yield from (one for one in value if isinstance(one, dict))


def text(value: object) -> str:
    """It, if it is a text; else an empty one."""
    return value if isinstance(value, str) else ""


def whole(value: object) -> int | None:
    """It, if it is a whole number of ordinary size."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
        return value
    return None


def is_true(value: object) -> bool:
    """JSON's true, or the text of it, as Harbor's metadata has it."""
    return value is True or value == "true"


def answers(data: object, *needed: str, what: str) -> dict[Any, Any]:
    """A file's answers by name; raises NotImportable where one that is needed is not there."""
    found = mapping(data)
    for name in needed:
        if not isinstance(found.get(name), list):
            raise NotImportable(
                f"This is no {what}: it needs “{name}”, a list (docs/migrating.md)."
            )
    return found


def by_name(value: object, *keys: object) -> list[dict[Any, Any]]:
    """The list under the first of the keys that is there; JSON's keys are texts."""
    found = mapping(value)
    for key in keys:
        if key is not None and str(key) in found:
            return list(objects(found[str(key)]))
    return []

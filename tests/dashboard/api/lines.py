"""A line of the tables of the REST API's addresses: who may ask for one, and what others are told.

A resource gets its lines in the table of its area (`endpoints_*.py`); `test_endpoints.py` fails until
it has one for each method:

    ApiLine("POST", "/registries/harbour/runs", needs("registry manage"), 403, 202, 404)

`403` is told to who has every right there but that one, `202` to who has that right and no other, and
`404` to an owner of another registry. Nobody gets further than `401`. What stands in braces is of
`tests/dashboard/ground.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from tests.dashboard.endpoints import Being, Maintaining, Needs, SigningIn


@dataclass(frozen=True)
class ApiLine:
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    needs: Needs | Maintaining | Being | SigningIn
    without: int
    granted: int
    elsewhere: int
    body: Any = field(default=None, hash=False)
    # By who has just said once more who he is.
    reassured: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

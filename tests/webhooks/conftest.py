"""The standing cast plays here."""

from tests.cast import (
    as_outsider,
    as_owner,
    as_stranger,
    as_viewer,
    nothing_remembered,
    outsider,
    owner,
    viewer,
)

__all__ = [
    "as_outsider",
    "as_owner",
    "as_stranger",
    "as_viewer",
    "nothing_remembered",
    "outsider",
    "owner",
    "viewer",
]

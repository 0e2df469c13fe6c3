"""These tests have the standing cast: owner, viewer, stranger."""

from tests.cast import (
    as_owner,
    as_stranger,
    as_viewer,
    nothing_remembered,
    owner,
    viewer,
)

__all__ = ["as_owner", "as_stranger", "as_viewer", "nothing_remembered", "owner", "viewer"]

"""What not every machine can have: tests that want it are skipped there, also where CI=true."""

from typing import NoReturn

import pytest

MARK = "extra: "


def skip(why: str) -> NoReturn:
    """Skip a test for something that is extra; `why` says what is missing and how it is had."""
    pytest.skip(MARK + why)

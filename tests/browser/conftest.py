"""Chromium runs from the first test that needs it to the last of all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser import chromium


@pytest.fixture(scope="session", autouse=True)
def chromium_ends() -> Iterator[None]:
    yield
    chromium.end()

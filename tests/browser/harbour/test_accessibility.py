"""Nothing stands in anybody's way on any page of the catalog, in light, in dark and on a phone."""

from __future__ import annotations

import pytest

from tests.browser.harbour.conftest import OpenContext
from tests.browser.harbour.test_paths import PAGES
from tests.browser.judging import faults_of, judge

pytestmark = pytest.mark.browser


def test_every_page_is_fit_for_everybody(open_context: OpenContext) -> None:
    page = open_context(has_touch=True, reduced_motion="reduce").new_page()
    assert faults_of(page, PAGES) == {}


def test_axe_finds_nothing_serious_in_the_palette(open_context: OpenContext) -> None:
    page = open_context(reduced_motion="reduce").new_page()
    page.goto("/r/harbour/")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("shop")
    page.locator("#option-all").wait_for()
    assert not judge(page)

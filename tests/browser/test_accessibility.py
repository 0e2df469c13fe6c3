"""axe-core finds nothing serious on any page, in light and in dark."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import ROOT, OpenContext
from tests.browser.test_paths import PAGES

pytestmark = pytest.mark.browser
AXE = ROOT / "node_modules/axe-core/axe.min.js"
GRAVE = {"serious", "critical"}
# All that a colour scheme can change; what a page is made of was judged in light.
OF_COLOURS = ["color-contrast", "link-in-text-block"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(open_context: OpenContext, scheme: str) -> None:
    page = open_context(color_scheme=scheme, reduced_motion="reduce").new_page()
    found = {address: faults(page, address) for address in PAGES}
    assert not {address: grave for address, grave in found.items() if grave}


def test_axe_finds_nothing_serious_in_the_palette(open_context: OpenContext) -> None:
    page = open_context(reduced_motion="reduce").new_page()
    page.goto("/r/harbour/")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("shop")
    page.locator("#option-all").wait_for()
    assert not judge(page)


def faults(page: Page, address: str) -> list[str]:
    page.goto(address)
    return judge(page)


def judge(page: Page) -> list[str]:
    """What is seriously wrong, each with the place where it is."""
    # By the debugger's way in: the page's own policy rightly forbids a foreign script.
    debugger = page.context.new_cdp_session(page)
    debugger.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches"):
        options["runOnly"] = OF_COLOURS
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{fault['id']}: {fault['nodes'][0]['html'][:200]}"
        for fault in found["violations"]
        if fault["impact"] in GRAVE
    ]

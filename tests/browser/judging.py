"""What is judged of every screen: barriers (axe-core) in light, colours in dark, width on a phone.

A page is opened once and looked at three times: opening it is what takes the time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from playwright.sync_api import Page

from tests.browser.conftest import ROOT

AXE = ROOT / "node_modules/axe-core/axe.min.js"
GRAVE = {"serious", "critical"}
# All that a colour scheme can change; what a page is made of is judged in light.
OF_COLOURS = ["color-contrast", "link-in-text-block"]
# Two frames drawn, and what they set moving at its end.
AT_REST = """async () => {
    for (let frame = 0; frame < 2; frame += 1) {
        await new Promise(requestAnimationFrame);
        await Promise.allSettled(document.getAnimations().map(one => one.finished));
    }
}"""
DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 800}


def faults_of(page: Page, addresses: Iterable[str]) -> dict[str, list[str]]:
    """By address, what is wrong with the page; addresses of pages in order are left out."""
    found = {}
    for address in addresses:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 200, address
        if faults := look_at(page):
            found[address] = faults
    return found


def look_at(page: Page) -> list[str]:
    """What is wrong with what the page shows now."""
    _show(page, "light")
    page.set_viewport_size({"width": DESKTOP["width"], "height": DESKTOP["height"]})
    faults = judge(page)
    _show(page, "dark")
    faults += [f"in the dark: {fault}" for fault in judge(page, OF_COLOURS)]
    _show(page, "light")
    page.set_viewport_size({"width": PHONE["width"], "height": PHONE["height"]})
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        faults.append("wider than a phone")
    return faults


def _show(page: Page, scheme: Literal["light", "dark"]) -> None:
    """In these colours, and at rest: on its way from one to the other, nothing has contrast."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.evaluate(AT_REST)


def judge(page: Page, rules: Iterable[str] = ()) -> list[str]:
    """What is seriously wrong by these rules of axe, or by all, each with the place where it is."""
    if not page.evaluate("'axe' in window"):
        # By the debugger's way in: the page's own policy rightly forbids a foreign script.
        debugger = page.context.new_cdp_session(page)
        debugger.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
    options: dict[str, object] = {"resultTypes": ["violations"]}
    if rules:
        options["runOnly"] = list(rules)
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{fault['id']}: {fault['nodes'][0]['html'][:200]}"
        for fault in found["violations"]
        if fault["impact"] in GRAVE
    ]

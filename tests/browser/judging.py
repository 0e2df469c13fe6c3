"""What is judged of every screen: barriers (axe-core) in light, colours in dark, width on a phone.

A page is opened once and looked at three times: opening it is what takes the time.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from playwright.sync_api import Page, ViewportSize

ROOT = Path(__file__).resolve().parents[2]
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
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 800}


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
    """What is wrong with what the page shows now; it is left light and wide, as the next is to be."""
    _show_light_and_wide(page)
    page.evaluate(AT_REST)
    faults = judge(page)
    # On its way from one colour to the other, nothing has contrast.
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.evaluate(AT_REST)
    faults += [f"in the dark: {fault}" for fault in judge(page, OF_COLOURS)]
    page.set_viewport_size(PHONE)
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        faults.append("wider than a phone")
    _show_light_and_wide(page)
    return faults


def _show_light_and_wide(page: Page) -> None:
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size(DESKTOP)


def judge(page: Page, rules: Iterable[str] = ()) -> list[str]:
    """What is seriously wrong by these rules of axe, or by all, each with the place where it is."""
    if not page.evaluate("'axe' in window"):
        # By the debugger's way in: the page's own policy rightly forbids a foreign script.
        debugger = page.context.new_cdp_session(page)
        debugger.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
    # Style sheets would be read once more, each by a request, for a rule that is still an experiment.
    options: dict[str, object] = {"resultTypes": ["violations"], "preload": False}
    if rules:
        options["runOnly"] = list(rules)
    found = page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{fault['id']}: {fault['nodes'][0]['html'][:200]}"
        for fault in found["violations"]
        if fault["impact"] in GRAVE
    ]

"""How the screens behave while one uses them: focus, order, place, and when something fails."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harbour.conftest import OpenContext
from tests.browser.harbour.test_paths import PAGES, SHOP

pytestmark = pytest.mark.browser
GATEWAY = "/r/harbour/platform/auth/gateway"

# Empty where the element with the focus shows it and lies under nothing that sticks to the window,
# or where nothing on the page has the focus.
FOCUS_IS_SEEN = """() => {
    const focused = document.activeElement;
    if (focused === document.body) {
        return "";
    }
    const shown = [focused, focused.closest("label")].some((element) => {
        const style = element && getComputedStyle(element);
        return style && style.outlineStyle === "solid" && parseFloat(style.outlineWidth) >= 2;
    });
    const box = (focused.closest("label") ?? focused).getBoundingClientRect();
    const at = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    const covered = at?.closest(".masthead") && !focused.closest(".masthead");
    return shown && !covered ? "" : focused.outerHTML.slice(0, 200);
}"""

# The notes at times and the like that run over the edge of the window once they have the focus.
NOTES_CUT_OFF = """() => [...document.querySelectorAll("[data-tip]")].filter((element) => {
    const box = element.getBoundingClientRect();
    element.focus();
    const note = getComputedStyle(element, "::after");
    const width = parseFloat(note.width);
    const begins = note.left === "auto"
        ? box.right - parseFloat(note.right) - width
        : box.left + parseFloat(note.left);
    const left = begins + (parseFloat(note.translate) || 0);
    return box.width && !(left >= 0 && left + width <= document.documentElement.clientWidth);
}).map((element) => element.dataset.tip)"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until a link of this name has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.innerText").strip() == name:
            return
    raise AssertionError(f"The keyboard does not come to {name}.")


# Lists


def test_a_phone_can_choose_what_a_list_is_sorted_by(open_context: OpenContext) -> None:
    page = open_context(viewport={"width": 390, "height": 844}, has_touch=True).new_page()
    page.goto(SHOP)
    for name in ("Size", "Tag", "Date"):
        page.get_by_role("link", name=name, exact=True).tap()
        expect(page.locator("th[aria-sort]")).to_have_text(name)
    expect(page.get_by_text("Platforms", exact=True)).not_to_be_in_viewport()


def test_an_exact_time_is_not_cut_off_on_a_phone(open_context: OpenContext) -> None:
    page = open_context(viewport={"width": 390, "height": 844}, has_touch=True).new_page()
    page.goto(SHOP)
    page.get_by_role("link", name="Date", exact=True).wait_for()
    cut_off = page.evaluate(NOTES_CUT_OFF)
    assert cut_off == []


def test_a_narrow_phone_shows_every_entry_of_the_menu(open_context: OpenContext) -> None:
    page = open_context(viewport={"width": 320, "height": 640}).new_page()
    page.goto("/")
    entries = page.get_by_role("navigation", name="Main").get_by_role("link")
    expect(entries).to_have_count(5)
    for entry in entries.all():
        expect(entry).to_be_in_viewport(ratio=1)


def test_sorting_leaves_the_focus_where_it_was(page: Page) -> None:
    page.goto(SHOP)
    page.get_by_role("link", name="Size", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator("th[aria-sort]")).to_have_text("Size")
    expect(page.get_by_role("link", name="Size", exact=True)).to_be_focused()


def test_a_filter_keeps_the_order_and_the_switch_keeps_the_filter(page: Page) -> None:
    page.goto("/r/harbour/")
    page.get_by_role("link", name="Last push").click()
    expect(page.locator("th[aria-sort]")).to_have_text("Last push")
    page.get_by_label("Part of the path").fill("service-1")
    expect(page.get_by_text("10 of 10 repositories, sorted by last push")).to_be_visible()
    page.get_by_role("link", name="Flat").click()
    expect(page).to_have_url(re.compile("q=service-1.*view=flat"))
    expect(page.get_by_text("10 of 10 repositories, sorted by last push")).to_be_visible()


def test_a_turned_page_begins_at_its_top(page: Page) -> None:
    page.goto(GATEWAY)
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("link", name="Previous")).to_be_attached()
    expect(page.locator("#results thead")).to_be_in_viewport(ratio=1)
    masthead = page.locator(".masthead").bounding_box()
    results = page.locator("#results").bounding_box()
    assert masthead is not None
    assert results is not None
    assert masthead["height"] <= results["y"]
    expect(page.get_by_role("link", name="Next")).to_be_focused()


# The palette


def test_enter_before_the_answer_searches_for_what_was_typed(page: Page) -> None:
    page.route("**/search/palette?q=gate*", lambda _: None)  # an answer that never comes
    page.goto("/r/harbour/")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option", name="Overview")).to_be_visible()
    page.keyboard.type("gateway")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/search\?q=gateway$"))


def test_one_escape_closes_the_palette_with_something_typed(page: Page) -> None:
    page.goto("/r/harbour/")
    page.keyboard.press("Control+k")
    page.get_by_role("combobox").fill("shop")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_palette_without_an_answer_says_so(open_context: OpenContext) -> None:
    page = open_context().new_page()
    page.route("**/search/palette*", lambda route: route.abort())
    page.goto("/r/harbour/")
    page.keyboard.press("Control+k")
    expect(page.locator("#palette-results")).to_have_text("The search did not answer. Try again.")


# When something fails


def test_a_list_that_could_not_be_had_says_so_until_it_can(open_context: OpenContext) -> None:
    page = open_context().new_page()
    page.goto("/r/harbour/")
    failed = page.get_by_text("Portolan did not answer as it should.")
    expect(failed).to_be_hidden()
    page.route("**/r/harbour/?*", lambda route: route.fulfill(status=500))
    page.get_by_label("Part of the path").fill("shop")
    expect(failed).to_be_visible()
    page.unroute("**/r/harbour/?*")
    page.get_by_label("Part of the path").fill("gateway")
    expect(page.locator("#results tbody tr")).to_have_count(1)
    expect(failed).to_be_hidden()


def test_a_session_that_ended_leads_to_the_sign_in(open_context: OpenContext) -> None:
    page = open_context().new_page()
    page.goto(SHOP)
    page.context.clear_cookies()
    page.get_by_label("Part of the tag’s name").fill("1.13")
    expect(page).to_have_url(re.compile(f"/accounts/login/.next={SHOP}"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.get_by_label("User name or e-mail address")).to_have_count(1)


def test_a_mistake_is_marked_at_its_field(open_context: OpenContext) -> None:
    page = open_context().new_page()
    page.goto("/registries/connect/")
    name = page.get_by_label("Name", exact=True)
    name.fill("No Slug")
    page.get_by_label("Address", exact=True).fill("registry.example.com")
    page.get_by_role("button", name="Connect", exact=True).click()
    expect(name).to_have_accessible_description(re.compile("Use lower-case letters"))
    border = "element => getComputedStyle(element).borderTopColor"
    address = page.get_by_label("Address", exact=True)
    assert name.evaluate(border) != address.evaluate(border)


# Without a mouse, and without scripts


def test_a_keyboard_is_enough_to_find_an_image_and_how_to_pull_it(page: Page) -> None:
    page.goto("/r/harbour/")
    page.keyboard.press("/")
    page.keyboard.type("backend/shop")
    expect(page.locator("#results tbody tr")).to_have_count(1)
    tab_to(page, "team-a/backend/shop")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{SHOP}")
    tab_to(page, "1.13.0")
    page.keyboard.press("Enter")
    page.wait_for_url("**/-/tags/1.13.0")
    page.get_by_role("radio", name="docker").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".pull-podman code").first).to_be_visible()
    tab_to(page, "linux/arm64")
    page.keyboard.press("Enter")
    expect(page.locator("#layers-title")).to_contain_text("linux/arm64")


@pytest.mark.parametrize("address", ["/", "/r/harbour/", f"{SHOP}/-/tags/latest"])
@pytest.mark.parametrize("key", ["Tab", "Shift+Tab"])
def test_the_focus_can_always_be_seen(page: Page, address: str, key: str) -> None:
    page.goto(address)
    for _ in range(70):
        page.keyboard.press(key)
        assert page.evaluate(FOCUS_IS_SEEN) == ""


def test_every_page_is_there_without_scripts(open_context: OpenContext) -> None:
    page = open_context(java_script_enabled=False).new_page()
    for address in PAGES:
        response = page.goto(address)
        assert response is not None
        assert response.status == 200, address
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        # What only a script could answer is not offered: to copy, or a key to press.
        expect(page.locator("clipboard-copy:visible, .needs-script:visible")).to_have_count(0)

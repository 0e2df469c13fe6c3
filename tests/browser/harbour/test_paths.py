"""The ways people take through a catalog: with scripts, without, by keyboard, on a phone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.harbour.conftest import OpenContext

pytestmark = pytest.mark.browser
SHOP = "/r/harbour/team-a/backend/shop"
PAGES = [
    "/",
    "/registries/",
    "/registries/connect/",
    "/r/harbour/",
    "/r/harbour/?ns=team-a/backend",
    "/r/harbour/?view=flat&sort=-size",
    "/r/harbour/?q=nothing-like-this",
    "/r/harbour/-/namespaces?ns=team-a",
    "/r/harbour/-/docker?who=anonymous&scope=repository:team-a/app:pull",
    "/r/harbour/platform/auth/gateway?sort=-name",
    "/r/harbour/team-b/retired",
    SHOP,
    f"{SHOP}?show=all",
    f"{SHOP}/-/artifacts",
    f"{SHOP}/-/artifacts?show=untagged",
    f"{SHOP}/-/activity",
    f"{SHOP}/-/tags/latest",
    f"{SHOP}/-/tags/latest/history",
    f"{SHOP}/-/compare",
    f"{SHOP}/-/untag?tag=1.13.0",
    f"{SHOP}/-/delete",
    f"{SHOP}/-/compare?from=1.11.0&to=1.13.0",
    f"{SHOP}/-/compare?from=latest&to=nowhere",
    "/r/harbour/base/debian/-/tags/12",
    "/r/harbour/base/debian/-/tags/12/history",
    "/r/harbour/team-a/charts/shop/-/tags/4.2.0",
    "/mirrors/",
    "/mirrors/compare/?source=harbour/team-a/*&target=harbour/team-b/*",
    "/mirrors/compare/?source=harbour/team-a/backend/shop&target=harbour/base/debian",
    "/search",
    "/search?q=shop",
    "/search?q=harbour",
    "/search?q=nothing-like-this",
]


def test_from_a_registry_to_the_layers_of_an_image(page: Page) -> None:
    page.goto("/r/harbour/")
    page.get_by_label("Part of the path").fill("backend/shop")
    expect(page.locator("#results tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=backend%2Fshop"))
    page.get_by_role("link", name="team-a/backend/shop").click()
    page.get_by_role("link", name="1.13.0", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("1.13.0")
    expect(page.get_by_text("RUN pip install -r requirements.txt")).to_be_visible()
    page.get_by_role("link", name="linux/arm64").click()
    expect(page.locator("#layers-title")).to_contain_text("linux/arm64")


def test_a_namespace_opens_in_place(page: Page) -> None:
    page.goto("/r/harbour/")
    page.locator("summary", has=page.locator("svg")).and_(
        page.get_by_label("Open in the tree: team-a")
    ).click()
    page.get_by_role("link", name=re.compile("^backend")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("team-a/backend")


def test_sorting_and_going_back_keep_the_page_whole(page: Page) -> None:
    page.goto("/r/harbour/platform/auth/gateway")
    page.get_by_role("link", name="Tag", exact=True).click()
    expect(page.locator("th[aria-sort]")).to_have_text("Tag")
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("link", name="Previous")).to_be_visible()
    # Not page.go_back(): going back loads the page anew, and Playwright takes that for an abort.
    page.evaluate("history.back()")
    expect(page.get_by_role("link", name="Previous")).to_have_count(0)
    expect(page.locator("th[aria-sort]")).to_have_text("Tag")
    page.evaluate("history.back()")
    expect(page.locator("th[aria-sort]")).to_have_text("Date")
    expect(page.get_by_role("banner")).to_be_visible()


def test_a_command_is_copied_and_says_so_in_place(open_context: OpenContext) -> None:
    page = open_context(permissions=["clipboard-read", "clipboard-write"]).new_page()
    page.goto(f"{SHOP}/-/tags/latest")
    page.get_by_text("podman", exact=True).click()
    button = page.locator(".pull-podman").get_by_label("Copy the command by tag")
    button.click()
    expect(button).to_have_class(re.compile("is-copied"))
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "podman pull harbour.example.com/team-a/backend/shop:latest"


def test_the_palette_goes_anywhere_by_keyboard(page: Page) -> None:
    page.goto("/r/harbour/")
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox")
    expect(box).to_be_focused()
    box.fill("backend/shop")
    expect(page.get_by_role("option", name=re.compile("team-a.backend.shop"))).to_be_visible()
    expect(box).to_have_attribute("aria-activedescendant", "option-r1")
    page.keyboard.press("ArrowDown")
    expect(box).to_have_attribute("aria-activedescendant", "option-all")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"{SHOP}$"))


def test_escape_closes_the_palette_and_gives_the_focus_back(page: Page) -> None:
    page.goto("/r/harbour/")
    page.get_by_label("Part of the path").focus()
    page.keyboard.press("Control+k")
    page.keyboard.press("Escape")
    expect(page.get_by_label("Part of the path")).to_be_focused()


def test_the_first_tab_skips_to_the_content(page: Page) -> None:
    page.goto("/r/harbour/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_the_exact_time_can_be_had_by_keyboard(page: Page) -> None:
    page.goto(f"{SHOP}/-/tags/latest")
    page.keyboard.press("Tab")
    page.locator("time").first.focus()
    shown = page.evaluate("getComputedStyle(document.activeElement, '::after').content")
    assert "20 Nov 2026, 12:00 UTC" in shown


def test_the_theme_is_changed_at_once_and_remembered(page: Page) -> None:
    page.goto("/r/harbour/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.get_by_label("Theme").click()
    with page.expect_response("**/theme/"):
        page.get_by_role("button", name="Deep sea").click()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    page.reload()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


def test_everything_can_be_reached_without_scripts(open_context: OpenContext) -> None:
    page = open_context(java_script_enabled=False).new_page()
    page.goto("/r/harbour/")
    page.get_by_label("Part of the path").fill("gateway")
    page.get_by_role("button", name="Filter").click()
    page.get_by_role("link", name="platform/auth/gateway").click()
    page.get_by_role("link", name="Next").click()
    page.get_by_role("link", name="Next").click()
    expect(page.get_by_role("link", name="6.0.1", exact=True)).to_be_visible()
    page.get_by_text("skopeo", exact=True).click()
    expect(page.locator(".pull-skopeo code").first).to_contain_text("skopeo copy")
    page.get_by_role("link", name="Search everything").click()
    page.get_by_label("Repositories, tags, digests").first.fill("1.13.0")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="1.13.0", exact=True).click()
    page.get_by_text("looks like a secret").click()
    expect(page.get_by_text("hunter2")).to_be_visible()
    page.get_by_label("Theme").click()
    page.get_by_role("button", name="Deep sea").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_longest_names_are_not_wider_than_a_phone(open_context: OpenContext) -> None:
    page = open_context(viewport={"width": 390, "height": 844}, has_touch=True).new_page()
    page.goto(f"{SHOP}?show=all")
    page.get_by_role("link", name=re.compile("^sha256-.*sig$")).tap()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("sig$"))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

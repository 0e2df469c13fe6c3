"""One Chromium for all tests of a worker: to start it takes longer than most tests take with it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from playwright.sync_api import Browser, Playwright, sync_playwright

# Debian's: nothing is downloaded. The shell has the same engine and no windows to draw.
PROGRAM = shutil.which("chromium-headless-shell") or shutil.which("chromium")


@dataclass(frozen=True)
class Running:
    playwright: Playwright
    browser: Browser
    loop: asyncio.AbstractEventLoop


_running: list[Running] = []


@contextmanager
def lent() -> Iterator[Browser]:
    """The browser, started where it does not run; what is opened in it is to be closed again.

    Playwright keeps an event loop in its thread, in which Django's ORM refuses to work: between
    two loans the loop stands still, and the thread knows nothing of it.
    """
    if not _running or not _running[-1].browser.is_connected():
        playwright = sync_playwright().start()
        browser = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        _running.append(Running(playwright, browser, asyncio.get_running_loop()))
    asyncio._set_running_loop(_running[-1].loop)
    try:
        yield _running[-1].browser
    finally:
        asyncio._set_running_loop(None)


def end() -> None:
    """Stop what was started."""
    while _running:
        running = _running.pop()
        asyncio._set_running_loop(running.loop)
        try:
            running.playwright.stop()
        finally:
            asyncio._set_running_loop(None)

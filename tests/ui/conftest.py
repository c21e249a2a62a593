import shutil
from collections.abc import AsyncIterator
from typing import Final

import pytest
from playwright.async_api import Browser, async_playwright

from infra.devserver import DevServer

CHROMIUM: Final = shutil.which("chromium")
QUIET: Final = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@pytest.fixture
async def ui() -> AsyncIterator[DevServer]:
    """A development server with its Web UI."""
    async with DevServer(ui_port=0) as server:
        yield server


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium, where it is installed."""
    if CHROMIUM is None:
        pytest.skip("no chromium on the path")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield browser
        await browser.close()

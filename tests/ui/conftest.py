from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser

from infra.devserver import DevServer
from tests.ui.browser import CHROMIUM, chromium


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
    async with chromium(CHROMIUM) as browser:
        yield browser

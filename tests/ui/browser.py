"""The browser that the Web UI is looked at with: Debian's Chromium, without a screen."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import quote

from playwright.async_api import Browser, async_playwright
from temporalio.client import Client

from infra.devserver import DevServer

CHROMIUM: Final = shutil.which("chromium")
QUIET: Final = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


@asynccontextmanager
async def chromium(program: str) -> AsyncIterator[Browser]:
    """Run Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=QUIET)
        yield browser
        await browser.close()


async def address(server: DevServer, client: Client, workflow_id: str, part: str) -> str:
    """Where the Web UI shows a part of a run's pages: `user-metadata`, `timeline`, `history`, ..."""
    described = await client.get_workflow_handle(workflow_id).describe()
    return f"{server.ui}/namespaces/default/workflows/{quote(workflow_id, safe='')}/{described.run_id}/{part}"

"""Takes the pictures of README and docs anew (`make pictures`): of the real Web UI, and of a report's page."""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image
from playwright.async_api import Browser, FloatRect, Page
from temporalio.client import Client

from infra.connection import connect
from infra.devserver import DevServer
from tests.harness import running_worker
from tests.pictures.story import OPEN, TALK, Day, activities
from tests.ui.browser import CHROMIUM, address, chromium
from tests.workflows.shell import command
from workflows.library import WORKFLOWS

PICTURES: Final = Path(__file__).parents[2] / "docs" / "pictures"
SECONDS: Final = 20_000.0
"""How long a page may take, in milliseconds."""

COLOURS: Final = 96
"""How many colours a picture has: pages have few, and so it stays small."""

WIDTH: Final = 1900
MARGIN: Final = 12
TIMELINE: Final = 380
"""How high the timeline of the story is, with its heading."""


async def take() -> None:
    """Live through the story, and take the pictures.

    Raises:
        SystemExit: There is no browser.
    """
    if CHROMIUM is None:
        sys.exit("pictures: there is no chromium on the path; install it")
    PICTURES.mkdir(exist_ok=True)
    async with DevServer(ui_port=0) as server:
        client = await connect(server.address)
        async with running_worker(client, WORKFLOWS, activities(client), task_queue="parley") as queue:
            await Day(client, queue).pass_by()
            async with chromium(CHROMIUM) as browser:
                await _photograph(server, client, browser)


async def _photograph(server: DevServer, client: Client, browser: Browser) -> None:
    # The first one is that whose axis is time.
    await _picture(browser, await address(server, client, OPEN, "timeline"), "timeline", _timeline)
    await _picture(browser, await address(server, client, OPEN, "user-metadata"), "run", _details)
    await _picture(browser, await address(server, client, TALK, "user-metadata"), "conversation", _details)
    file = PICTURES / "report.html"
    try:
        told = await command(server, "report", "--html", str(file))
        if told.status:
            sys.exit(f"pictures: {told.errors}")
        await _picture(browser, file.as_uri(), "report", _report)
    finally:
        file.unlink(missing_ok=True)


async def _picture(browser: Browser, where: str, name: str, frame: Callable[[Page], Awaitable[FloatRect]]) -> None:
    page = await browser.new_page(viewport={"width": WIDTH, "height": 2200})
    page.set_default_timeout(SECONDS)
    await page.goto(where)
    shot = Image.open(BytesIO(await page.screenshot(clip=await frame(page), animations="disabled")))
    file = PICTURES / f"{name}.png"
    shot.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    print(f"{file}: {file.stat().st_size / 1024:.0f} KB")
    await page.close()


async def _details(page: Page) -> FloatRect:
    """Where the details of a run are, when they are drawn."""
    inside = page.frame_locator("iframe#user-metadata-current-details")
    await inside.locator("pre").last.wait_for()
    box = await page.locator("iframe#user-metadata-current-details").bounding_box()
    end = await inside.locator("body").evaluate("body => body.lastElementChild.getBoundingClientRect().bottom")
    if box is None:
        sys.exit("pictures: the Web UI shows no details")
    return FloatRect(x=box["x"], y=box["y"], width=box["width"], height=min(box["height"], float(end) + MARGIN))


async def _timeline(page: Page) -> FloatRect:
    """Where a run's head and its timeline are, when its conversations are on it."""
    await page.get_by_text("conversation 2 at point").first.wait_for()
    head = await page.get_by_text("Back to Workflows").bounding_box()
    drawn = await page.get_by_role("heading", name="Timeline").bounding_box()
    if head is None or drawn is None:
        sys.exit("pictures: the Web UI shows no timeline")
    x, y = head["x"] - MARGIN, head["y"] + head["height"] + MARGIN
    return FloatRect(x=x, y=y, width=WIDTH - x, height=drawn["y"] + TIMELINE - y)


async def _report(page: Page) -> FloatRect:
    """Where the first tables and charts of a report are."""
    box = await page.locator("section#transitions").bounding_box()
    main = await page.locator("main").bounding_box()
    if box is None or main is None:
        sys.exit("pictures: the report has nothing in it")
    return FloatRect(x=main["x"], y=0, width=main["width"], height=box["y"] + box["height"] + MARGIN)


if __name__ == "__main__":
    logging.disable()  # the story's refusals are told as failures of activities
    asyncio.run(take())

"""The Web UI shows what is encrypted to who signed in at the codec server, and to nobody else."""

import json

from playwright.async_api import Browser, Page, expect

from infra.connection import connect
from infra.devserver import DevServer
from infra.payloads.converter import data_converter
from infra.payloads.keys import Key
from tests.harness import running_worker
from tests.ui.browser import address
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Room, Rooms
from tests.workflows.sealed import TOKEN, codec_server, sealing, variables
from workflows.conversation.workflow import Conversation

KEY = Key.new("2026")
SECRET = "Zwetschgenkompott"
SECONDS = 20_000.0
"""How long a page may take, in milliseconds."""


async def see(page: Page, server: DevServer, room: Room, part: str) -> None:
    """Open a part of the conversation's pages."""
    await page.goto(await address(server, room.client, room.id, part))


async def choose(page: Page, codec: str) -> None:
    """Choose the codec server, as docs/security.md says."""
    await page.get_by_role("button", name="Configure Codec Server").click()
    await page.get_by_text("Use my browser setting").click()
    await page.get_by_placeholder("Paste your endpoint here").fill(codec)
    await page.get_by_text("Include cross-origin credentials").click()
    await page.get_by_role("button", name="Apply").click()


async def test_the_pages_show_what_was_said_to_who_signed_in_and_to_nobody_else(
    ui: DevServer, browser: Browser
) -> None:
    client = await connect(ui.address, data_converter(sealing(KEY)))
    allowed = {**variables(KEY), "PARLEY_CODEC__ORIGINS": json.dumps([ui.ui])}
    async with running_worker(client, [Conversation]) as queue, codec_server(ui, allowed) as codec:
        room = await Rooms(client, queue).open(ANN, BEN, coordination=FREE_FORM, topic=SECRET)
        await room.say("ann", SECRET)
        await room.taken(1)
        page = await browser.new_page()
        page.set_default_timeout(SECONDS)
        await see(page, ui, room, "history")
        await choose(page, codec)
        async with page.expect_response(lambda response: response.url.startswith(f"{codec}/decode")) as asked:
            await see(page, ui, room, "history")
        assert (await asked.value).status == 401
        await expect(page.get_by_text("Workflow Execution Signaled")).to_be_visible()
        assert SECRET not in await page.content()

        await page.goto(codec)
        await page.get_by_label("Token").fill(TOKEN)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_text("This browser is signed in")).to_be_visible()
        await see(page, ui, room, "history")
        await expect(page.get_by_text(SECRET).first).to_be_visible(timeout=SECONDS)
        await see(page, ui, room, "user-metadata")
        details = page.frame_locator("iframe#user-metadata-current-details")
        await expect(details.get_by_role("heading", name=SECRET)).to_be_visible(timeout=SECONDS)

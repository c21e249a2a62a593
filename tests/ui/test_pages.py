"""The pages of runs and conversations, as a person sees them in the real Web UI."""

import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote
from uuid import uuid4

from playwright.async_api import Browser, FrameLocator, expect
from temporalio.client import Client

from infra.connection import connect
from infra.devserver import DevServer
from signals.conversation import Transcript
from signals.messages import Turn
from signals.run import Progress
from tests.flows.points import Consult, Wish
from tests.harness import eventually, running_worker, temporal
from workflows.conversation.workflow import Conversation

SECONDS = 20_000.0
"""How long a page may take, in milliseconds."""


async def metadata(browser: Browser, server: DevServer, client: Client, workflow_id: str) -> FrameLocator:
    """Open a run's User Metadata page; gives the frame that its details are drawn in."""
    described = await client.get_workflow_handle(workflow_id).describe()
    page = await browser.new_page()
    page.set_default_timeout(SECONDS)
    where = f"namespaces/default/workflows/{quote(workflow_id, safe='')}/{described.run_id}/user-metadata"
    await page.goto(f"{server.ui}/{where}")
    return page.frame_locator("iframe#user-metadata-current-details")


@asynccontextmanager
async def consulting(server: DevServer) -> AsyncIterator[tuple[Client, str]]:
    """A run whose conversation is open, and Ann has said something with markup in it."""
    client = await connect(server.address)
    async with running_worker(client, [Consult, Conversation]) as queue:
        run = f"trip-{uuid4().hex[:6]}"
        wish = Wish(topic="Where *to* <b>now</b>?")
        handle = await client.start_workflow("Consult", wish, id=run, task_queue=queue)

        async def opened() -> bool:
            return bool((await handle.query("progress", result_type=Progress)).conversations)

        await eventually(opened)
        text = "To [Rome](http://evil.example) <script>alert(1)</script>"
        await client.get_workflow_handle(f"{run}/choice-1").execute_update(
            "submit_turn", Turn(speaker="ann", text=text)
        )
        yield client, run


async def test_the_page_of_a_conversation_shows_where_it_stands_and_what_was_said_as_text(
    ui: DevServer, browser: Browser
) -> None:
    async with consulting(ui) as (client, run):
        page = await metadata(browser, ui, client, f"{run}/choice-1")
        await expect(page.get_by_role("heading", name="Where *to* <b>now</b>?")).to_be_visible(timeout=SECONDS)
        await expect(page.get_by_text("waits for")).to_be_visible()
        await expect(page.get_by_text("bob (agent)").first).to_be_visible()
        await expect(page.get_by_text("To [Rome](http://evil.example) <script>alert(1)</script>")).to_be_visible()
        assert await page.locator("a[href*='evil']").count() == 0


async def test_the_command_on_the_page_answers(ui: DevServer, browser: Browser) -> None:
    async with consulting(ui) as (client, run):
        page = await metadata(browser, ui, client, f"{run}/choice-1")
        shown = page.locator("pre").filter(has_text="--name turn")
        await expect(shown).to_be_visible(timeout=SECONDS)
        command = next(line for line in (await shown.inner_text()).splitlines() if "--name turn" in line)
        await temporal(ui, *shlex.split(command)[1:])
        conversation = client.get_workflow_handle(f"{run}/choice-1")

        async def said() -> list[str]:
            transcript: Transcript = await conversation.query("transcript", result_type=Transcript)
            return [message.text for message in transcript.messages]

        await eventually(said, lambda texts: texts[-1:] == ["..."])


async def test_the_page_of_a_run_shows_its_steps_its_mode_and_its_conversation(ui: DevServer, browser: Browser) -> None:
    async with consulting(ui) as (client, run):
        page = await metadata(browser, ui, client, run)
        await expect(page.get_by_role("heading", name="Consult")).to_be_visible(timeout=SECONDS)
        await expect(page.get_by_text("In mode conversation")).to_be_visible()
        await expect(page.get_by_text("Let people choose.")).to_be_visible()
        await expect(page.get_by_role("cell", name=f"{run}/choice-1").first).to_be_visible()

"""The pages of runs and conversations, as a person sees them in the real Web UI."""

import re
import shlex
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from playwright.async_api import Browser, FrameLocator, expect
from temporalio.client import Client

from infra.connection import connect
from infra.devserver import DevServer
from infra.reports import page as report
from signals.conversation import Transcript
from signals.messages import Turn
from signals.run import Progress
from tests.flows.points import Consult, Wish
from tests.harness import eventually, running_worker, temporal
from tests.ui.browser import address
from tests.unit.reports.test_page import EVIL, FULL
from workflows.conversation.workflow import Conversation

SECONDS = 20_000.0
"""How long a page may take, in milliseconds."""


async def metadata(browser: Browser, server: DevServer, client: Client, workflow_id: str) -> FrameLocator:
    """Open a run's User Metadata page; gives the frame that its details are drawn in."""
    page = await browser.new_page()
    page.set_default_timeout(SECONDS)
    await page.goto(await address(server, client, workflow_id, "user-metadata"))
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
        await expect(page.get_by_text(re.compile(r"waits for .*bob \(agent\) since 20\d\d-"))).to_be_visible()
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
        await expect(page.get_by_text(f"talk in {run}/choice-1 since")).to_be_visible()
        modes = page.locator("table").filter(has=page.get_by_role("columnheader", name="trigger"))
        await expect(modes.get_by_role("cell", name="point: choice")).to_be_visible()
        await expect(modes.get_by_role("cell", name="the step calls for it")).to_be_visible()
        await expect(page.get_by_text("Let people choose.")).to_be_visible()
        await expect(page.get_by_role("cell", name=f"{run}/choice-1").first).to_be_visible()


async def test_the_timeline_says_what_was_started_and_what_for(ui: DevServer, browser: Browser) -> None:
    async with consulting(ui) as (client, run):
        page = await browser.new_page()
        page.set_default_timeout(SECONDS)
        await page.goto(await address(ui, client, run, "timeline"))
        await expect(page.get_by_text("conversation 1 at point 'choice' of step").first).to_be_visible(timeout=SECONDS)


async def test_a_report_s_page_shows_its_charts_and_runs_nothing(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(report.page(FULL), encoding="utf-8")
    page = await browser.new_page()
    said: list[str] = []
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: said.extend([] if request.url.startswith(("file:", "data:")) else [request.url]))
    await page.goto(file.as_uri())
    await expect(page.get_by_role("heading", name="What moved runs, and how that ended")).to_be_visible()
    await expect(page.get_by_role("cell", name=EVIL, exact=True).first).to_be_visible()
    charts = page.get_by_role("img")
    await expect(charts).to_have_count(5)
    assert all([await chart.evaluate("image => image.naturalWidth > 100") for chart in await charts.all()])
    assert said == []

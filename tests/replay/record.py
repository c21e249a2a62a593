"""Records the stored histories anew (`make histories`): only where old runs need not go on with the new release."""

import asyncio
import re
from collections import Counter, deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from temporalio.client import Client, WorkflowHistory

from infra.devserver import DevServer
from infra.payloads.converter import PLAIN
from tests.harness import running_worker, temporal
from tests.replay.stories import ACTIVITIES, FLOWS, STORIES, Stage

HISTORIES: Final = Path(__file__).parent / "histories"

RECORDER: Final = "recorder"
"""Who the histories say that they are from, in place of a machine's name."""

_TRACE: Final = re.compile(r'"stackTrace": "(?:[^"\\]|\\.)*"')


async def record() -> None:
    """Tell every story, and store the histories that come of it in place of those that are there."""
    async with DevServer() as server:
        client = await Client.connect(server.address, data_converter=PLAIN, identity=RECORDER)
        async with running_worker(client, FLOWS, ACTIVITIES) as task_queue:
            stage = Stage(client, task_queue)
            for story in STORIES:
                await story(stage, story.__name__)
        for old in HISTORIES.glob("*.json"):
            old.unlink()
        for name, run_id in stage.started.items():
            await _store(server, name, run_id)


async def _store(server: DevServer, story: str, first_run: str) -> None:
    """Store the history of a run, and of all that it started or continued as."""
    waiting, stored = deque([(story, first_run)]), Counter[str]()
    while waiting:
        name, run_id = waiting.popleft()
        which = ["--workflow-id", name, "--run-id", run_id]
        printed = await temporal(server, "workflow", "show", *which, "-o", "json")
        history = WorkflowHistory.from_json(name, printed)
        flow = history.events[0].workflow_execution_started_event_attributes.workflow_type.name
        stored[flow] += 1
        # Where the code was that raised an error is of no use, and names folders of a machine.
        text = _TRACE.sub('"stackTrace": ""', printed)
        (HISTORIES / f"{story}-{flow}-{stored[flow]}.json").write_text(text)
        waiting.extend(_followers(history))


def _followers(history: WorkflowHistory) -> Iterator[tuple[str, str]]:
    """The workflow and run ids of what a run started, or continued as."""
    for event in history.events:
        child = event.child_workflow_execution_started_event_attributes.workflow_execution
        if child.run_id:
            yield child.workflow_id, child.run_id
        if following := event.workflow_execution_continued_as_new_event_attributes.new_execution_run_id:
            yield history.workflow_id, following


if __name__ == "__main__":
    asyncio.run(record())

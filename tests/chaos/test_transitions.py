"""A worker that is killed while a run changes its mode: the change is made once, and nothing is done twice."""

import asyncio
import json
from pathlib import Path
from uuid import uuid4

from temporalio.client import Client

from infra.devserver import DevServer
from signals.messages import Propose, SwitchMode
from signals.modes import Mode, Trigger
from signals.names import TASK_QUEUE
from signals.run import Progress, Transition
from tests.chaos.processes import language_model, workers
from tests.flows.ledgered import Errand
from tests.harness import eventually


async def test_a_transition_is_completed_once_whatever_dies(server: DevServer, client: Client, tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    more = {
        "PARLEY_WORKER__EXTENSIONS": json.dumps(["tests.flows.ledgered"]),
        # A dead worker's step is taken up again before its change is given up.
        "PARLEY_EXECUTION__TRANSITIONS__TRANSITION_TIMEOUT_SECONDS": "60",
    }
    with language_model() as model:
        async with workers(server.address, tmp_path, model, more) as group:
            first = await group.start()
            errand = Errand(folder=str(tmp_path), slow=("second",))
            run = await client.start_workflow("Errands", errand, id=f"chaos-{uuid4()}", task_queue=TASK_QUEUE)
            await eventually(lambda: asyncio.to_thread(_has, ledger, "second"))
            await run.signal("switch_mode", SwitchMode(to=Mode.CONVERSATION, requested_by="bob"))
            await group.kill(first)  # the step is under way, and the change waits for it
            second = await group.start()
            (tmp_path / "second").touch()

            async def progress() -> Progress:
                answer: Progress = await run.query("progress", result_type=Progress)
                return answer

            [about] = (await eventually(progress, lambda now: len(now.conversations) == 1)).conversations
            decided = Propose(speaker="bob", outcome={"results": {"first": "1st"}, "resume_at": "third"})
            await group.kill(second)  # people talk
            await client.get_workflow_handle(about.id).signal("propose", decided)
            await group.start()
            assert await run.result() == ["1st", "second", "third"]
            transitions = await run.query("transitions", result_type=list[Transition])
    assert [(change.target, change.trigger) for change in transitions] == [
        (Mode.CONVERSATION, Trigger.REQUEST),
        (Mode.WORKFLOW, Trigger.OUTCOME),
    ]
    assert [line.split()[1] for line in ledger.read_text().splitlines()] == ["first", "second", "third"]


def _has(ledger: Path, what: str) -> bool:
    return ledger.exists() and what in ledger.read_text()

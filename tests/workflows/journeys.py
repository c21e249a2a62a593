"""What tests of modes share: asking a run for another mode, and what it tells of its modes."""

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from signals.context import UniversalContext
from signals.errors import ErrorType
from signals.messages import Accepted, SwitchMode
from signals.modes import Mode
from signals.run import StepStatus, Transition
from tests.harness import eventually
from tests.workflows.talks import Run, Talks


async def switch(run: Run, to: Mode, by: str = "bob", reason: str | None = None) -> None:
    """Ask for another mode, as a signal."""
    await run.signal("switch_mode", SwitchMode(to=to, requested_by=by, reason=reason))


async def ask(run: Run, to: Mode, by: str = "bob") -> Accepted:
    """Ask for another mode, as an update."""
    message = SwitchMode(to=to, requested_by=by)
    answer: Accepted = await run.execute_update("submit_switch_mode", message, result_type=Accepted)
    return answer


async def refusal(run: Run, to: Mode, by: str = "bob") -> str:
    """Why a request isn't allowed."""
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await ask(run, to, by)
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == ErrorType.TRANSITION_NOT_ALLOWED
    return failed.value.cause.message


async def is_running(talks: Talks, run: Run, step: str) -> None:
    """Wait until a step is under way."""
    await eventually(lambda: talks.step(run, step), lambda now: now.status is StepStatus.RUNNING)


async def transitions(run: Run) -> list[Transition]:
    answer: list[Transition] = await run.query("transitions", result_type=list[Transition])
    return answer


async def context(run: Run) -> UniversalContext:
    answer: UniversalContext = await run.query("context", result_type=UniversalContext)
    return answer

"""Steps whose work a test hands out itself, and workflows of such steps that are drawn by lot."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Final

from temporalio import activity, workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ApplicationError

from signals.participants import Kind, Participant, Permission
from signals.wire import Wire
from workflows.conversation.coordination import FreeForm
from workflows.conversation.setup import ConversationSetup

BROKEN: Final = "Broken"

BOB: Final = Participant(
    id="bob", kind=Kind.HUMAN, role="agent", can=(Permission.SPEAK, Permission.DECIDE, Permission.MODERATE)
)

POINTS: Final = ("result", "retry", "again", "merge")
"""What becomes of the outcomes of conversation points: the first word of their names."""


class Order(Wire):
    """The input."""

    what: str = "a house"


HEAD: Final = '''"""A workflow that was drawn by lot."""

from tests.flows.worksite import Order, talk, work
from workflows.compiled import compiled, step
from workflows.hybrid import ConversationPoint, GoOnAt, Merge, OnException, Result, RetryWith


'''


@dataclass
class Job:
    """A call of the activity that is under way."""

    step: str
    number: int
    """How often the step was called for until then."""

    ended: asyncio.Future[bool] = field(default_factory=asyncio.Future)


class Worksite:
    """The activity; each call waits until the test says how it ends."""

    def __init__(self) -> None:
        self.calls: defaultdict[str, list[str]] = defaultdict(list)
        """For each run, the steps that were called for, in order."""

        self.jobs: defaultdict[str, list[Job]] = defaultdict(list)

    @activity.defn
    async def work(self, step: str) -> str:
        """Do a step's work; what comes of it says which call it was."""
        run = activity.info().workflow_id or ""
        self.calls[run].append(step)
        job = Job(step, self.calls[run].count(step))
        self.jobs[run].append(job)
        try:
            if not await job.ended:
                raise ApplicationError(f"{step} broke", type=BROKEN, non_retryable=True)
        finally:
            self.jobs[run].remove(job)
        return f"{step} {job.number}"

    def let_all_go(self) -> None:
        """End all calls that still wait."""
        for jobs in self.jobs.values():
            for job in jobs:
                if not job.ended.done():
                    job.ended.set_result(True)

    @property
    def activities(self) -> list[Callable[..., object]]:
        """What a worker registers."""
        return [self.work]


async def work(step: str) -> str:
    """Call the activity; a step's body."""
    return await workflow.execute_activity_method(
        Worksite.work, step, start_to_close_timeout=timedelta(minutes=5), retry_policy=RetryPolicy(maximum_attempts=1)
    )


def talk(request: Order) -> ConversationSetup:
    """Bob decides."""
    return ConversationSetup(topic=request.what, participants=(BOB,), coordination=FreeForm())


def module_of(name: str, random: Random) -> str:
    """Write a module with a workflow of three to seven steps, and conversation points at some of them.

    Args:
        name: The workflow's name.
        random: What it is drawn by.
    """
    steps = [f"step_{number}" for number in range(random.randint(3, 7))]
    needs: dict[str, list[str]] = {}
    before: dict[str, list[str]] = {}
    """What a step needs, directly or not, and itself: where a run can go on for it without leaving it behind."""
    for number, step in enumerate(steps[:-1]):
        needs[step] = random.sample(steps[:number], random.randint(0, min(number, 2)))
        before[step] = sorted({step, *(earlier for need in needs[step] for earlier in before[need])})
    used = {need for needed in needs.values() for need in needed}
    lines = [HEAD, "@compiled", f"class {name}:", '    """Drawn by lot."""', ""]
    for step in steps[:-1]:
        lines += _step(step, needs[step], before[step], random)
    last = [step for step in steps[:-1] if step not in used]
    return "\n".join([*lines, *_step(steps[-1], last, [], random, result=True), ""])


def _step(step: str, needs: list[str], before: list[str], random: Random, *, result: bool = False) -> list[str]:
    kind = random.choice(["", "", *POINTS]) if before else ""
    named = list(dict.fromkeys([random.choice(before), step])) if before else []
    integration = {
        "result": "Result()",
        "retry": 'RetryWith("advice")',
        "again": f'GoOnAt("{named[0]}")' if named else "",
        "merge": f"Merge({', '.join(map(repr, named))})",
    }.get(kind)
    options = ["result=True"] if result else []
    if integration:
        # The name says what the test must know of it.
        name = "-".join([kind, *(named[:1] if kind == "again" else named if kind == "merge" else [step])])
        options.append(f'talk=ConversationPoint("{name}.{step}", talk, OnException("{BROKEN}"), {integration})')
    parameters = ["self", "request: Order", *(f"{need}: str" for need in needs)]
    parameters += ["advice: str | None = None"] if kind == "retry" else []
    return [
        f"    @step({', '.join(options)})",
        f"    async def {step}({', '.join(parameters)}) -> str:",
        f'        return await work("{step}")',
        "",
    ]

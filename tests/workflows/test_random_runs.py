"""Runs of workflows that are drawn by lot, to which anything happens in any order, on the real server.

Whatever is switched, fails and is decided: no finished result is lost, no step runs twice without being asked to, and
the run always ends or waits for someone named.
"""

import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from random import Random

import pytest
from pydantic import JsonValue
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError, FailureError
from temporalio.service import RPCError

from activities.relay import RelayActivities
from signals.context import CoreState, UniversalContext, WorkflowState
from signals.messages import Close, SwitchMode
from signals.modes import Mode
from signals.run import ConversationRecord, Progress, StepStatus
from signals.settings import Settings, TransitionSettings
from tests.flows.worksite import BOB, BROKEN, Job, Order, Worksite, module_of
from tests.harness import eventually, running_worker
from tests.workflows.talks import Run, Talks
from workflows.compiled.plan import Plan
from workflows.conversation.workflow import Conversation
from workflows.modes.context import variables

SEEDS = 8
HAPPENINGS = 14
MOST = 120
"""In so many further events every run must have come to its end, when nothing new happens to it."""

WHOLE = "switch"
"""The point of conversations about a run as a whole."""


@pytest.fixture(scope="module")
def worksite() -> Worksite:
    return Worksite()


@pytest.fixture(scope="module")
def flows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[type]]:
    """The workflows, each in a module of its own, which the sandbox imports anew for each run."""
    folder = tmp_path_factory.mktemp("drawn")
    for seed in range(SEEDS):
        (folder / f"drawn_{seed}.py").write_text(module_of(f"Drawn{seed}", Random(seed)))
    sys.path.insert(0, str(folder))
    yield [getattr(import_module(f"drawn_{seed}"), f"Drawn{seed}") for seed in range(SEEDS)]
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
async def task_queue(client: Client, worksite: Worksite, flows: list[type]) -> AsyncIterator[str]:
    # No step is cancelled because people have to wait for it: that would be another reason to run it again.
    execution = Settings(transitions=TransitionSettings(transition_timeout_seconds=600))
    activities = [*worksite.activities, RelayActivities(client).pass_on]
    async with running_worker(client, [*flows, Conversation], activities, execution=execution) as name:
        yield name
        worksite.let_all_go()


@dataclass
class Story:
    """A run to which things happen, and what may have become of its steps because of that."""

    talks: Talks
    worksite: Worksite
    run: Run
    plan: Plan
    random: Random
    may_run: Counter[str] = field(default_factory=Counter)
    """For each step how often it may have been called for."""

    known: dict[str, JsonValue] = field(default_factory=dict)
    """The results that must be there."""

    told: list[str] = field(default_factory=list)
    """What has happened, for whoever has to find out why a test fails."""

    decided: set[str] = field(default_factory=set)
    """The conversations whose end is on its way."""

    # What is seen

    @property
    def jobs(self) -> list[Job]:
        """The calls that wait to be told how they end, the latest of each step."""
        latest = {job.step: job for job in self.worksite.jobs[self.run.id] if not job.ended.done()}
        return list(latest.values())

    async def seen(self) -> Progress | None:
        """Where the run stands, when all that has happened to it has had its effect; nothing, when it has ended."""

        async def settled() -> tuple[bool, Progress | None]:
            progress = await self.talks.progress(self.run)
            described = await self.run.describe()
            if described.status is not WorkflowExecutionStatus.RUNNING:
                return True, None
            working = {job.step for job in self.jobs}
            running = {step.step for step in progress.steps if step.status is StepStatus.RUNNING}
            talking = {record.id for record in progress.conversations if record.closed is None}
            is_settled = running <= working and not talking & self.decided and bool(running or talking)
            return is_settled, progress

        try:
            _, progress = await eventually(settled, lambda answer: answer[0])
        except AssertionError as error:
            raise AssertionError(f"the run neither ends nor waits for anything: {self.told}") from error
        return progress

    async def check(self, progress: Progress) -> None:
        """Nothing is lost, nothing was done twice, and somebody who is named is waited for."""
        context: UniversalContext = await self.run.query("context", result_type=UniversalContext)
        results = variables(context)
        for step, value in self.known.items():
            assert results.get(step) == value, (step, self.told)
        self.known |= results
        calls = Counter(self.worksite.calls[self.run.id])
        assert not calls - self.may_run, (calls, self.may_run, self.told)
        for change, after in zip(progress.transitions, progress.transitions[1:], strict=False):
            assert change.target is after.source
        for record in self.open(progress):
            status = await self.talks.status(record.id)
            assert not status.open or status.awaiting == ("bob",), self.told

    def open(self, progress: Progress) -> list[ConversationRecord]:
        return [record for record in progress.conversations if record.closed is None]

    # What happens

    def end(self, job: Job, *, well: bool) -> None:
        """A call ends."""
        self.told.append(f"{job.step} {'works' if well else 'breaks'}")
        job.ended.set_result(well)

    async def switch(self, to: Mode) -> None:
        """Somebody asks for another mode."""
        self.told.append(f"to {to}")
        with suppress(RPCError):  # it has just ended
            await self.run.signal("switch_mode", SwitchMode(to=to, requested_by="bob"))

    async def decide(self, record: ConversationRecord, *, boldly: bool) -> None:
        """Bob decides."""
        outcome = self.about_run(boldly=boldly) if record.point == WHOLE else self.about_step(record)
        self.told.append(f"{record.point}: {outcome}")
        self.decided.add(record.id)
        with suppress(RPCError):
            await self.talks.decide(record.id, outcome)

    async def close(self, record: ConversationRecord) -> None:
        """Bob ends a conversation without an outcome."""
        self.told.append(f"{record.point}: closed")
        self.decided.add(record.id)
        with suppress(RPCError):
            await self.talks.conversation(record.id).signal("close", Close(speaker="bob"))

    def about_run(self, *, boldly: bool) -> JsonValue:
        names = [step.name for step in self.plan.steps]
        chosen = self.random.sample(names, self.random.randint(0, 2)) if boldly else []
        results: dict[str, JsonValue] = {name: f"{name} decided {len(self.told)}" for name in chosen}
        target = self.random.choice(names) if boldly and self.random.random() < 0.5 else None
        self.ask_for(target, results)
        return {"results": results, "resume_at": target}

    def about_step(self, record: ConversationRecord) -> JsonValue:
        """What fits the point of a step; its name says what becomes of it, and of which steps."""
        kind, *steps = record.point.partition(".")[0].split("-")
        results: dict[str, JsonValue] = {name: f"{name} decided {len(self.told)}" for name in steps}
        match kind:
            case "again":
                self.ask_for(steps[0], {})
                return {}
            case "merge":
                self.ask_for(None, results)
                return results
            case "retry":
                self.may_run[steps[0]] += 1
        return results[steps[0]]

    def ask_for(self, target: str | None, results: dict[str, JsonValue]) -> None:
        """Something is asked for: results take the place of others, steps run anew."""
        again = self.plan.after(target) - results.keys() if target else set()
        for step in again:
            self.may_run[step] += 1
            self.known.pop(step, None)
        for step in results:
            self.known.pop(step, None)  # what was decided is there when the conversation has ended

    async def something(self, progress: Progress, *, boldly: bool) -> None:
        """Let something happen that can happen now."""
        jobs, talks = self.jobs, self.open(progress)
        dice = self.random.random()
        if boldly and dice < 0.25:
            await self.switch(self.random.choice(list(Mode)))
        elif talks and (dice < 0.6 or not jobs):
            record = self.random.choice(talks)
            if boldly and record.point == WHOLE and dice < 0.3:
                await self.close(record)
            else:
                await self.decide(record, boldly=boldly)
        elif jobs:
            self.end(self.random.choice(jobs), well=not boldly or dice > 0.75)


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_whatever_happens_nothing_is_lost_or_done_twice_and_the_run_comes_to_an_end(
    seed: int, client: Client, task_queue: str, worksite: Worksite, flows: list[type]
) -> None:
    talks = Talks(client, task_queue)
    plan: Plan = flows[seed].plan  # type: ignore[attr-defined]  # what @compiled puts there
    context = UniversalContext(core_state=CoreState(goal="x", participants=(BOB,)), mode_state=WorkflowState())
    run = await talks.start(plan.name, Order(), context)
    story = Story(talks, worksite, run, plan, Random(seed), Counter(step.name for step in plan.steps))
    for happening in range(HAPPENINGS + MOST):
        progress = await story.seen()
        if progress is None:
            break
        await story.check(progress)
        await story.something(progress, boldly=happening < HAPPENINGS)
    else:
        pytest.fail(f"the run comes to no end: {story.told}")
    await ends_rightly(story)


async def ends_rightly(story: Story) -> None:
    """It gives a result, or fails as a step did that nobody mended."""
    progress = await story.talks.progress(story.run)
    calls = Counter(story.worksite.calls[story.run.id])
    assert not calls - story.may_run, (calls, story.may_run, story.told)
    try:
        result = await story.run.result()
    except WorkflowFailureError as error:
        assert type_of(error.cause) == BROKEN, story.told
        return
    assert str(result).startswith(story.plan.result)
    assert progress.mode is Mode.WORKFLOW
    assert {step.status for step in progress.steps} == {StepStatus.DONE}
    context: UniversalContext = await story.run.query("context", result_type=UniversalContext)
    for step, value in story.known.items():
        assert variables(context)[step] == value, (step, story.told)


def type_of(error: BaseException | None) -> str | None:
    cause = error.cause if isinstance(error, ActivityError) else error
    return cause.type if isinstance(cause, ApplicationError) and isinstance(error, FailureError) else None

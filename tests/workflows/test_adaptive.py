"""Tasks whose paradigm is chosen, on the real server."""

from collections.abc import AsyncIterator

import pytest
from pydantic import JsonValue
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError

from activities.relay import RelayActivities
from signals.adaptive import AdaptiveRequest, AdaptiveResult, Assessed, Selection, Task, Traits
from signals.errors import ErrorType
from signals.messages import SwitchMode
from signals.modes import Mode, Paradigm, Trigger
from signals.participants import Kind, Participant
from signals.run import StepStatus
from tests.flows import modes
from tests.flows.modes import BOB
from tests.flows.steps import Agency, Trip
from tests.harness import eventually, running_worker
from tests.workflows.talks import Run, Talks, failure
from workflows.compiled import execution
from workflows.conversation.workflow import Conversation
from workflows.modes.adaptive import Adaptive
from workflows.modes.stubs import Assessing

ANN = Participant(id="ann", kind=Kind.HUMAN, role="traveller")
CLEAR = Traits(
    deterministic=True,
    clear_steps=True,
    dynamic_participants=False,
    emergent=False,
    structured_phases=True,
    flexible=False,
)
OPEN = Traits(
    deterministic=False,
    clear_steps=False,
    dynamic_participants=True,
    emergent=True,
    structured_phases=False,
    flexible=True,
)
MIXED = OPEN.model_copy(update={"dynamic_participants": False, "emergent": False, "structured_phases": True})
VAGUE = MIXED.model_copy(update={"structured_phases": False, "flexible": False})


class Unsure(Assessing):
    """Knows nothing for sure."""

    @activity.defn(name="assess")
    async def assess(self, task: Task) -> Assessed:
        return Assessed(traits=CLEAR, confidence=0.3, by="rules")


@pytest.fixture(scope="module")
async def task_queue(client: Client, agency: Agency) -> AsyncIterator[str]:
    relay = RelayActivities(client)
    activities = [*agency.activities, relay.pass_on, relay.fetch_result, Unsure().assess]
    async with running_worker(client, [*modes.FLOWS, Conversation, Adaptive], activities) as name:
        yield name
        agency.let_all_go()


def journey(traits: Traits, *people: Participant, slow: tuple[str, ...] = (), **more: object) -> AdaptiveRequest:
    """A task that a workflow is made for."""
    place: dict[str, JsonValue] = {"place": "Rome", "slow": list(slow)}
    task = {"goal": "Go to Rome", "workflow": "Journey", "input": place, "traits": traits, **more}
    return AdaptiveRequest.model_validate({"task": task, "participants": people})


async def begun(talks: Talks, request: AdaptiveRequest) -> Run:
    """Start a task, and wait until it is chosen how it is gone about."""
    run = await talks.start("Adaptive", request)

    async def selection() -> object:
        return await run.query("selection")

    await eventually(selection)
    return run


async def result(run: Run) -> AdaptiveResult:
    return AdaptiveResult.model_validate(await run.result())


ROME: list[JsonValue] = ["flight to Rome", "room to Rome", "tickets to Rome"]


async def test_clear_steps_are_a_workflow(talks: Talks) -> None:
    run = await talks.start("Adaptive", journey(CLEAR, BOB))
    done = await result(run)
    assert (done.outcome, done.paradigm, done.mode, done.workflow) == (
        ROME,
        Paradigm.WORKFLOW,
        Mode.WORKFLOW,
        "Journey",
    )
    assert "its steps are clear" in done.reasons[0]
    assert (done.conversations, done.transitions) == ((), ())


async def test_open_wishes_are_a_conversation(talks: Talks) -> None:
    task = Task(goal="Where shall we go?", traits=OPEN, outcome={"type": "string"})
    run = await begun(talks, AdaptiveRequest(task=task, participants=(ANN, BOB)))
    [opened] = await talks.opened(run)
    assert (opened.id, opened.point) == (f"{run.id}/talk-1", "talk")
    await talks.decide(opened.id, 7)
    assert (await talks.rejections(talks.conversation(opened.id), 1)).recent[0].type == ErrorType.OUTCOME_INVALID
    await talks.decide(opened.id, "Rome")
    done = await result(run)
    assert (done.outcome, done.paradigm, done.workflow) == ("Rome", Paradigm.CONVERSATION, None)
    assert [record.stop for record in done.conversations] == ["decision"]


async def test_a_conversation_becomes_a_workflow_with_what_it_found_out(talks: Talks, agency: Agency) -> None:
    task = Task(goal="Where shall we go?", traits=OPEN, workflows=("Journey",))
    run = await begun(talks, AdaptiveRequest(task=task, participants=(ANN, BOB)))
    [opened] = await talks.opened(run)
    await talks.decide(opened.id, {"workflow": "Journey", "input": {"wrong": 1}})
    assert (await talks.rejections(talks.conversation(opened.id), 1)).recent[0].type == ErrorType.OUTCOME_INVALID
    await talks.decide(opened.id, {"workflow": "Journey", "input": {"place": "Oslo"}})
    done = await result(run)
    assert done.outcome == ["flight to Oslo", "room to Oslo", "tickets to Oslo"]
    assert (done.workflow, agency.calls(run.id)) == ("Journey", ["flight", "room", "tickets"])
    there, back = done.transitions
    assert (there.target, back.target, back.trigger, back.cause) == (
        Mode.CONVERSATION,
        Mode.WORKFLOW,
        Trigger.OUTCOME,
        "Journey",
    )


async def test_phases_that_need_flexibility_are_hybrid(talks: Talks) -> None:
    run = await talks.start("Adaptive", journey(MIXED, BOB, slow=()))
    assert (await result(run)).paradigm is Paradigm.HYBRID


async def test_what_nothing_speaks_for_adapts(talks: Talks) -> None:
    run = await talks.start("Adaptive", journey(VAGUE, BOB))
    done = await result(run)
    assert (done.paradigm, done.mode) == (Paradigm.ADAPTIVE, Mode.WORKFLOW)
    assert done.reasons[0] == "nothing speaks for one paradigm alone"


async def test_a_task_is_switched_to_conversation_and_back_in_the_middle(talks: Talks, agency: Agency) -> None:
    run = await begun(talks, journey(CLEAR, BOB, slow=("room",)))
    await eventually(lambda: talks.step(run, "room"), lambda now: now.status is StepStatus.RUNNING)
    await run.signal("switch_mode", SwitchMode(to=Mode.CONVERSATION, requested_by="bob", reason="another flight"))
    agency.let_go(run.id, "room")
    [about] = await talks.opened(run)
    await talks.decide(about.id, {"results": {"flight": {"what": "train"}}, "resume_at": "tickets"})
    done = await result(run)
    assert done.outcome == ["train", "room to Rome", "tickets to Rome"]
    assert (done.mode, [t.trigger for t in done.transitions]) == (Mode.WORKFLOW, [Trigger.REQUEST, Trigger.OUTCOME])
    assert agency.calls(run.id) == ["flight", "room", "tickets"]


async def test_a_task_that_nobody_is_sure_about_is_talked_about_first(talks: Talks) -> None:
    run = await begun(talks, journey(Traits(), BOB))
    [opened] = await talks.opened(run)
    await talks.decide(opened.id, {"workflow": "Journey", "input": {"place": "Rome"}})
    done = await result(run)
    assert (done.outcome, done.paradigm) == (ROME, Paradigm.CONVERSATION)
    assert done.reasons == ("what it is like is sure to 0.30 only, less than 0.7: people say first",)


@pytest.mark.parametrize("flow", ["Journey", "Adaptive"])
async def test_a_long_run_continues_as_new_and_does_nothing_twice(
    talks: Talks, agency: Agency, monkeypatch: pytest.MonkeyPatch, flow: str
) -> None:
    monkeypatch.setattr(execution, "LONG", 12)
    given = journey(CLEAR, BOB) if flow == "Adaptive" else Trip(place="Rome")
    run = await talks.start(flow, given)
    done = await run.result()
    assert (AdaptiveResult.model_validate(done).outcome if flow == "Adaptive" else done) == ROME
    assert agency.calls(run.id) == ["flight", "room", "tickets"]
    described = await run.describe()
    assert described.run_id != run.first_execution_run_id


async def test_the_choice_can_be_asked_for(talks: Talks) -> None:
    run = await talks.start("Adaptive", journey(CLEAR, BOB))
    await run.result()
    chosen = await run.query("selection", result_type=Selection)
    assert [(one.paradigm, one.suits) for one in chosen.considered] == [
        (Paradigm.CONVERSATION, False),
        (Paradigm.HYBRID, False),
    ]


async def test_a_task_that_nobody_can_do_is_refused(talks: Talks) -> None:
    run = await talks.start("Adaptive", AdaptiveRequest(task=Task(goal="Do it", traits=CLEAR)))
    error = await failure(run)
    assert isinstance(error, ApplicationError)
    assert error.type == ErrorType.MISSING_CONTEXT
    assert error.message.endswith("neither a workflow nor participants can serve the goal; name one or the other")


async def test_a_workflow_that_there_is_not_is_refused(talks: Talks) -> None:
    task = Task(goal="Do it", traits=CLEAR, workflow="Journy", input={"place": "Rome"})
    run = await talks.start("Adaptive", AdaptiveRequest(task=task))
    error = await failure(run)
    assert isinstance(error, ApplicationError)
    assert error.message == "task.workflow: there is no compiled workflow 'Journy'; did you mean 'Journey'?"


async def test_an_input_that_does_not_fit_is_refused(talks: Talks) -> None:
    task = Task(goal="Do it", traits=CLEAR, workflow="Journey", input={"plaice": "Rome"})
    run = await talks.start("Adaptive", AdaptiveRequest(task=task))
    error = await failure(run)
    assert isinstance(error, ApplicationError)
    assert error.type == ErrorType.INVALID_INPUT
    assert error.message.startswith("task.input: place: Field required")

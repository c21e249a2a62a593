"""Workflow patterns (van der Aalst) that are about waiting: for a message, a time, a state, somebody else."""

from uuid import uuid4

from temporalio.client import Client, WorkflowHandle

from signals.conversation import ConversationResult, Rejections, Status
from signals.messages import Propose, Turn
from signals.run import Progress, StepStatus
from tests.flows.waiting import AskAnn, InTheRoom, Question, Rooms, Visit
from tests.harness import eventually, running_worker
from workflows.conversation.workflow import Conversation

Handle = WorkflowHandle[object, object]


async def asked(client: Client, queue: str, seconds: float = 60) -> Handle:
    return await client.start_workflow(
        "AskAnn", Question(text="Tea?", seconds=seconds), id=f"ask-{uuid4()}", task_queue=queue
    )


async def opened(client: Client, run: Handle) -> WorkflowHandle[Conversation, ConversationResult]:
    """The run's conversation, once it is open."""

    async def conversations() -> list[str]:
        progress: Progress = await run.query("progress", result_type=Progress)
        return [record.id for record in progress.conversations]

    return client.get_workflow_handle_for(Conversation.run, (await eventually(conversations))[0])


async def test_pattern_16_deferred_choice_takes_the_message_if_it_comes_first(client: Client) -> None:
    async with running_worker(client, [AskAnn, Conversation]) as queue:
        run = await asked(client, queue)
        conversation = await opened(client, run)
        await conversation.signal(Conversation.propose, Propose(speaker="ann", outcome="yes"))
        assert await run.result() == "so: yes"


async def test_pattern_16_deferred_choice_takes_the_time_if_it_comes_first(client: Client) -> None:
    async with running_worker(client, [AskAnn, Conversation]) as queue:
        run = await asked(client, queue, seconds=1)
        assert await run.result() == "so: no answer"


async def test_pattern_18_milestone_a_step_can_be_done_only_while_the_state_holds(client: Client) -> None:
    async with running_worker(client, [AskAnn, Conversation]) as queue:
        run = await asked(client, queue)
        conversation = await opened(client, run)
        before = await run.query("progress", result_type=Progress)
        assert [step.status for step in before.steps] == [StepStatus.WAITING, StepStatus.PENDING]
        await conversation.signal(Conversation.propose, Propose(speaker="ann", outcome="yes"))
        await run.result()
        after = await run.query("progress", result_type=Progress)
        assert [step.status for step in after.steps] == [StepStatus.DONE, StepStatus.DONE]


async def test_pattern_23_transient_trigger_is_lost_when_nobody_waits_for_it(client: Client) -> None:
    async with running_worker(client, [AskAnn, Conversation]) as queue:
        run = await asked(client, queue)
        conversation = await opened(client, run)
        await conversation.signal(Conversation.propose, Propose(speaker="ann", outcome="yes"))
        await run.result()
        late = await asked(client, queue)
        fresh = await opened(client, late)
        status: Status = await fresh.query("status", result_type=Status)
        assert status.turns == 0, "what was said to the first run is not heard by the second"


async def test_pattern_24_persistent_trigger_is_kept_until_it_is_waited_for(client: Client) -> None:
    async with running_worker(client, [AskAnn, Conversation]) as queue:
        run = await asked(client, queue)
        conversation = await opened(client, run)
        await conversation.signal(Conversation.turn, Turn(speaker="ben", text="before my turn"))

        async def held() -> int:
            status: Status = await conversation.query("status", result_type=Status)
            return status.held

        assert await eventually(held) == 1
        await conversation.signal(Conversation.turn, Turn(speaker="ann", text="now you"))
        status = await eventually(lambda: conversation.query("status", result_type=Status), lambda s: s.turns == 2)
        assert status.held == 0


async def test_pattern_39_critical_section_is_entered_by_one_run_at_a_time(client: Client) -> None:
    room = Rooms()
    async with running_worker(client, [Visit, InTheRoom], [room.stay]) as queue:
        section = f"room-{uuid4()}"
        runs = [
            await client.start_workflow("Visit", section, id=f"visit-{uuid4()}", task_queue=queue) for _ in range(3)
        ]
        assert sorted([await run.result() for run in runs]) == [1, 2, 3]
        assert room.most == 1


async def test_a_turn_to_a_run_without_a_conversation_is_a_rejection(client: Client) -> None:
    async with running_worker(client, [Visit, InTheRoom], [Rooms().stay]) as queue:
        run = await client.start_workflow("Visit", f"room-{uuid4()}", id=f"visit-{uuid4()}", task_queue=queue)
        await run.signal("turn", Turn(speaker="ann", text="hello"))
        rejections = await eventually(
            lambda: run.query("rejections", result_type=Rejections), lambda found: found.total == 1
        )
        assert rejections.recent[0].type == "ConversationClosed"
        await run.result()

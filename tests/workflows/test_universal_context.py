"""What a run knows, on the real server: it goes with the mode, and from one run to the next."""

from uuid import uuid4

from temporalio.exceptions import ActivityError, ApplicationError

from signals.context import ConversationState, ParticipantState, WorkflowState
from signals.errors import ErrorType
from signals.messages import Turn
from signals.modes import Mode, Trigger
from tests.flows.modes import BOB
from tests.flows.steps import Agency, Trip
from tests.workflows.journeys import context, is_running, switch, transitions
from tests.workflows.talks import Run, Talks, failure, known
from workflows.modes.context import to_hybrid, variables


async def test_the_context_goes_with_the_mode(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Journey", Trip(place="Rome", slow=("room",)), known(BOB))
    await is_running(talks, run, "room")
    before = await context(run)
    assert isinstance(before.mode_state, WorkflowState)
    assert before.mode_state.variables == {"flight": {"what": "flight to Rome"}}
    await switch(run, Mode.CONVERSATION)
    agency.let_go(run.id, "room")
    [about] = await talks.opened(run)
    during = await context(run)
    assert during.core_state.request == {"place": "Rome", "slow": ["room"], "broken": [], "minutes": 30}
    assert isinstance(during.mode_state, ConversationState)
    assert during.mode_state.participants["bob"].participant == BOB
    assert set(variables(during)) == {"flight", "room"}
    await talks.conversation(about.id).signal("turn", Turn(speaker="bob", text="Let us see."))
    await talks.decide(about.id, {"note": "go on"})
    await run.result()
    after = await context(run)
    assert after.core_state.facts == {}
    assert set(variables(after)) == {"flight", "room", "tickets", "all_of_it"}
    [session] = to_hybrid(after).conversation_sessions
    assert [message.text for message in session.state.message_history if message.speaker][:1] == ["Let us see."]
    assert after.size < 64 * 1024


async def test_a_new_run_goes_on_from_the_context_of_an_old_one(talks: Talks, agency: Agency) -> None:
    old = await talks.start("Journey", Trip(place="Rome", broken=("tickets",)))
    assert isinstance(await failure(old), ActivityError)
    new = await talks.start("Journey", Trip(place="Oslo"), await context(old))
    # The room was taken back when the old run failed.
    assert await new.result() == ["flight to Rome", "room to Oslo", "tickets to Oslo"]
    assert agency.calls(new.id) == ["room", "tickets"]


async def test_a_result_that_is_too_large_to_carry_is_fetched_from_its_run(talks: Talks, agency: Agency) -> None:
    far = "x" * 70_000
    old = await talks.start("Journey", Trip(place=far, broken=("tickets",)))
    await failure(old)
    carried = await context(old)
    assert carried.size <= 64 * 1024
    assert {one.name for one in carried.core_state.artefacts} == {"flight", "request"}
    new = await talks.start("Journey", Trip(place="Oslo"), carried)
    assert await new.result() == [f"flight to {far}", "room to Oslo", "tickets to Oslo"]
    assert agency.calls(new.id) == ["room", "tickets"]


async def test_a_run_may_begin_in_conversation(talks: Talks) -> None:
    state = ConversationState(participants={"bob": ParticipantState(participant=BOB)})
    begun = known(BOB).model_copy(update={"mode_state": state})
    run = await talks.start("Journey", Trip(place="Rome"), begun)
    [about] = await talks.opened(run)
    assert (await transitions(run))[0].trigger is Trigger.SELECTED
    await talks.decide(about.id, {"results": {"flight": {"what": "train"}, "room": {"what": "tent"}}})
    assert await run.result() == ["train", "tent", "tickets to Rome"]


async def test_a_context_with_nobody_to_talk_to_in_conversation_is_refused(talks: Talks) -> None:
    context = known().model_copy(update={"mode_state": ConversationState()})
    error = await failure(await talks.start("Journey", Trip(place="Rome"), context))
    assert isinstance(error, ApplicationError)
    assert error.type == ErrorType.INVALID_INPUT
    assert "participants" in error.message


async def test_bytes_are_part_of_a_context_too(talks: Talks) -> None:
    run: Run = await talks.client.start_workflow(
        "Scanned", b"\x00\xff", id=f"test-{uuid4()}", task_queue=talks.task_queue
    )
    assert await run.result() == b"\xff\x00"
    carried = await context(run)
    assert (carried.core_state.request, variables(carried)) == ("AP8=", {"page": "_wA="})

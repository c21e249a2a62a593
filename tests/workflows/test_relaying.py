"""Messages to a run reach its open conversation, in order, or come back with the reason."""

from asyncio import gather
from itertools import permutations

import pytest
from pydantic import JsonValue
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowUpdateFailedError
from temporalio.common import RawValue
from temporalio.exceptions import ApplicationError

from signals.conversation import Rejections
from signals.errors import ErrorType
from signals.messages import Answer, Close, Disposition, Propose, Turn
from tests.flows.points import Wish
from tests.flows.steps import Agency
from tests.workflows.talks import Run, Talks, ann

OSLO: dict[str, JsonValue] = {"place": "Oslo", "nights": 1}


async def talking(talks: Talks, flow: str = "Consult", total: int = 1) -> tuple[Run, list[str]]:
    """A run, and the ids of the conversations that it has open, in alphabetical order."""
    run = await talks.start(flow, Wish())
    return run, sorted(record.id for record in await talks.opened(run, total))


async def refusal(run: Run, name: str, *payloads: object) -> ApplicationError:
    """Why an update isn't accepted."""
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await run.execute_update(name, args=payloads)
    assert isinstance(refused.value.cause, ApplicationError)
    return refused.value.cause


def name_one(*conversations: str) -> set[str]:
    """What a run with several open conversations answers to who names none; in the order in which they opened."""
    return {
        f"conversation: name one of those that are open: {', '.join(order)}" for order in permutations(conversations)
    }


# Signals


async def test_signals_to_a_run_reach_its_conversation_in_order(talks: Talks) -> None:
    run, [conversation] = await talking(talks)
    texts = [str(number) for number in range(10)]
    for text in texts:
        await run.signal("turn", ann(text))
    assert await talks.said(conversation, 10) == texts
    await run.signal("propose", Propose(speaker="bob", outcome=OSLO))
    assert await run.result() == OSLO


async def test_no_signal_is_lost_while_a_conversation_is_being_opened(talks: Talks) -> None:
    run = await talks.start("Consult", Wish())
    for number in range(20):
        await run.signal("turn", ann(str(number)))
    [opened] = await talks.opened(run)
    await run.signal("turn", ann("last"))
    rejected = (await talks.rejections(run, 0)).recent
    assert {rejection.reason for rejection in rejected} <= {"the run has no open conversation"}
    texts = await talks.said(opened.id, 21 - len(rejected))
    assert texts == [*(str(number) for number in range(len(rejected), 20)), "last"]
    await talks.decide(opened.id, OSLO)
    await run.result()


async def test_a_signal_is_passed_on_whole(talks: Talks) -> None:
    run, [conversation] = await talking(talks)
    await run.signal("turn", Turn(speaker="ann", text="one", id="m-1"))
    await run.signal("turn", Turn(speaker="bob", text="two", id="m-2", in_reply_to=1))
    await talks.said(conversation, 2)
    message = (await talks.transcript(conversation)).messages[-1]
    assert (message.speaker, message.text, message.id, message.in_reply_to) == ("bob", "two", "m-2", 1)
    await talks.decide(conversation, OSLO)
    await run.result()


@pytest.mark.parametrize("by", ["id", "last part"])
async def test_with_two_open_a_signal_goes_to_the_one_that_it_names(talks: Talks, by: str) -> None:
    run, conversations = await talking(talks, "Hall", 2)
    for conversation in conversations:
        name = conversation if by == "id" else conversation.removeprefix(f"{run.id}/")
        await run.signal("turn", ann(f"in {conversation}", name))
    for conversation in conversations:
        assert await talks.said(conversation, 1) == [f"in {conversation}"]
        await talks.decide(conversation, OSLO)
    await run.result()


async def test_with_two_open_a_signal_that_names_none_is_rejected(talks: Talks) -> None:
    run, [left, right] = await talking(talks, "Hall", 2)
    await run.signal("turn", ann("to whom?"))
    await run.signal("turn", ann("to whom?", "middle-1"))
    for rejection in (await talks.rejections(run, 2)).recent:
        assert (rejection.signal, rejection.speaker, rejection.type) == ("turn", "ann", ErrorType.INVALID_INPUT)
        assert rejection.reason in name_one(left, right)
    await run.signal("close", Close(speaker="bob", conversation=left))
    await run.cancel()


async def test_a_signal_for_no_conversation_is_rejected(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Hall", Wish(slow=("tea",)))
    for number, opened in enumerate(await talks.opened(run, 2)):
        await run.signal("propose", Propose(speaker="bob", outcome=OSLO, conversation=opened.id))
        await talks.closed(run, number + 1)
    await run.signal("turn", ann("too late"))
    [rejection] = (await talks.rejections(run, 1)).recent
    assert (rejection.signal, rejection.speaker) == ("turn", "ann")
    assert (rejection.type, rejection.reason) == (ErrorType.CONVERSATION_CLOSED, "the run has no open conversation")
    agency.let_go(run.id, "tea")
    assert await run.result() == ["Oslo", "Oslo"]


async def test_what_comes_with_the_decision_is_recorded_or_rejected_never_lost(talks: Talks) -> None:
    run, [conversation] = await talking(talks)
    texts = [str(number) for number in range(8)]
    messages = [ann(text) for text in texts]
    await run.signal("turn", messages[0])
    await run.signal("propose", Propose(speaker="bob", outcome=OSLO))
    sent = await gather(*(run.signal("turn", message) for message in messages[1:]), return_exceptions=True)
    assert await run.result() == OSLO
    taken = 1 + sum(answer is None for answer in sent)
    told = [len(texts) for texts in [await talks.said(conversation, 1)]]
    told += [(await talks.rejections(handle, 0)).total for handle in (run, talks.conversation(conversation))]
    assert sum(told) == taken


async def test_what_the_conversation_rejects_is_its_own_rejection(talks: Talks) -> None:
    run, [conversation] = await talking(talks)
    await run.signal("turn", Turn(speaker="zoe", text="let me in"))
    rejections = await talks.rejections(talks.conversation(conversation), 1)
    assert [(r.speaker, r.type) for r in rejections.recent] == [("zoe", ErrorType.NOT_A_PARTICIPANT)]
    answer: Rejections = await run.query("rejections", result_type=Rejections)
    assert answer.total == 0
    await talks.decide(conversation, OSLO)
    await run.result()


async def test_what_is_no_message_becomes_a_rejection_and_the_run_goes_on(talks: Talks) -> None:
    run, [conversation] = await talking(talks)
    no_json = RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"{oops"))
    sent: list[tuple[str, list[object]]] = [
        ("turn", []),
        ("turn", [ann("one"), ann("two")]),
        ("turn", [no_json]),
        ("turn", ["hello"]),
        ("turn", [{"speaker": "ann"}]),
        ("vote", [{"speaker": "ann", "proposal": 1, "approve": "perhaps"}]),
        ("shout", [ann("hey")]),
    ]
    for name, payloads in sent:
        await run.signal(name, args=payloads)
    rejections = await talks.rejections(run, len(sent))
    assert [(r.signal, r.speaker, r.type) for r in rejections.recent] == [
        ("turn", None, ErrorType.INVALID_INPUT),
        ("turn", None, ErrorType.INVALID_INPUT),
        ("turn", None, ErrorType.INVALID_INPUT),
        ("turn", None, ErrorType.INVALID_INPUT),
        ("turn", "ann", ErrorType.INVALID_INPUT),
        ("vote", "ann", ErrorType.INVALID_INPUT),
        ("shout", None, ErrorType.INVALID_INPUT),
    ]
    assert [r.reason for r in rejections.recent] == [
        "'turn' takes one JSON object, 0 inputs were sent",
        "'turn' takes one JSON object, 2 inputs were sent",
        "'turn' takes a JSON object; what was sent isn't JSON",
        "input: Input should be a valid dictionary or instance of Turn",
        "text: Field required",
        "approve: Input should be a valid boolean, unable to interpret input",
        "there is no signal of this name; there are: "
        "turn, join, leave, propose, vote, invoke, grant, subscribe, interrupt, close, "
        "request_conversation, switch_mode",
    ]
    await talks.decide(conversation, OSLO)
    assert await run.result() == OSLO


async def test_five_conversations_of_a_run_are_answered_by_number_in_any_order(talks: Talks) -> None:
    run, _ = await talking(talks, "Market", 5)
    for number in (3, 1, 5, 2, 4):
        outcome: dict[str, JsonValue] = {"place": f"place {number}"}
        await run.signal("propose", Propose(speaker="bob", outcome=outcome, conversation=f"stall{number}-1"))
    assert await run.result() == [f"place {number}" for number in range(1, 6)]


# Updates


async def test_an_update_to_a_run_answers_what_became_of_it_in_the_conversation(talks: Talks) -> None:
    run, _ = await talking(talks)
    turn = Turn(speaker="ann", text="hello", id="m-1", conversation="choice-1")
    first = await run.execute_update("submit_turn", turn, result_type=Answer)
    again = await run.execute_update("submit_turn", turn, result_type=Answer)
    assert first == Answer(disposition=Disposition.RECORDED, seq=1)
    assert again == Answer(disposition=Disposition.DUPLICATE, seq=1)
    decided = await run.execute_update("submit_propose", Propose(speaker="bob", outcome=OSLO), result_type=Answer)
    assert decided.disposition is Disposition.RECORDED
    assert await run.result() == OSLO


async def test_an_update_that_the_conversation_refuses_answers_with_its_reason(talks: Talks) -> None:
    run, [conversation] = await talking(talks)
    stranger = await refusal(run, "submit_turn", Turn(speaker="zoe", text="hello"))
    assert stranger.type == ErrorType.NOT_A_PARTICIPANT
    misfit = await refusal(run, "submit_propose", Propose(speaker="bob", outcome={"nights": 0}))
    assert misfit.type == ErrorType.OUTCOME_INVALID
    assert (await talks.rejections(run, 0)).total == 0
    await talks.decide(conversation, OSLO)
    assert await run.result() == OSLO


async def test_an_update_that_is_no_message_answers_what_does_not_fit(talks: Talks) -> None:
    run, [conversation] = await talking(talks)
    assert (await refusal(run, "submit_turn", {"speaker": "ann"})).message == "text: Field required"
    assert "0 inputs were sent" in (await refusal(run, "submit_turn")).message
    await talks.decide(conversation, OSLO)
    assert await run.result() == OSLO


async def test_an_update_for_no_conversation_is_refused_and_leaves_no_history(talks: Talks, agency: Agency) -> None:
    run = await talks.start("Rebook", Wish(refused=("Rome",), slow=("expert",)))
    error = await refusal(run, "submit_turn", ann("hello"))
    assert (error.type, error.message) == (ErrorType.CONVERSATION_CLOSED, "the run has no open conversation")
    events = [event.event_type for event in (await run.fetch_history()).events]
    assert EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED not in events
    agency.let_go(run.id, "expert")
    [opened] = await talks.opened(run)
    await talks.decide(opened.id, OSLO)
    await run.result()


async def test_with_two_open_an_update_must_name_one(talks: Talks) -> None:
    run, [left, right] = await talking(talks, "Hall", 2)
    error = await refusal(run, "submit_turn", ann("to whom?"))
    assert error.type == ErrorType.INVALID_INPUT
    assert error.message in name_one(left, right)
    answer = await run.execute_update("submit_turn", ann("to the right", "right-1"), result_type=Answer)
    assert answer.seq == 1
    assert await talks.said(right, 1) == ["to the right"]
    await run.cancel()

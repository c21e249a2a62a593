"""AI participants as they are, on the real server: scripted ones, and models behind a server that plays a provider."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest
from pydantic import JsonValue, TypeAdapter
from pydantic_ai.models import Model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider
from temporalio.client import Client

from activities.assistant import AssistantActivities
from activities.local_model import LocalModel
from activities.models import LanguageModels
from activities.results import WorkflowResults
from activities.scripts import Script
from signals.conversation import MessageKind, StopReason
from signals.errors import ErrorType
from signals.messages import Grant, Interrupt, Propose, Turn
from signals.participants import Kind, Participant, Permission
from tests.flows.fragments import FLOWS
from tests.flows.steps import Agency
from tests.harness import eventually, running_worker
from tests.unit.assistant.endpoint import Endpoint, Hang, calls, fails, says
from tests.workflows.rooms import ANN, BEN, FREE_FORM, Room, Rooms
from workflows.conversation.workflow import Conversation

SCRIPTS: dict[str, JsonValue] = {
    "clerk": [{"say": "Rome, I think.", "propose": "Rome"}, {"say": "Over to you.", "hand_off": "ann"}, "Here again."],
    "fan": [{"vote": {"proposal": 1, "approve": True, "comment": "lovely"}}],
    "forger": [{"propose": "Rome"}, {"invoke": "Refund"}, {"grant": "ben"}],
    "chooser": [{"choose": "nobody"}, {"choose": "ann"}, {"choose": "ben"}, {"choose": "eve"}, {"choose": "mallory"}],
    "judge": [{"judge": False}, {"judge": True, "reason": "they agree on Rome"}],
    "clerk of the court": [{"summarise": "Ann counts."}, {"summarise": "Ann counted to twenty."}],
}


def ai(model: str, *can: Permission, name: str = "bot", **options: object) -> Participant:
    known = {"id": name, "kind": Kind.AI, "role": "assistant", "model": model, "can": can or (Permission.SPEAK,)}
    return Participant.model_validate({**known, **options})


def client_at(url: str) -> Model:
    """A client for a provider at an address, which is the model's name."""
    return OpenAIChatModel("test", provider=OpenAIProvider(base_url=url, api_key="none"))


@pytest.fixture(scope="module")
async def rooms(client: Client) -> AsyncIterator[Rooms]:
    models = LanguageModels(LocalModel(), infer=client_at)
    scripts = TypeAdapter(dict[str, Script]).validate_python(SCRIPTS)
    assistant = AssistantActivities("script:clerk", models, scripts)
    others = [*Agency().activities, WorkflowResults(client).await_result]
    activities = [*others, assistant.reply, assistant.consult]
    async with running_worker(client, [*FLOWS, Conversation], activities) as task_queue:
        yield Rooms(client, task_queue)
    await models.aclose()


@pytest.fixture
def provider() -> Iterator[Endpoint]:
    with Endpoint() as endpoint:
        yield endpoint


async def notes(room: Room) -> list[str]:
    """What the conversation itself said."""
    return [message.text for message in (await room.transcript()).messages if message.kind is MessageKind.SYSTEM]


async def has_summary(room: Room, summary: str) -> bool:
    return (await room.transcript()).summary == summary


# What they do


async def test_a_model_proposes_by_a_tool_and_another_participant_votes_it_through(
    rooms: Rooms, provider: Endpoint
) -> None:
    provider.first = [calls(("propose", {"outcome": "Rome", "comment": "it is warm"}), text="What about Rome?")]
    room = await rooms.open(
        ANN,
        ai(provider.url),
        ai("script:fan", name="fan"),
        emergence=[{"kind": "quorum", "of": "everybody", "count": 2}],
    )
    await room.say("ann", "Which city?")
    result = await room.result()
    assert (result.stop, result.outcome, result.decided_by) == (StopReason.QUORUM, "Rome", ("bot", "fan"))
    assert [(message.speaker, message.text) for message in result.last_messages][:4] == [
        ("ann", "Which city?"),
        ("bot", "What about Rome?"),
        ("bot", "proposes outcome 1: it is warm"),
        ("fan", "approves proposal 1: lovely"),
    ]
    assert (result.tokens.input, result.tokens.output) == (42, 7)


async def test_a_model_is_asked_with_the_proposals_and_votes_on_them(rooms: Rooms, provider: Endpoint) -> None:
    provider.answer = calls(("vote", {"proposal": 1, "approve": True}))
    room = await rooms.open(
        ANN,
        BEN,
        ai(provider.url),
        emergence=[{"kind": "quorum", "of": "everybody", "count": 2}],
        coordination=FREE_FORM,
    )
    await room.submit(Propose(speaker="ben", outcome="Oslo"))
    await room.say("ann", "bot, what do you say?")
    assert (await room.result()).outcome == "Oslo"
    assert 'proposal 1 by ben (approved by ben): "Oslo"' in provider.asked[0]["messages"][-1]["content"]


async def test_what_an_ai_participant_may_not_do_is_a_rejection_and_it_goes_on(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, ai("script:forger"), outcome={"type": "integer"}, coordination=FREE_FORM)
    for number in range(1, 4):
        await room.say("ann", "go on")
        await room.rejections(number)
    rejections = await room.rejections(3)
    assert [one.type for one in rejections.recent] == [
        ErrorType.OUTCOME_INVALID,
        ErrorType.NOT_PERMITTED,
        ErrorType.NOT_PERMITTED,
    ]
    assert (await room.status()).open
    await room.close()


async def test_an_ai_participant_hands_over_to_a_person_and_comes_back_when_it_is_addressed(rooms: Rooms) -> None:
    room = await rooms.open(
        ANN, BEN, ai("script:clerk"), coordination=FREE_FORM, emergence=[{"kind": "turns", "count": 9}]
    )
    for text, turns in (("one", 2), ("two", 4), ("three", 5)):
        await room.say("ben", text)
        await room.taken(turns)
    assert (await notes(room))[-1:] == ["bot hands over to ann"]
    await room.say("ann", "@bot and now?")
    assert (await room.said(7))[2:] == [
        ("ben", "two"),
        ("bot", "Over to you."),
        ("ben", "three"),
        ("ann", "@bot and now?"),
        ("bot", "Here again."),
    ]
    await room.close()


async def test_a_model_has_a_fragment_run_and_is_asked_again_with_what_it_gave(
    rooms: Rooms, provider: Endpoint
) -> None:
    provider.first = [calls(("run_Errand", {"place": "Rome"}), text="I book it."), says("You have a seat.")]
    room = await rooms.open(
        ANN,
        BEN,
        ai(provider.url, Permission.SPEAK, Permission.INVOKE),
        coordination=FREE_FORM,
        fragments=["Errand"],
    )
    await room.say("ann", "To Rome, please")
    assert await room.said(3) == [
        ("ann", "To Rome, please"),
        ("bot", "I book it."),
        ("bot", "You have a seat."),
    ]
    told = provider.asked[1]["messages"][-1]["content"].splitlines()
    assert 'bot (assistant) [run 1]: asks for Errand {"place": "Rome"}' in told
    assert '* [run 1]: Errand gave {"what": "seat to Rome"}' in told
    assert 'seat: {"what": "seat to Rome"}' in told
    await room.close()


async def test_what_a_model_leaves_out_is_asked_for_and_an_answer_goes_on(rooms: Rooms, provider: Endpoint) -> None:
    provider.first = [calls(("run_Errand", {})), says("You have a seat.")]
    clerk = ai(provider.url, Permission.SPEAK, Permission.INVOKE, speaks="addressed")
    room = await rooms.open(ANN, BEN, clerk, coordination=FREE_FORM, fragments=["Errand"])
    await room.say("ann", "A seat, please, @bot")
    [asked] = (await room.until(lambda status: status.invocations)).invocations
    await room.send(Turn(speaker="ann", text="Rome", in_reply_to=asked.seq))
    assert (await room.said(3))[1:] == [("ann", "Rome"), ("bot", "You have a seat.")]
    await room.close()


# What goes wrong


async def test_an_interrupt_ends_the_request_under_way(rooms: Rooms, provider: Endpoint) -> None:
    provider.answer = Hang()
    room = await rooms.open(ANN, ai(provider.url), BEN)
    await room.say("ann", "bot?")
    await room.until(lambda status: status.replying and provider.posts)
    await room.submit(Interrupt(speaker="ann"))
    assert await asyncio.to_thread(provider.given_up.get, timeout=3), "the provider must see the client go away"
    assert (await room.status()).floor == "ben"
    await room.close()


async def test_a_model_that_fails_for_good_is_told_of_once_and_the_conversation_goes_on(
    rooms: Rooms, provider: Endpoint
) -> None:
    provider.answer = fails(401)
    room = await rooms.open(ANN, BEN, ai(provider.url))
    for number in range(1, 5):
        await room.say(("ann", "ben")[number % 2 - 1], f"{number}")
        await room.taken(number)
        await room.until(lambda status: not status.replying)
    [note] = await notes(room)
    assert note.startswith(f"bot can't reply: {provider.url}: its provider refuses the key")
    assert len(provider.posts) == 2, "what is final isn't tried again"
    await room.close()


# What models are asked beside


async def test_a_wrong_choice_is_asked_for_again_and_then_falls_to_the_next_in_order(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, coordination={"kind": "ai_selected", "model": "script:chooser", "attempts": 2})
    assert (await room.until(lambda status: status.floor)).floor == "ann"
    await room.say("ann", "one")
    assert (await room.until(lambda status: status.floor)).floor == "ben"
    assert await notes(room) == []
    await room.close()


async def test_choices_that_stay_wrong_are_said(rooms: Rooms) -> None:
    room = await rooms.open(ANN, BEN, coordination={"kind": "ai_selected", "model": "script:fan", "attempts": 2})
    assert (await room.until(lambda status: status.floor)).floor == "ann"
    assert await notes(room) == ["No model chose who is next; it is ann's turn"]
    await room.close()


async def test_a_judging_model_ends_it(rooms: Rooms) -> None:
    question = {"kind": "judge", "question": "Do they agree?", "every": 2, "model": "script:judge"}
    room = await rooms.open(ANN, BEN, emergence=[question])
    for number in range(4):
        await room.say(("ann", "ben")[number % 2], "Rome?")
    result = await room.result()
    assert (result.stop, result.turns) == (StopReason.JUDGED, 4)
    assert result.reason == "'Do they agree?' was judged to be so: they agree on Rome"


async def test_the_rolling_summary_reaches_the_model_with_what_is_no_longer_shown(
    rooms: Rooms, provider: Endpoint
) -> None:
    room = await rooms.open(
        ANN,
        ai(provider.url, speaks="addressed"),
        coordination=FREE_FORM,
        summary={"every": 10, "model": "script:clerk of the court"},
        emergence=[{"kind": "turns", "count": 100}],
    )
    for half in ("Ann counts.", "Ann counted to twenty."):
        for _ in range(10):
            await room.say("ann", "one more")
        await eventually(partial(has_summary, room, half))
    await room.say("ann", "@bot how far was I?")
    await room.taken(22)
    told = provider.asked[0]["messages"][-1]["content"].splitlines()
    assert "what they come to: Ann counted to twenty." in told
    assert "earlier messages not shown: 9" in told
    await room.close()


# Budgets


@pytest.mark.parametrize("policy", ["stop", "ask", "hand_off"])
async def test_a_budget_that_is_used_up_ends_it_or_silences_the_models(
    rooms: Rooms, provider: Endpoint, policy: str
) -> None:
    provider.answer = says("Yes.")
    budget = {"tokens": 60, "at_exhaustion": policy}
    room = await rooms.open(
        ANN, BEN, ai(provider.url), coordination=FREE_FORM, constraints={"budget": budget}, adaptation=[]
    )
    for number in (1, 2):
        await room.say("ben", f"{number}?")
        await room.taken(2 * number)
    if policy == "stop":
        assert (await room.result()).stop is StopReason.BUDGET
        return
    await room.say("ben", "3?")
    await room.taken(5)
    assert not (await room.status()).replying
    assert (await notes(room))[0].startswith("Language models have used up their budget (98 tokens)")
    if policy == "ask":
        await room.submit(Grant(speaker="ann", to="bot"))
        await room.taken(6)
    await room.close()
    assert len(provider.posts) == (3 if policy == "ask" else 2)

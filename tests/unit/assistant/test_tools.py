"""What AI participants do beside saying something: tools for a provider's model, and what its calls come to."""

import json
import logging
from collections.abc import Callable, Sequence

import pytest
from pydantic import BaseModel, JsonValue
from pydantic_ai.profiles import ModelProfile
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.assistant import AssistantActivities
from signals.assistant import Reply, ReplyRequest, Tool
from signals.conversation import Proposal, Tokens
from signals.errors import ErrorType
from signals.messages import Grant, InvocationMode, Invoke, Propose, Vote
from signals.participants import Permission
from signals.wire import MAX_OUTCOME_BYTES
from tests.unit.assistant.endpoint import Body, Endpoint, calls, fails
from tests.unit.assistant.requests import SAGE, asking

SPEAK, DECIDE, INVOKE, MODERATE = Permission


class Amount(BaseModel):
    """An amount of money."""

    euros: int


class Decision(BaseModel):
    """What is to be done."""

    refund: Amount


class Question(BaseModel):
    """Which order."""

    order_id: str = ""
    customer_id: str = ""


STATUS = Tool(
    name="OrderStatus",
    about="Say where an order is.",
    context=Question.model_json_schema(),
    modes=(InvocationMode.SYNCHRONOUS,),
)
PROPOSAL = Proposal(number=3, seq=2, speaker="bob", outcome={"refund": {"euros": 20}}, approved_by={"bob": 2})


def wanting(*can: Permission, **more: object) -> ReplyRequest:
    """Ask Sage, who may do these things, for a reply."""
    sage = SAGE.model_copy(update={"can": can or (SPEAK,)})
    return asking(("C-1", "Where is my order?")).model_copy(update={"speaker": sage, **more})


ANYTHING = wanting(*Permission, tools=(STATUS,), proposals=(PROPOSAL,), outcome=Decision.model_json_schema())


async def reply(assistant: AssistantActivities, request: ReplyRequest = ANYTHING) -> Reply:
    return await ActivityEnvironment().run(assistant.reply, request)


def offered(asked: Body) -> dict[str, Body]:
    """The tools that a model was given, with the schemas of their arguments."""
    return {tool["function"]["name"]: tool["function"]["parameters"] for tool in asked.get("tools", [])}


# What is offered


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        (wanting(), {"pass", "propose", "tell", "hand_off"}),
        (wanting(proposals=(PROPOSAL,)), {"pass", "propose", "vote", "tell", "hand_off"}),
        (wanting(tools=(STATUS,)), {"pass", "propose", "tell", "hand_off"}),
        (wanting(SPEAK, INVOKE, tools=(STATUS,)), {"pass", "propose", "tell", "hand_off", "run_OrderStatus"}),
        (wanting(SPEAK, INVOKE), {"pass", "propose", "tell", "hand_off"}),
        (wanting(SPEAK, MODERATE), {"pass", "propose", "tell", "hand_off", "grant"}),
        (wanting(SPEAK, MODERATE, others=()), {"pass", "propose"}),
    ],
)
async def test_nothing_is_offered_but_what_the_speaker_may_do_here(
    endpoint: Endpoint, assistant: AssistantActivities, request_: ReplyRequest, names: set[str]
) -> None:
    await reply(assistant, request_)
    assert offered(endpoint.asked[0]).keys() == names


async def test_a_tool_can_only_name_who_is_here_and_what_there_is(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    await reply(assistant)
    tools = offered(endpoint.asked[0])
    assert tools["grant"]["properties"]["to"]["enum"] == ["C-1", "bob"]
    assert tools["hand_off"]["properties"]["to"]["enum"] == ["C-1", "bob"]
    assert tools["vote"]["properties"]["proposal"]["enum"] == [3]


async def test_a_fragment_is_offered_with_what_it_may_be_given(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    await reply(assistant)
    assert offered(endpoint.asked[0])["run_OrderStatus"]["properties"].keys() == {"order_id", "customer_id"}


async def test_the_model_is_told_who_is_here_and_what_may_be_voted_on(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    await reply(assistant)
    told = endpoint.asked[0]["messages"][-1]["content"].splitlines()
    assert 'proposal 3 by bob (approved by bob): {"refund": {"euros": 20}}' in told
    assert told[told.index("here:") + 1 :][:3] == [
        "- assistant: Sage (assistant)",
        "- C-1: Alice (customer)",
        "- bob: Bob Keller (agent)",
    ]


async def test_names_that_providers_do_not_take_are_changed_and_stay_apart(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    tools = tuple(STATUS.model_copy(update={"name": name}) for name in ("Order.Status", "Order@Status", "x" * 64))
    endpoint.first = [calls(("run_Order_Status_1", {}))]
    said = await reply(assistant, wanting(SPEAK, INVOKE, tools=tools))
    assert [name for name in offered(endpoint.asked[0]) if name.startswith("run_")] == [
        "run_Order_Status",
        "run_Order_Status_1",
        "run_" + "x" * 60,
    ]
    assert said.actions == (Invoke(speaker="assistant", fragment="Order@Status"),)


# What its calls come to


async def test_calls_become_actions_in_their_order_beside_what_is_said(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.first = [
        calls(
            ("run_OrderStatus", {"order_id": "A-1001"}),
            ("propose", {"outcome": {"refund": {"euros": 5}}, "comment": "half of it"}),
            ("vote", {"proposal": 3, "approve": False}),
            ("grant", {"to": "C-1"}),
            ("hand_off", {"to": "bob"}),
            text="Sage: I look it up.",
        )
    ]
    assert await reply(assistant) == Reply(
        text="I look it up.",
        actions=(
            Invoke(speaker="assistant", fragment="OrderStatus", arguments={"order_id": "A-1001"}),
            Propose(speaker="assistant", outcome={"refund": {"euros": 5}}, comment="half of it"),
            Vote(speaker="assistant", proposal=3, approve=False),
            Grant(speaker="assistant", to="C-1"),
        ),
        hand_off="bob",
        model="openai-chat:test",
        tokens=Tokens(input=42, output=7),
    )
    assert len(endpoint.asked) == 1


async def test_any_outcome_may_be_proposed_where_nothing_is_said_of_it(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.first = [calls(("propose", {"outcome": [1, None]}))]
    said = await reply(assistant, wanting())
    assert said.actions == (Propose(speaker="assistant", outcome=[1, None]),)


async def test_passing_says_nothing_whatever_is_written_beside_it(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.first = [calls(("pass", ""), text="I have nothing to add.")]
    said = await reply(assistant)
    assert (said.text, said.actions) == ("", ())


async def test_what_is_told_to_some_is_for_them_alone_with_all_that_is_said_beside_it(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.first = [calls(("tell", {"to": ["bob", "bob"], "text": "She is upset."}), text="One moment.")]
    said = await reply(assistant)
    assert (said.text, said.to) == ("One moment.\nShe is upset.", ("bob",))


# Calls that don't fit

MISFITS: Sequence[tuple[str, JsonValue, str]] = [
    ("vote", '{"proposal": 3, "appr', "its arguments are no JSON object"),
    ("vote", "[3, true]", "its arguments are no JSON object"),
    ("vote", {"proposal": 4, "approve": True}, "proposal: 4 is not"),
    ("vote", {"proposal": 3}, '"approve" is a required property'),
    ("vote", {"proposal": 3, "approve": True, "speaker": "bob"}, "'speaker' was unexpected"),
    ("propose", {"outcome": {"refund": {"euros": "many"}}}, "outcome.refund.euros"),
    ("propose", {"outcome": {"refund": {"euros": 1}, "note": "x" * MAX_OUTCOME_BYTES}}, "at most 16,384 are allowed"),
    ("grant", {"to": "eve"}, 'to: "eve" is not'),
    ("hand_off", {"to": "assistant"}, 'to: "assistant" is not'),
    ("run_OrderStatus", {"order_id": 7}, "order_id: 7 is not"),
    ("run_Refund", {}, "there is no such tool; use one of pass, propose, vote"),
    ("tell", {"to": [], "text": "Hm."}, "to: [] has less than 1 item"),
]


@pytest.mark.parametrize(("tool", "given", "fault"), MISFITS)
async def test_a_model_is_told_what_does_not_fit_and_asked_once_more_for_all_of_it(
    endpoint: Endpoint, assistant: AssistantActivities, tool: str, given: JsonValue, fault: str
) -> None:
    good: tuple[str, JsonValue] = ("vote", {"proposal": 3, "approve": True})
    endpoint.first = [calls(good, (tool, given), text="Well."), calls(good, text="Yes.")]
    said = await reply(assistant)
    assert (said.text, said.actions) == ("Yes.", (Vote(speaker="assistant", proposal=3, approve=True),))
    assert said.tokens == Tokens(input=84, output=14)
    returned = [message["content"] for message in endpoint.asked[1]["messages"] if message["role"] == "tool"]
    told = [json.loads(content)["error"] for content in returned]
    assert told[0] == "not done yet: ask for it again, together with what is mended"
    assert fault in told[1]


async def test_what_does_not_fit_twice_is_left_out_and_the_rest_is_done(
    endpoint: Endpoint, assistant: AssistantActivities, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint.answer = calls(("grant", {"to": "eve"}), ("vote", {"proposal": 3, "approve": True}))
    with caplog.at_level(logging.WARNING):
        said = await reply(assistant)
    assert said.actions == (Vote(speaker="assistant", proposal=3, approve=True),)
    assert "wants what can't be done, which is left out" in caplog.text
    assert len(endpoint.asked) == 2


async def test_a_reply_of_nothing_but_what_does_not_fit_is_a_final_failure(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.answer = calls(("launch", {}))
    with pytest.raises(ApplicationError) as failure:
        await reply(assistant, wanting())
    assert (failure.value.type, failure.value.non_retryable) == (ErrorType.ASSISTANT_FAILED, True)
    assert failure.value.message.startswith("openai-chat:test: it wants what can't be done: there is no such tool")


async def test_a_reply_does_ten_things_at_most(endpoint: Endpoint, assistant: AssistantActivities) -> None:
    vote: tuple[str, JsonValue] = ("vote", {"proposal": 3, "approve": True})
    endpoint.answer = calls(*[vote] * 12)
    assert len((await reply(assistant)).actions) == 10


# Models without tools


@pytest.fixture
def toolless(able_to: Callable[[ModelProfile], AssistantActivities]) -> AssistantActivities:
    """Activities whose model is known to have no tools."""
    return able_to(ModelProfile(supports_tools=False))


async def test_a_model_without_tools_talks(endpoint: Endpoint, toolless: AssistantActivities) -> None:
    said = await reply(toolless, wanting(proposals=(PROPOSAL,)))
    assert (said.text, said.actions) == ("Hello.", ())
    [asked] = endpoint.asked
    assert "tools" not in asked
    assert "`pass`" not in str(asked["messages"])
    assert "proposal 3 by bob" in str(asked["messages"])


async def test_who_may_do_more_than_talk_needs_a_model_with_tools(
    endpoint: Endpoint, toolless: AssistantActivities
) -> None:
    with pytest.raises(ApplicationError) as failure:
        await reply(toolless, wanting(SPEAK, INVOKE, MODERATE))
    assert failure.value.non_retryable
    assert failure.value.message == (
        "plain can't use tools: to invoke, moderate needs a model that can, or leave 'assistant' only 'speak' in 'can'"
    )
    assert endpoint.asked == []


async def test_where_a_provider_refuses_the_tools_the_model_talks(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.first = [fails(400, "this model does not support tools")]
    assert (await reply(assistant, wanting())).text == "Hello."
    assert ["tools" in asked for asked in endpoint.asked] == [True, False]


async def test_where_a_provider_refuses_and_tools_are_needed_it_is_said_that_they_may_be_why(
    endpoint: Endpoint, assistant: AssistantActivities
) -> None:
    endpoint.answer = fails(400, "this model does not support tools")
    with pytest.raises(
        ApplicationError, match=r"refuses the request \(HTTP status 400\); perhaps it can't use tools: to"
    ):
        await reply(assistant)
    assert len(endpoint.asked) == 1

"""Customer support: what is known is done by workflow, what is refused or unknown is talked about and comes back."""

from collections.abc import AsyncIterator
from decimal import Decimal
from uuid import uuid4

import pytest
from pydantic import JsonValue
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client
from temporalio.exceptions import ActivityError, ApplicationError

from activities.relay import RelayActivities
from signals.conversation import StopReason
from signals.messages import Close, Invoke, Propose, Turn
from signals.modes import Mode
from signals.names import WorkflowType
from signals.support import (
    Action,
    Customer,
    Issue,
    RefundRequest,
    Resolution,
    ResolutionStatus,
    SolvedBy,
    SupportRequest,
)
from tests.flows import shop
from tests.harness import eventually, running_worker
from tests.unit.conversation.talk import ANYTHING, person
from tests.workflows.rooms import Rooms
from tests.workflows.talks import Run, Talks, failure
from workflows.library import WORKFLOWS
from workflows.support.errors import SupportError

ALICE = Customer(id="C-1", name="Alice", email="alice@example.com")


@pytest.fixture(scope="module")
async def task_queue(client: Client) -> AsyncIterator[str]:
    async with running_worker(client, WORKFLOWS, [*shop.activities(), RelayActivities(client).pass_on]) as name:
        yield name


async def ask(talks: Talks, text: str, customer: Customer = ALICE) -> Run:
    """Start a support run."""
    return await talks.client.start_workflow(
        WorkflowType.CUSTOMER_SUPPORT,
        SupportRequest(customer=customer, text=text),
        id=f"test-{uuid4()}",
        task_queue=talks.task_queue,
        result_type=Resolution,
    )


async def resolution(run: Run) -> Resolution:
    result = await run.result()
    assert isinstance(result, Resolution)
    return result


async def called(run: Run) -> list[str]:
    """The activities that a run called."""
    scheduled = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
    events = [event for event in (await run.fetch_history()).events if event.event_type == scheduled]
    return [event.activity_task_scheduled_event_attributes.activity_type.name for event in events]


async def test_a_known_issue_is_solved_without_asking_anybody(talks: Talks) -> None:
    run = await ask(talks, "Where is A-1001?")
    resolved = await resolution(run)
    assert (resolved.status, resolved.mode) == (ResolutionStatus.RESOLVED, SolvedBy.WORKFLOW)
    assert (resolved.issue, resolved.confidence) == (Issue.ORDER_STATUS, 0.9)
    assert (resolved.result.action, resolved.result.solved) == (Action.ORDER_STATUS, True)
    assert resolved.result.text == "Your order A-1001 (Lamp) is on its way; its tracking number is T-1."
    assert resolved.result.details["text"] == resolved.result.text
    assert (resolved.conversations, resolved.transitions) == ((), ())
    assert "agent_on_duty" not in await called(run)


async def test_a_known_issue_is_solved_by_a_workflow_of_its_own(talks: Talks) -> None:
    run = await ask(talks, "Refund A-1001, please")
    assert (await resolution(run)).result.details == {
        "reference": "R-1",
        "order_id": "A-1001",
        "amount": "50",
        "approved_by": "policy",
    }
    child = await talks.conversation(f"{run.id}/refund-1").describe()
    assert child.workflow_type == WorkflowType.REFUND


async def test_a_refused_issue_is_talked_about_and_tried_again_for_the_one_who_approved(talks: Talks) -> None:
    run = await ask(talks, "Refund A-1002, it is broken")
    [opened] = await talks.opened(run)
    assert (opened.id, opened.because) == (f"{run.id}/refused-1", "180 EUR is more than 100 EUR")
    await run.signal("turn", Turn(speaker="C-1", text="It came in two pieces."))
    await run.signal("propose", Propose(speaker="bob", outcome=_refund("A-1002", "120.00")))
    resolved = await resolution(run)
    assert (resolved.status, resolved.mode) == (ResolutionStatus.RESOLVED, SolvedBy.HYBRID)
    assert resolved.result.text == "120.00 EUR were paid back for A-1002 (R-1)."
    [record] = resolved.conversations
    assert (record.id, record.point, record.stop) == (opened.id, "refused", StopReason.DECISION)
    assert (record.decided_by, record.fallback) == (("bob",), False)
    assert record.outcome == _refund("A-1002", "120.00")
    assert [(change.source, change.target) for change in resolved.transitions] == [
        (Mode.WORKFLOW, Mode.CONVERSATION),
        (Mode.CONVERSATION, Mode.WORKFLOW),
    ]
    history = await talks.conversation(f"{run.id}/refund-2").fetch_history()
    request = history.events[0].workflow_execution_started_event_attributes.input.payloads[0].data
    assert RefundRequest.model_validate_json(request) == RefundRequest(
        order_id="A-1002", customer_id="C-1", amount=Decimal("120.00"), approved_by="bob"
    )


async def test_what_is_refused_again_is_talked_about_again(talks: Talks) -> None:
    run = await ask(talks, "Refund A-1003")
    for number, amount in ((1, "900.00"), (2, "400.00")):
        [opened] = await talks.opened(run, number)
        await talks.decide(opened.id, _refund("A-1003", amount))
    resolved = await resolution(run)
    assert resolved.result.details["amount"] == "400.00"
    assert [record.because for record in resolved.conversations] == [
        "900 EUR is more than 100 EUR",
        "900.00 EUR is more than 500 EUR",
    ]


async def test_the_assistant_answers_in_the_conversation(talks: Talks) -> None:
    run = await ask(talks, "Refund A-1002")
    [opened] = await talks.opened(run)
    await run.signal("turn", Turn(speaker="C-1", text="Hello?"))
    assert await talks.said(opened.id, 2) == ["Hello?", "I see, C-1."]
    await talks.decide(opened.id, _refund("A-1002", "120.00"))
    await run.result()


async def test_an_unknown_issue_is_talked_about(talks: Talks) -> None:
    run = await ask(talks, "Do you sell gift cards?")
    [opened] = await talks.opened(run)
    assert opened.because == "it is so: people say first"
    await talks.decide(opened.id, {"action": "none", "note": "From May on."})
    resolved = await resolution(run)
    assert (resolved.status, resolved.mode) == (ResolutionStatus.RESOLVED, SolvedBy.CONVERSATION)
    assert (resolved.issue, resolved.result.text) == (Issue.OTHER, "From May on.")


async def test_what_people_decide_about_an_unknown_issue_is_done(talks: Talks) -> None:
    run = await ask(talks, "My lamp is broken, A-1001")
    [opened] = await talks.opened(run)
    await talks.decide(opened.id, _refund("A-1001", "20.00"))
    resolved = await resolution(run)
    assert (resolved.mode, resolved.result.action) == (SolvedBy.CONVERSATION, Action.REFUND)
    assert resolved.result.details["approved_by"] == "bob"


async def test_a_known_issue_that_lacks_something_is_talked_about(talks: Talks) -> None:
    run = await ask(talks, "Refund my lamp")
    [opened] = await talks.opened(run)
    assert (opened.point, opened.because) == ("unknown", "it is so: people say first")
    await talks.decide(opened.id, {"action": "refund"})
    [again] = await talks.opened(run, 2)
    assert (again.point, again.because) == ("refused", "the decision does not say which order it is about")
    await talks.decide(again.id, _refund("A-1001", "20.00"))
    assert (await resolution(run)).mode is SolvedBy.HYBRID


@pytest.mark.parametrize(
    ("text", "mode"), [("Refund A-1002", SolvedBy.HYBRID), ("Anything else?", SolvedBy.CONVERSATION)]
)
async def test_what_nobody_decides_is_unresolved(talks: Talks, text: str, mode: SolvedBy) -> None:
    run = await ask(talks, text)
    await talks.opened(run)
    await run.signal("close", Close(speaker="bob", reason="wrong shop"))
    resolved = await resolution(run)
    assert (resolved.status, resolved.mode) == (ResolutionStatus.UNRESOLVED, mode)
    assert (resolved.result.action, resolved.result.solved) == (Action.NONE, False)
    assert resolved.result.text == "nobody decided in time"
    [record] = resolved.conversations
    assert (record.stop, record.fallback) == (StopReason.CLOSED, True)


async def test_a_stranger_s_request_fails_with_the_reason(talks: Talks) -> None:
    stranger = Customer(id="C-2", name="Mallory", email="m@example.com")
    error = await failure(await ask(talks, "Where is A-1001?", stranger))
    assert isinstance(error, ActivityError)
    assert isinstance(error.cause, ApplicationError)
    assert (error.cause.type, error.cause.message) == (SupportError.NOT_FOUND, "no customer C-2")


async def test_the_conversation_is_among_customer_agent_and_assistant(talks: Talks) -> None:
    run = await ask(talks, "Refund A-1002")
    [opened] = await talks.opened(run)
    status = await talks.status(opened.id)
    assert [(one.id, one.role, one.kind.value) for one in status.participants] == [
        ("C-1", "customer", "human"),
        ("bob", "agent", "human"),
        ("assistant", "assistant", "ai"),
    ]
    await talks.decide(opened.id, {"action": "none", "solved": False})
    assert (await resolution(run)).status is ResolutionStatus.UNRESOLVED


async def test_the_agent_may_look_an_order_up_while_they_talk(talks: Talks) -> None:
    run = await ask(talks, "Refund A-1002")
    [opened] = await talks.opened(run)
    await run.signal("invoke", Invoke(speaker="bob", fragment="OrderStatus", arguments={"order_id": "A-1003"}))
    status = await eventually(lambda: talks.status(opened.id), lambda now: now.facts.get("OrderStatus"))
    assert "Your order A-1003 (Lamp) is on its way" in str(status.facts["OrderStatus"])
    await talks.decide(opened.id, {"action": "none", "solved": False})
    await resolution(run)


# What may be run from any conversation


def desk(**facts: JsonValue) -> dict[str, object]:
    """A conversation about a customer in which everything of support may be run."""
    fragments = ["OrderStatus", "Refund", "PasswordReset", "AddressChange"]
    return {"coordination": {"kind": "free_form"}, "fragments": fragments, "facts": {"customer_id": "C-1", **facts}}


BOB = person("bob", *ANYTHING, role="agent")
ROBOT = person("robot", *ANYTHING, role="assistant")
CAROL = person("carol", *ANYTHING, role="customer")


async def test_an_agent_approves_the_refund_that_they_have_run(client: Client, task_queue: str) -> None:
    room = await Rooms(client, task_queue).open(BOB, CAROL, **desk())
    refund = Invoke(speaker="bob", fragment="Refund", arguments={"order_id": "A-1002"})
    await room.submit(refund)
    facts = (await room.until(lambda status: status.facts.get("Refund"))).facts
    assert facts["Refund"] == {"reference": "R-1", "order_id": "A-1002", "amount": "180", "approved_by": "bob"}
    await room.close("bob")


async def test_who_is_no_agent_can_not_approve_a_refund_nor_say_that_one_did(client: Client, task_queue: str) -> None:
    room = await Rooms(client, task_queue).open(BOB, ROBOT, CAROL, **desk())
    forged = {"order_id": "A-1002", "approved_by": "bob"}
    error = await room.refusal("submit_invoke", Invoke(speaker="robot", fragment="Refund", arguments=forged))
    assert error.message == "arguments: approved_by: nobody may give it, it is the person who asks"
    await room.submit(Invoke(speaker="robot", fragment="Refund", arguments={"order_id": "A-1002"}))
    failed = (await room.until(lambda status: not status.invocations)).facts
    assert "Refund" not in failed
    error = await room.refusal("submit_invoke", Invoke(speaker="carol", fragment="Refund"))
    assert error.message == "Refund is for the roles agent, assistant; 'carol' has the role customer"
    await room.close("bob")


async def test_only_the_orders_of_the_customer_it_is_about_are_shown(client: Client, task_queue: str) -> None:
    room = await Rooms(client, task_queue).open(BOB, CAROL, **desk())
    other = {"order_id": "A-1001", "customer_id": "C-2"}
    error = await room.refusal("submit_invoke", Invoke(speaker="carol", fragment="OrderStatus", arguments=other))
    assert error.message == (
        "arguments: customer_id: nobody may give it, it is what the conversation knows by this name"
    )
    await room.submit(Invoke(speaker="carol", fragment="OrderStatus", arguments={"order_id": "A-1001"}))
    await room.until(lambda status: status.facts.get("OrderStatus"))
    await room.close("bob")


def _refund(order: str, amount: str) -> dict[str, JsonValue]:
    return {"action": "refund", "order_id": order, "amount": amount}

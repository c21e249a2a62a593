"""What stored histories tell: runs of every kind, each with all that it starts."""

from collections.abc import Awaitable, Callable
from typing import Final

from temporalio.client import Client, WorkflowFailureError, WorkflowQueryFailedError

from signals.adaptive import AdaptiveRequest, Task, Traits
from signals.messages import InvocationMode, Invoke, Message, Propose, SwitchMode, Turn
from signals.modes import Mode
from signals.names import WorkflowType
from signals.participants import Kind, Participant, Permission
from signals.support import AddressChangeRequest, Customer, SupportRequest
from tests.flows import canned, shop, steps
from tests.flows.steps import Agency, Trip
from tests.harness import eventually
from tests.workflows.rooms import Room, setup_of
from workflows.composition import REGISTRY
from workflows.library import WORKFLOWS

FLOWS: Final = (*WORKFLOWS, *steps.FLOWS)
ACTIVITIES: Final = (*shop.activities(), *canned.activities(), *Agency().activities)

REGISTRY.add(workflows=FLOWS)


class Stage:
    """Where stories take place."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self.client = client
        self.task_queue = task_queue
        self.started: dict[str, str] = {}
        """The runs that stories began with: the ids of their first runs, by workflow id."""

    async def start(self, flow: str, request: object, name: str) -> None:
        """Start a run; its name is its workflow id."""
        run = await self.client.start_workflow(flow, request, id=name, task_queue=self.task_queue)
        self.started[name] = run.first_execution_run_id or ""

    async def ended(self, name: str) -> None:
        """Wait for the end of a run, good or bad."""
        try:
            await self.client.get_workflow_handle(name).result()
        except WorkflowFailureError:
            return


async def known_issue(stage: Stage, name: str) -> None:
    """A request that a workflow solves."""
    await stage.start(WorkflowType.CUSTOMER_SUPPORT, _request("Where is A-1001?"), name)
    await stage.ended(name)


async def password(stage: Stage, name: str) -> None:
    """A request that another workflow solves."""
    await stage.start(WorkflowType.CUSTOMER_SUPPORT, _request("Password forgotten"), name)
    await stage.ended(name)


async def address(stage: Stage, name: str) -> None:
    """A known issue's workflow, run by itself."""
    request = AddressChangeRequest(order_id="A-1001", customer_id="C-1", address="2 Low Street, Leeds")
    await stage.start(WorkflowType.ADDRESS_CHANGE, request, name)
    await stage.ended(name)


async def broken_out(stage: Stage, name: str) -> None:
    """A refund that policy refuses: people and an AI participant talk, the agent decides, it is paid."""
    await stage.start(WorkflowType.CUSTOMER_SUPPORT, _request("Refund A-1002, please"), name)
    room = Room(stage.client, f"{name}/refused-1")
    await eventually(lambda: _is_there(room))
    decision = {"action": "refund", "order_id": "A-1002", "amount": "180.00", "note": "it arrived broken"}
    said: list[Message] = [
        Turn(speaker="C-1", text="It arrived broken.", id="m-1"),
        Turn(speaker="zoe", text="I have nothing to do with it."),
        Turn(speaker="bob", text="I see. You will have your money back."),
    ]
    for message in said:
        await stage.client.get_workflow_handle(name).signal(message.signal, message)
    await room.until(lambda status: status.turns == 4 and not status.replying)
    await room.submit(Propose(speaker="bob", outcome=decision))
    await stage.ended(name)


async def long_talk(stage: Stage, name: str) -> None:
    """A conversation with an AI participant that continues as new, with turns that are held and sent twice."""
    can = (Permission.SPEAK, Permission.MODERATE, Permission.DECIDE)
    people = [
        Participant(id="ann", kind=Kind.HUMAN, role="host", can=can),
        Participant(id="bot", kind=Kind.AI, role="assistant"),
        Participant(id="ben", kind=Kind.HUMAN, role="guest"),
    ]
    await stage.start(WorkflowType.CONVERSATION, setup_of(*people, history_events=50), name)
    room = Room(stage.client, name)
    for number in range(1, 9):
        await room.say("ben", f"ben's {number}", f"b-{number}")
        await room.say("ben", f"ben's {number}", f"b-{number}")
        await room.submit(Turn(speaker="ann", text=f"ann's {number}", id=f"a-{number}"))
        await room.taken(3 * number)
    await room.close()


async def desk(stage: Stage, name: str) -> None:
    """A conversation that runs fragments: one that has to ask, one beside the talk, one that fails."""
    bob = Participant(id="bob", kind=Kind.HUMAN, role="agent", can=tuple(Permission))
    fragments, facts = ["OrderStatus", "Refund"], {"customer_id": "C-1"}
    coordination = {"kind": "free_form"}
    setup = setup_of(bob, coordination=coordination, fragments=fragments, facts=facts)
    await stage.start(WorkflowType.CONVERSATION, setup, name)
    room = Room(stage.client, name)
    await room.submit(Invoke(speaker="bob", fragment="OrderStatus"))
    await room.send(Turn(speaker="bob", text="A-1001", in_reply_to=2))
    await room.until(lambda status: "OrderStatus" in status.facts)
    for order in ("A-1002", "A-1003"):
        mode = InvocationMode.ASYNCHRONOUS
        await room.submit(Invoke(speaker="bob", fragment="Refund", arguments={"order_id": order}, mode=mode))
    await room.until(lambda status: not status.invocations)
    await room.close("bob")


async def sea_voyage(stage: Stage, name: str) -> None:
    """A run with a checkpoint that fails, and takes back what it did."""
    await stage.start("Voyage", Trip(place="Oslo", broken=("payment",)), name)
    await stage.ended(name)


async def tour(stage: Stage, name: str) -> None:
    """A run with a condition and a loop."""
    await stage.start("Tour", Trip(place="Rome", minutes=90), name)
    await stage.ended(name)


async def trip(stage: Stage, name: str) -> None:
    """A run whose steps run at the same time."""
    await stage.start("TripPlan", Trip(place="Rome"), name)
    await stage.ended(name)


async def both(stage: Stage, name: str) -> None:
    """A plan that is given as JSON."""
    branches = [WorkflowType.ORDER_STATUS, [WorkflowType.ORDER_STATUS]]
    plan = {"kind": "parallel", "branches": branches, "join": {"kind": "all"}}
    request = {"plan": plan, "input": {"order_id": "A-1001", "customer_id": "C-1"}}
    await stage.start(WorkflowType.COMPOSITE, request, name)
    await stage.ended(name)


async def shipped(stage: Stage, name: str) -> None:
    """A commit that fails, is mended in one conversation, approved in another, and deployed."""
    request = {"repository": "/srv/cart", "commit": canned.BAD, "author": "ann"}
    await stage.start(WorkflowType.DEVELOPMENT_PIPELINE, request, name)
    debugging, review = Room(stage.client, f"{name}/debugging-1"), Room(stage.client, f"{name}/review-1")
    await eventually(lambda: _is_there(debugging))
    await debugging.submit(Propose(speaker="ann", outcome={"action": "commit", "commit": canned.GOOD}))
    await eventually(lambda: _is_there(review))
    await review.submit(Propose(speaker="dana", outcome={"verdict": "approve", "commit": canned.GOOD}))
    await stage.ended(name)


async def searched(stage: Stage, name: str) -> None:
    """The search for the commit that made tests fail."""
    request = {"repository": "/srv/cart", "good": "0", "bad": canned.BAD}
    await stage.start(WorkflowType.BISECT, request, name)
    await stage.ended(name)


async def retested(stage: Stage, name: str) -> None:
    """Some tests of a commit."""
    request = {"repository": "/srv/cart", "commit": canned.GOOD, "tests": ["test_cart.py"]}
    await stage.start(WorkflowType.RUN_TESTS, request, name)
    await stage.ended(name)


async def shown(stage: Stage, name: str) -> None:
    """A file of a commit."""
    request = {"repository": "/srv/cart", "commit": canned.GOOD, "path": "cart.py"}
    await stage.start(WorkflowType.SHOW_FILE, request, name)
    await stage.ended(name)


async def adaptive(stage: Stage, name: str) -> None:
    """A task that is talked about, and becomes a workflow; that is switched to conversation, and back."""
    traits = dict.fromkeys(Traits.model_fields, False) | {"emergent": True}
    can = (Permission.SPEAK, Permission.DECIDE)
    people = (Participant(id="bob", kind=Kind.HUMAN, role="agent", can=can),)
    task = Task(goal="Tell them what they want to know", traits=Traits(**traits), workflows=("TripPlan",))
    await stage.start(WorkflowType.ADAPTIVE, AdaptiveRequest(task=task, participants=people), name)
    talk = Room(stage.client, f"{name}/talk-1")
    await eventually(lambda: _is_there(talk))
    await talk.submit(
        Propose(speaker="bob", outcome={"workflow": "TripPlan", "input": {"place": "Rome", "slow": ["flight"]}})
    )
    run = stage.client.get_workflow_handle(name)
    await eventually(lambda: run.query("definition"), lambda drawn: "step_flight" in drawn)
    await run.signal("switch_mode", SwitchMode(to=Mode.HYBRID, requested_by="bob"))
    about = Room(stage.client, f"{name}/switch-1")
    await eventually(lambda: _is_there(about))
    await about.submit(Propose(speaker="bob", outcome={"results": {"flight": {"what": "train"}}}))
    await stage.ended(name)


STORIES: Final[tuple[Callable[[Stage, str], Awaitable[None]], ...]] = (
    known_issue, password, address, broken_out, long_talk, desk, sea_voyage, tour, trip, both, adaptive,
    shipped, searched, retested, shown,
)  # fmt: skip


def _request(text: str) -> SupportRequest:
    return SupportRequest(customer=Customer(id="C-1", name="Alice", email="alice@example.com"), text=text)


async def _is_there(room: Room) -> bool:
    parent = room.client.get_workflow_handle(room.id.rsplit("/", 1)[0])
    try:
        progress = await parent.query("progress")
    except WorkflowQueryFailedError:
        return False  # it has not begun yet
    return any(record["id"] == room.id for record in progress["conversations"])

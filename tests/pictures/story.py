"""What the pictures show: a shop's day, with one request that is being talked about."""

from collections.abc import Callable
from typing import Final

from pydantic import JsonValue
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError

from activities.relay import RelayActivities
from signals.adaptive import AdaptiveRequest, Task, Traits
from signals.assistant import Reply, ReplyRequest
from signals.conversation import Tokens
from signals.messages import Close, Propose
from signals.names import WorkflowType
from signals.participants import Kind, Participant, Permission
from signals.support import Customer, SupportRequest
from tests.flows import shop
from tests.harness import eventually
from tests.workflows.rooms import Room
from workflows.conversation.stubs import Assistant

OPEN: Final = "support-1042"
"""The run that is being talked about."""

TALK: Final = f"{OPEN}/refused-2"
"""The conversation about it."""

ALICE: Final = Customer(id="C-1", name="Alice Martin", email="alice@example.com")
DEAR: Final = 1e-5
"""What a token costs here, in US dollars."""

APOLOGY: Final = ("I am sorry to hear that. Bob, may Alice send you a photo?",)
WARRANTY: Final = (
    "The warranty covers a cracked boiler for two years, and the order is from March.",
    "Thank you, Alice. Bob, I have put both photos into the file.",
)
"""What the assistant says, reply by reply; then nothing."""

STEPS: Final = ("deterministic", "clear_steps", "structured_phases")
CLEAR: Final = dict.fromkeys(Traits.model_fields, False) | dict.fromkeys(
    ("deterministic", "clear_steps", "structured_phases"), True
)
EMERGENT: Final = dict.fromkeys(Traits.model_fields, False) | {"emergent": True}
MANAGER: Final = Participant(
    id="mia", kind=Kind.HUMAN, role="manager", can=(Permission.SPEAK, Permission.DECIDE, Permission.MODERATE)
)


class Canned(Assistant):
    """Says what suits the story."""

    @activity.defn(name="reply")
    async def reply(self, request: ReplyRequest) -> Reply:
        """Say the next line."""
        lines = WARRANTY if request.conversation == TALK else APOLOGY
        text = lines[request.replies] if request.replies < len(lines) else ""
        said = sum(len(message.text) for message in request.messages)
        used = Tokens(input=400 + said // 4, output=len(text) // 4)
        return Reply(text=text, model="canned", tokens=used, cost=round((used.input + 4 * used.output) * DEAR, 6))


def activities(client: Client) -> list[Callable[..., object]]:
    """What the worker of the story registers."""
    relay = RelayActivities(client)
    shops = [one for one in shop.activities() if one.__name__ != "reply"]
    return [*shops, Canned().reply, relay.pass_on, relay.fetch_result]


class Day:
    """A day of the shop."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self._client = client
        self._task_queue = task_queue

    async def pass_by(self) -> None:
        """Everything that happens before the pictures are taken."""
        for number, text in enumerate(("Where is A-1001?", "Password forgotten", "Refund A-1001", "Where is A-1002?")):
            await self._ended(await self._request(f"support-10{number + 21}", text))
        await self._unknown("support-1031")
        await self._decided("support-1032", "180.00")
        await self._decided("support-1033", "120.00")
        await self._given_up("support-1034")
        await self._chosen("task-7", CLEAR, None)
        await self._chosen("task-8", EMERGENT, {"workflow": "OrderStatus", "input": _question("A-1001")})
        await self._chosen("task-9", EMERGENT, "the spring catalogue")
        await self._talked_about()

    async def _talked_about(self) -> None:
        await self._request(OPEN, "Refund A-1003, the espresso machine arrived broken.")
        first = await self._conversation(f"{OPEN}/refused-1")
        await first.say(ALICE.id, "The boiler is cracked, I have two photos. Can I have my money back?")
        await first.until(lambda status: status.turns == 2)
        await first.submit(Propose(speaker="bob", outcome=_refund("A-1003", "900.00")))
        second = await self._conversation(TALK)
        await second.say("bob", "The limit stops me too. I can refund 500.00 EUR now, the rest needs my manager.")
        await second.until(lambda status: status.turns == 2)
        await second.say(ALICE.id, "Then please ask. Here is the second photo; the crack goes all the way round.")
        await second.until(lambda status: status.turns == 4 and not status.replying)
        await second.submit(
            Propose(speaker=ALICE.id, outcome=_refund("A-1003", "500.00"), comment="and the rest as a voucher")
        )
        await second.until(lambda status: not status.replying)

    async def _unknown(self, name: str) -> None:
        await self._request(name, "My loyalty points are gone since I merged my accounts.")
        room = await self._conversation(f"{name}/unknown-1")
        await room.say("bob", "I have just moved them over.")
        await room.until(lambda status: status.turns == 2)
        await room.submit(Propose(speaker="bob", outcome={"action": "none", "solved": True, "note": "points moved"}))
        await self._ended(name)

    async def _decided(self, name: str, amount: str) -> None:
        await self._request(name, "Refund A-1002, please")
        room = await self._conversation(f"{name}/refused-1")
        await room.say(ALICE.id, "It arrived broken.")
        await room.until(lambda status: status.turns == 2)
        await room.submit(Propose(speaker="bob", outcome=_refund("A-1002", amount)))
        await self._ended(name)

    async def _given_up(self, name: str) -> None:
        await self._request(name, "Refund A-1002, it is too loud")
        room = await self._conversation(f"{name}/refused-1")
        await room.submit(Close(speaker="bob", reason="bought two years ago"))
        await self._ended(name)

    async def _chosen(self, name: str, traits: dict[str, bool], decision: JsonValue) -> None:
        steps = {"workflow": "OrderStatus", "input": _question("A-1001")} if decision is None else {}
        task = Task.model_validate(
            {"goal": "Tell Alice what she wants to know", "traits": traits, "workflows": ["OrderStatus"], **steps}
        )
        await self._start(WorkflowType.ADAPTIVE, AdaptiveRequest(task=task, participants=(MANAGER,)), name)
        if decision is not None:
            room = await self._conversation(f"{name}/talk-1")
            await room.submit(Propose(speaker=MANAGER.id, outcome=decision))
        await self._ended(name)

    async def _request(self, name: str, text: str) -> str:
        return await self._start(WorkflowType.CUSTOMER_SUPPORT, SupportRequest(customer=ALICE, text=text), name)

    async def _start(self, workflow: str, request: object, name: str) -> str:
        await self._client.start_workflow(workflow, request, id=name, task_queue=self._task_queue)
        return name

    async def _conversation(self, name: str) -> Room:
        """Wait until a conversation is open."""
        room = Room(self._client, name)
        query = f'WorkflowId="{name}"'
        await eventually(lambda: self._client.count_workflows(query), lambda found: found.count)
        await room.begun()
        return room

    async def _ended(self, name: str) -> None:
        try:
            await self._client.get_workflow_handle(name).result()
        except WorkflowFailureError:
            return


def _refund(order: str, amount: str) -> JsonValue:
    return {"action": "refund", "order_id": order, "amount": amount}


def _question(order: str) -> JsonValue:
    return {"order_id": order, "customer_id": ALICE.id}

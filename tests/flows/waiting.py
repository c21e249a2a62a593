"""Workflows that wait: for a message or a time, for a state, for the one before."""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow

from signals.participants import Kind, Participant, Permission
from signals.wire import Wire
from workflows.compiled import compiled, step
from workflows.conversation.bounds import Constraints
from workflows.conversation.setup import ConversationSetup
from workflows.exclusive import run_exclusively
from workflows.hybrid import ConversationPoint, Default, PointConstraints


class Question(Wire):
    """What is asked, and how long an answer is waited for."""

    text: str
    seconds: float = 60


def ask_ann(request: Question) -> ConversationSetup:
    """Ann answers."""
    return ConversationSetup(
        topic=request.text,
        participants=(
            Participant(id="ann", kind=Kind.HUMAN, role="guest", can=(Permission.SPEAK, Permission.DECIDE)),
            Participant(id="ben", kind=Kind.HUMAN, role="guest"),
        ),
        constraints=Constraints(timeout_seconds=request.seconds),
    )


@compiled
class AskAnn:
    """Waits for an answer, or for the time to be up, whichever comes first."""

    @step(
        talk=ConversationPoint("answer", ask_ann, constraints=PointConstraints(fallback=Default("no answer"))),
    )
    def answer(self, request: Question) -> str:
        """Wait."""
        raise NotImplementedError

    @step(result=True)
    def told(self, answer: str) -> str:
        """Go on with what came first."""
        return f"so: {answer}"


class Rooms:
    """A room that counts who is in it."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.visits = 0

    @activity.defn(name="stay")
    async def stay(self, name: str) -> int:
        """Be in the room for a moment."""
        self.inside += 1
        self.most = max(self.most, self.inside)
        await asyncio.sleep(0.3)  # long enough for others to come in, if they could
        self.inside -= 1
        self.visits += 1
        return self.visits


@compiled
class InTheRoom:
    """What only one may do at a time."""

    @step(result=True)
    async def visit(self, request: str) -> int:
        """Be there."""
        return await workflow.execute_activity_method(
            Rooms.stay,
            request,
            start_to_close_timeout=timedelta(seconds=10),
        )


@compiled
class Visit:
    """Waits until the room is free."""

    @step(result=True)
    async def visit(self, request: str) -> int:
        """Go in."""
        return await run_exclusively(request, "InTheRoom", request, int)

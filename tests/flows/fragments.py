"""Workflows that conversations may run, and an AI participant that has one run."""

from datetime import timedelta

from temporalio import activity, workflow

from signals.assistant import Reply, ReplyRequest
from signals.messages import InvocationMode, Invoke
from signals.wire import Wire
from tests.flows.points import Choice, Wish, setup_for
from tests.flows.steps import Booked, Trip, book
from workflows.compiled import Fragment, compiled, step
from workflows.conversation.stubs import Assistant
from workflows.hybrid import ConversationPoint


class Place(Wire):
    """Where to go."""

    place: str
    slow: tuple[str, ...] = ()
    """The steps that wait until the test lets them go."""


@compiled(fragment=Fragment(fact="seat"))
class Errand:
    """Get a seat."""

    @step(result=True)
    async def seat(self, request: Place) -> Booked:
        """Book it."""
        return await book(Trip(place=request.place, slow=request.slow), "seat")


@compiled(fragment=Fragment(roles=("guest",), modes=(InvocationMode.ASYNCHRONOUS,)))
class Counsel:
    """Let Ann and Bob choose."""

    @step(result=True, talk=ConversationPoint("choice", setup_for))
    def choice(self, request: Wish) -> Choice:
        """Talk about it."""
        raise NotImplementedError


@workflow.defn
class Foreign:
    """What somebody else runs, in whatever language."""

    @workflow.run
    async def run(self, context: dict[str, str]) -> str:
        """Say what it was given."""
        await workflow.sleep(timedelta(milliseconds=1))
        return f"{context['who']} was here"


class Errander(Assistant):
    """Has a seat booked before it says anything."""

    @activity.defn(name="reply")
    async def reply(self, request: ReplyRequest) -> Reply:
        """Ask for it, or say what came of it."""
        if "seat" in request.facts:
            return Reply(text=f"Done: {request.messages[-1].text}", model="script")
        [tool] = [tool.name for tool in request.tools]
        wish = request.messages[-1].text
        invoke = Invoke(speaker=request.speaker.id, fragment=tool, arguments={"place": wish}, id="call-1")
        return Reply(text="", actions=(invoke,), model="script")


FLOWS: list[type] = [Errand, Counsel]

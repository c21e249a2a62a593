"""What tests of runs that talk share: starting them, finding their conversations, speaking in them."""

from typing import TypeVar
from uuid import uuid4

import pytest
from pydantic import JsonValue
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from signals.context import CoreState, UniversalContext, WorkflowState
from signals.conversation import MessageKind, Rejections, Status, Transcript
from signals.messages import Propose, Turn
from signals.modes import Mode, TransitionRule
from signals.participants import Participant
from signals.run import ConversationRecord, Progress, StepProgress
from signals.wire import Wire
from tests.harness import eventually

Run = WorkflowHandle[object, object]
T = TypeVar("T")


class Talks:
    """Starts runs and takes part in their conversations."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self.client = client
        self.task_queue = task_queue

    async def start(self, flow: str, *inputs: Wire) -> Run:
        """Start a run."""
        return await self.client.start_workflow(flow, args=inputs, id=f"test-{uuid4()}", task_queue=self.task_queue)

    async def progress(self, run: Run) -> Progress:
        """Where a run stands."""
        progress: Progress = await run.query("progress", result_type=Progress)
        return progress

    async def step(self, run: Run, name: str) -> StepProgress:
        """Where a step stands."""
        return next(step for step in (await self.progress(run)).steps if step.step == name)

    async def opened(self, run: Run, total: int = 1) -> list[ConversationRecord]:
        """Wait until a run has opened so many conversations in all; gives those that are open."""
        progress = await eventually(lambda: self.progress(run), lambda now: len(now.conversations) >= total)
        return [record for record in progress.conversations if record.closed is None]

    def conversation(self, name: str) -> Run:
        """A conversation, by its workflow id."""
        return self.client.get_workflow_handle(name)

    async def decide(self, conversation: str, outcome: JsonValue) -> None:
        """Let Bob, who may, decide."""
        await self.conversation(conversation).signal("propose", Propose(speaker="bob", outcome=outcome))

    async def said(self, conversation: str, count: int) -> list[str]:
        """Wait until so many turns were taken in a conversation; gives their texts."""

        async def texts() -> list[str]:
            transcript = await self.transcript(conversation)
            return [message.text for message in transcript.messages if message.kind is MessageKind.TURN]

        return await eventually(texts, lambda texts: len(texts) >= count)

    async def transcript(self, conversation: str) -> Transcript:
        """What was said in a conversation."""
        transcript: Transcript = await self.conversation(conversation).query("transcript", result_type=Transcript)
        return transcript

    async def status(self, conversation: str) -> Status:
        """Where a conversation stands."""
        status: Status = await self.conversation(conversation).query("status", result_type=Status)
        return status

    async def closed(self, run: Run, total: int) -> None:
        """Wait until so many conversations of a run have ended."""

        async def ended() -> list[ConversationRecord]:
            return [record for record in (await self.progress(run)).conversations if record.closed]

        await eventually(ended, lambda ended: len(ended) >= total)

    async def rejections(self, run: Run, total: int) -> Rejections:
        """Wait until a run has rejected so many messages."""

        async def rejections() -> Rejections:
            answer: Rejections = await run.query("rejections", result_type=Rejections)
            return answer

        return await eventually(rejections, lambda now: now.total >= total)

    async def modes(self, run: Run) -> list[tuple[Mode, Mode]]:
        """How a run changed mode."""
        return [(change.source, change.target) for change in (await self.progress(run)).transitions]


def ann(text: str, conversation: str | None = None) -> Turn:
    """What Ann says."""
    return Turn(speaker="ann", text=text, conversation=conversation)


async def failure(run: Run) -> BaseException | None:
    """Why a run failed."""
    with pytest.raises(WorkflowFailureError) as failed:
        await run.result()
    return failed.value.cause


def known(*people: Participant, rules: tuple[TransitionRule, ...] | None = None) -> UniversalContext:
    """What a run is started with that knows whom to talk to."""
    return UniversalContext(
        core_state=CoreState(goal="x", participants=people), mode_state=WorkflowState(), rules=rules
    )

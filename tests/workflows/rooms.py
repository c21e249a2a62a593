"""What tests of conversations share: opening them, speaking in them, and reading what became of it."""

from collections.abc import AsyncIterator, Callable
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistory, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from signals.conversation import ConversationResult, MessageKind, Rejections, Status, Transcript
from signals.messages import Answer, Close, Message, Turn
from signals.names import WorkflowType, update_name
from signals.participants import Participant
from signals.settings import ConversationSettings
from tests.harness import eventually
from tests.unit.conversation.talk import ANYTHING, person
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.workflow import Conversation

ANN = person("ann", *ANYTHING)
BEN = person("ben")

FREE_FORM = {"kind": "free_form"}


def setup_of(*participants: Participant, **options: object) -> ConversationSetup:
    """How a conversation is set up; of Ann, who may do anything, and Ben where nobody is named.

    Nothing is left to the settings: it is open, and its first task done, when the first query is answered.
    """
    setup = {"topic": "Lunch?", "participants": participants or (ANN, BEN), **options}
    return ConversationSetup.model_validate(setup).settled(ConversationSettings())


class Room:
    """One conversation."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.id = name
        self.handle = client.get_workflow_handle(name)

    async def send(self, message: Message) -> None:
        """Send a message as a signal."""
        await self.handle.signal(message.signal, message)

    async def say(self, speaker: str, text: str, mark: str | None = None) -> None:
        """Send a turn as a signal."""
        await self.send(Turn(speaker=speaker, text=text, id=mark))

    async def submit(self, message: Message) -> Answer:
        """Send a message as an update."""
        answer: Answer = await self.handle.execute_update(update_name(message.signal), message, result_type=Answer)
        return answer

    async def refusal(self, name: str, *payloads: object) -> ApplicationError:
        """Why an update isn't accepted."""
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await self.handle.execute_update(name, args=payloads)
        assert isinstance(refused.value.cause, ApplicationError)
        return refused.value.cause

    async def status(self) -> Status:
        """Where it stands."""
        status: Status = await self.handle.query("status", result_type=Status)
        return status

    async def until(self, right: Callable[[Status], object]) -> Status:
        """Wait until it stands so."""
        return await eventually(self.status, right)

    async def begun(self) -> None:
        """Wait until all of its beginning is in its history: queries are answered before."""
        await eventually(self.handle.describe, lambda run: "ParleyMode" in run.search_attributes)

    async def taken(self, turns: int) -> Status:
        """Wait until so many turns were taken."""
        return await self.until(lambda status: status.turns >= turns)

    async def transcript(self, participant: str | None = None) -> Transcript:
        """What was said."""
        transcript: Transcript = await self.handle.query("transcript", participant, result_type=Transcript)
        return transcript

    async def said(self, turns: int) -> list[tuple[str | None, str]]:
        """Wait until so many turns were taken; gives who said what."""
        await self.taken(turns)
        messages = (await self.transcript()).messages
        return [(message.speaker, message.text) for message in messages if message.kind is MessageKind.TURN]

    async def rejections(self, total: int) -> Rejections:
        """Wait until so many messages were rejected."""

        async def rejections() -> Rejections:
            answer: Rejections = await self.handle.query("rejections", result_type=Rejections)
            return answer

        return await eventually(rejections, lambda now: now.total >= total)

    async def result(self) -> ConversationResult:
        """Wait for its end; gives its result."""
        handle = self.client.get_workflow_handle_for(Conversation.run, self.id)
        return await handle.result()

    async def close(self, speaker: str = "ann") -> ConversationResult:
        """Close it; gives its result."""
        await self.send(Close(speaker=speaker))
        return await self.result()

    async def events(self, kind: "EventType.ValueType | None" = None) -> list[HistoryEvent]:
        """The events of its latest run, all or those of a kind."""
        history = await self.handle.fetch_history()
        return [event for event in history.events if kind is None or event.event_type == kind]

    async def runs(self) -> list[WorkflowHistory]:
        """The histories of all its runs, from the first to the latest."""
        first = (await self.events())[0].workflow_execution_started_event_attributes.first_execution_run_id
        return [history async for history in self._runs_from(first)]

    async def _runs_from(self, run_id: str) -> AsyncIterator[WorkflowHistory]:
        while run_id:
            history = await self.client.get_workflow_handle(self.id, run_id=run_id).fetch_history()
            yield history
            last = history.events[-1]
            run_id = last.workflow_execution_continued_as_new_event_attributes.new_execution_run_id


class Rooms:
    """Opens conversations on one task queue."""

    def __init__(self, client: Client, task_queue: str) -> None:
        self.client = client
        self.task_queue = task_queue

    async def open(self, *participants: Participant, **options: object) -> Room:
        """Open a conversation; see `setup_of`."""
        name = f"test-{uuid4()}"
        await self.client.start_workflow(
            WorkflowType.CONVERSATION, setup_of(*participants, **options), id=name, task_queue=self.task_queue
        )
        return Room(self.client, name)

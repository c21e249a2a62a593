"""Reads one history, event by event, into what a report knows of it. Nothing of it is kept but that.

Mode, trigger and who is waited for stand in the search attributes, which nobody encrypts; what a paradigm was chosen
by, what conversations came to and what models used are payloads. Where one can't be read, the rest is told still.
"""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, TypeVar

from pydantic import BaseModel
from temporalio.api.common.v1 import Payloads, SearchAttributes
from temporalio.api.history.v1 import HistoryEvent
from temporalio.converter import DataConverter, decode_search_attributes
from temporalio.exceptions import ApplicationError

from infra.errors import SetupError
from infra.printable import flat
from infra.reports.facts import Ending, Move, Part, Span, Talk
from signals.adaptive import AdaptiveResult, Selection
from signals.conversation import ConversationResult, StopReason, Tokens
from signals.modes import Mode
from signals.names import SearchAttribute, WorkflowType

UNREADABLE: Final = (SetupError, ApplicationError, OSError, ValueError, RuntimeError)
"""What it means that a payload can't be read: its key isn't there, or what it refers to, or it is of another kind."""

ANSWERS: Final = frozenset({"reply", "consult"})
"""The activities by which a conversation asks language models."""

LOCAL_ACTIVITY: Final = "core_local_activity"
"""The name of the marker that the SDK records what a local activity gave with."""

SELECT: Final = "select"
"""The local activity that chooses a paradigm."""

M = TypeVar("M", bound=BaseModel)


class Spent(BaseModel):
    """What any answer of a language model says of its cost."""

    tokens: Tokens = Tokens()
    cost: float = 0


class LocalActivity(BaseModel):
    """What the SDK notes of a local activity."""

    activity_type: str = ""


class HistoryReader:
    """Takes the events of one history, in their order.

    Args:
        part: What visibility says of the run.
        converter: How its payloads are written.
    """

    def __init__(self, part: Part, converter: DataConverter) -> None:
        self._part = part
        self._converter = converter
        self._mode: Span | None = None
        self._stays: list[Span] = []
        self._moves: list[Move] = []
        self._awaited: dict[str, Span] = {}
        self._waits: list[Span] = []
        self._talks: dict[str, Talk] = {}
        self._latest: str | None = None
        """The conversation that was opened, or has ended, last."""

        self._asked: set[int] = set()
        """The events by which language models were asked."""

        self.unread: str | None = None
        """Why something in it can't be read, where something can't."""

    def told(self, size: int) -> Part:
        """What was read, up to here.

        Args:
            size: How many bytes that were.
        """
        stays = [*self._stays, self._mode] if self._mode else self._stays
        return replace(
            self._part,
            stays=tuple(stays),
            moves=tuple(self._moves),
            waits=(*self._waits, *self._awaited.values()),
            talks=tuple(self._talks.items()),
            bytes=size,
        )

    async def take(self, event: HistoryEvent) -> None:
        """Take the next event."""
        self._part = replace(self._part, events=self._part.events + 1)
        take = _TAKING.get(event.WhichOneof("attributes") or "")
        if take is not None:
            await take(self, event)

    # Who is in which mode, and waits for whom

    async def _started(self, event: HistoryEvent) -> None:
        started = event.workflow_execution_started_event_attributes
        self._part = replace(
            self._part,
            started=_at(event),
            chain=started.first_execution_run_id or self._part.chain,
            origin=started.original_execution_run_id or self._part.origin,
        )
        self._attributes(self._part.started, started.search_attributes)

    async def _upserted(self, event: HistoryEvent) -> None:
        self._attributes(_at(event), event.upsert_workflow_search_attributes_event_attributes.search_attributes)

    def _attributes(self, at: datetime, attributes: SearchAttributes) -> None:
        values = decode_search_attributes(attributes)
        if mode := _first(values, SearchAttribute.MODE):
            self._moved(at, mode, _first(values, SearchAttribute.TRIGGER))
        if SearchAttribute.AWAITING in values:
            self._wait_for(at, [str(name) for name in values[SearchAttribute.AWAITING] if name is not None])

    def _moved(self, at: datetime, mode: str, trigger: str | None) -> None:
        # A run begins as a workflow, though the first mode that it writes may be another one; one that goes on from
        # another part is in that one's mode already.
        source = self._mode.of if self._mode else mode if at == self._part.started else Mode.WORKFLOW
        if self._mode and mode != source:
            self._stays.append(replace(self._mode, until=at))
        if mode != source and self._part.workflow != WorkflowType.CONVERSATION:
            self._moves.append(Move(source, mode, trigger, self._latest))
        if self._mode is None or mode != source:
            self._mode = Span(mode, at)

    def _wait_for(self, at: datetime, names: list[str]) -> None:
        for name in self._awaited.keys() - set(names):
            self._waits.append(replace(self._awaited.pop(name), until=at))
        for name in names:
            self._awaited.setdefault(name, Span(name, at))

    # What its conversations come to

    async def _opened(self, event: HistoryEvent) -> None:
        child = event.child_workflow_execution_started_event_attributes
        if child.workflow_type.name == WorkflowType.CONVERSATION:
            self._latest = child.workflow_execution.workflow_id
            self._talks[self._latest] = Talk(Ending.OPEN)

    async def _ended(self, event: HistoryEvent) -> None:
        child = event.child_workflow_execution_completed_event_attributes
        if child.workflow_execution.workflow_id in self._talks:
            result = await self._read(child.result, ConversationResult)
            self._talk_ended(child.workflow_execution.workflow_id, Talk(Ending.COMPLETED, _decided(result)))

    async def _failed(self, event: HistoryEvent) -> None:
        name = event.child_workflow_execution_failed_event_attributes.workflow_execution.workflow_id
        self._talk_ended(name, Talk(Ending.FAILED))

    async def _timed_out(self, event: HistoryEvent) -> None:
        name = event.child_workflow_execution_timed_out_event_attributes.workflow_execution.workflow_id
        self._talk_ended(name, Talk(Ending.FAILED))

    async def _cancelled(self, event: HistoryEvent) -> None:
        name = event.child_workflow_execution_canceled_event_attributes.workflow_execution.workflow_id
        self._talk_ended(name, Talk(Ending.STOPPED))

    async def _terminated(self, event: HistoryEvent) -> None:
        name = event.child_workflow_execution_terminated_event_attributes.workflow_execution.workflow_id
        self._talk_ended(name, Talk(Ending.STOPPED))

    def _talk_ended(self, name: str, talk: Talk) -> None:
        if name in self._talks:
            self._latest = name
            self._talks[name] = talk

    # What was chosen, and what was used

    async def _marked(self, event: HistoryEvent) -> None:
        marker = event.marker_recorded_event_attributes
        if marker.marker_name != LOCAL_ACTIVITY or "result" not in marker.details:
            return
        noted = await self._read(marker.details["data"], LocalActivity)
        if noted and noted.activity_type == SELECT:
            chosen = await self._read(marker.details["result"], Selection)
            self._part = replace(self._part, selection=chosen or self._part.selection)

    async def _scheduled(self, event: HistoryEvent) -> None:
        is_conversation = self._part.workflow == WorkflowType.CONVERSATION
        if is_conversation and event.activity_task_scheduled_event_attributes.activity_type.name in ANSWERS:
            self._asked.add(event.event_id)

    async def _answered(self, event: HistoryEvent) -> None:
        answer = event.activity_task_completed_event_attributes
        if answer.scheduled_event_id in self._asked:
            self._asked.discard(answer.scheduled_event_id)
            if spent := await self._read(answer.result, Spent):
                tokens, cost = self._part.tokens + spent.tokens, self._part.cost + spent.cost
                self._part = replace(self._part, tokens=tokens, cost=cost)

    async def _completed(self, event: HistoryEvent) -> None:
        if self._part.workflow == WorkflowType.ADAPTIVE:
            result = await self._read(event.workflow_execution_completed_event_attributes.result, AdaptiveResult)
            if result:
                self._part = replace(self._part, told=tuple(map(Move.of, result.transitions)))

    async def _read(self, payloads: Payloads, model: type[M]) -> M | None:
        """Read a value; where that can't be done, note why."""
        try:
            [value] = await self._converter.decode(payloads.payloads, [model])
        except UNREADABLE as error:
            self.unread = self.unread or flat(str(error), 200)
            return None
        return value if isinstance(value, model) else None


Taking = Callable[[HistoryReader, HistoryEvent], Coroutine[None, None, None]]

_TAKING: Final[Mapping[str, Taking]] = {
    "workflow_execution_started_event_attributes": HistoryReader._started,
    "upsert_workflow_search_attributes_event_attributes": HistoryReader._upserted,
    "child_workflow_execution_started_event_attributes": HistoryReader._opened,
    "child_workflow_execution_completed_event_attributes": HistoryReader._ended,
    "child_workflow_execution_failed_event_attributes": HistoryReader._failed,
    "child_workflow_execution_timed_out_event_attributes": HistoryReader._timed_out,
    "child_workflow_execution_canceled_event_attributes": HistoryReader._cancelled,
    "child_workflow_execution_terminated_event_attributes": HistoryReader._terminated,
    "marker_recorded_event_attributes": HistoryReader._marked,
    "activity_task_scheduled_event_attributes": HistoryReader._scheduled,
    "activity_task_completed_event_attributes": HistoryReader._answered,
    "workflow_execution_completed_event_attributes": HistoryReader._completed,
}


def _decided(result: ConversationResult | None) -> bool | None:
    """Whether a conversation came to an outcome; who closes it decides only that it is over."""
    return bool(result.decided_by) and result.stop is not StopReason.CLOSED if result else None


def _first(values: Mapping[str, object], name: str) -> str | None:
    listed = values.get(name)
    return str(listed[0]) if isinstance(listed, list) and listed and listed[0] is not None else None


def _at(event: HistoryEvent) -> datetime:
    return event.event_time.ToDatetime(UTC)

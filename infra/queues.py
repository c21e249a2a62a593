"""Task queues: which activities have one of their own, and who works on what.

A run's activities find their queue by the settings of the worker that moves the run on, not by those that held when it
began: runs may be open for years, and must not wait for ever on a queue that nobody serves any more.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Protocol, Self

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.worker import (
    Interceptor,
    StartActivityInput,
    Worker,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ActivityHandle

from infra.config import Duty, QueueSettings, WorkerSettings
from workflows.conversation.stubs import Adviser, Assistant
from workflows.modes.stubs import Assessing
from workflows.support.stubs import Classifier

Activity = Callable[..., object]


class _Definition(Protocol):
    name: str | None


def _name(activity: object) -> str | None:
    definition: _Definition | None = getattr(activity, "__temporal_activity_definition", None)
    return definition.name if definition else None


AI: Final = frozenset(
    name
    for stub in (Assistant, Adviser, Assessing, Classifier)
    for part in vars(stub).values()
    if (name := _name(part))
)
"""The names of the activities that ask a model."""


def duty_of(activity: str | None) -> Duty:
    """The kind of work that an activity is, by its name."""
    return Duty.AI if activity in AI else Duty.BUSINESS


@dataclass(frozen=True, slots=True)
class Tasks:
    """The tasks of one kind in one task queue."""

    task_queue: str
    kind: str
    type: "TaskQueueType.ValueType"


@dataclass(frozen=True, slots=True)
class Share:
    """What one of a process's workers does: the work of one task queue."""

    task_queue: str
    workflows: bool
    activities: tuple[Activity, ...]
    max_concurrent: int
    """How many activities run at a time."""

    max_per_second: float | None
    """How many are started in a second by all the workers of the queue."""

    @property
    def asked(self) -> list[Tasks]:
        """What Temporal's server is asked for."""
        runs = [Tasks(self.task_queue, "workflow", TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW)]
        activities = [Tasks(self.task_queue, "activity", TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)]
        return [*(runs if self.workflows else ()), *(activities if self.activities else ())]


def shares(settings: WorkerSettings, activities: Sequence[Activity]) -> list[Share]:
    """Share the work that a process does among its workers, one for each task queue."""
    served = {*settings.serves}
    by_queue: dict[str, list[Activity]] = {}
    for activity in activities:
        if (duty := duty_of(_name(activity))) in served:
            by_queue.setdefault(settings.queue_of(duty), []).append(activity)
    if Duty.WORKFLOWS in served:
        by_queue.setdefault(settings.task_queue, [])
    limits = {queue.task_queue: queue for queue in (settings.ai, settings.business)}
    outer = QueueSettings.model_construct(max_concurrent=settings.max_concurrent_activities)
    return [
        Share(
            task_queue=name,
            workflows=name == settings.task_queue and Duty.WORKFLOWS in served,
            activities=tuple(found),
            max_concurrent=limits.get(name, outer).max_concurrent,
            max_per_second=limits.get(name, outer).max_per_second,
        )
        for name, found in by_queue.items()
    ]


class Workers:
    """The workers of one process, each with its share; they run as long as the `async with` block."""

    def __init__(self, parts: Sequence[Share], build: Callable[[Share], Worker]) -> None:
        self.shares = parts
        self._workers = [build(share) for share in parts]
        self._running = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start them."""
        async with AsyncExitStack() as starting:
            for worker in self._workers:
                await starting.enter_async_context(worker)
            self._running = starting.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop them, in good order."""
        await self._running.__aexit__(kind, error, trace)


class QueueInterceptor(Interceptor):
    """Sends activities to the queues that they have of their own."""

    def __init__(self, settings: WorkerSettings) -> None:
        self._queues = {duty: queue for duty in Duty if (queue := settings.queue_of(duty)) != settings.task_queue}

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """Give the interceptor of every run."""
        queues = self._queues

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                super().init(_Outbound(outbound, queues))

        return Inbound


class _Outbound(WorkflowOutboundInterceptor):
    def __init__(self, following: WorkflowOutboundInterceptor, queues: Mapping[Duty, str]) -> None:
        super().__init__(following)
        self._queues = queues

    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:
        if input.task_queue is None:
            input.task_queue = self._queues.get(duty_of(input.activity))
        return super().start_activity(input)

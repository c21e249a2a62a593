"""The whole transcript of a conversation, read back from the histories of its runs: it is kept nowhere else.

A conversation continues as new, so its history is a chain. Each run is replayed through the workflow's own code, which
says what it records; nothing is asked of a worker, and one run at a time is in memory.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from temporalio import workflow
from temporalio.api.enums.v1 import ContinueAsNewInitiator
from temporalio.api.history.v1 import WorkflowExecutionStartedEventAttributes
from temporalio.client import Client, WorkflowHistory
from temporalio.common import RawValue
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import (
    ExecuteWorkflowInput,
    Interceptor,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
)

from infra.conversations import ANSWER_TIMEOUT
from infra.errors import SetupError
from infra.replay import dealt_with, reason, replayer
from signals.conversation import Recorded
from workflows.conversation.state import ConversationState
from workflows.conversation.workflow import Conversation

_ITSELF: Final = ContinueAsNewInitiator.CONTINUE_AS_NEW_INITIATOR_WORKFLOW


@dataclass(frozen=True)
class Chain:
    """The runs of a conversation that the server still keeps."""

    conversation: str
    runs: tuple[str, ...]
    """Their run ids, oldest first."""

    lost: str | None = None
    """The run before them, where it isn't kept any more."""


@dataclass(frozen=True)
class Chapter:
    """What one run gave."""

    messages: tuple[Recorded, ...]
    members: frozenset[str]
    """Who took part, up to its end; of those who left, the latest."""


async def chain_of(client: Client, conversation: str) -> Chain:
    """Find the runs of a conversation.

    They are followed backwards, from each to the one that it continues: so a run that was reset counts as it is now,
    and where the oldest ones are gone the others are still found.

    Raises:
        RPCError: There is no such conversation, or the server doesn't answer.
    """
    run_id = (await client.get_workflow_handle(conversation).describe(rpc_timeout=ANSWER_TIMEOUT)).run_id
    runs: list[str] = []
    while run_id:
        try:
            started = await _started(client, conversation, run_id)
        except RPCError as error:
            if runs and error.status is RPCStatusCode.NOT_FOUND:
                return Chain(conversation, tuple(reversed(runs)), lost=run_id)
            raise
        runs.append(run_id)
        run_id = started.continued_execution_run_id if started.initiator == _ITSELF else ""
    return Chain(conversation, tuple(reversed(runs)))


async def chapters(client: Client, chain: Chain) -> AsyncIterator[Chapter]:
    """Read a chain, one run after the other; every message once, in order.

    Where the oldest runs are lost, the first chapter begins with the messages that the oldest one kept took along.

    Raises:
        SetupError: A run can't be replayed: it was recorded by code that is too different.
        RPCError: The server doesn't answer.
    """
    listener = _Listener()
    last = 0
    reading = replayer(
        [Conversation], converter=client.data_converter, sandbox=False, listeners=[listener], patient=True
    )
    async with reading.workflow_replay_iterator(_histories(client, chain)) as replays:
        async for replay in replays:
            heard, members = listener.take()
            fresh: list[Recorded] = []
            for message in heard:
                if message.seq > last:
                    last = message.seq
                    fresh.append(message)
            yield Chapter(tuple(fresh), members)
            if replay.replay_failure is not None:
                raise SetupError(
                    f"'{chain.conversation}' can't be read on after message {last}: its run {replay.history.run_id} "
                    f"was recorded by another version; read it with that one ({reason(replay.replay_failure)})"
                )


async def _started(client: Client, conversation: str, run_id: str) -> WorkflowExecutionStartedEventAttributes:
    handle = client.get_workflow_handle(conversation, run_id=run_id)
    first = await anext(handle.fetch_history_events(page_size=1, rpc_timeout=ANSWER_TIMEOUT))
    started = first.workflow_execution_started_event_attributes
    # A missing key is told as what it is here; in a replay it would look like another version of the code.
    await client.data_converter.decode(started.input.payloads, [RawValue] * len(started.input.payloads))
    return started


async def _histories(client: Client, chain: Chain) -> AsyncIterator[WorkflowHistory]:
    for run_id in chain.runs:
        handle = client.get_workflow_handle(chain.conversation, run_id=run_id)
        history = await handle.fetch_history(rpc_timeout=ANSWER_TIMEOUT)
        if events := dealt_with(history.events):
            yield WorkflowHistory(chain.conversation, events)


class _Listener(Interceptor):
    """Hears what a conversation records."""

    def __init__(self) -> None:
        self._conversation: Conversation | None = None
        self._heard: list[Recorded] = []

    def workflow_interceptor_class(self, input: WorkflowInterceptorClassInput) -> type[WorkflowInboundInterceptor]:
        """Give the interceptor of every run."""
        follow = self._follow

        class Ear(WorkflowInboundInterceptor):
            async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:
                follow(cast(Conversation, workflow.instance()), input.args)
                return await super().execute_workflow(input)

        return Ear

    def take(self) -> tuple[list[Recorded], frozenset[str]]:
        """Give what was heard of a run, and who took part in it."""
        heard, self._heard = self._heard, []
        conversation, self._conversation = self._conversation, None
        return heard, frozenset(conversation.state.members) if conversation else frozenset()

    def _follow(self, conversation: Conversation, inputs: Sequence[object]) -> None:
        self._conversation, self._heard = conversation, []
        for given in inputs:
            if isinstance(given, ConversationState):
                self._heard += given.messages
        conversation.recorded = self._heard.extend  # type: ignore[assignment, method-assign]  # its hook

"""Runs of earlier releases go on with this one: their stored histories replay."""

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.workflow import NondeterminismError

from infra.replay import replayer
from signals.names import WorkflowType
from tests.replay.changed import ChangedConversation, OrderStatus
from tests.replay.record import HISTORIES
from tests.replay.stories import FLOWS, STORIES
from workflows.library import WORKFLOWS

STORED = sorted(HISTORIES.glob("*.json"))


def stored(path: Path) -> WorkflowHistory:
    """A history with its workflow id, which ids of children are made of."""
    events = WorkflowHistory.from_json("", path.read_text()).events
    return WorkflowHistory(events[0].workflow_execution_started_event_attributes.workflow_id, events)


def flow(history: WorkflowHistory) -> str:
    return history.events[0].workflow_execution_started_event_attributes.workflow_type.name


@pytest.mark.parametrize("path", STORED, ids=lambda path: Path(str(path)).stem)
async def test_a_stored_history_replays(path: Path) -> None:
    await replayer(FLOWS).replay_workflow(stored(path))


def test_every_story_and_every_workflow_is_stored() -> None:
    assert {path.stem.split("-")[0] for path in STORED} == {story.__name__ for story in STORIES}
    assert {flow(stored(path)) for path in STORED} >= {workflow.__name__ for workflow in WORKFLOWS}


def test_a_conversation_that_continued_as_new_is_stored() -> None:
    runs = [history.events[0].workflow_execution_started_event_attributes for history in map(stored, STORED)]
    assert any(run.continued_execution_run_id for run in runs)


@pytest.mark.parametrize(
    ("changed", "name"),
    [(ChangedConversation, WorkflowType.CONVERSATION), (OrderStatus, WorkflowType.ORDER_STATUS)],
)
async def test_a_change_that_old_runs_can_t_follow_is_found(changed: type, name: str) -> None:
    for history in map(stored, STORED):
        if flow(history) == name:
            with pytest.raises(NondeterminismError):
                await replayer([changed]).replay_workflow(history)

"""What is read of a history: those that are stored of real runs."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest
from temporalio.client import WorkflowHistory

from infra.payloads.converter import PLAIN, data_converter
from infra.payloads.keys import Key
from infra.reports.counting import Counting
from infra.reports.facts import Ending, Move, Part, Talk
from infra.reports.history import HistoryReader
from signals.conversation import ConversationResult, StopReason
from signals.modes import Mode, Paradigm, Trigger
from tests.workflows.sealed import sealing

HISTORIES: Final = Path(__file__).parents[2] / "replay" / "histories"
EPOCH: Final = datetime(2026, 1, 1, tzinfo=UTC)


def stored(name: str) -> WorkflowHistory:
    return WorkflowHistory.from_json(name, (HISTORIES / f"{name}.json").read_text())


def listed(workflow: str) -> Part:
    """What visibility says of a run."""
    return Part(
        id="listed",
        run="listed",
        chain="listed",
        origin="listed",
        workflow=workflow,
        ending=Ending.COMPLETED,
        listed=EPOCH,
        started=EPOCH,
        closed=None,
    )


async def read(name: str) -> tuple[Part, str | None]:
    history = stored(name)
    workflow = history.events[0].workflow_execution_started_event_attributes.workflow_type.name
    reader = HistoryReader(listed(workflow), PLAIN)
    for event in history.events:
        await reader.take(event)
    return reader.told(7), reader.unread


async def test_modes_and_conversations_of_a_run_are_read() -> None:
    part, unread = await read("broken_out-CustomerSupport-1")
    assert [stay.of for stay in part.stays] == [Mode.WORKFLOW, Mode.CONVERSATION, Mode.WORKFLOW]
    assert [stay.until for stay in part.stays] == [part.stays[1].since, part.stays[2].since, None]
    [(name, talk)] = part.talks
    assert (name.endswith("/refused-1"), talk.ending, talk.decided) == (True, Ending.COMPLETED, True)
    assert [(move.source, move.target, move.conversation) for move in part.moves] == [
        (Mode.WORKFLOW, Mode.CONVERSATION, name),
        (Mode.CONVERSATION, Mode.WORKFLOW, name),
    ]
    assert part.selection is not None
    assert part.selection.paradigm is Paradigm.WORKFLOW
    assert (part.events, part.bytes) == (len(stored("broken_out-CustomerSupport-1").events), 7)
    assert unread is None


async def test_a_history_from_before_triggers_were_written_has_none() -> None:
    part, _ = await read("broken_out-CustomerSupport-1")
    assert {move.trigger for move in part.moves} == {None}


async def test_a_result_that_tells_the_changes_of_mode_says_more() -> None:
    part, _ = await read("adaptive-Adaptive-1")
    assert part.told is not None
    assert len(part.told) == len(part.moves)
    assert part.told[1].trigger == Trigger.OUTCOME
    assert part.told[2] == Move(Mode.WORKFLOW, Mode.HYBRID, Trigger.REQUEST, part.talks[1][0])


async def test_who_is_waited_for_is_read_up_to_when_they_are_no_longer() -> None:
    part, _ = await read("broken_out-Conversation-1")
    assert {wait.of for wait in part.waits} >= {"C-1", "bob"}
    assert all(wait.until is not None and wait.until >= wait.since for wait in part.waits)
    assert part.moves == ()


async def test_a_part_that_goes_on_from_another_has_its_mode_and_who_was_waited_for() -> None:
    names = sorted(path.stem for path in HISTORIES.glob("long_talk-Conversation-*.json"))
    parts = [(await read(name))[0] for name in names]
    assert len(parts) > 1
    assert len({part.chain for part in parts}) == 1
    assert len({part.origin for part in parts}) == len(parts)
    second = parts[1]
    assert second.stays[0].since == second.started
    assert any(wait.since == second.started for wait in second.waits)


async def test_the_parts_of_a_long_conversation_are_counted_as_one() -> None:
    names = sorted(path.stem for path in HISTORIES.glob("long_talk-Conversation-*.json"))
    parts = [(await read(name))[0] for name in names]
    endings = [Ending.CONTINUED] * (len(parts) - 1) + [Ending.COMPLETED]
    counting = Counting(EPOCH)
    for part, ending in reversed(list(zip(parts, endings, strict=True))):
        counting.add(replace(part, ending=ending, listed=part.started))
    report = counting.report("default", "", more=False)
    assert (report.runs, report.workflows[0].ended.completed) == (1, 1)
    assert report.all_conversations.events == sum(part.events for part in parts)
    [mode] = report.modes
    assert (mode.mode, mode.stays.count) == (Mode.CONVERSATION, 1)


async def test_what_language_models_used_is_what_the_conversation_says_itself() -> None:
    name = "broken_out-Conversation-1"
    part, _ = await read(name)
    given = stored(name).events[-1].workflow_execution_completed_event_attributes.result.payloads
    [result] = await PLAIN.decode(given, [ConversationResult])
    assert (part.tokens, part.cost) == (result.tokens, result.cost)


async def test_a_conversation_that_is_closed_without_an_outcome_is_not_decided() -> None:
    history = stored("broken_out-CustomerSupport-1")
    [ended] = [
        event.child_workflow_execution_completed_event_attributes
        for event in history.events
        if event.child_workflow_execution_completed_event_attributes.workflow_type.name == "Conversation"
    ]
    [result] = await PLAIN.decode(ended.result.payloads, [ConversationResult])
    closed = result.model_copy(update={"stop": StopReason.CLOSED, "outcome": None})
    ended.result.payloads[0].CopyFrom((await PLAIN.encode([closed]))[0])
    reader = HistoryReader(listed("CustomerSupport"), PLAIN)
    for event in history.events:
        await reader.take(event)
    assert [talk for _, talk in reader.told(0).talks] == [Talk(Ending.COMPLETED, decided=False)]


@pytest.mark.parametrize("name", sorted(path.stem for path in HISTORIES.glob("*.json")))
async def test_every_stored_history_can_be_read(name: str) -> None:
    part, unread = await read(name)
    assert unread is None
    assert part.stays or part.workflow == "TripPlan"


async def test_what_is_encrypted_is_told_as_unread_and_the_rest_is_read() -> None:
    history = stored("broken_out-CustomerSupport-1")
    sealed = data_converter(sealing(Key.new("2026")))
    for event in history.events:
        marker, child = (
            event.marker_recorded_event_attributes,
            event.child_workflow_execution_completed_event_attributes,
        )
        for payloads in (*(one for key, one in marker.details.items() if key == "result"), child.result):
            if payloads.payloads:
                encoded = await sealed.payload_codec.encode(payloads.payloads) if sealed.payload_codec else []
                del payloads.payloads[:]
                payloads.payloads.extend(encoded)
    reader = HistoryReader(listed("CustomerSupport"), PLAIN)
    for event in history.events:
        await reader.take(event)
    told = reader.told(0)
    assert reader.unread is not None
    assert "2026" in reader.unread
    assert (told.selection, [talk.decided for _, talk in told.talks]) == (None, [None])
    assert len(told.moves) == 2

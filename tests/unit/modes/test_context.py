"""The universal context: nothing falls out of it on the way from mode to mode, and it keeps to its size."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue
from pydantic_core import to_json

from signals.context import (
    ConversationSession,
    ConversationState,
    CoreState,
    HybridState,
    ParticipantState,
    TurnState,
    UniversalContext,
    WorkflowState,
)
from signals.conversation import MessageKind, Recorded
from signals.modes import Mode, Trigger
from signals.participants import Kind, Participant
from signals.run import ConversationRecord, StepProgress, StepStatus, Transition
from workflows.modes.context import KEPT_MESSAGES, adapt_for_mode, bounded, to_conversation, to_hybrid, variables

NOW = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
STEPS = ("order", "approval", "receipt", "note")
PEOPLE = tuple(Participant(id=name, kind=Kind.HUMAN, role="agent") for name in ("ann", "bob", "cat"))

json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=3,
)


@st.composite
def progress(draw: st.DrawFn) -> WorkflowState:
    results = draw(st.dictionaries(st.sampled_from(STEPS), json_values))
    status = {name: StepStatus.DONE if name in results else StepStatus.PENDING for name in STEPS}
    steps = tuple(StepProgress(step=name, status=status[name]) for name in STEPS)
    return WorkflowState(step_index=len(results), variables=results, steps=steps)


@st.composite
def conversation(draw: st.DrawFn, name: str | None) -> ConversationState:
    people = draw(st.lists(st.sampled_from(PEOPLE), unique=True))
    texts = draw(st.lists(st.text(max_size=30), max_size=8)) if name else []
    said = tuple(
        Recorded(seq=seq, at=NOW, kind=MessageKind.TURN, speaker="ann", text=text) for seq, text in enumerate(texts, 1)
    )
    return ConversationState(
        participants={who.id: ParticipantState(participant=who, turns=len(said)) for who in people},
        message_history=said,
        turn_state=TurnState(conversation=name, turns=len(said)),
    )


@st.composite
def sessions(draw: st.DrawFn) -> HybridState:
    names = [f"r/talk-{number}" for number in range(1, draw(st.integers(0, 3)) + 1)]
    talks = [
        ConversationSession(record=record(name) if draw(st.booleans()) else None, state=draw(conversation(name)))
        for name in names
    ]
    return HybridState(workflow_progress=draw(progress()), conversation_sessions=tuple(talks))


def record(name: str) -> ConversationRecord:
    return ConversationRecord(id=name, step=None, point="talk", opened=NOW, because="why not", outcome=5, closed=NOW)


@st.composite
def contexts(draw: st.DrawFn) -> UniversalContext:
    """What a run may know, in one of the modes, as it may have come to it from others."""
    state = draw(progress() | conversation(None) | conversation("r/other-1") | sessions())
    core = CoreState(
        goal="x",
        request=draw(json_values),
        facts=draw(st.dictionaries(st.text(max_size=5), json_values, max_size=2)),
        participants=draw(st.sampled_from([(), PEOPLE[:1], PEOPLE])),
    )
    change = Transition(source=Mode.WORKFLOW, target=Mode.HYBRID, trigger=Trigger.POINT, reason="why not", at=NOW)
    context = UniversalContext(
        core_state=core, mode_state=state, conversations=(record("r/talk-1"),), transitions=(change,)
    )
    for mode in draw(st.lists(st.sampled_from(Mode), max_size=4)):
        context = adapt_for_mode(context, mode)
    return context


def held(context: UniversalContext) -> dict[str | None, ConversationState]:
    """All conversations that a context knows, by name; one that hasn't begun has none."""
    sessions = to_hybrid(context).conversation_sessions
    return {session.state.turn_state.conversation: session.state for session in sessions}


@pytest.mark.parametrize(("there", "back"), [*permutations(Mode, 2)])
@given(context=contexts())
def test_there_and_back_again_is_as_before(there: Mode, back: Mode, context: UniversalContext) -> None:
    before = adapt_for_mode(context, back)
    after = adapt_for_mode(adapt_for_mode(before, there), back)
    assert adapt_for_mode(before, there).mode is there
    assert after.mode_state == before.mode_state or isinstance(before.mode_state, HybridState)
    if isinstance(before.mode_state, HybridState):  # a record that was missing may have been found
        assert isinstance(after.mode_state, HybridState)
        assert after.mode_state.workflow_progress == before.mode_state.workflow_progress
        assert [one.state for one in after.mode_state.conversation_sessions] == [
            one.state for one in before.mode_state.conversation_sessions
        ]


@given(contexts(), st.lists(st.sampled_from(Mode), max_size=6))
def test_on_no_way_through_the_modes_is_anything_lost(context: UniversalContext, way: Sequence[Mode]) -> None:
    went = context
    for mode in way:
        went = adapt_for_mode(went, mode)
        assert variables(went) == variables(context)
        assert held(went) == held(context)
    left = ("core_state", "transitions", "conversations", "rules")
    assert went.model_dump(include=set(left)) == context.model_dump(include=set(left))


@given(contexts())
def test_a_context_survives_the_wire(context: UniversalContext) -> None:
    assert UniversalContext.model_validate_json(context.model_dump_json()) == context


@given(contexts(), st.sampled_from(Mode))
def test_no_result_is_carried_twice(context: UniversalContext, mode: Mode) -> None:
    written = adapt_for_mode(context, mode)
    found = [
        state.workflow_progress if isinstance(state, HybridState) else state
        for state in (written.mode_state, *written.preserved)
        if not isinstance(state, ConversationState)
    ]
    assert len([one for one in found if one.variables]) <= 1


def test_the_mode_that_a_context_is_of_changes_nothing() -> None:
    context = UniversalContext(core_state=CoreState(goal="x"), mode_state=WorkflowState())
    assert adapt_for_mode(context, Mode.WORKFLOW) is context


def test_a_conversation_that_has_not_begun_is_of_everybody_who_is_known() -> None:
    core = CoreState(goal="x", participants=PEOPLE)
    begun = adapt_for_mode(UniversalContext(core_state=core, mode_state=WorkflowState()), Mode.CONVERSATION)
    assert list(to_conversation(begun).participants) == ["ann", "bob", "cat"]


def test_hybrid_has_the_conversation_that_was_held_with_what_it_gave() -> None:
    state = ConversationState(turn_state=TurnState(conversation="r/talk-1"))
    held_one = record("r/talk-1")
    context = UniversalContext(core_state=CoreState(goal="x"), mode_state=state, conversations=(held_one,))
    assert to_hybrid(context).conversation_sessions == (ConversationSession(record=held_one, state=state),)


def test_beside_a_hybrid_state_older_steps_are_not_taken_for_newer_ones() -> None:
    newer = HybridState(workflow_progress=WorkflowState(variables={"order": 2}))
    older = WorkflowState(variables={"order": 1})
    context = UniversalContext(core_state=CoreState(goal="x"), mode_state=newer, preserved=(older,))
    talked = adapt_for_mode(context, Mode.CONVERSATION)
    assert variables(context) == variables(talked) == variables(adapt_for_mode(talked, Mode.WORKFLOW)) == {"order": 2}


@given(contexts())
def test_where_state_is_not_preserved_the_steps_begin_anew_after_a_conversation(context: UniversalContext) -> None:
    begun = adapt_for_mode(context, Mode.WORKFLOW)
    talked = adapt_for_mode(begun, Mode.CONVERSATION, preserve=False)
    assert variables(adapt_for_mode(talked, Mode.WORKFLOW, preserve=False)) == {}


# Its size


@given(contexts(), st.integers(200, 3000))
def test_a_context_keeps_to_its_size_and_names_what_it_leaves_out(context: UniversalContext, most: int) -> None:
    kept = bounded(context, "r", "run-1", most)
    left_out = {one.name: one for one in kept.core_state.artefacts}
    everything = {**variables(context), "request": context.core_state.request}
    assert {**variables(kept), "request": None}.keys() | left_out.keys() == everything.keys()
    for name, artefact in left_out.items():
        assert (artefact.bytes, artefact.workflow_id, artefact.run_id) == (len(to_json(everything[name])), "r", "run-1")
    for name, value in variables(kept).items():
        assert value == everything[name]
    can_shrink = bool(variables(kept)) or kept.core_state.request is not None
    assert kept.size <= most or not can_shrink


@given(contexts())
def test_a_context_that_is_small_enough_is_left_as_it_is(context: UniversalContext) -> None:
    kept = bounded(context, "r", "run-1", 1_000_000)
    assert kept.model_copy(update={"size": 0}) == context
    assert kept.size == len(context.model_dump_json().encode())


def test_the_largest_results_go_first_and_the_last_messages_stay() -> None:
    said = tuple(
        Recorded(seq=seq, at=NOW, kind=MessageKind.TURN, speaker="ann", text="x" * 500) for seq in range(1, 30)
    )
    talk = ConversationState(message_history=said, turn_state=TurnState(conversation="r/talk-1"))
    results: dict[str, JsonValue] = {"order": "x" * 3000, "approval": "x" * 9000, "note": 7}
    context = UniversalContext(
        core_state=CoreState(goal="x"),
        mode_state=HybridState(
            workflow_progress=WorkflowState(variables=results),
            conversation_sessions=(ConversationSession(state=talk),),
        ),
    )
    kept = bounded(context, "r", "run-1", 8000)
    assert kept.size <= 8000
    assert [one.name for one in kept.core_state.artefacts] == ["approval"]
    assert variables(kept) == {"order": "x" * 3000, "note": 7}
    assert [message.seq for message in to_conversation(kept).message_history] == list(range(25, 30))
    assert len(to_conversation(kept).message_history) == KEPT_MESSAGES

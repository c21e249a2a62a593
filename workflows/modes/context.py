"""The universal context adapted to each mode, and kept to a size. Pure.

Going to a mode takes what that mode was left with; what the run leaves is preserved. So going there and back gives
what there was, and nothing falls out. A hybrid state holds the other two: entering it takes them in, leaving it
keeps it for its conversations.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from pydantic import JsonValue
from pydantic_core import to_json

from signals.context import (
    MAX_CONTEXT_BYTES,
    Artefact,
    ConversationSession,
    ConversationState,
    HybridState,
    ModeState,
    ParticipantState,
    UniversalContext,
    WorkflowState,
)
from signals.modes import Mode

_REQUEST: Final = "request"
"""What the workflow's input is called among the artefacts: no step has that name."""

KEPT_MESSAGES: Final = 5
"""How many of the last messages are kept where there is no room for more."""


def adapt_for_mode(context: UniversalContext, target: Mode, *, preserve: bool = True) -> UniversalContext:
    """Give a context as another mode needs it.

    Args:
        context: The context.
        target: The mode that the run goes to.
        preserve: Whether what the modes were left with is kept (`preserve_state`); else the target begins anew.
    """
    if target is context.mode:
        return context
    states = {state.kind: state for state in (*context.preserved, context.mode_state)}
    match target:
        case Mode.WORKFLOW:
            adapted: ModeState = to_workflow(context) if preserve else WorkflowState()
        case Mode.CONVERSATION:
            adapted = to_conversation(context)
        case Mode.HYBRID:
            adapted = to_hybrid(context)
            states = {}  # it holds them all
    # What hybrid was left with knows the steps best, until they go on.
    gone = {target, Mode.WORKFLOW} if context.mode is Mode.HYBRID else {target}
    kept = tuple(state for kind, state in states.items() if kind not in gone) if preserve else ()
    if any(isinstance(state, WorkflowState) for state in (adapted, *kept)):
        kept = tuple(map(_without_progress, kept))  # nobody would look for it there
    return context.model_copy(update={"mode_state": adapted, "preserved": kept})


def _without_progress(state: ModeState) -> ModeState:
    if isinstance(state, HybridState):
        return state.model_copy(update={"workflow_progress": WorkflowState()})
    return state


def to_workflow(context: UniversalContext) -> WorkflowState:
    """Where the steps stand; at their beginning, where there were none."""
    workflow, _, hybrid = _states(context)
    if isinstance(context.mode_state, HybridState):
        return context.mode_state.workflow_progress
    return workflow or (hybrid.workflow_progress if hybrid else WorkflowState())


def to_conversation(context: UniversalContext) -> ConversationState:
    """The conversation that was held last; one that hasn't begun, where there was none."""
    _, conversation, hybrid = _states(context)
    if conversation is not None:
        return conversation
    if hybrid is not None and hybrid.conversation_sessions:
        return hybrid.conversation_sessions[-1].state
    return _unbegun(context)


def _unbegun(context: UniversalContext) -> ConversationState:
    """A conversation of everybody who is known, before anything is said."""
    people = {who.id: ParticipantState(participant=who) for who in context.core_state.participants}
    return ConversationState(participants=people)


def to_hybrid(context: UniversalContext) -> HybridState:
    """The steps and all conversations, the one that was held last at the end."""
    _, conversation, hybrid = _states(context)
    sessions = hybrid.conversation_sessions if hybrid else ()
    if conversation is not None and conversation != _unbegun(context):
        name = conversation.turn_state.conversation
        record = next((one for one in context.conversations if one.id == name), None)
        known = next((one.record for one in sessions if one.state.turn_state.conversation == name), None)
        others = tuple(one for one in sessions if one.state.turn_state.conversation != name)
        sessions = (*others, ConversationSession(record=known or record, state=conversation))
    return HybridState(workflow_progress=to_workflow(context), conversation_sessions=sessions)


def _states(
    context: UniversalContext,
) -> tuple[WorkflowState | None, ConversationState | None, HybridState | None]:
    found: tuple[WorkflowState | None, ConversationState | None, HybridState | None] = (None, None, None)
    for state in (*context.preserved, context.mode_state):
        match state:
            case WorkflowState():
                found = (state, found[1], found[2])
            case ConversationState():
                found = (found[0], state, found[2])
            case HybridState():
                found = (found[0], found[1], state)
    return found


def variables(context: UniversalContext) -> dict[str, JsonValue]:
    """The results of the steps that are done, whatever mode the context is of."""
    return to_workflow(context).variables


def bounded(
    context: UniversalContext, workflow_id: str, run_id: str, most: int = MAX_CONTEXT_BYTES
) -> UniversalContext:
    """Keep a context to a size: old messages go first, then the largest results become artefacts.

    Args:
        context: The context.
        workflow_id: The workflow id of the run that has the results.
        run_id: Its run id.
        most: What it may have, in bytes of JSON.
    """
    size = _size(context)
    if size > most:
        context = _each_state(context, _with_few_messages)
        size = _size(context)
    known = {**variables(context), _REQUEST: context.core_state.request}
    results = sorted(known.items(), key=lambda item: -len(to_json(item[1])))
    for name, value in results:
        if size <= most:
            break
        artefact = Artefact(name=name, bytes=len(to_json(value)), workflow_id=workflow_id, run_id=run_id)
        core = context.core_state
        core = core.model_copy(update={"artefacts": (*_without(core.artefacts, name), artefact)})
        if name == _REQUEST:
            core = core.model_copy(update={"request": None})
        context = _each_state(context.model_copy(update={"core_state": core}), partial(_without_variable, name))
        size = _size(context)
    return context.model_copy(update={"size": size})


def _size(context: UniversalContext) -> int:
    return len(context.model_dump_json().encode())


def _without(artefacts: Iterable[Artefact], name: str) -> tuple[Artefact, ...]:
    return tuple(one for one in artefacts if one.name != name)


def _each_state(context: UniversalContext, change: Callable[[ModeState], ModeState]) -> UniversalContext:
    """Change what is particular to the modes, the current one and the preserved ones."""
    preserved = tuple(change(state) for state in context.preserved)
    return context.model_copy(update={"mode_state": change(context.mode_state), "preserved": preserved})


def _with_few_messages(state: ModeState) -> ModeState:
    match state:
        case ConversationState():
            return state.model_copy(update={"message_history": state.message_history[-KEPT_MESSAGES:]})
        case HybridState():
            sessions = tuple(
                session.model_copy(update={"state": _with_few_messages(session.state)})
                for session in state.conversation_sessions
            )
            return state.model_copy(update={"conversation_sessions": sessions})
        case WorkflowState():
            return state


def _without_variable(name: str, state: ModeState) -> ModeState:
    match state:
        case WorkflowState():
            left = {step: value for step, value in state.variables.items() if step != name}
            return state.model_copy(update={"variables": left})
        case HybridState():
            progress = _without_variable(name, state.workflow_progress)
            return state.model_copy(update={"workflow_progress": progress})
        case ConversationState():
            return state

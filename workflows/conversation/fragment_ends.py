"""What became of a fragment: its result is told and known from then on, its failure is told."""

from typing import Final

from pydantic import JsonValue

from signals.conversation import Invocation, InvocationStatus
from signals.messages import InvocationMode
from signals.wire import MAX_FACTS_BYTES, at_most
from workflows.conversation.change import Change
from workflows.conversation.events import FragmentDone, FragmentFailed
from workflows.conversation.gathering import look_again
from workflows.conversation.invoked import call_back, let_go, shown, tell, update
from workflows.conversation.offers import offered

MAX_TOLD: Final = 2000
"""How much of a result people are told, in characters; what is known is all of it."""


def take_end(change: Change, event: FragmentDone | FragmentFailed) -> None:
    """Tell what a fragment gave, or why it failed; AI participants that asked for it are asked again."""
    state = change.state
    invocation = next((one for one in state.invocations if one.number == event.number), None)
    if invocation is None or invocation.status not in (InvocationStatus.RUNNING, InvocationStatus.DETACHED):
        return
    if invocation.mode is InvocationMode.SYNCHRONOUS:
        state.last_activity = change.now  # nobody could say anything meanwhile
    if isinstance(event, FragmentFailed):
        why = f"({event.type}): {event.reason}; it can be asked for again"
        tell(change, invocation, f"{invocation.fragment} failed {why}")
        call_back(state, *let_go(state, invocation, InvocationStatus.FAILED))
        return
    gave = f"gave {shown(event.result, MAX_TOLD)}" if event.result is not None else "is done"
    too_large = "" if _keep(change, invocation, event.result) else _elsewhere(invocation)
    tell(change, invocation, f"{invocation.fragment} {gave}{too_large}")
    call_back(state, *let_go(state, invocation, InvocationStatus.SUCCEEDED))
    look_again(change)


def stop_waiting(change: Change) -> list[str]:
    """Go on without the fragments that the conversation waits for; gives their names."""
    names: list[str] = []
    while (busy := change.state.busy) is not None:
        update(change.state, busy, mode=InvocationMode.ASYNCHRONOUS)
        names.append(busy.fragment)
    return names


def _keep(change: Change, invocation: Invocation, result: JsonValue) -> bool:
    """Make a result known if there is room for it; what was known by its name isn't any more."""
    state, offer = change.state, offered(change.setup, change.state).get(invocation.fragment)
    name = (offer.fact if offer else None) or invocation.fragment
    others = {fact: value for fact, value in state.facts.items() if fact != name}
    state.found_for.pop(name, None)
    try:
        state.facts = at_most(MAX_FACTS_BYTES)({**others, name: result})
    except ValueError:
        state.facts = others
        return False
    state.found_for[name] = invocation.speaker
    return True


def _elsewhere(invocation: Invocation) -> str:
    return f" (it is too large to be kept; the history of {invocation.workflow_id} has it)"

"""The fragments that were asked for in a conversation: looked up, changed, and told of."""

import json
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from signals.conversation import Invocation, InvocationStatus, MessageKind
from signals.errors import ErrorType
from workflows.conversation.change import Change
from workflows.conversation.routing import told_of
from workflows.conversation.state import ConversationState

MAX_UNDER_WAY: Final = 8
"""Fragments that may be asked for or running at a time, those that nobody waits for left out."""

MAX_SETTLED: Final = 12
"""Fragments that are done and still known: the latest ones."""

MAX_ARGUMENTS_BYTES: Final = 32 * 1024
"""What the fragments under way are given, all together, in bytes of JSON."""

SHORT: Final = 500
"""How much of some arguments people are told, in characters."""


def is_under_way(invocation: Invocation) -> bool:
    """Tell whether something is still to come of an invocation."""
    return invocation.status in (InvocationStatus.ASKING, InvocationStatus.RUNNING)


def under_way(state: ConversationState) -> list[Invocation]:
    """What was asked for and isn't done, the oldest first."""
    return [one for one in state.invocations if is_under_way(one)]


def asking(state: ConversationState) -> list[Invocation]:
    """What something is asked for, the oldest first."""
    return [one for one in state.invocations if one.status is InvocationStatus.ASKING]


def update(state: ConversationState, invocation: Invocation, **changes: object) -> Invocation:
    """Change an invocation; gives what it is then."""
    index = next(i for i, one in enumerate(state.invocations) if one.number == invocation.number)
    state.invocations[index] = state.invocations[index].model_copy(update=changes)
    return state.invocations[index]


def let_go(state: ConversationState, invocation: Invocation, status: InvocationStatus) -> tuple[str, ...]:
    """Note that nothing is to come of an invocation any more; gives who asked for it. Only the latest are kept."""
    update(state, invocation, status=status, arguments={}, missing=())
    for one in [one for one in state.invocations if not is_under_way(one)][:-MAX_SETTLED]:
        state.invocations.remove(one)
    request = state.requests.pop(invocation.number, None)
    return request.by if request else ()


def give_up(change: Change, invocation: Invocation, reason: str) -> None:
    """Say that a fragment is not run, for want of what it needs."""
    tell(change, invocation, f"{invocation.fragment} is not run ({ErrorType.MISSING_CONTEXT}): {reason}")
    call_back(change.state, *let_go(change.state, invocation, InvocationStatus.FAILED))


def call_back(state: ConversationState, *names: str) -> None:
    """Have AI participants that asked for a fragment be asked again, with what came of it."""
    for name in names:
        member = state.members.get(name)
        if member is None or member.is_person or not member.present or member.stood_down or state.resting:
            continue
        member.called = member.unheard = True


def tell(change: Change, invocation: Invocation, text: str, speaker: str | None = None) -> int:
    """Record a message about an invocation; gives its number.

    It goes to whoever would be given a turn of who asked for it.
    """
    to = told_of(change.setup.routing, change.state, invocation.speaker)
    if to and speaker is None:
        to = (invocation.speaker, *to)
    return change.record(MessageKind.FRAGMENT, text, speaker, fragment=invocation.number, to=to)


def shown(value: JsonValue, most: int = SHORT) -> str:
    """Write JSON for people, as much of it as there is room for."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else f"{text[: most - 3]}..."


def size_of(*arguments: Mapping[str, JsonValue]) -> int:
    """How large some arguments are together, in bytes of JSON."""
    return sum(len(json.dumps(one, ensure_ascii=False).encode()) for one in arguments)

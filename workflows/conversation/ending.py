"""The end of a conversation: has it come, by a condition that was set or by the conversation's bounds?"""

from datetime import timedelta

from signals.conversation import StopReason
from workflows.conversation.change import Change
from workflows.conversation.emergence import emerged
from workflows.markdown import counted


def has_ended(change: Change) -> bool:
    """End the conversation if its end has come; tells whether it has ended."""
    state, constraints = change.state, change.setup.constraints
    if state.ended is not None:
        return True
    end = emerged(change.setup.emergence, state, change.now)
    if end is None and _is_deserted(change):
        end = change.stopped(StopReason.EVERYONE_LEFT, "everyone has left")
    if end is None and constraints.max_turns is not None and state.turns >= constraints.max_turns:
        end = change.stopped(StopReason.TURNS, f"{counted(constraints.max_turns, 'turn')}, the most allowed")
    if end is None and change.now >= state.started + timedelta(seconds=constraints.timeout_seconds):
        end = change.stopped(StopReason.TIMEOUT, f"the time ({constraints.timeout_seconds:g} s) is up")
    if end is not None:
        change.end(end)
    return end is not None


def _is_deserted(change: Change) -> bool:
    # AI participants don't go on among themselves once the people have left.
    members = change.state.members.values()
    if any(member.present and member.is_person for member in members):
        return False
    return any(member.is_person for member in members) or not any(member.present for member in members)

"""Demands: who may ask a run for a conversation, and which of its points is opened for them. Pure."""

from collections.abc import Callable, Iterable

from signals.errors import ErrorType, Refusal
from signals.messages import RequestConversation
from workflows.hybrid import ConversationPoint, OnDemand


def point_asked_for(
    message: RequestConversation,
    points: Iterable[ConversationPoint],
    roles: set[str],
    is_taken: Callable[[ConversationPoint], bool],
) -> ConversationPoint | Refusal:
    """Find the first point that somebody may ask for now, or say why there is none.

    Args:
        message: What is asked for.
        points: The points that can still be opened.
        roles: What the requestor is called: their id, and their role where it is known.
        is_taken: Whether a point is open or asked for already, or was held as often as it may be.
    """
    fitting = [
        (point, point.trigger.who)
        for point in points
        if isinstance(point.trigger, OnDemand) and message.point in (None, point.name)
    ]
    if not fitting:
        what = f"point '{message.point}'" if message.point else "conversation"
        reason = f"no {what} can be asked for now; ask for another mode by 'switch_mode'"
        return Refusal(ErrorType.TRANSITION_NOT_ALLOWED, reason)
    theirs = [point for point, who in fitting if not who or not roles.isdisjoint(who)]
    if not theirs:
        return Refusal(ErrorType.NOT_PERMITTED, f"{message.requestor!r} may not ask for a conversation here")
    free = next((point for point in theirs if not is_taken(point)), None)
    reason = "the conversation is asked for or open already, or was held as often as it may be"
    return free or Refusal(ErrorType.TRANSITION_NOT_ALLOWED, reason)

"""Fragments asked for in a conversation."""

from signals.errors import ErrorType, Refusal
from signals.messages import Answer, Disposition, Invoke, Turn
from workflows.conversation.change import Change
from workflows.conversation.events import FragmentDone, FragmentFailed
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import ConversationState


def check_invoke(setup: ConversationSetup, state: ConversationState, message: Invoke) -> Refusal | None:
    """Say why a fragment can't be run; nothing if it can."""
    return Refusal(ErrorType.WORKFLOW_NOT_AVAILABLE, f"there is no fragment {message.fragment!r} here")


def invoke(change: Change, message: Invoke) -> Answer:
    """Run a fragment, or ask for what it needs and nobody knows."""
    return Answer(disposition=Disposition.DUPLICATE)


def take_answer(change: Change, turn: Turn) -> None:
    """Take what a turn says for what a fragment still needs, where it answers that question."""


def take_end(change: Change, event: FragmentDone | FragmentFailed) -> None:
    """Tell what a fragment gave, or why it failed."""

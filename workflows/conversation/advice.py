"""What language models are asked of their own accord: what conditions have them judge, and the rolling summary."""

from typing import Final

from signals.assistant import Purpose
from workflows.conversation.change import Change
from workflows.conversation.emergence import Question
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import ConversationState

SUMMARISING: Final = "Sum up what was said so far: who wants what and why, what is agreed, what is open."
"""What a language model goes by that sums up."""


def questions_due(setup: ConversationSetup, state: ConversationState) -> list[Question]:
    """What a language model is to judge now, and isn't at already; none where the budget is used up."""
    found = {question.text: question for condition in setup.emergence for question in condition.questions(state)}
    if not found or state.muted:
        return []
    under_way = {one.question for one in state.consulting.values() if one.purpose is Purpose.JUDGE}
    return [question for text, question in found.items() if text not in under_way]


def ask_for_advice(change: Change) -> None:
    """Have language models judge and sum up what is due."""
    state, summary = change.state, change.setup.summary
    for question in questions_due(change.setup, state):
        change.consult(Purpose.JUDGE, question.text, question.model)
    if summary is not None and state.seq - state.summarised >= summary.every:
        summarise(change, summary.model)


def summarise(change: Change, model: str | None) -> bool:
    """Have a language model sum up what everybody may see, if there is anything new; tells whether it is asked."""
    state = change.state
    if state.muted or any(one.purpose is Purpose.SUMMARISE for one in state.consulting.values()):
        return False
    if not any(message.seq > state.summarised and not message.to for message in state.messages):
        state.summarised = state.seq
        return False
    change.consult(Purpose.SUMMARISE, SUMMARISING, model)
    return True

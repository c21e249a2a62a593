"""Budgets at work: what language models used is counted, and what is set happens when it is too much."""

from signals.conversation import StopReason, Tokens
from workflows.conversation.bounds import Budget, Exhausted
from workflows.conversation.change import Change
from workflows.conversation.state import ConversationState


def spent(budget: Budget, state: ConversationState) -> float:
    """How much of what was granted is used, as a share: 1 and more when it is used up."""
    return budget.spent(state.tokens, state.cost) / state.budgets


def charge(change: Change, tokens: Tokens, cost: float) -> None:
    """Count what a language model used."""
    state, budget = change.state, change.setup.constraints.budget
    state.tokens = state.tokens + tokens
    state.cost += cost
    if budget is None or state.muted or state.ended is not None or spent(budget, state) < 1:
        return
    state.muted = True
    for name in list(state.replying):
        change.cancel_reply(name)
    used = f"Language models have used up their budget ({state.tokens.input + state.tokens.output} tokens)"
    match budget.at_exhaustion:
        case Exhausted.STOP:
            change.end(change.stopped(StopReason.BUDGET, "language models have used up their budget"))
        case Exhausted.ASK:
            change.say(f"{used}; whoever moderates may grant them the same again, by 'grant' to one of them")
        case Exhausted.HAND_OFF:
            change.say(f"{used}; people go on without them")


def grant_budget(change: Change) -> None:
    """Grant the same again, where it is used up."""
    state, budget = change.state, change.setup.constraints.budget
    if state.muted and budget is not None:
        state.muted = False
        while spent(budget, state) >= 1:
            state.budgets += 1

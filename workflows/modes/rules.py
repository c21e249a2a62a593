"""Transition rules at work: which one moves a run, and whether a request may. Pure."""

from collections.abc import Collection, Sequence
from itertools import permutations
from typing import Final

from signals.errors import ErrorType, Refusal
from signals.modes import Mode, TransitionRule, Trigger
from signals.run import Transition

DEFAULT_RULES: Final[tuple[TransitionRule, ...]] = (
    *(TransitionRule(source=source, to=to, trigger=Trigger.REQUEST) for source, to in permutations(Mode, 2)),
    TransitionRule(source=Mode.WORKFLOW, to=Mode.CONVERSATION, trigger=Trigger.STEP_FAILED),
    TransitionRule(source=Mode.HYBRID, to=Mode.CONVERSATION, trigger=Trigger.STEP_FAILED),
    TransitionRule(source=Mode.WORKFLOW, to=Mode.CONVERSATION, trigger=Trigger.LOW_CONFIDENCE),
    TransitionRule(source=Mode.CONVERSATION, to=Mode.WORKFLOW, trigger=Trigger.OUTCOME),
    TransitionRule(source=Mode.HYBRID, to=Mode.WORKFLOW, trigger=Trigger.OUTCOME),
    TransitionRule(source=Mode.CONVERSATION, to=Mode.WORKFLOW, trigger=Trigger.STALLED),
    TransitionRule(source=Mode.CONVERSATION, to=Mode.WORKFLOW, trigger=Trigger.BUDGET),
    TransitionRule(source=Mode.CONVERSATION, to=Mode.WORKFLOW, trigger=Trigger.ASKED),
    TransitionRule(source=Mode.CONVERSATION, to=Mode.HYBRID, trigger=Trigger.ASKED),
    TransitionRule(source=Mode.HYBRID, to=Mode.WORKFLOW, trigger=Trigger.ASKED),
    *(TransitionRule(source=source, to=to, trigger=Trigger.FALLBACK) for source, to in permutations(Mode, 2)),
)
"""Whoever may send signals may ask for any mode; people are asked about a failed step, and the run goes on when they
are done."""


def find_rule(
    rules: Sequence[TransitionRule],
    followed: Sequence[Transition],
    *,
    source: Mode,
    trigger: Trigger,
    to: Mode | None = None,
) -> TransitionRule | None:
    """The first rule that moves a run by itself; nothing where there is none, or each was followed as often as it may.

    Args:
        rules: The rules that hold.
        followed: The transitions so far.
        source: The mode that the run is in.
        trigger: What happened.
        to: The mode that it must lead to; any where it isn't given.
    """
    return next((rule for rule in _leading(rules, source, trigger, to) if _is_left(rule, followed)), None)


def check_request(
    rules: Sequence[TransitionRule],
    followed: Sequence[Transition],
    *,
    source: Mode,
    to: Mode,
    by: Collection[str],
) -> TransitionRule | Refusal:
    """The rule that allows a request, or why none does.

    Args:
        rules: The rules that hold.
        followed: The transitions so far.
        source: The mode that the run is in.
        to: The mode that is asked for.
        by: The id of who asks, and the roles that they have in the run.
    """
    if source is to:
        return _refused(f"the run is in mode '{to}' already")
    leading = _leading(rules, source, Trigger.REQUEST, to)
    if not leading:
        return _refused(f"no rule leads from '{source}' to '{to}' on request")
    theirs = [rule for rule in leading if not rule.who or not set(rule.who).isdisjoint(by)]
    if not theirs:
        named = ", ".join(dict.fromkeys(name for rule in leading for name in rule.who))
        return _refused(f"from '{source}' to '{to}' may only ask: {named}")
    for rule in theirs:
        if _is_left(rule, followed):
            return rule
    return _refused(f"the run was asked from '{source}' to '{to}' as often as it may be ({theirs[0].limit} times)")


def _leading(rules: Sequence[TransitionRule], source: Mode, trigger: Trigger, to: Mode | None) -> list[TransitionRule]:
    return [
        rule for rule in rules if rule.source is source and rule.trigger is trigger and (to is None or rule.to is to)
    ]


def _is_left(rule: TransitionRule, followed: Sequence[Transition]) -> bool:
    if rule.limit is None:
        return True
    same = (rule.source, rule.to, rule.trigger)
    return sum((past.source, past.target, past.trigger) == same for past in followed) < rule.limit


def _refused(reason: str) -> Refusal:
    return Refusal(ErrorType.TRANSITION_NOT_ALLOWED, reason)

"""Transition rules: which may be made, which one is followed, who may ask, and that they come to an end."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

from signals.errors import ErrorType, Refusal
from signals.modes import BY_ITSELF, HANDLERS, NOT_BY_RULE, Handler, Mode, TransitionRule, Trigger
from signals.run import Transition
from signals.wire import one_line
from workflows.modes.rules import DEFAULT_RULES, check_request, find_rule

WORKFLOW, CONVERSATION, HYBRID = Mode
NOW = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)


def rule(
    source: Mode,
    to: Mode,
    trigger: Trigger = Trigger.REQUEST,
    handler: Handler | None = None,
    who: tuple[str, ...] = (),
    most: int | None = None,
) -> TransitionRule:
    return TransitionRule(source=source, to=to, trigger=trigger, handler=handler, who=who, most=most)


def followed(by: TransitionRule, times: int = 1) -> list[Transition]:
    """The transitions of a run that has followed a rule so often."""
    past = Transition(source=by.source, target=by.to, trigger=by.trigger, reason="because", at=NOW)
    return [past] * times


def why_not(rules: Sequence[TransitionRule], past: Sequence[Transition], source: Mode, to: Mode, by: str) -> str:
    refusal = check_request(rules, past, source=source, to=to, by=[by])
    assert isinstance(refusal, Refusal)
    assert refusal.type is ErrorType.TRANSITION_NOT_ALLOWED
    return refusal.reason


# Making them


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (
            {"from": "workflow", "to": "workflow", "trigger": "request"},
            "input: to: it leads from 'workflow' to the same mode; name another",
        ),
        (
            {"from": "conversation", "to": "workflow", "trigger": "closed"},
            "input: trigger: 'closed' needs no rule; name another",
        ),
        (
            {"from": "workflow", "to": "hybrid", "trigger": "request", "handler": "restart"},
            "input: handler: for 'hybrid' it must be one of beside",
        ),
        (
            {"from": "workflow", "to": "conversation", "trigger": "request", "handler": "resume"},
            "input: handler: for 'conversation' it must be one of finish, cancel",
        ),
        (
            {"from": "workflow", "to": "conversation", "trigger": "step_failed", "who": ["bob"]},
            "input: who: nobody asks for it where the trigger is 'step_failed'; leave it out",
        ),
        (
            {"from": "workflow", "to": "conversation", "trigger": "request", "most": 0},
            "most: Input should be greater than or equal to 1",
        ),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_by_field(written: dict[str, JsonValue], told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        TransitionRule.model_validate(written)
    assert one_line(refused.value) == told


@pytest.mark.parametrize("trigger", sorted(NOT_BY_RULE))
def test_what_a_workflow_does_by_itself_needs_no_rule(trigger: Trigger) -> None:
    with pytest.raises(ValidationError):
        rule(WORKFLOW, CONVERSATION, trigger)


@pytest.mark.parametrize("mode", Mode)
def test_a_mode_is_gone_to_in_its_usual_way_where_a_rule_does_not_say(mode: Mode) -> None:
    source = next(other for other in Mode if other is not mode)
    assert rule(source, mode).how is HANDLERS[mode][0]
    for handler in HANDLERS[mode]:
        assert rule(source, mode, handler=handler).how is handler


def test_a_rule_is_written_as_it_is_read() -> None:
    written = {"from": "workflow", "to": "hybrid", "trigger": "request", "handler": None, "who": ["bob"], "most": 2}
    assert TransitionRule.model_validate(written).model_dump(mode="json") == written


# Those that move a run by themselves


def test_the_first_rule_that_applies_is_followed() -> None:
    stalled = rule(CONVERSATION, WORKFLOW, Trigger.STALLED)
    rules = [
        rule(HYBRID, WORKFLOW, Trigger.STALLED),
        rule(CONVERSATION, HYBRID, Trigger.BUDGET),
        rule(CONVERSATION, HYBRID, Trigger.STALLED, most=2),
        stalled,
    ]
    assert find_rule(rules, [], source=CONVERSATION, trigger=Trigger.STALLED) is rules[2]
    assert find_rule(rules, [], source=CONVERSATION, trigger=Trigger.STALLED, to=WORKFLOW) is stalled
    assert find_rule(rules, followed(rules[2], 2), source=CONVERSATION, trigger=Trigger.STALLED) is stalled


def test_where_no_rule_applies_nothing_moves() -> None:
    rules = [rule(WORKFLOW, CONVERSATION, Trigger.STEP_FAILED)]
    assert find_rule(rules, [], source=HYBRID, trigger=Trigger.STEP_FAILED) is None
    assert find_rule(rules, [], source=WORKFLOW, trigger=Trigger.LOW_CONFIDENCE) is None
    assert find_rule(rules, [], source=WORKFLOW, trigger=Trigger.STEP_FAILED, to=HYBRID) is None
    assert find_rule([], [], source=WORKFLOW, trigger=Trigger.STEP_FAILED) is None


def test_a_rule_that_says_nothing_is_followed_three_times_by_itself() -> None:
    failed = rule(WORKFLOW, CONVERSATION, Trigger.STEP_FAILED)
    for times in range(4):
        found = find_rule([failed], followed(failed, times), source=WORKFLOW, trigger=Trigger.STEP_FAILED)
        assert (found is not None) is (times < BY_ITSELF)


def test_what_was_followed_for_another_reason_does_not_count() -> None:
    failed = rule(WORKFLOW, CONVERSATION, Trigger.STEP_FAILED, most=1)
    others = [
        *followed(rule(WORKFLOW, CONVERSATION, Trigger.LOW_CONFIDENCE)),
        *followed(rule(HYBRID, CONVERSATION, Trigger.STEP_FAILED)),
        *followed(rule(WORKFLOW, HYBRID, Trigger.STEP_FAILED)),
    ]
    assert find_rule([failed], others, source=WORKFLOW, trigger=Trigger.STEP_FAILED) is failed


BY_RULE = [trigger for trigger in Trigger if trigger not in {*NOT_BY_RULE, Trigger.REQUEST}]
RULES = st.builds(
    lambda pair, trigger, most: rule(pair[0], pair[1], trigger, most=most),
    st.sampled_from([*permutations(Mode, 2)]),
    st.sampled_from(BY_RULE),
    st.none() | st.integers(1, 5),
)


@given(st.lists(RULES, max_size=20), st.sampled_from(Mode), st.randoms(use_true_random=False))
def test_no_set_of_rules_goes_round_for_ever(rules: list[TransitionRule], mode: Mode, random: Random) -> None:
    past: list[Transition] = []
    bound = sum(one.limit or 0 for one in rules)
    while True:
        happening = random.sample(BY_RULE, len(BY_RULE))
        found = next((f for what in happening if (f := find_rule(rules, past, source=mode, trigger=what))), None)
        if found is None:
            break
        assert found in rules
        assert found.source is mode
        past += followed(found)
        mode = found.to
        assert len(past) <= bound


# Requests


@pytest.mark.parametrize(("source", "to"), [*permutations(Mode, 2)])
def test_by_default_anybody_may_ask_for_any_other_mode_as_often_as_they_like(source: Mode, to: Mode) -> None:
    allowed = check_request(DEFAULT_RULES, followed(rule(source, to), 50), source=source, to=to, by=["eve"])
    assert isinstance(allowed, TransitionRule)
    assert (allowed.source, allowed.to, allowed.trigger) == (source, to, Trigger.REQUEST)


def test_the_mode_that_a_run_is_in_is_refused() -> None:
    assert why_not(DEFAULT_RULES, [], HYBRID, HYBRID, "bob") == "the run is in mode 'hybrid' already"


def test_what_no_rule_leads_to_is_refused() -> None:
    rules = [rule(WORKFLOW, CONVERSATION), rule(WORKFLOW, HYBRID, Trigger.STEP_FAILED)]
    assert why_not(rules, [], WORKFLOW, HYBRID, "bob") == "no rule leads from 'workflow' to 'hybrid' on request"


def test_who_may_not_ask_is_told_who_may() -> None:
    rules = [
        rule(WORKFLOW, CONVERSATION, who=("bob", "lead")),
        rule(WORKFLOW, CONVERSATION, who=("lead", "carol")),
    ]
    told = "from 'workflow' to 'conversation' may only ask: bob, lead, carol"
    assert why_not(rules, [], WORKFLOW, CONVERSATION, "eve") == told


def test_one_may_ask_by_id_or_by_role() -> None:
    rules = [rule(WORKFLOW, CONVERSATION, who=("bob", "lead"))]
    for by in (["bob"], ["carol", "lead"]):
        assert check_request(rules, [], source=WORKFLOW, to=CONVERSATION, by=by) is rules[0]


def test_a_request_follows_the_first_rule_that_is_for_who_asks() -> None:
    theirs = rule(WORKFLOW, CONVERSATION, who=("bob",))
    everybody_s = rule(WORKFLOW, CONVERSATION, handler=Handler.CANCEL)
    rules = [theirs, everybody_s]
    assert check_request(rules, [], source=WORKFLOW, to=CONVERSATION, by=["bob"]) is theirs
    assert check_request(rules, [], source=WORKFLOW, to=CONVERSATION, by=["eve"]) is everybody_s


def test_a_request_that_was_granted_as_often_as_it_may_is_refused() -> None:
    once = rule(WORKFLOW, CONVERSATION, most=2)
    told = "the run was asked from 'workflow' to 'conversation' as often as it may be (2 times)"
    assert why_not([once], followed(once, 2), WORKFLOW, CONVERSATION, "bob") == told
    assert check_request([once], followed(once), source=WORKFLOW, to=CONVERSATION, by=["bob"]) is once


# The default set


def test_a_failed_step_is_talked_about_and_what_was_decided_is_gone_on_with() -> None:
    for source in (WORKFLOW, HYBRID):
        found = find_rule(DEFAULT_RULES, [], source=source, trigger=Trigger.STEP_FAILED)
        assert (found and found.to) is CONVERSATION
    for source in (CONVERSATION, HYBRID):
        found = find_rule(DEFAULT_RULES, [], source=source, trigger=Trigger.OUTCOME)
        assert (found and found.to) is WORKFLOW


@pytest.mark.parametrize("trigger", [Trigger.STALLED, Trigger.BUDGET, Trigger.ASKED])
def test_a_conversation_that_comes_to_nothing_leads_back_to_the_steps(trigger: Trigger) -> None:
    found = find_rule(DEFAULT_RULES, [], source=CONVERSATION, trigger=trigger)
    assert (found and found.to) is WORKFLOW

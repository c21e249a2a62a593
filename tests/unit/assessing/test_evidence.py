"""What a task names, and how it is worded, weighed for and against each trait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.assessing.evidence import TRAITS, assessed, evidence, weighed
from signals.adaptive import Task, Traits

EVEN = dict.fromkeys(TRAITS, 0.5)
PLAIN = Task(goal="Do it")
READY = Task(goal="Do it", workflow="Refund", input={"order_id": "A-1"})


def test_a_workflow_with_its_input_speaks_for_clear_steps_and_against_what_must_emerge() -> None:
    found = evidence(READY)
    assert min(found["clear_steps"], found["structured_phases"], found["deterministic"]) > 0
    assert max(found["emergent"], found["dynamic_participants"]) < 0


def test_a_workflow_whose_input_is_open_speaks_for_the_same_less() -> None:
    planned, ready, plain = (evidence(task) for task in (Task(goal="Do it", workflow="Refund"), READY, PLAIN))
    for trait in ("clear_steps", "structured_phases"):
        assert plain[trait] < planned[trait] < ready[trait]
    assert ready["emergent"] < planned["emergent"] < plain["emergent"]


def test_without_a_workflow_clear_steps_are_less_likely() -> None:
    assert weighed(EVEN, evidence(PLAIN))["clear_steps"] < 0.5


def test_the_form_of_an_outcome_speaks_against_what_must_emerge() -> None:
    assert evidence(PLAIN.model_copy(update={"outcome": {}}))["emergent"] < evidence(PLAIN)["emergent"]


def test_several_ways_to_go_on_speak_for_flexibility() -> None:
    assert evidence(Task(goal="Do it", workflows=("Refund", "OrderStatus")))["flexible"] > 0


@pytest.mark.parametrize(
    ("goal", "trait"),
    [
        ("Brainstorm!", "emergent"),
        ("Let us agree on it", "emergent"),
        ("Whoever comes may help", "dynamic_participants"),
        ("In three phases", "structured_phases"),
        ("Collect: apples, pears, plums", "structured_phases"),
        ("Turn back if it rains", "flexible"),
    ],
)
def test_words_of_the_goal_speak_for_traits(goal: str, trait: str) -> None:
    assert evidence(Task(goal=goal))[trait] > evidence(PLAIN)[trait]


def test_what_a_task_says_itself_is_never_doubted() -> None:
    said = Traits(deterministic=False, flexible=True)
    found = assessed(Task(goal="Do it", traits=said), {**EVEN, "deterministic": 0.99, "flexible": 0.01}, "rules")
    assert (found.traits.deterministic, found.traits.flexible) == (False, True)


def test_the_confidence_is_the_share_of_what_was_found_that_can_be_expected_to_be_right() -> None:
    chances = {**EVEN, "clear_steps": 0.9, "structured_phases": 0.8, "emergent": 0.3}
    said = Traits(deterministic=False, dynamic_participants=False, flexible=False)
    found = assessed(Task(goal="Do it", traits=said), chances, "rules")
    assert found.confidence == pytest.approx((0.9 + 0.8 + 0.7) / 3)
    assert (found.traits.clear_steps, found.traits.structured_phases, found.traits.emergent) == (True, True, False)


def test_where_nothing_is_left_to_find_the_confidence_is_that_of_who_said_it() -> None:
    said = Traits(**dict.fromkeys(TRAITS, False))
    assert assessed(Task(goal="Do it", traits=said), EVEN, "rules").confidence == 1


def test_of_two_traits_that_contradict_each_other_the_likelier_one_is_taken() -> None:
    chances = {**EVEN, "deterministic": 0.7, "emergent": 0.9, "clear_steps": 0.6, "structured_phases": 0.2}
    found = assessed(PLAIN, chances, "rules").traits
    assert (found.deterministic, found.emergent) == (False, True)
    assert (found.clear_steps, found.structured_phases) == (False, False)
    surer = assessed(PLAIN, {**chances, "clear_steps": 0.9}, "rules").traits
    assert (surer.clear_steps, surer.structured_phases) == (True, True)


CHANCES = st.fixed_dictionaries(dict.fromkeys(TRAITS, st.floats(0.001, 0.999)))
SAID = st.fixed_dictionaries(dict.fromkeys(TRAITS, st.sampled_from([None, True, False])))


@given(CHANCES, SAID)
def test_whatever_is_likely_what_is_found_agrees_with_itself_and_with_what_was_said(
    chances: dict[str, float], said: dict[str, bool | None]
) -> None:
    try:
        traits = Traits(**said)
    except ValueError:
        return
    found = assessed(Task(goal="Do it", traits=traits), chances, "rules")
    assert found.traits.missing == ()
    assert traits.completed(found.traits) == found.traits

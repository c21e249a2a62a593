"""What a task is like: traits that contradict each other, and how those that aren't given are filled in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from signals.adaptive import Task, Traits
from signals.wire import one_line

SAID = st.fixed_dictionaries(dict.fromkeys(Traits.model_fields, st.sampled_from([None, True, False])))


def possible(said: dict[str, bool | None]) -> bool:
    contradicts = said["deterministic"] and said["emergent"]
    return not contradicts and not (said["clear_steps"] and said["structured_phases"] is False)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            {"deterministic": True, "emergent": True},
            "deterministic, emergent: what is deterministic can't emerge; leave one of them out",
        ),
        (
            {"clear_steps": True, "structured_phases": False},
            "clear_steps, structured_phases: clear steps are a structure; leave one of them out",
        ),
    ],
)
def test_traits_that_contradict_each_other_are_refused_by_name(said: dict[str, bool], told: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Task.model_validate({"goal": "Do it", "traits": said})
    assert one_line(refused.value) == f"traits: {told}"


@given(SAID)
def test_all_other_traits_go_together(said: dict[str, bool | None]) -> None:
    if possible(said):
        assert {*Traits(**said).missing} == {name for name, value in said.items() if value is None}
    else:
        with pytest.raises(ValidationError):
            Traits(**said)


@given(SAID.filter(possible), SAID.filter(possible))
def test_what_is_given_stays_and_what_is_missing_is_taken_from_others_unless_it_contradicts(
    said: dict[str, bool | None], others: dict[str, bool | None]
) -> None:
    completed = dict(Traits(**said).completed(Traits(**others)))
    for name, value in completed.items():
        if said[name] is not None:
            assert value is said[name]
        elif value is None:
            assert others[name] is None or not possible({**said, name: others[name]})
        else:
            assert value is others[name]


def test_an_input_without_a_workflow_that_takes_it_is_refused() -> None:
    with pytest.raises(ValidationError, match="input: there is no 'workflow' that takes it; name one"):
        Task(goal="Do it", input={"order": 1})

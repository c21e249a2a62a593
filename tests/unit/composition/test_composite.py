"""A class with a plan becomes a workflow type, checked when it is imported and again when all names are known."""

from pathlib import Path
from typing import get_type_hints

import pytest
from temporalio import workflow

from tests.flows.composition import FLOWS, CountDown, Describe, Double, Increment, NextSquare, Number, Text
from tests.unit.composition.driven import REGISTRY
from workflows.composition import PlanError, call, check_composites, composite, field, for_each, parallel, when
from workflows.composition.functions import Function
from workflows.composition.registry import Registry
from workflows.composition.signatures import Signature, workflow_name


@composite
class Both:
    """Two at a time, for every number."""

    plan = for_each(parallel(Double, Describe))


@composite
class Hopeful:
    """It names what isn't there."""

    plan = call(Double) >> "Sqare"


@workflow.defn(name="other-name")
class Plain:
    """One that takes two inputs, or one."""

    @workflow.run
    async def run(self, number: Number, more: int = 0) -> Text:
        """Take them."""
        return Text(text="")


@workflow.defn
class Two:
    """One that needs two."""

    @workflow.run
    async def run(self, number: Number, more: int) -> None:
        """Take them."""


@workflow.defn
class Idle:
    """One that takes nothing."""

    @workflow.run
    async def run(self) -> int:
        """Do nothing."""
        return 0


def test_it_takes_what_its_first_workflow_takes_and_gives_what_its_plan_gives() -> None:
    assert get_type_hints(NextSquare.run) == {"request": Number, "return": Number}  # type: ignore[attr-defined]  # composing adds it
    assert Signature.of(NextSquare) == (1, Number, Number)
    assert workflow_name(NextSquare) == "NextSquare"


def test_the_type_of_many_results_is_seen() -> None:
    assert Signature.of(Both) == (1, list[Number], list[tuple[Number, Text]])


def test_a_plan_that_names_itself_is_checked_by_what_the_class_says() -> None:
    assert check_composites([CountDown], REGISTRY) == ()


def test_what_is_wrong_with_a_plan_is_said_with_file_and_line() -> None:
    with pytest.raises(PlanError) as error:

        @composite
        class Mistaken:
            """Its types don't meet."""

            plan = call(Increment) >> Describe >> Double

    line = Path(__file__).read_text().splitlines().index("        class Mistaken:")
    assert str(error.value) == (
        f"tests/unit/composition/test_composite.py:{line}: error [type-mismatch] Mistaken.plan.steps.2: "
        "Double takes Number, but is given Text; say with 'take' which of its fields it needs"
    )
    assert [finding.code for finding in error.value.findings] == ["type-mismatch"]


def test_what_it_takes_must_be_seen_or_said() -> None:
    with pytest.raises(PlanError, match=r"it can't be seen from its first workflows what it takes; say it in the cl"):

        @composite
        class Vague:
            """It begins with a choice of fields."""

            plan = call(Double, take={"n": "size"})


def test_what_it_says_of_itself_must_be_so() -> None:
    with pytest.raises(PlanError, match="it gives Text, but the class says Number; mend"):

        @composite
        class Wrong:
            """It gives something else."""

            result = Number
            plan = call(Describe)


def test_what_it_says_it_takes_must_do_for_its_plan() -> None:
    with pytest.raises(PlanError, match="Double takes Number, but is given Text"):

        @composite
        class Wrong:
            """It takes something else."""

            request = Text
            plan = call(Double)


def test_what_its_first_workflows_take_holds_for_its_conditions_too() -> None:
    with pytest.raises(PlanError, match="Number has no 'm'; known are: n"):

        @composite
        class Wrong:
            """It asks for a field that isn't there."""

            plan = when(field("m") > 1, Double, otherwise=Increment)


def test_a_class_without_a_plan_is_refused() -> None:
    with pytest.raises(TypeError, match="has no plan"):

        @composite
        class Nothing:
            """It does nothing."""


def test_names_are_checked_when_all_are_known() -> None:
    findings = check_composites([Double, Hopeful, *FLOWS], REGISTRY)
    assert [finding.told for finding in findings] == [
        "plan.steps.1: there is no workflow 'Sqare'; did you mean 'Square'? [unknown-workflow]"
    ]
    assert findings[0].file == "tests/unit/composition/test_composite.py"


def test_only_workflow_classes_can_be_called() -> None:
    with pytest.raises(TypeError, match="Number is no workflow class"):
        call(Number)
    with pytest.raises(TypeError, match="is no workflow class"):
        call(type("Inherited", (Double,), {}))


def test_a_workflow_is_known_by_its_type_and_its_inputs_are_counted() -> None:
    registry = Registry()
    registry.add(workflows=[Plain, Two, Idle])
    assert registry.workflows == {
        "other-name": (1, Number, Text),
        "Two": (2, Number, type(None)),
        "Idle": (0, None, int),
    }
    assert call(Plain).workflow == "other-name"
    with pytest.raises(PlanError, match="Two needs 2 inputs, a plan gives one; make one model of them"):

        @composite
        class Wrong:
            """It calls one that needs more."""

            plan = call(Double) >> Two


@pytest.mark.parametrize("function", [lambda: True, lambda a, b: True])
def test_a_function_of_more_or_less_than_one_value_is_refused(function: object) -> None:
    with pytest.raises(TypeError, match="a selector or predicate is a plain function of one value"):
        Function.of(function)  # type: ignore[arg-type]  # that is the mistake


def test_a_function_that_waits_is_refused() -> None:
    async def later(value: int) -> bool:
        return True

    with pytest.raises(TypeError, match="a plain function of one value"):
        Registry().add(predicates=[later])  # type: ignore[list-item]  # that is the mistake

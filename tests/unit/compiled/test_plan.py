# What is compiled here is never run.
# mypy: disable-error-code="empty-body"

"""A plan orders the steps and says what each needs; it is made once in a process."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.fragments import FragmentOffer
from tests.unit.compiled.told import Parcel
from workflows.compiled import Fragment, compiler, step
from workflows.compiled.compiler import compile_class
from workflows.compiled.plan import Argument, CycleError, Plan, Source, in_order
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import ConversationPoint, OnException, RetryWith, StepError

NOTHING: frozenset[str] = frozenset()


# Order


def test_steps_come_after_what_they_need_and_else_as_written() -> None:
    needs: dict[str, set[str]] = {"d": {"c"}, "b": set(), "a": set(), "c": {"a", "b"}}
    assert in_order(needs) == ("b", "a", "c", "d")


def test_a_circle_has_no_order() -> None:
    with pytest.raises(CycleError):
        in_order({"a": {"b"}, "b": {"a"}})


@given(st.permutations(range(6)), st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5))))
def test_every_graph_without_circles_has_an_order(written: list[int], edges: set[tuple[int, int]]) -> None:
    needs = {str(one): {str(other) for step, other in edges if step == one and other < one} for one in written}
    ordered = in_order(needs)
    assert sorted(ordered) == sorted(needs)
    assert all(ordered.index(need) < ordered.index(name) for name in needs for need in needs[name])


# Arguments


def setup(request: Parcel, spare: int, error: StepError) -> ConversationSetup: ...


class Shipping:
    """Ship a parcel.

    With care.
    """

    @step(result=True, talk=ConversationPoint("late", setup, OnException("Late"), RetryWith("answer")))
    def shipped(self, request: Parcel, weight: int, answer: str | None = None) -> str:
        """Hand it over."""
        raise NotImplementedError

    @step
    def spare(self, advice: int) -> int: ...

    @step
    def advice(self, request: Parcel) -> int: ...

    @step
    def weight(self, request: Parcel) -> int: ...

    @step
    def noted(self, shipped: str) -> None: ...


@pytest.fixture
def shipping() -> Plan:
    return compile_class(Shipping, NOTHING)


def test_a_plan_says_what_the_class_says(shipping: Plan) -> None:
    assert (shipping.name, shipping.about) == ("Shipping", "Ship a parcel.")
    assert (shipping.result, shipping.request_step) == ("shipped", "shipped")
    assert [planned.name for planned in shipping.steps] == ["advice", "weight", "spare", "shipped", "noted"]
    assert shipping.step("shipped").about == "Hand it over."
    assert shipping.step("weight").about == ""


def test_arguments_say_where_they_come_from(shipping: Plan) -> None:
    assert shipping.step("shipped").arguments == (
        Argument("request", Source.REQUEST),
        Argument("weight", Source.STEP),
        Argument("answer", Source.OUTCOME),
    )
    assert shipping.step("shipped").point("late").setup == (
        Argument("request", Source.REQUEST),
        Argument("spare", Source.STEP),
        Argument("error", Source.ERROR),
    )


def test_a_step_waits_for_its_own_inputs_only(shipping: Plan) -> None:
    assert shipping.step("shipped").needs == ("weight",)
    assert shipping.step("shipped").point("late").needs == ("spare",)


def table_for(request: Parcel, table: int) -> ConversationSetup: ...


def is_heavy(request: Parcel) -> bool: ...


class Sure:
    """A conversation that is held in any case, and one only if."""

    @step
    def table(self, request: Parcel) -> int: ...

    @step(talk=ConversationPoint("sure", table_for))
    def sure(self, request: Parcel) -> int: ...

    @step(result=True)
    def done(self, sure: int) -> int: ...


class Perhaps:
    """The same, only if."""

    @step
    def table(self, request: Parcel) -> int: ...

    @step(when=is_heavy, talk=ConversationPoint("perhaps", table_for))
    def sure(self, request: Parcel) -> int | None: ...

    @step(result=True)
    def done(self, sure: int | None) -> int: ...


@pytest.mark.parametrize(("flow", "on_demand"), [(Sure, False), (Perhaps, True)])
def test_what_a_conversation_needs_that_is_sure_to_be_held_is_not_put_off_until_then(
    flow: type, on_demand: bool
) -> None:
    plan = compile_class(flow, NOTHING)
    assert plan.step("table").on_demand is on_demand
    assert plan.step("sure").needs == ()
    assert plan.step("sure").point(plan.step("sure").points[0].name).needs == ("table",)


def test_a_workflow_that_may_talk_may_ask_the_worker_s_own_model(shipping: Plan) -> None:
    assert shipping.models == (None,)
    silent = Plan(shipping.name, "", (shipping.step("weight"),), "weight", "weight")
    assert silent.models == ()


def test_what_only_a_conversation_needs_is_on_demand(shipping: Plan) -> None:
    assert {planned.name for planned in shipping.steps if planned.on_demand} == {"spare", "advice"}


def test_a_point_s_outcome_is_described_as_json_schema(shipping: Plan) -> None:
    assert shipping.step("shipped").point("late").outcome == {"type": "string"}


# Once in a process


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the classes that are compiled from now on, in a process that has compiled none."""
    monkeypatch.setattr(compiler, "_PLANS", {})
    names = []
    original = compiler._Compiler.compile

    def counted(self: compiler._Compiler) -> Plan:
        names.append(self.cls.__name__)
        return original(self)

    monkeypatch.setattr(compiler._Compiler, "compile", counted)
    return names


PARCELS = """
from workflows.compiled import compiled, step

@compiled
class Parcels:
    @step(result=True)
    def total(self, request: int) -> int:
        return request + 1
"""


@pytest.fixture
def written(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "parcels.py"
    path.write_text(PARCELS)
    yield path
    sys.modules.pop("parcels", None)


def imported(path: Path) -> ModuleType:
    """Import a module anew, as the sandbox does."""
    spec = importlib.util.spec_from_file_location("parcels", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["parcels"] = module
    spec.loader.exec_module(module)
    return module


def test_a_class_that_is_imported_anew_has_the_same_plan(written: Path, compilations: list[str]) -> None:
    first, again = imported(written).Parcels, imported(written).Parcels
    assert first is not again
    assert first.plan is again.plan
    assert compilations == ["Parcels"]


def test_a_class_of_the_same_name_with_another_body_has_its_own_plan(written: Path, compilations: list[str]) -> None:
    first = imported(written).Parcels
    written.write_text(PARCELS.replace("total", "other").replace("+ 1", "+ 22"))
    assert imported(written).Parcels.plan is not first.plan
    assert compilations == ["Parcels", "Parcels"]


def test_a_plan_holds_nothing_of_the_class_so_that_the_class_can_go() -> None:
    seen: list[object] = [compile_class(Shipping, NOTHING, (), Fragment(roles=("clerk",), fact="parcel"))]
    for value in seen:
        plain = isinstance(value, str | bool | tuple | dict | list | None)
        assert plain or type(value).__module__ in (Plan.__module__, FragmentOffer.__module__)
        match value:
            case str() | bool() | None:
                pass
            case tuple() | list():
                seen += value
            case dict():
                seen += value.values()
            case _:
                seen += vars(value).values()

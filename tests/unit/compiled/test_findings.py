# What is compiled here is never run.
# mypy: disable-error-code="empty-body"

"""What is wrong with a workflow class is found when it is compiled, all of it, with place and remedy."""

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from signals.run import RunSoFar
from signals.settings import ValidationLevel
from tests.unit.compiled.told import Opaque, Parcel, findings, told
from workflows.compiled import CompileError, CompileWarning, compiled, step
from workflows.compiled.compiler import compile_class, validating
from workflows.compiled.findings import Code, Severity
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import ConversationPoint

if TYPE_CHECKING:
    from fractions import Fraction

# The class as a whole


def test_a_class_needs_steps() -> None:
    class Empty:
        def helper(self, request: Parcel) -> int:
            return request.weight

    assert told(Empty) == [
        (Code.NO_STEPS, None, None, "the class has no steps", "mark a method with @step(result=True)")
    ]


def test_a_class_needs_a_result() -> None:
    class Resultless:
        @step
        def effect(self, request: Parcel) -> None: ...

    remedy = "mark the step that gives the workflow's result with @step(result=True)"
    assert told(Resultless) == [(Code.NO_RESULT, None, None, "no step gives the result", remedy)]


def test_a_class_has_one_result() -> None:
    class Undecided:
        @step(result=True)
        def one(self, request: Parcel) -> int: ...

        @step(result=True)
        def two(self, request: Parcel) -> int: ...

    message, remedy = "step 'one' gives the result already", "leave result=True on one of them"
    assert told(Undecided) == [(Code.SEVERAL_RESULTS, "two", None, message, remedy)]


def test_a_class_needs_an_input() -> None:
    class Inputless:
        @step(result=True)
        def one(self) -> int: ...

    remedy = "give a step the parameter 'request', annotated with the workflow's input"
    assert told(Inputless) == [(Code.NO_REQUEST, None, None, "no step takes the workflow's input", remedy)]


def test_the_input_has_one_type() -> None:
    class TwoInputs:
        @step
        def one(self, request: Parcel) -> int: ...

        @step(result=True)
        def two(self, request: int | None, one: int) -> int: ...

    message = "it is int | None here, but Parcel in step 'one'"
    remedy = "annotate it with the same type everywhere"
    assert told(TwoInputs) == [(Code.REQUEST_TYPES, "two", "request", message, remedy)]


def test_the_input_s_type_is_said_by_those_who_say_something() -> None:
    class Open:
        @step
        def one(self, request: Any) -> int: ...

        @step(result=True)
        def two(self, request: Parcel, one: int) -> int: ...

    assert compile_class(Open, frozenset()).request_step == "two"


def test_steps_must_not_wait_for_each_other() -> None:
    class Circle:
        @step
        def one(self, request: Parcel, three: int) -> int: ...

        @step
        def two(self, one: int) -> int: ...

        @step(result=True)
        def three(self, two: int) -> int: ...

    message, remedy = "the steps wait for each other: one -> three -> two -> one", "take one of the parameters away"
    assert told(Circle) == [(Code.CYCLE, "one", None, message, remedy)]


def test_a_setup_may_close_a_circle_too() -> None:
    def about_two(request: Parcel, two: int) -> ConversationSetup:
        raise NotImplementedError

    class Circle:
        @step(talk=ConversationPoint("p", about_two))
        def one(self, request: Parcel) -> int: ...

        @step(result=True)
        def two(self, one: int) -> int: ...

    assert [code for code, *_ in told(Circle)] == [Code.CYCLE]


# Names


@pytest.mark.parametrize("name", ["turn", "progress", "execute", "run", "plan", "request", "error", "previous", "_own"])
def test_names_that_parley_needs_can_t_be_steps(name: str) -> None:
    def method(self: object, request: Parcel) -> int:
        return request.weight

    cls = type("Taken", (), {name: step(result=True)(method), "__module__": __name__})
    taken = (Code.RESERVED_NAME, name, None, "the name is taken by Parley", "call the step something else")
    assert told(cls) == [taken]


@pytest.mark.parametrize(("name", "remedy"), [("take", "call it something else"), ("__init__", "do it in a step")])
def test_names_that_parley_needs_can_t_be_anything_else_either(name: str, remedy: str) -> None:
    def result(self: object, request: Parcel) -> int:
        return request.weight

    def other(self: object) -> None: ...

    cls = type("Taken", (), {"result": step(result=True)(result), name: other, "__module__": __name__})
    assert told(cls) == [(Code.RESERVED_NAME, None, None, f"the name '{name}' is taken by Parley", remedy)]


# Annotations


def test_a_parameter_must_be_known() -> None:
    class Asking:
        @step
        def order(self, request: Parcel) -> int: ...

        @step(result=True)
        def receipt(self, ordr: int, receipt: int) -> int: ...

    remedy = "name it after one of: request, run, context, settings, order"
    assert told(Asking) == [
        (Code.UNKNOWN_PARAMETER, "receipt", "ordr", "nothing has this name", remedy),
        (Code.UNKNOWN_PARAMETER, "receipt", "receipt", "nothing has this name", remedy),
    ]


def test_a_parameter_needs_an_annotation() -> None:
    class Silent:
        @step(result=True)
        def one(self, request) -> int: ...  # type: ignore[no-untyped-def]  # what is tested

    [first, *rest] = told(Silent)
    remedy = "annotate it with what it accepts"
    assert first == (Code.MISSING_ANNOTATION, "one", "request", "it has no annotation", remedy)
    assert [code for code, *_ in rest] == [Code.NO_REQUEST]


def test_a_result_needs_an_annotation_and_those_who_use_it_are_not_blamed() -> None:
    class Silent:
        @step
        def one(self, request: Parcel): ...  # type: ignore[no-untyped-def]  # what is tested

        @step(result=True)
        def two(self, one: str) -> int: ...

    message, remedy = "the result has no annotation", "say what it returns"
    assert told(Silent) == [(Code.MISSING_ANNOTATION, "one", None, message, remedy)]


def test_an_annotation_must_be_readable_and_nothing_else_is_blamed() -> None:
    class Foreign:
        @step
        def one(self, request: "Fraction") -> int: ...

        @step(result=True)
        def two(self, request: Parcel, one: int) -> str: ...

    message = "an annotation can't be read: name 'Fraction' is not defined"
    assert told(Foreign) == [(Code.BAD_ANNOTATION, "one", None, message, "import what it names")]


def test_what_a_step_gives_must_be_what_another_accepts() -> None:
    class Mixed:
        @step
        def one(self, request: Parcel) -> int | None: ...

        @step(result=True)
        def two(self, one: int, run: Parcel) -> int: ...

    remedy = "change one of the two annotations"
    assert told(Mixed) == [
        (Code.TYPE_MISMATCH, "two", "one", "it accepts int, but step 'one' gives int | None", remedy),
        (Code.TYPE_MISMATCH, "two", "run", "it accepts Parcel, but the run's record gives RunSoFar", remedy),
    ]


def test_a_step_that_may_be_left_out_may_give_none() -> None:
    def heavy(request: Parcel) -> bool:
        return request.weight > 1

    class Maybe:
        @step(when=heavy)
        def one(self, request: Parcel) -> int: ...

        @step(result=True)
        def two(self, one: int) -> int: ...

    message = "it accepts int, but step 'one' gives Optional[int]"
    assert told(Maybe) == [(Code.TYPE_MISMATCH, "two", "one", message, "change one of the two annotations")]


def test_what_goes_in_and_out_must_be_writable_as_json() -> None:
    class Odd:
        @step
        def one(self, request: Opaque) -> int: ...

        @step(result=True)
        def two(self, one: int) -> Callable[[], int]: ...

    remedy = "use a pydantic model, a dataclass or plain JSON types"
    assert told(Odd) == [
        (Code.NOT_SERIALISABLE, "one", "request", "Opaque can't be written as JSON", remedy),
        (Code.NOT_SERIALISABLE, "two", None, "collections.abc.Callable[[], int] can't be written as JSON", remedy),
    ]


# The report


class Faulty:  # the line of the class
    """Wrong in several ways."""

    @step
    def first(self, request: Parcel, missing: int) -> int:
        """Ask for what isn't there."""
        return missing

    @step
    def second(self, first: str) -> Opaque:
        """Accept and give the wrong things."""
        raise NotImplementedError


def test_all_findings_of_a_class_are_said_at_once() -> None:
    assert [(code, name, parameter) for code, name, parameter, *_ in told(Faulty)] == [
        (Code.UNKNOWN_PARAMETER, "first", "missing"),
        (Code.NOT_SERIALISABLE, "second", None),
        (Code.TYPE_MISMATCH, "second", "first"),
        (Code.NO_RESULT, None, None),
    ]


def test_a_finding_names_file_and_line() -> None:
    here = Path(__file__).relative_to(Path.cwd())
    lines = [number for number, line in enumerate(Path(__file__).read_text().splitlines(), 1) if line == "    @step"]
    first, second, _, whole = findings(Faulty)
    assert {finding.file for finding in findings(Faulty)} == {str(here)}
    assert first.line == Faulty.first.__code__.co_firstlineno
    assert {first.line, second.line} <= set(lines)
    assert "class Faulty:" in Path(__file__).read_text().splitlines()[whole.line - 1]


def test_a_finding_is_said_in_one_line() -> None:
    first = findings(Faulty)[0]
    assert str(first) == (
        f"{first.file}:{first.line}: error [unknown-parameter] Faulty.first parameter 'missing': "
        "nothing has this name; name it after one of: request, run, context, settings, second"
    )


def test_a_file_elsewhere_is_named_in_full(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert findings(Faulty)[0].file == __file__


def test_a_class_without_a_file_gets_its_findings_too() -> None:
    names: dict[str, Any] = {"__name__": "prompt", "step": step}
    exec("class Typed:\n    @step(result=True)\n    def one(self, request: int, two: int) -> int: ...\n", names)
    assert [(f.code, f.file, f.line) for f in findings(names["Typed"])] == [(Code.UNKNOWN_PARAMETER, "?", 0)]


# Warnings


class Wasteful:
    """A step's result is not used."""

    @step
    def unused(self, request: Parcel) -> int:
        """Compute in vain."""
        return request.weight

    @step(result=True)
    def used(self, request: Parcel, run: RunSoFar) -> int:
        """Compute."""
        return request.weight


def test_a_step_that_nothing_uses_is_warned_of_once() -> None:
    with pytest.warns(CompileWarning) as warned:
        compiled(Wasteful)
    line = Wasteful.unused.__code__.co_firstlineno
    assert [str(warning.message) for warning in warned] == [
        f"{Path(__file__).relative_to(Path.cwd())}:{line}: warning [unused-step] Wasteful.unused: nothing uses what it "
        "returns, so it is not run; use its result, or let it return None if it is there for its effect"
    ]
    assert warned[0].filename == __file__
    with warnings.catch_warnings(action="error"):
        compiled(Wasteful)


def test_the_plan_keeps_what_was_warned_of() -> None:
    with warnings.catch_warnings(action="ignore"):
        plan = compile_class(Wasteful, frozenset())
    assert [(finding.code, finding.step) for finding in plan.findings] == [(Code.UNUSED_STEP, "unused")]


def test_what_can_be_planned_is_only_warned_of_where_validation_is_lenient() -> None:
    class Late:
        @step
        def now(self, request: Parcel) -> float:
            return time.time()

        @step(result=True)
        def said(self, now: str) -> str:
            return now

    with pytest.raises(CompileError):
        compile_class(Late, frozenset())
    with validating(ValidationLevel.LENIENT), pytest.warns(CompileWarning) as warned:
        plan = compile_class(Late, frozenset())
    found = [warning.message.finding for warning in warned if isinstance(warning.message, CompileWarning)]
    assert {(finding.code, finding.severity) for finding in found} == {
        (Code.NONDETERMINISTIC_CLOCK, Severity.ERROR),
        (Code.TYPE_MISMATCH, Severity.ERROR),
    }
    assert plan.findings == tuple(found)


def test_what_can_t_be_planned_is_refused_also_where_validation_is_lenient() -> None:
    class Endless:
        @step
        def now(self, request: Parcel, later: float) -> float:
            return time.time()

        @step(result=True)
        def later(self, now: float) -> float:
            return now

    with validating(ValidationLevel.LENIENT), pytest.raises(CompileError) as refused:
        compiled(Endless)
    assert Code.CYCLE in {finding.code for finding in refused.value.findings}


def test_a_step_that_is_there_for_its_effect_is_not_warned_of() -> None:
    class Telling:
        @step(result=True)
        def one(self, request: Parcel) -> int: ...

        @step
        def notice(self, one: int) -> None: ...

    plan = compile_class(Telling, frozenset())
    assert not plan.step("notice").on_demand

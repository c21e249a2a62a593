# What is compiled here is never run.
# mypy: disable-error-code="empty-body"

"""Conversation points of every kind, of steps and of classes: what the compiler finds to be wrong with them."""

from collections.abc import Sequence

import pytest

from signals.modes import Mode
from tests.unit.compiled.told import Parcel
from workflows.compiled import CompileError, compiled, step
from workflows.compiled.findings import Code
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import (
    Conditional,
    ConversationPoint,
    Default,
    EndRun,
    Explicit,
    GoOnAt,
    Integration,
    Merge,
    Note,
    OnDemand,
    OnException,
    PointConstraints,
    Result,
    RetryWith,
    StepError,
    Switch,
    Trigger,
)

Found = tuple[Code, str | None, str, str]


def talk(request: Parcel) -> ConversationSetup: ...


def talk_of_error(error: StepError) -> ConversationSetup: ...


def is_heavy(request: Parcel) -> bool: ...


def is_dear(price: int) -> bool: ...


def is_paid(paid: bool) -> bool: ...


def about_the_moon(moon: int) -> bool: ...


def point(
    integration: Integration,
    trigger: Trigger | None = None,
    name: str = "p",
    constraints: PointConstraints | None = None,
) -> ConversationPoint:
    return ConversationPoint(name, talk, trigger or OnException("Odd"), integration, constraints or PointConstraints())


def found(of_price: Sequence[ConversationPoint] = (), of_class: Sequence[ConversationPoint] = ()) -> list[Found]:
    """What is found about points of a step, and of the class."""

    class Sale:
        @step(talk=tuple(of_price))
        def price(self, request: Parcel, choice: int | None = None) -> int: ...

        @step
        def packed(self, request: Parcel, price: int) -> str: ...

        @step
        def label(self, packed: str | None) -> str: ...

        @step(result=True)
        def paid(self, price: int, packed: str, label: str) -> bool: ...

    Sale.__qualname__ = f"Sale[{of_price}{of_class}]"  # a plan is made once for each name
    try:
        compiled(talk=tuple(of_class))(Sale)
    except CompileError as error:
        # What no point feeds is a finding about the parameter.
        return [(one.code, one.step, one.message, one.remedy) for one in error.findings if one.parameter != "choice"]
    return []


# What holds together


def _shown(part: object) -> str:
    """A part of a point as a test's name has it: the same in every process, so without a function's address."""
    return f"Conditional({part.condition.__name__})" if isinstance(part, Conditional) else str(part)


@pytest.mark.parametrize(
    "integration", [Merge("label"), Merge("price", "paid"), Note(), GoOnAt("price"), EndRun()], ids=_shown
)
@pytest.mark.parametrize(
    "trigger",
    [OnException("Odd"), OnDemand("bob"), Conditional(is_heavy), Conditional(is_dear), Explicit()],
    ids=_shown,
)
def test_every_integration_goes_with_every_trigger(trigger: Trigger, integration: Integration) -> None:
    assert found([point(integration, trigger)]) == []
    assert found([], [point(integration, trigger)]) == []


@pytest.mark.parametrize(
    "fallback", [Switch(Mode.CONVERSATION), Switch(Mode.WORKFLOW), Default({"price": 7})], ids=_shown
)
def test_fallbacks_that_fit_are_fine(fallback: Switch | Default) -> None:
    assert found([point(Merge("price"), constraints=PointConstraints(fallback=fallback))]) == []


# Integrations


@pytest.mark.parametrize(
    ("integration", "message", "remedy"),
    [
        (RetryWith("choise"), "the step has no parameter 'choise'", "add it, with the default None"),
        (Merge(), "Merge names no steps", "name those whose results the outcome gives, or use Note"),
        (Merge("price", "moon"), "there is no step 'moon'", "name one of: price, packed, label, paid"),
        (GoOnAt("moon"), "there is no step 'moon'", "name one of: price, packed, label, paid"),
        (GoOnAt("label", "moon"), "there is no step 'moon'", "name one of: price, packed, label, paid"),
    ],
    ids=_shown,
)
def test_what_a_step_s_point_names_must_be_there(integration: Integration, message: str, remedy: str) -> None:
    assert (Code.POINT, "price", f"point 'p': {message}", remedy) in found([point(integration)])


@pytest.mark.parametrize("integration", [Result(), RetryWith("choice")], ids=_shown)
def test_a_run_has_no_result_or_argument_of_its_own(integration: Integration) -> None:
    message = "point 'p': it is the run's, which has no result of its own to replace"
    remedy = "use Merge, Note, GoOnAt or EndRun"
    assert found([], [point(integration)]) == [(Code.POINT, None, message, remedy)]


def test_what_a_class_s_point_names_must_be_there() -> None:
    message, remedy = "point 'p': there is no step 'moon'", "name one of: price, packed, label, paid"
    assert found([], [point(Merge("moon"))]) == [(Code.POINT, None, message, remedy)]


# What is skipped


def test_what_runs_after_a_leap_must_do_without_what_was_skipped() -> None:
    told = [
        ("paid", "packed", "is skipped"),
        ("paid", "price", "is skipped"),
    ]
    assert found([point(GoOnAt("label"))]) == [
        (
            Code.POINT,
            "price",
            f"point 'p': step '{name}' needs '{skipped}', which {what}",
            f"add '{skipped}' to the results of GoOnAt, or let it accept None",
        )
        for name, skipped, what in sorted(told, key=lambda one: ("price", "packed").index(one[1]))
    ]


def test_what_is_given_with_a_leap_is_not_skipped() -> None:
    assert found([point(GoOnAt("label", "price", "packed"))]) == []
    [(_, _, message, _)] = found([point(GoOnAt("label", "price"))])
    assert message == "point 'p': step 'paid' needs 'packed', which is skipped"


def test_what_lies_before_the_target_or_accepts_nothing_is_no_loss() -> None:
    assert found([point(GoOnAt("price"))]) == []
    messages = [message for _, _, message, _ in found([point(GoOnAt("label"))])]
    assert not [message for message in messages if "step 'label'" in message]


def test_a_class_s_point_leaves_nothing_behind_to_be_skipped() -> None:
    assert found([], [point(GoOnAt("label"))]) == []


# Triggers


@pytest.mark.parametrize("trigger", [Explicit(), Conditional(is_heavy), OnDemand()], ids=_shown)
def test_only_a_point_for_errors_is_given_one(trigger: Trigger) -> None:
    asking = ConversationPoint("p", talk_of_error, trigger, Note())
    message, remedy = (
        "point 'p': its setup asks for 'error', but it isn't opened by one",
        "take the parameter away, or use OnException",
    )
    assert (Code.POINT, "price", message, remedy) in found([asking])
    assert (Code.POINT, None, message, remedy) in found([], [asking])
    assert found([ConversationPoint("p", talk_of_error, OnException("Odd"), Note())]) == []


def test_a_condition_must_be_able_to_be_asked() -> None:
    for points in ([point(Note(), Conditional(about_the_moon))],):
        [(code, name, message, _)] = found(points)
        assert (code, name) == (Code.FUNCTION, "price")
        assert message == "condition of point 'p': it asks for 'moon', which it isn't given"
        [(code, name, message, _)] = found([], points)
        assert (code, name) == (Code.FUNCTION, None)


def test_a_condition_on_what_comes_later_is_a_circle() -> None:
    assert Code.CYCLE in {code for code, *_ in found([point(Note(), Conditional(is_paid))])}
    assert found([], [point(Note(), Conditional(is_paid))]) == []


# Names


def test_points_of_a_step_and_of_the_class_need_names_of_their_own() -> None:
    message, remedy = (
        "point 'p': another point of the class has this name",
        "give each a name of its own: workflow ids are made of it",
    )
    assert found([point(Note())], [point(Note())]) == [(Code.POINT, None, message, remedy)]


def test_the_name_of_conversations_about_a_run_is_taken() -> None:
    message = "point 'switch': the name is taken by Parley"
    assert found([], [point(Note(), name="switch")]) == [(Code.POINT, None, message, "call it something else")]


@pytest.mark.parametrize("name", ["on call", "", "a/b", "x" * 65])
def test_a_name_that_no_workflow_id_can_be_made_of_is_found(name: str) -> None:
    [(code, _, message, _)] = found([point(Note(), name=name)])
    assert (code, message) == (Code.POINT, f"point '{name}': the name can't be used")


# Fallbacks


@pytest.mark.parametrize(
    ("integration", "outcome", "misfit"),
    [
        (Result(), "seven", "input: Input should be a valid integer"),
        (Merge("price", "label"), {"price": 7}, "label: Field required"),
        (GoOnAt("label", "price", "packed"), {"price": 7, "packed": 1}, "packed: Input should be a valid string"),
        (EndRun(), "yes!", "input: Input should be a valid boolean"),
    ],
    ids=_shown,
)
def test_a_default_must_be_what_an_outcome_would_be(integration: Integration, outcome: object, misfit: str) -> None:
    constraints = PointConstraints(fallback=Default(outcome))  # type: ignore[arg-type]  # JSON, all of it
    [(code, _, message, remedy)] = found([point(integration, constraints=constraints)])
    assert (code, remedy) == (Code.POINT, "mend the default or the type")
    assert message.startswith(f"point 'p': its default outcome doesn't fit: {misfit}")


# Order


@pytest.mark.parametrize("integration", [Result(), GoOnAt("price"), EndRun()], ids=_shown)
def test_behind_a_conversation_that_takes_the_step_s_place_no_other_is_reached(integration: Integration) -> None:
    points = [point(integration, Explicit(), "first"), point(Note(), Explicit(), "second")]
    message = "point 'second': the step has another Explicit point, which takes the step's place"
    assert found(points) == [(Code.POINT, "price", message, "leave one of them")]
    assert found(points[::-1]) == []

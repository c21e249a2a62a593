# What is compiled here is never run.
# mypy: disable-error-code="empty-body"

"""Functions and conversation points of a step are held to what the step gives and takes."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import pytest
from pydantic import Field

from tests.unit.compiled.told import Opaque, Parcel, findings, told
from workflows.compiled import step
from workflows.compiled.findings import Code
from workflows.compiled.step import Repeat
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import ConversationPoint, Default, Explicit, OnException, PointConstraints, RetryWith, StepError

if TYPE_CHECKING:
    from fractions import Fraction


def talk(request: Parcel) -> ConversationSetup: ...


# Functions


def wrong_result(request: Parcel) -> int: ...


def wrong_input(request: str) -> bool: ...


def unknown_input(request: Parcel, nothing: int) -> bool: ...


def wrong_step(one: str) -> bool: ...


async def asynchronous(request: Parcel) -> bool: ...


@pytest.mark.parametrize(
    ("condition", "message", "remedy"),
    [
        (wrong_result, "when: it does not return bool", "annotate what it returns"),
        (wrong_input, "when: it accepts str for 'request', but is given Parcel", "change one of the two annotations"),
        (
            unknown_input,
            "when: it asks for 'nothing', which it isn't given",
            "known are: request, run, context, settings, one",
        ),
        (wrong_step, "when: it accepts str for 'one', but is given int", "change one of the two annotations"),
        (asynchronous, "when: it is async", "make it a plain, pure function"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_condition_must_be_answerable(condition: Callable[..., bool], message: str, remedy: str) -> None:
    class Conditional:
        @step
        def one(self, request: Parcel) -> int: ...

        @step(result=True, when=condition)
        def two(self, request: Parcel, one: int) -> int: ...

    assert told(Conditional) == [(Code.FUNCTION, "two", None, message, remedy)]


def test_a_loop_s_end_is_asked_with_what_the_step_returned() -> None:
    def enough(one: str) -> bool: ...

    class Loop:
        @step(result=True, repeat=Repeat(until=enough))
        def one(self, request: Parcel) -> int: ...

    message = "until: it accepts str for 'one', but is given int"
    assert told(Loop) == [(Code.FUNCTION, "one", None, message, "change one of the two annotations")]


def test_what_a_loop_gave_last_needs_a_default() -> None:
    def enough(one: int) -> bool: ...

    class Loop:
        @step(result=True, repeat=Repeat(until=enough))
        def one(self, request: Parcel, previous: int) -> int: ...

    remedy = "give it the default None: it is filled only from the second time on"
    assert told(Loop) == [(Code.MISSING_DEFAULT, "one", "previous", "it has no default", remedy)]


def test_a_compensation_is_a_method_of_the_class() -> None:
    class Saga:
        @step(result=True, compensation=wrong_input)
        def one(self, request: Parcel) -> int: ...

    remedy = "name a method that stands above the step in the class and is no step itself"
    assert told(Saga) == [(Code.FUNCTION, "one", None, "compensation: it is no method of the class", remedy)]


def test_a_compensation_is_given_what_the_step_was_given() -> None:
    class Saga:
        def undo(self, request: str, one: int, two: int) -> None: ...

        @step(result=True, compensation=undo)
        def one(self, request: Parcel) -> int: ...

        @step
        def two(self, request: Parcel, one: int) -> None: ...

    assert told(Saga) == [
        (
            Code.FUNCTION,
            "one",
            None,
            "compensation: it accepts str for 'request', but is given Parcel",
            "change one of the two annotations",
        ),
        (
            Code.FUNCTION,
            "one",
            None,
            "compensation: it asks for 'two', which it isn't given",
            "known are: request, run, context, settings, one",
        ),
    ]


# Conversation points


def told_of_point(*points: ConversationPoint) -> list[tuple[Code, str, str]]:
    """What is found about the points of a step."""

    class Talking:
        @step
        def other(self, request: Parcel) -> int: ...

        @step(result=True, talk=points)
        def one(
            self,
            request: Parcel,
            other: int,
            answer: Annotated[int | None, Field(ge=0)] = None,
            secret: Opaque | None = None,
        ) -> int: ...

    found = told(Talking)
    assert {name for _, name, *_ in found} == {"one"}
    return [(code, message, remedy) for code, _, parameter, message, remedy in found if parameter is None]


def setupless(request: Parcel): ...  # type: ignore[no-untyped-def]  # what is tested


def asks_own_step(request: Parcel, one: int) -> ConversationSetup: ...


def asks_for_error(error: StepError) -> ConversationSetup: ...


def asks_for_text(error: str) -> ConversationSetup: ...


ANSWER = RetryWith("answer")


@pytest.mark.parametrize(
    ("point", "code", "message", "remedy"),
    [
        (
            ConversationPoint("p", setupless, integration=ANSWER),
            Code.FUNCTION,
            "setup of point 'p': it does not return ConversationSetup",
            "annotate what it returns",
        ),
        (
            ConversationPoint("p", asks_own_step, integration=ANSWER),
            Code.FUNCTION,
            "setup of point 'p': it asks for 'one', which it isn't given",
            "known are: request, run, context, settings, other, error",
        ),
        (
            ConversationPoint("p", asks_for_error, integration=ANSWER),
            Code.POINT,
            "point 'p': its setup asks for 'error', but it isn't opened by one",
            "take the parameter away, or use OnException",
        ),
        (
            ConversationPoint("p", asks_for_text, OnException("Odd"), ANSWER),
            Code.FUNCTION,
            "setup of point 'p': it accepts str for 'error', but is given StepError",
            "change one of the two annotations",
        ),
        (
            ConversationPoint("p", talk, integration=RetryWith("anser")),
            Code.POINT,
            "point 'p': the step has no parameter 'anser'",
            "add it, with the default None",
        ),
        (
            ConversationPoint("p", talk, constraints=PointConstraints(fallback=Default("none"))),
            Code.POINT,
            "point 'p': its default outcome doesn't fit: "
            "input: Input should be a valid integer, unable to parse string as an integer",
            "mend the default or the type",
        ),
        (
            ConversationPoint("p", talk, integration=ANSWER, constraints=PointConstraints(fallback=Default(-1))),
            Code.POINT,
            "point 'p': its default outcome doesn't fit: input: Input should be greater than or equal to 0",
            "mend the default or the type",
        ),
        (
            ConversationPoint("on call", talk, integration=ANSWER),
            Code.POINT,
            "point 'on call': the name can't be used",
            "use letters, digits and ._@+-, at most 64: workflow ids are made of it",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_point_must_hold_together(point: ConversationPoint, code: Code, message: str, remedy: str) -> None:
    assert (code, message, remedy) in told_of_point(point)


def test_points_must_have_different_names() -> None:
    points = [ConversationPoint("p", talk, OnException(name)) for name in ("A", "B")]
    remedy = "give each a name of its own: workflow ids are made of it"
    message = "point 'p': another point of the class has this name"
    assert told_of_point(*points) == [(Code.POINT, message, remedy)]


def test_a_step_has_one_explicit_point() -> None:
    points = [ConversationPoint(name, talk, Explicit()) for name in ("p", "q")]
    message = "point 'q': the step has another Explicit point, which takes the step's place"
    assert told_of_point(*points) == [(Code.POINT, message, "leave one of them")]


def test_what_a_conversation_gives_must_be_writable_and_have_a_default() -> None:
    class Talking:
        @step(result=True, talk=ConversationPoint("p", talk, integration=RetryWith("answer")))
        def one(self, request: Parcel, answer: Opaque) -> int: ...

    assert told(Talking) == [
        (
            Code.MISSING_DEFAULT,
            "one",
            "answer",
            "it has no default",
            "give it the default None: it is filled only after the conversation",
        ),
        (
            Code.NOT_SERIALISABLE,
            "one",
            "answer",
            "Opaque can't be written as JSON",
            "use a pydantic model, a dataclass or plain JSON types",
        ),
    ]


def test_a_default_for_what_can_t_be_written_is_not_a_second_fault() -> None:
    point = ConversationPoint("p", talk, constraints=PointConstraints(fallback=Default(1)))

    class Talking:
        @step(result=True, talk=point)
        def one(self, request: Parcel) -> Opaque: ...

    assert [code for code, *_ in told(Talking)] == [Code.NOT_SERIALISABLE]


def test_a_setup_whose_annotations_can_t_be_read_is_said_at_its_line() -> None:
    def foreign(request: "Fraction") -> ConversationSetup: ...

    class Talking:
        @step(result=True, talk=ConversationPoint("p", foreign))
        def one(self, request: Parcel) -> int: ...

    [finding] = findings(Talking)
    assert (finding.code, finding.step) == (Code.BAD_ANNOTATION, "one")
    assert finding.line == foreign.__code__.co_firstlineno

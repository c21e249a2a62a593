# What is compiled here is never run.
# mypy: disable-error-code="empty-body,no-redef"
# ruff: noqa: F811, DTZ005

"""What a class's body, its types and its code show to be wrong is found when it is compiled."""

import inspect
import random
import warnings
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Annotated

import pytest
from pydantic import Base64Bytes, Field

from infra.boundary import MAX_PAYLOAD_BYTES
from signals.participants import Kind, Participant, Permission
from signals.wire import Wire
from tests.unit.compiled.told import Parcel, findings, told
from workflows.compiled import CompileWarning, step
from workflows.compiled.compiler import compile_class
from workflows.compiled.findings import Code, Finding, Severity
from workflows.compiled.wire import MAX_SENT_BYTES
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import ConversationPoint

GIVE_NAMES = "give each a name of its own"


def lines(cls: type) -> int:
    return inspect.getsourcelines(cls)[1]


# The class's body


def test_a_step_that_is_defined_twice_is_found_at_the_second() -> None:
    class Twice:
        @step(result=True)
        def price(self, request: Parcel) -> int: ...

        @step(result=True)
        def price(self, request: Parcel) -> int: ...

    (found,) = findings(Twice)
    first = lines(Twice)
    assert found == Finding(
        code=Code.DUPLICATE_NAME,
        severity=Severity.ERROR,
        file="tests/unit/compiled/test_more_findings.py",
        line=first + 5,
        workflow="Twice",
        step="price",
        parameter=None,
        message=f"line {first + 2} defines 'price' too, and Python keeps only the last",
        remedy=GIVE_NAMES,
    )


def test_a_step_that_a_plain_method_takes_the_place_of_is_found() -> None:
    class Hidden:
        @step
        def price(self, request: Parcel) -> int: ...

        def price(self, request: Parcel) -> int: ...

        @step(result=True)
        def paid(self, request: Parcel) -> bool: ...

    message = f"line {lines(Hidden) + 2} defines 'price' too, and Python keeps only the last"
    assert told(Hidden) == [(Code.DUPLICATE_NAME, "price", None, message, GIVE_NAMES)]


def test_plain_methods_may_be_defined_twice() -> None:
    class Plain:
        def helper(self) -> int: ...

        def helper(self) -> int: ...

        @step(result=True)
        def price(self, request: Parcel) -> int: ...

    compile_class(Plain, frozenset())


def test_steps_of_a_base_class_are_not_lost_in_silence() -> None:
    class Base:
        @step
        def price(self, request: Parcel) -> int: ...

    class Inheriting(Base):
        @step(result=True)
        def paid(self, request: Parcel) -> bool: ...

    message = "the step 'price' of Base is none of this class: steps are not inherited"
    assert told(Inheriting) == [(Code.INHERITED_STEP, None, None, message, "write it in the class itself")]


def test_a_base_class_must_not_say_how_a_run_begins() -> None:
    class Base:
        def __init__(self) -> None:
            self.seen = 0

    class Inheriting(Base):
        @step(result=True)
        def paid(self, request: Parcel) -> bool: ...

    message = "the name '__init__' of Base is taken by Parley"
    assert told(Inheriting) == [(Code.RESERVED_NAME, None, None, message, "do it in a step")]


# Parameters and types


def test_a_default_does_not_hide_a_misspelt_name() -> None:
    class Misspelt:
        @step
        def price(self, request: Parcel) -> int: ...

        @step(result=True)
        def paid(self, price: int, prize: int | None = None) -> bool: ...

    remedy = "name it after one of: request, run, context, settings, price"
    assert told(Misspelt) == [(Code.UNKNOWN_PARAMETER, "paid", "prize", "nothing has this name", remedy)]


def test_every_result_of_a_union_must_be_accepted() -> None:
    class Torn:
        @step
        def price(self, request: Parcel) -> int | str | None: ...

        @step(result=True)
        def paid(self, price: int | None) -> bool: ...

    message = "it accepts int | None, but step 'price' gives int | str | None"
    remedy = "change one of the two annotations"
    assert told(Torn) == [(Code.TYPE_MISMATCH, "paid", "price", message, remedy)]


class Scan(Wire):
    """A page with its picture."""

    picture: bytes


class Letter(Wire):
    """Pages."""

    pages: list[Scan]


class Novel(Wire):
    """A text that nobody sends."""

    text: str = Field(max_length=5_000_000)


class Picture(Wire):
    """A picture that can be sent."""

    picture: Base64Bytes


MODELS = "use a pydantic model, a dataclass or plain JSON types"
BYTES = "use pydantic's Base64Bytes, or say where they are kept"


@pytest.mark.parametrize(
    ("kind", "message", "remedy"),
    [
        (Scan, "Scan.picture is bytes, and JSON has only text", BYTES),
        (Letter, "Scan.picture is bytes, and JSON has only text", BYTES),
        (dict[str, bytes], "dict[str, bytes] is bytes, and JSON has only text", BYTES),
        (Iterator[int], "collections.abc.Iterator[int] can be gone through only once", "return a tuple or a list"),
        (Callable[[], int], "collections.abc.Callable[[], int] can't be written as JSON", MODELS),
    ],
    ids=str,
)
def test_what_can_t_cross_the_wire_is_found(kind: object, message: str, remedy: str) -> None:
    class Sent:
        @step(result=True)
        def page(self, request: Parcel) -> object: ...

    Sent.page.__annotations__["return"] = kind
    assert told(Sent) == [(Code.NOT_SERIALISABLE, "page", None, message, remedy)]


@pytest.mark.parametrize("kind", [bytes, Picture, Annotated[str, Field(max_length=100)], tuple[Parcel, ...]], ids=str)
def test_what_can_cross_the_wire_is_fine(kind: object) -> None:
    class Sent:
        @step(result=True)
        def page(self, request: Parcel) -> object: ...

    Sent.page.__annotations__["return"] = kind
    Sent.__qualname__ = f"Sent[{kind}]"  # a plan is made once for each name
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compile_class(Sent, frozenset())


def warned(cls: type) -> list[tuple[Code, str | None, str, str]]:
    with pytest.warns(CompileWarning) as caught:
        compile_class(cls, frozenset())
    found = [warning.message.finding for warning in caught if isinstance(warning.message, CompileWarning)]
    assert {one.severity for one in found} == {Severity.WARNING}
    return [(one.code, one.step, one.message, one.remedy) for one in found]


def test_a_text_that_may_be_longer_than_what_is_sent_is_warned_of() -> None:
    class Long:
        @step(result=True)
        def text(self, request: Parcel) -> Novel: ...

    message = "Novel.text may have 5,000,000 characters, and at most 1,900,000 bytes can be sent"
    remedy = "lower its max_length, or say where it is kept"
    assert warned(Long) == [(Code.EXCEEDS_WIRE, "text", message, remedy)]


def test_the_compiler_knows_what_the_boundary_lets_through() -> None:
    assert MAX_SENT_BYTES == MAX_PAYLOAD_BYTES


def test_a_step_that_only_an_unused_one_uses_is_warned_of_too() -> None:
    class Idle:
        @step
        def price(self, request: Parcel) -> int: ...

        @step
        def rebate(self, price: int) -> int: ...

        @step(result=True)
        def paid(self, request: Parcel) -> bool: ...

    unreachable = "only steps that are not run use it, so it is not run"
    unused = "use its result, or let it return None if it is there for its effect"
    assert warned(Idle) == [
        (Code.UNREACHABLE_STEP, "price", unreachable, "use its result elsewhere"),
        (Code.UNUSED_STEP, "rebate", "nothing uses what it returns, so it is not run", unused),
    ]


# Determinism


def lucky(parcel: Parcel) -> bool:
    return random.random() < 1 / parcel.weight


def late(request: Parcel) -> bool:
    return datetime.now().hour > 17


def talk(request: Parcel) -> ConversationSetup:
    return ConversationSetup(
        topic=f"Parcel {random.randint(1, 9)}",
        participants=(Participant(id="a", kind=Kind.HUMAN, role="host", can=(Permission.SPEAK, Permission.DECIDE)),),
    )


RANDOM = "use workflow.random()"


def test_a_step_that_is_not_deterministic_is_found_where_it_isn_t() -> None:
    class Guess:
        @step(result=True)
        def price(self, request: Parcel) -> float:
            return request.weight * random.random()

    (found,) = findings(Guess)
    assert (found.code, found.step, found.line, found.column, found.width) == (
        Code.NONDETERMINISTIC_RANDOM,
        "price",
        lines(Guess) + 3,
        36,
        13,
    )
    assert (found.message, found.remedy) == ("random.random() is random", RANDOM)


def test_what_two_steps_call_is_said_once() -> None:
    class Guess:
        @step
        def one(self, request: Parcel) -> bool:
            return lucky(request)

        @step(result=True)
        def two(self, request: Parcel, one: bool) -> bool:
            return lucky(request) and one

    message = "random.random() is random (step 'one' calls lucky())"
    assert told(Guess) == [(Code.NONDETERMINISTIC_RANDOM, "one", None, message, RANDOM)]


def test_helpers_in_the_class_are_followed() -> None:
    class Guess:
        @step(result=True)
        def price(self, request: Parcel) -> bool:
            return self.guessed(request)

        def guessed(self, request: Parcel) -> bool:
            return lucky(request)

    message = "random.random() is random (step 'price' calls guessed(), which calls lucky())"
    assert told(Guess) == [(Code.NONDETERMINISTIC_RANDOM, "price", None, message, RANDOM)]


def test_the_functions_that_a_step_is_decided_with_are_held_to_it_too() -> None:
    class Decided:
        def undo(self, request: Parcel) -> None:
            print("undone")

        @step(when=late, compensation=undo)
        def note(self, request: Parcel) -> None: ...

        @step(result=True, talk=ConversationPoint("which", talk))
        def price(self, request: Parcel) -> int: ...

    assert [(found.code, found.message) for found in findings(Decided)] == [
        (Code.NONDETERMINISTIC_IO, "print() writes again on every replay (step 'note' calls undo())"),
        (Code.NONDETERMINISTIC_CLOCK, "datetime.datetime.now() reads the clock (step 'note' calls late())"),
        (Code.NONDETERMINISTIC_RANDOM, "random.randint() is random (step 'price' calls talk())"),
    ]

# What is compiled here is never run.
# mypy: disable-error-code="empty-body"

"""A workflow that is marked as a fragment says what it needs by its input; what can't be asked for is found."""

from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

import pytest
from pydantic import Field, SecretStr

from signals.fragments import Bound, FragmentOffer
from signals.messages import InvocationMode
from signals.wire import Identifier, Wire
from tests.unit.compiled.told import Parcel
from workflows.compiled import CompileError, Fragment, compiled, step
from workflows.compiled.findings import Code
from workflows.composition.registry import Registry

ASYNC = InvocationMode.ASYNCHRONOUS


class Order(Wire):
    """An input."""

    number: str
    by: Identifier | None = None


class Login(Wire):
    """An input that nobody should be asked for."""

    user: str
    password: SecretStr


class Odd(Wire):
    """An input whose schema other languages can't check."""

    code: Annotated[str, Field(json_schema_extra={"pattern": "(?<name"})]


class Shipped:
    """Ship an order.

    With care.
    """

    @step(result=True)
    def shipped(self, request: Order) -> int: ...


def taking(request: object) -> type:
    """A class whose input is annotated so."""

    class Taking:
        @step(result=True)
        def taken(self, request: Any) -> int: ...

    Taking.taken.__annotations__["request"] = request
    return Taking


def faults(request: object, fragment: Fragment) -> list[tuple[Code, str, str]]:
    """What is found about the mark."""
    with pytest.raises(CompileError) as error:
        compiled(fragment=fragment)(taking(request))
    assert {(f.workflow, f.step, f.parameter) for f in error.value.findings} == {("Taking", None, None)}
    return [(finding.code, finding.message, finding.remedy) for finding in error.value.findings]


def offer_of(cls: type) -> FragmentOffer | None:
    """What conversations are offered of a class."""
    registry = Registry()
    registry.add(workflows=[cls])
    return registry.fragments.get(cls.__name__)


def test_what_is_marked_is_offered_with_its_input_as_context() -> None:
    fragment = Fragment(("agent",), (ASYNC,), {"by": Bound.PERSON}, "order", timedelta(minutes=1))
    assert offer_of(compiled(fragment=fragment)(Shipped)) == FragmentOffer(
        name="Shipped",
        about="Ship an order.",
        roles=("agent",),
        modes=(ASYNC,),
        context=Order.model_json_schema(),
        bound={"by": Bound.PERSON},
        fact="order",
        timeout_seconds=60,
    )


@pytest.mark.parametrize("decorate", [compiled, compiled()])
def test_what_is_not_marked_is_offered_to_nobody(decorate: Callable[[type], type]) -> None:
    assert offer_of(decorate(Shipped)) is None


def test_another_mark_makes_another_offer_of_the_same_class() -> None:
    offers = [offer_of(compiled(fragment=Fragment(fact=fact))(Shipped)) for fact in ("one", "two")]
    assert [offer.fact for offer in offers if offer is not None] == ["one", "two"]


@pytest.mark.parametrize(
    ("annotation", "shown"),
    [(str, "str"), (list[int], "list[int]"), (dict[str, int], "dict[str, int]"), (Any, "Any")],
)
def test_an_input_without_fields_can_not_be_asked_for(annotation: object, shown: str) -> None:
    assert faults(annotation, Fragment()) == [
        (
            Code.FRAGMENT,
            f"its context can't be built: the input is {shown}, which has no fields",
            "let the workflow's input be a pydantic model: people are asked for its fields",
        )
    ]


def test_a_secret_can_not_be_asked_for_in_a_conversation() -> None:
    assert faults(Login, Fragment()) == [
        (
            Code.FRAGMENT,
            "its context can't be built: 'password' is a secret, and all that is said is recorded",
            "look the secret up in a step's activity",
        )
    ]


def test_a_schema_that_nobody_can_check_is_found() -> None:
    [(code, message, _)] = faults(Odd, Fragment())
    assert code is Code.FRAGMENT
    assert message.startswith("its context can't be checked: ")


@pytest.mark.parametrize(
    ("bound", "message", "remedy"),
    [
        ({"who": Bound.FACT}, "bound: its input has no field 'who'", "name one of: weight"),
        (
            {"weight": Bound.PERSON},
            "bound: 'weight' is not given by a participant's id",
            "let it be an Identifier, or bind it otherwise",
        ),
    ],
)
def test_what_is_bound_is_a_field_that_can_be(bound: dict[str, Bound], message: str, remedy: str) -> None:
    assert faults(Parcel, Fragment(bound=bound)) == [(Code.FRAGMENT, message, remedy)]


@pytest.mark.parametrize(
    ("fragment", "message"),
    [
        (Fragment(roles=("no role",)), "roles.0: String should match pattern"),
        (Fragment(modes=()), "modes: Tuple should have at least 1 item"),
        (Fragment(fact="a fact"), "fact: String should match pattern"),
        (Fragment(timeout=timedelta(0)), "timeout_seconds: Input should be greater than 0"),
    ],
)
def test_a_mark_that_does_not_fit_is_found(fragment: Fragment, message: str) -> None:
    [(code, told, remedy)] = faults(Parcel, fragment)
    assert (code, remedy) == (Code.FRAGMENT, "mend what it is marked with")
    assert told.startswith(message)


def test_an_input_that_can_not_be_written_is_found_once() -> None:
    class Unwritable:
        @step(result=True)
        def taken(self, request: Callable[[], int]) -> int: ...

    with pytest.raises(CompileError) as error:
        compiled(fragment=Fragment())(Unwritable)
    assert [finding.code for finding in error.value.findings] == [Code.NOT_SERIALISABLE]

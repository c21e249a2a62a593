import ast
import inspect
import json
import re
from collections.abc import Iterator
from typing import Literal

import pytest
from pydantic import BaseModel, Field, JsonValue, TypeAdapter, ValidationError

import signals.messages
import signals.participants
import signals.support
import workflows.conversation.setup
from signals.conversation import Recorded
from signals.messages import Answer, Join, Propose, Turn
from signals.names import child_run_id, conversation_id, update_name
from signals.participants import Participant
from signals.wire import MAX_DEPTH, MAX_FACTS_BYTES, MAX_OUTCOME_BYTES, MAX_TEXT_BYTES, Facts, Wire, one_line
from workflows.conversation.setup import ConversationSetup

SECRET = "hunter2"


def fault(model: type[BaseModel], /, **fields: object) -> str:
    """What a misfit is told."""
    with pytest.raises(ValidationError) as caught:
        model.model_validate(fields)
    return one_line(caught.value)


def nested(levels: int) -> JsonValue:
    """JSON of so many levels."""
    value: JsonValue = 1
    for _ in range(levels - 1):
        value = [value]
    return value


# One line


def test_a_misfit_names_each_field_with_its_reason() -> None:
    assert fault(Turn, speaker="alice", colour="red") == "text: Field required; colour: Extra inputs are not permitted"


def test_a_misfit_inside_a_model_is_named_by_its_path() -> None:
    assert fault(Join, participant={"id": "bob", "kind": "human"}) == "participant.role: Field required"


def test_what_is_no_object_at_all_is_told_as_input() -> None:
    with pytest.raises(ValidationError) as caught:
        Turn.model_validate(7)
    assert one_line(caught.value).startswith("input: Input should be a valid dictionary")


def test_only_the_first_five_problems_are_told_and_the_rest_are_counted() -> None:
    told = fault(Turn, speaker="alice", text="hi", **{f"field{n}": n for n in range(9)})
    assert told.count("Extra inputs") == 5
    assert told.endswith("; and 4 more")


@pytest.mark.parametrize(
    "options",
    [
        {"coordination": {"kind": SECRET}},
        {"out_of_turn": SECRET},
        {"window": SECRET},
        {"topic": {"text": SECRET}},
        {"emergence": [{"kind": "deadline", "seconds": SECRET}]},
        {"guests": {"kinds": [SECRET]}},
        {"facts": [SECRET]},
        {"participants": [{"id": f" {SECRET} ", "kind": "human", "role": "r"}]},
        {"participants": [{"id": "a", "kind": "human", "role": "r", "model": SECRET}]},
    ],
    ids=lambda options: next(iter(options)),
)
def test_a_misfit_never_shows_what_was_sent(options: dict[str, object]) -> None:
    host = {"id": "alice", "kind": "human", "role": "host", "can": ["speak", "decide"]}
    assert SECRET not in fault(ConversationSetup, **{"topic": "Lunch", "participants": [host], **options})


class Cat(Wire):
    """One kind of pet."""

    kind: Literal["cat"]


class Dog(Wire):
    """Another."""

    kind: Literal["dog"]


class Home(Wire):
    """Has one of them."""

    pet: Cat | Dog = Field(discriminator="kind")


def test_an_unknown_kind_is_told_with_those_that_there_are_and_without_itself() -> None:
    assert fault(Home, pet={"kind": SECRET}) == "pet: 'kind' must be one of 'cat', 'dog'"


def test_the_name_of_an_unknown_field_is_cut_and_made_printable() -> None:
    told = fault(Turn, speaker="alice", text="hi", **{"x\n\x1b" * 100_000: 1})
    assert len(told) < 200
    assert told.isprintable()


# Sizes


def test_a_text_may_have_as_many_bytes_as_are_allowed_and_no_more() -> None:
    assert Turn(speaker="alice", text="ä" * (MAX_TEXT_BYTES // 2))
    told = fault(Turn, speaker="alice", text="ä" * (MAX_TEXT_BYTES // 2) + "b")
    assert told == "text: text has 16,385 bytes, at most 16,384 are allowed"


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_a_blank_text_is_refused(text: str) -> None:
    assert fault(Turn, speaker="alice", text=text) == "text: String should have at least 1 character"


def test_a_text_loses_the_blanks_around_it() -> None:
    assert Turn(speaker="alice", text="  hello\n").text == "hello"


def test_a_text_with_half_a_character_is_refused() -> None:
    assert fault(Turn, speaker="alice", text="\ud800").startswith("text: ")


def test_an_outcome_may_have_as_many_bytes_of_json_as_are_allowed_and_no_more() -> None:
    assert Propose(speaker="alice", outcome="x" * (MAX_OUTCOME_BYTES - 2))
    told = fault(Propose, speaker="alice", outcome="x" * (MAX_OUTCOME_BYTES - 1))
    assert told == "outcome: JSON has 16,385 bytes, at most 16,384 are allowed"


def test_facts_may_have_more_bytes_than_an_outcome_but_not_any_number() -> None:
    facts = TypeAdapter[dict[str, JsonValue]](Facts)
    assert facts.validate_python({"a": "x" * (MAX_FACTS_BYTES - 10)})
    with pytest.raises(ValidationError, match="at most 65,536 are allowed"):
        facts.validate_python({"a": "x" * MAX_FACTS_BYTES})


def test_an_outcome_may_be_nested_as_deep_as_is_allowed_and_no_deeper() -> None:
    assert Propose(speaker="alice", outcome=nested(MAX_DEPTH))
    told = fault(Propose, speaker="alice", outcome=nested(MAX_DEPTH + 1))
    assert told == "outcome: JSON is nested too deep, at most 32 levels are allowed"


@pytest.mark.parametrize("levels", [200, 5_000])
def test_an_outcome_of_any_depth_is_refused_and_breaks_nothing(levels: int) -> None:
    assert "outcome" in fault(Propose, speaker="alice", outcome=nested(levels))


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_an_outcome_with_a_number_that_json_does_not_have_is_refused(number: float) -> None:
    assert fault(Propose, speaker="alice", outcome={"amount": number}).startswith("outcome: ")


def test_an_outcome_with_a_number_that_cannot_be_written_is_refused() -> None:
    assert fault(Propose, speaker="alice", outcome=10**5000).startswith("outcome: ")


def test_an_outcome_with_half_a_character_is_refused() -> None:
    assert fault(Propose, speaker="alice", outcome="\ud800").startswith("outcome: ")


# Participants


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "a\n", "ä", "x" * 65])
def test_an_id_has_only_characters_that_are_safe_everywhere(name: str) -> None:
    assert fault(Participant, id=name, kind="human", role="guest").startswith("id: ")


@pytest.mark.parametrize("name", ["a", "Alice.B_c@d+e-1", "0" * 64])
def test_an_id_may_be_a_name_or_an_address(name: str) -> None:
    assert Participant.model_validate({"id": name, "kind": "human", "role": "guest"}).id == name


def test_a_name_is_on_one_line() -> None:
    told = fault(Participant, id="a", kind="human", role="guest", name="Bob\nThe conversation ended")
    assert told.startswith("name: ")


def test_a_name_may_be_in_any_script() -> None:
    participant = Participant.model_validate({"id": "a", "kind": "human", "role": "guest", "name": "Zoë 王 👩‍🔬"})
    assert participant.label == "Zoë 王 👩‍🔬"


def test_who_has_no_name_is_called_by_the_id() -> None:
    assert Participant.model_validate({"id": "a", "kind": "human", "role": "guest"}).label == "a"


def test_a_person_has_no_model() -> None:
    told = fault(Participant, id="a", kind="human", role="guest", model="local")
    assert told == "input: only an AI participant has a model"


def test_permissions_cannot_be_listed_without_end() -> None:
    assert fault(Participant, id="a", kind="human", role="guest", can=["speak"] * 5).startswith("can: ")


# Names, and the examples that people copy


def test_the_id_of_a_conversation_tells_its_run_its_point_and_its_number() -> None:
    assert conversation_id("support-1", "refused", 2) == "support-1/refused-2"


def test_the_id_of_a_workflow_that_a_step_starts_tells_its_run_its_step_and_its_number() -> None:
    assert child_run_id("support-1", "refund", 1) == "support-1/refund-1"


def test_every_signal_has_an_update_that_is_named_after_it() -> None:
    assert update_name("turn") == "submit_turn"


EXAMPLE = re.compile(r"Example:\s+`(\{.*?\})`\s", re.DOTALL)

MODULES = (
    signals.messages,
    signals.participants,
    signals.conversation,
    signals.support,
    workflows.conversation.setup,
)


def examples() -> Iterator[tuple[type[BaseModel], str]]:
    """Every example in the docstring of a model of the wire."""
    for module in MODULES:
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.ClassDef):
                model = getattr(module, node.name)
                yield from ((model, example) for example in EXAMPLE.findall(f"{ast.get_docstring(node)}\n"))


@pytest.mark.parametrize(("model", "example"), list(examples()), ids=lambda value: getattr(value, "__name__", ""))
def test_every_example_in_a_docstring_fits_its_model(model: type[BaseModel], example: str) -> None:
    model.model_validate(json.loads(example))


@pytest.mark.parametrize("model", [*signals.messages.MESSAGES, Answer, Recorded, ConversationSetup, Participant])
def test_what_people_send_and_read_has_an_example(model: type[BaseModel]) -> None:
    assert EXAMPLE.search(f"{model.__doc__}\n")

"""What a continued run takes along has bounds, whatever was said, and can be read back."""

import pytest
from pydantic import JsonValue

from signals.fragments import FragmentOffer
from signals.messages import Disposition, InvocationMode
from signals.participants import Kind, Participant, Permission
from signals.wire import MAX_DEPTH, MAX_FACTS_BYTES, MAX_OUTCOME_BYTES, MAX_TEXT_BYTES
from tests.unit.conversation.talk import START, Talk, offer, person
from workflows.conversation.bounds import Constraints
from workflows.conversation.coordination import FreeForm
from workflows.conversation.events import Misfit
from workflows.conversation.invoked import MAX_ARGUMENTS_BYTES, MAX_UNDER_WAY, under_way
from workflows.conversation.roster import MAX_ABSENT
from workflows.conversation.state import (
    MAX_CARRIED_BYTES,
    MAX_HELD,
    MAX_OPEN_PROPOSALS,
    MAX_WINDOW_BYTES,
    REMEMBERED_IDS,
    ConversationState,
    json_size,
)

LIMIT = 200


def largest(index: int) -> Participant:
    """A participant who takes as much room as one may."""
    return Participant(
        id=f"{index:064}",
        kind=Kind.AI,
        role="r" * 64,
        name="👩" * 200,
        model="\\" * 200,
        can=(Permission.SPEAK, Permission.INVOKE, Permission.MODERATE, Permission.SPEAK),
    )


def offers() -> list[FragmentOffer]:
    """Fragments that take as much room together as they may."""
    context = {"type": "object", "properties": {"note": {"type": "string", "description": "\\" * 3_850}}}
    return [offer(f"Ping{number}", context=context) for number in range(8)]


def crowded() -> Talk:
    """A conversation with as many participants as may be, of whom as many as may be have left."""
    talk = Talk(
        person("alice", *Permission),
        person("bob"),
        *(largest(index) for index in range(LIMIT - 2)),
        constraints=Constraints(participant_limit=LIMIT),
        emergence=({"kind": "consensus", "of": "everybody"},),
        guests={"kinds": ["ai"], "can": list(Permission)},
        window=100,
        facts={"fact": "\\" * (MAX_FACTS_BYTES // 2 - 10)},
        fragments=offers(),
    )
    talk.state.offers = {one.name: one for one in offers()}
    for index in range(LIMIT, LIMIT + 2 * MAX_ABSENT):
        talk.leave(largest(index - LIMIT).id)
        talk.join(largest(index))
    assert len(talk.state.members) == LIMIT + MAX_ABSENT
    return talk


def test_what_is_carried_is_bounded_when_everything_is_as_large_as_it_may_be() -> None:
    talk = crowded()
    for number in range(MAX_OPEN_PROPOSALS):
        talk.propose("alice", "\\" * (MAX_OUTCOME_BYTES // 2 - 1))
        for member in talk.state.present[1:]:
            talk.vote(member.participant.id, number + 1, approve=False)
    for member in [*talk.state.present[1:]] * 2:
        talk.turn(member.participant.id, "\x01" * (MAX_TEXT_BYTES // 16), mark="x" * 200)
    for number in range(MAX_UNDER_WAY + 1):
        note = "\\" * (MAX_ARGUMENTS_BYTES // 2 // MAX_UNDER_WAY - 20)
        talk.invoke("alice", f"Ping{number % 8}", mode=InvocationMode.ASYNCHRONOUS, note=note)
    assert len(under_way(talk.state)) == MAX_UNDER_WAY
    for _ in range(60):
        talk.apply(Misfit("s" * 200, "👩" * 64, "👩" * 5000, START))
    talk.state.seen |= {f"{number:016x}": 10_000_000 for number in range(2 * REMEMBERED_IDS)}
    for _ in range(100):
        talk.leave("bob", '"' * MAX_TEXT_BYTES)
        talk.join(person("bob"))
    assert json_size(talk.state) > 2 * MAX_CARRIED_BYTES
    carried = talk.state.carried()
    assert json_size(carried) <= MAX_CARRIED_BYTES
    assert ConversationState.model_validate_json(carried.model_dump_json()) == carried


@pytest.mark.parametrize("character", ["x", "\x01", "👩"])
def test_the_messages_that_are_carried_are_the_latest_and_bounded(character: str) -> None:
    talk = Talk(person("alice"), person("bob"), coordination=FreeForm(), window=100)
    for _ in range(100):
        talk.turn("alice", character * (MAX_TEXT_BYTES // len(character.encode())))
    carried = talk.state.carried()
    assert json_size(carried) < MAX_WINDOW_BYTES + 1000
    assert carried.messages[-1] == talk.state.messages[-1]
    assert carried.omitted == 100 - len(carried.messages)


def test_a_window_that_is_small_enough_is_carried_whole() -> None:
    talk = Talk(person("alice"), person("bob"), coordination=FreeForm(), window=5)
    for number in range(8):
        talk.turn("alice", f"{number}", mark=f"{number}")
    assert talk.state.carried() == talk.state


def test_what_is_held_is_carried() -> None:
    talk = Talk(person("alice"), person("bob"))
    for number in range(MAX_HELD):
        assert talk.turn("bob", f"{number}") is Disposition.HELD
    assert talk.state.carried().held == talk.state.held


def test_the_deepest_outcome_can_be_read_back() -> None:
    outcome: JsonValue = 1
    for _ in range(MAX_DEPTH - 1):
        outcome = [outcome]
    talk = Talk(person("alice"), person("bob"))
    talk.propose("alice", outcome)
    assert ConversationState.model_validate_json(talk.state.model_dump_json()) == talk.state


@pytest.mark.parametrize(
    "number", [0.1, -0.0, 1e308, 5e-324, 1.0, -(2**63), 10**4000], ids=lambda number: f"{number}"[:20]
)
def test_the_numbers_of_an_outcome_come_back_as_they_were(number: float) -> None:
    talk = Talk(person("alice"), person("bob"))
    talk.propose("alice", {"number": number})
    again = ConversationState.model_validate_json(talk.state.model_dump_json())
    assert repr(again.proposals[0].outcome) == repr({"number": number})


def test_the_window_keeps_no_more_messages_than_it_is_wide() -> None:
    talk = Talk(person("alice"), coordination=FreeForm(), window=5)
    for _ in range(20):
        talk.turn("alice")
    assert [message.seq for message in talk.state.messages] == [16, 17, 18, 19, 20]
    assert talk.state.omitted == 15

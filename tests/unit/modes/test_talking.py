"""Conversations about a run, and those that are asked for: who takes part, what they are told, how they end."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from signals.context import ConversationState, CoreState, TurnState, UniversalContext, WorkflowState
from signals.conversation import MessageKind, Recorded
from signals.errors import ErrorType, Refusal
from signals.messages import RequestConversation
from signals.participants import Kind, Participant, Permission
from signals.run import StepProgress, StepStatus
from workflows.conversation.bounds import Constraints, Guests
from workflows.conversation.coordination import FreeForm
from workflows.conversation.setup import ConversationSetup
from workflows.modes.talking import MAX_FACT_BYTES, SAID, about_run, ends_for, told, who_talks, with_guests

NOW = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
ALL = (Permission.SPEAK, Permission.DECIDE, Permission.MODERATE)


def person(name: str, *can: Permission, kind: Kind = Kind.HUMAN, role: str = "agent") -> Participant:
    return Participant(id=name, kind=kind, role=role, can=can or (Permission.SPEAK,))


KEY, ANOTHER = f"{'A' * 43}=", f"{'B' * 42}A="
ANN, BOB, CAT = person("ann"), person("bob", *ALL), person("cat")
BOT = person("bot", *ALL, kind=Kind.AI)


def knowing(
    results: dict[str, JsonValue] | None = None,
    facts: dict[str, JsonValue] | None = None,
    steps: tuple[StepProgress, ...] = (),
) -> UniversalContext:
    return UniversalContext(
        core_state=CoreState(goal="Book a journey", facts=facts or {}),
        mode_state=WorkflowState(variables=results or {}, steps=steps),
    )


# Who talks


def test_who_asks_comes_first_and_takes_part_with_everybody_who_is_known() -> None:
    assert [who.id for who in who_talks([ANN, BOB], "bob", 10, signed=False)] == ["bob", "ann"]
    assert who_talks([ANN, BOB], "bob", 10, signed=False)[0] == BOB


def test_who_asks_and_is_not_known_may_decide_since_they_may_move_the_run() -> None:
    eve, *others = who_talks([ANN], "eve", 10, signed=False)
    assert (eve.id, eve.kind, eve.role, eve.can) == ("eve", Kind.HUMAN, "requestor", ALL)
    assert others == [ANN]


def test_where_a_rule_has_people_talk_those_who_are_known_do() -> None:
    assert who_talks([ANN, BOB], None, 10, signed=False) == (ANN, BOB)


def test_no_more_talk_than_may_but_who_asked_is_among_them() -> None:
    assert [who.id for who in who_talks([ANN, BOB, CAT], "cat", 2, signed=False)] == ["cat", "ann"]


def test_where_people_must_sign_those_without_a_key_are_left_out_also_who_asked() -> None:
    dan = person("dan").model_copy(update={"key": KEY})
    assert who_talks([ANN, dan, BOT], "eve", 10, signed=True) == (dan, BOT)


def test_where_people_must_sign_nobody_without_a_key_is_asked_in() -> None:
    dan = person("dan").model_copy(update={"key": KEY})
    setup = about_run(knowing(), "why not", [dan], {}).model_copy(update={"signed": True, "guests": Guests()})
    eve = person("eve").model_copy(update={"key": ANOTHER})
    asked, refused = with_guests(setup, RequestConversation(requestor="ann", participants=(eve, BOT)), [])
    assert [who.id for who in asked.participants] == ["dan", "eve"]
    assert refused[0].reason == "'ann' can't take part: they have no key, and people must sign here"
    assert ConversationSetup.model_validate_json(asked.model_dump_json()).participants == asked.participants


def test_nobody_is_asked_in_by_a_name_that_the_setup_gives_another_key() -> None:
    rung = {"do": "bring_in", "after_seconds": 60, "participant": person("eve").model_copy(update={"key": KEY})}
    setup = ConversationSetup.model_validate({"topic": "x", "participants": [BOB], "constraints": {"ladder": [rung]}})
    eve = person("eve").model_copy(update={"key": ANOTHER})
    asked, refused = with_guests(setup, RequestConversation(requestor="ann", participants=(eve,)), [])
    assert asked.participants == (BOB, ANN.model_copy(update={"role": "requestor"}))
    assert [refusal.reason for refusal in refused] == ["'eve' can't take part: the setup has another key for them"]


@pytest.mark.parametrize(
    ("people", "kinds"),
    [((ANN, BOB), ["decision"]), ((ANN, CAT), ["consensus"]), ((ANN, BOT), ["consensus"])],
    ids=["a person may decide", "nobody may", "only a model may"],
)
def test_a_conversation_ends_by_a_decision_where_a_person_may_make_one(
    people: tuple[Participant, ...], kinds: list[str]
) -> None:
    assert [condition.kind for condition in ends_for(people)] == kinds


# What they are told


def test_they_are_told_why_and_where_the_run_stands() -> None:
    steps = (
        StepProgress(step="flight", status=StepStatus.DONE),
        StepProgress(step="room", status=StepStatus.FAILED, error="no room to be had"),
        StepProgress(step="tickets", status=StepStatus.PENDING),
    )
    context = knowing({"flight": {"what": "train"}}, {"budget": 300}, steps)
    setup = about_run(context, "step 'room' failed", [ANN, BOB], {"type": "object"})
    assert setup.topic == "Book a journey: step 'room' failed"
    assert setup.facts == {
        "steps": "flight done, room failed (no room to be had), tickets pending",
        "result of flight": {"what": "train"},
        "budget": 300,
    }
    assert (setup.participants, setup.outcome, setup.guests) == ((ANN, BOB), {"type": "object"}, None)
    assert isinstance(setup.coordination, FreeForm)


def test_they_are_told_what_was_said_last() -> None:
    said = tuple(
        Recorded(seq=seq, at=NOW, kind=MessageKind.TURN, speaker="ann" if seq % 2 else None, text=f"word {seq}")
        for seq in range(1, 9)
    )
    state = ConversationState(message_history=said, turn_state=TurnState(conversation="r/talk-1"))
    facts = told(UniversalContext(core_state=CoreState(goal="x"), mode_state=state))
    assert len(facts) == SAID
    assert (facts["said before (7)"], facts["said before (8)"]) == ("ann: word 7", "*: word 8")


@pytest.mark.parametrize("size", [MAX_FACT_BYTES + 1, 70_000])
def test_a_result_that_is_too_large_to_tell_is_named_with_its_size(size: int) -> None:
    facts = told(knowing({"report": "x" * (size - 2), "note": "short"}))
    assert facts == {
        "result of report": f"({size:,} bytes: see the query 'result_of' of the run)",
        "result of note": "short",
    }


def test_a_long_reason_is_cut_in_the_topic() -> None:
    assert len(about_run(knowing(), "because " * 100, [BOB], {}).topic) <= 500


NESTED: JsonValue = 1
for _ in range(40):
    NESTED = [NESTED]

awkward: st.SearchStrategy[JsonValue] = st.one_of(
    st.sampled_from([math.nan, math.inf, NESTED, [1] * 1900, "é" * 1990, "x" * 3990, {"k": [0] * 900}, None, ""]),
    st.text(max_size=20),
)


@given(
    st.dictionaries(st.text(min_size=1, max_size=30) | st.just("ü" * 2000), awkward, max_size=40),
    st.dictionaries(st.text(max_size=30) | st.just("é" * 3000), st.text(max_size=1000), max_size=10),
)
def test_whatever_a_run_knows_people_can_talk_about_it(
    results: dict[str, JsonValue], facts: dict[str, JsonValue]
) -> None:
    about_run(knowing(results, facts), "why not", [BOB], {})


# Who is brought in


def setup(*people: Participant, guests: Guests | None = None, limit: int = 50) -> ConversationSetup:
    return ConversationSetup(
        topic="Where to?", participants=people, guests=guests, constraints=Constraints(participant_limit=limit)
    )


def bringing(
    asker: str, *wanted: Participant, to: ConversationSetup, known: tuple[Participant, ...] = ()
) -> tuple[list[str], list[Refusal]]:
    request = RequestConversation(requestor=asker, participants=wanted)
    with_them, refused = with_guests(to, request, known)
    return [who.id for who in with_them.participants], refused


def test_who_asks_comes_in_as_a_guest() -> None:
    assert bringing("eve", to=setup(BOB, guests=Guests())) == (["bob", "eve"], [])


def test_who_is_there_already_is_not_asked_in_twice() -> None:
    assert bringing("bob", BOB, to=setup(BOB, ANN, guests=Guests())) == (["bob", "ann"], [])


def test_who_is_known_to_the_run_comes_with_what_they_may_do_there_whatever_guests_may() -> None:
    request = RequestConversation(requestor="cat", participants=(person("bob"),))
    with_them, refused = with_guests(setup(ANN, BOT), request, (BOB, CAT))
    assert with_them.participants == (ANN, BOT, CAT, BOB)
    assert refused == []


def test_where_nobody_may_join_uninvited_even_who_asks_stays_out() -> None:
    told = "'eve' can't take part: nobody may join uninvited (the setup's 'guests' is null)"
    assert bringing("eve", to=setup(BOB)) == (["bob"], [Refusal(ErrorType.NOT_PERMITTED, told)])


@pytest.mark.parametrize(
    ("guest", "reason"),
    [
        (person("boss", *ALL), "a guest may not have the permission 'decide'"),
        (person("bot", kind=Kind.AI), "guests of kind 'ai' may not join"),
    ],
)
def test_nobody_is_brought_in_with_more_rights_than_guests_have(guest: Participant, reason: str) -> None:
    there, refused = bringing("eve", guest, CAT, to=setup(BOB, guests=Guests()))
    assert there == ["bob", "eve", "cat"]
    assert refused == [Refusal(ErrorType.NOT_PERMITTED, f"'{guest.id}' can't take part: {reason}")]


def test_who_finds_no_place_any_more_is_told_so() -> None:
    there, refused = bringing("eve", ANN, CAT, to=setup(BOB, guests=Guests(), limit=3))
    assert there == ["bob", "eve", "ann"]
    assert refused == [Refusal(ErrorType.PARTICIPANT_LIMIT, "'cat' can't take part: there are too many already")]

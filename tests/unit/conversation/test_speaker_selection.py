"""Who is given the floor, by each way of choosing that is set up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from signals.assistant import Finding
from signals.participants import Participant, Permission
from tests.unit.conversation.talk import Talk, ai, person
from workflows.conversation.events import Consult, Consulted, ConsultFailed
from workflows.conversation.machine import awaiting
from workflows.conversation.speaker_selection import Bidding

MODERATE = (Permission.SPEAK, Permission.MODERATE)

MONA = person("mona", *MODERATE, role="chair")
MAX = person("max", *MODERATE, role="chair")
ALICE = person("alice", role="author")
BOB = person("bob", role="reviewer")
CAROL = person("carol", role="reviewer")
DAN = person("dan", role="guest")
ROBOT = ai("robot")


# Moderated


def moderated(*people: Participant, **options: object) -> Talk:
    return Talk(*people, coordination={"kind": "moderated"}, **options)


def test_the_floor_is_the_moderators_until_they_grant_it_and_comes_back_to_them() -> None:
    talk = moderated(ALICE, MONA, BOB)
    assert awaiting(talk.state) == ("mona",)
    talk.grant("mona", "bob")
    assert awaiting(talk.state) == ("bob",)
    talk.turn("bob")
    assert awaiting(talk.state) == ("mona",)


def test_who_moderates_may_speak_at_any_time_and_keeps_the_floor() -> None:
    talk = moderated(ALICE, MONA)
    talk.turn("mona")
    assert awaiting(talk.state) == ("mona",)
    talk.grant("mona", "alice")
    assert talk.turn("mona", "and be brief") == "recorded"


def test_of_several_who_moderate_the_first_to_act_does() -> None:
    talk = moderated(MONA, MAX, ALICE)
    assert awaiting(talk.state) == ("mona", "max")
    assert talk.grant("max", "alice") == "recorded"
    assert awaiting(talk.state) == ("alice",)


def test_a_turn_that_nobody_asked_for_is_held_until_its_speaker_is_granted_the_floor() -> None:
    talk = moderated(MONA, ALICE)
    assert talk.turn("alice", "me!") == "held"
    talk.grant("mona", "alice")
    assert talk.turns == ["alice: me!"]
    assert awaiting(talk.state) == ("mona",)


def test_where_nobody_is_left_who_moderates_the_floor_goes_round() -> None:
    talk = moderated(MONA, ALICE, BOB)
    talk.leave("mona")
    assert awaiting(talk.state) == ("alice",)
    talk.turn("alice")
    assert awaiting(talk.state) == ("bob",)


def test_an_ai_participant_may_moderate_but_a_person_who_does_is_waited_for_once_it_says_nothing() -> None:
    talk = moderated(ai("chair", *MODERATE), ALICE)
    assert talk.asked == ["chair"]
    talk.reply("chair", "Alice, please", actions=[{"speaker": "chair", "to": "alice"}])
    assert awaiting(talk.state) == ("alice",)
    talk.turn("alice")
    assert talk.asked == ["chair", "chair"]
    talk.reply("chair", "")
    assert awaiting(talk.state) == ("alice",), "the chair has nothing to say: the floor goes round"


# Addressed


def addressed(*people: Participant, **settings: object) -> Talk:
    return Talk(*people, coordination={"kind": "addressed", **settings})


def test_the_floor_goes_to_whom_the_last_turn_names() -> None:
    talk = addressed(ALICE, BOB, CAROL, DAN)
    talk.turn("alice", to=["dan"])
    assert talk.state.floor == "dan"
    talk.turn("dan", "what does @carol think?")
    assert talk.state.floor == "carol"
    talk.turn("carol", in_reply_to=1)
    assert talk.state.floor == "alice"


def test_of_several_who_are_named_the_first_to_answer_takes_it() -> None:
    talk = addressed(ALICE, BOB, CAROL, DAN)
    talk.turn("alice", to=["carol", "dan"])
    assert awaiting(talk.state) == ("carol", "dan")
    assert talk.turn("dan") == "recorded"
    assert talk.turn("carol") == "held"


@pytest.mark.parametrize(("otherwise", "floor"), [("round", "carol"), ("back", "alice")])
def test_a_turn_that_names_nobody_goes_on_round_or_back(otherwise: str, floor: str) -> None:
    talk = addressed(ALICE, BOB, CAROL, otherwise=otherwise)
    talk.turn("alice", to=["bob"])
    talk.turn("bob")
    assert talk.state.floor == floor


def test_who_is_named_and_not_here_is_not_waited_for() -> None:
    talk = addressed(ALICE, BOB, CAROL)
    talk.leave("carol")
    talk.turn("alice", to=["carol"])
    assert talk.state.floor == "bob"


# Rules


def ruled(*people: Participant, **settings: object) -> Talk:
    rules = {"author": ["reviewer"], "reviewer": ["author"], "guest": ["author"]}
    return Talk(*people, coordination={"kind": "rules", "rules": rules, **settings})


def test_the_floor_goes_from_role_to_role_and_the_first_of_a_role_takes_it() -> None:
    talk = ruled(ALICE, BOB, CAROL, DAN)
    talk.turn("alice")
    assert awaiting(talk.state) == ("bob", "carol")
    talk.turn("carol")
    assert talk.turn("bob") == "held"
    assert awaiting(talk.state) == ("alice",)


def test_the_rules_may_say_who_begins() -> None:
    assert awaiting(ruled(ALICE, BOB, DAN, first="guest").state) == ("dan",)


def test_where_nobody_of_the_next_role_is_here_the_floor_goes_round() -> None:
    talk = ruled(ALICE, BOB, DAN)
    talk.leave("bob")
    talk.turn("alice")
    assert awaiting(talk.state) == ("dan",)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"rules": {"author": ["reviewer"]}}, "coordination.rules: nothing follows the role 'reviewer'"),
        ({"rules": {"author": [], "reviewer": ["author"]}}, "coordination.rules.author: it leads nowhere"),
        (
            {"rules": {"author": ["mute"], "reviewer": ["author"]}},
            "coordination.rules.author: it leads nowhere: nobody of the role 'mute' may speak",
        ),
        ({"rules": {"king": ["author"]}}, "coordination.rules.king: nobody has this role; roles are: author, mute"),
        (
            {"first": "mute", "rules": {"author": ["reviewer"], "reviewer": ["author"]}},
            "coordination.first: nobody of the role 'mute' may speak",
        ),
    ],
)
def test_rules_that_lead_nowhere_are_refused(settings: dict[str, object], reason: str) -> None:
    mute = Participant(id="mute", kind="human", role="mute", can=())
    with pytest.raises(ValidationError, match=reason):
        Talk(ALICE, BOB, mute, coordination={"kind": "rules", **settings})


# Bidding


def bidding(*people: Participant, **settings: object) -> Talk:
    return Talk(*people, coordination={"kind": "bidding", **settings})


def test_the_highest_bid_has_the_floor_but_not_twice_in_a_row() -> None:
    talk = bidding(ALICE, BOB, CAROL, weights={"carol": 5, "reviewer": 3})
    assert talk.state.floor == "carol"
    talk.turn("carol")
    assert talk.state.floor == "bob"
    talk.turn("bob")
    assert talk.state.floor == "carol"


def test_who_may_repeat_does() -> None:
    talk = bidding(ALICE, BOB, weights={"bob": 9}, allow_repeat=True)
    talk.turn("bob")
    assert talk.state.floor == "bob"


def test_what_is_worth_something_is_added_up() -> None:
    talk = bidding(ALICE, BOB, CAROL, waiting=0.5, named=2, eager=4, word=8, words={"bob": ["Refund", "money"]})
    strategy = talk.setup.coordination
    assert isinstance(strategy, Bidding)
    assert talk.turn("carol", "me!") == "held"
    assert strategy.bids(talk.state, ["alice", "carol"]) == {"alice": 1.0, "carol": 1.0 + 4}
    talk.leave("carol")
    talk.turn("alice", "a REFUND, @bob?")
    assert strategy.bids(talk.state, ["alice", "bob"]) == {"alice": 1.0, "bob": 1.0 + 2 * 0.5 + 2 + 8}


@given(st.lists(st.floats(0, 50), min_size=3, max_size=3), st.floats(0.1, 5))
def test_whoever_waits_gets_their_turn(weights: list[float], waiting: float) -> None:
    people = (ALICE, BOB, CAROL)
    talk = bidding(*people, waiting=waiting, weights={p.id: w for p, w in zip(people, weights, strict=True)})
    for _ in range(int(2 * max(weights) / waiting) + 6):
        talk.turn(str(talk.state.floor))
    assert all(member.turns for member in talk.state.members.values())


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"weights": {"nobody": 1}}, "coordination.weights.nobody"),
        ({"words": {"nobody": ["x"]}}, "coordination.words.nobody"),
        ({"waiting": -1}, "coordination.waiting"),
        ({"weights": {"bob": float("nan")}}, "coordination.weights.bob"),
    ],
)
def test_bids_of_nobody_and_out_of_range_are_refused(settings: dict[str, object], field: str) -> None:
    with pytest.raises(ValidationError) as refused:
        bidding(ALICE, BOB, **settings)
    [problem] = refused.value.errors()
    assert field in ".".join(map(str, problem["loc"])) + str(problem["msg"])


# Chosen by a model


def chosen(*people: Participant, **settings: object) -> Talk:
    return Talk(*people, coordination={"kind": "ai_selected", **settings})


def questions(talk: Talk) -> int:
    return sum(isinstance(effect, Consult) for effect in talk.effects)


def answer(talk: Talk, choice: str | None) -> None:
    number = next(iter(talk.state.consulting))
    talk.apply(Consulted(number, Finding(choice=choice, model="m"), talk.now))


def test_a_model_chooses_among_the_candidates_and_meanwhile_nobody_is_waited_for() -> None:
    talk = chosen(ALICE, BOB, CAROL)
    assert (awaiting(talk.state), talk.turn("bob")) == ((), "held")
    answer(talk, "carol")
    assert awaiting(talk.state) == ("carol",)
    talk.turn("carol")
    [asked] = talk.state.consulting.values()
    assert asked.candidates == ("alice", "bob"), "carol has just spoken"


@pytest.mark.parametrize("wrong", ["nobody", None, "carol"])
def test_a_wrong_answer_is_asked_for_again_and_then_the_next_in_order_has_the_floor(wrong: str | None) -> None:
    talk = chosen(ALICE, BOB, CAROL, attempts=2)
    answer(talk, "carol")
    talk.turn("carol")
    answer(talk, wrong)
    assert questions(talk) == 3
    answer(talk, wrong)
    assert questions(talk) == 3
    assert talk.state.floor == "alice"
    assert talk.said[-1] == "No model chose who is next; it is alice's turn"


def test_a_model_that_fails_is_asked_as_often() -> None:
    talk = chosen(ALICE, BOB, attempts=3)
    for _ in range(3):
        talk.apply(ConsultFailed(next(iter(talk.state.consulting)), "no model", talk.now))
    assert questions(talk) == 3
    assert talk.state.floor == "alice"


def test_who_left_meanwhile_is_not_chosen() -> None:
    talk = chosen(ALICE, BOB, CAROL, attempts=1)
    talk.leave("carol")
    answer(talk, "carol")
    assert talk.state.floor == "alice"


def test_no_model_is_needed_where_there_is_one_candidate() -> None:
    talk = chosen(ALICE, BOB)
    answer(talk, "alice")
    talk.turn("alice")
    assert (talk.state.floor, questions(talk)) == ("bob", 1)


def test_an_answer_that_comes_too_late_changes_nothing() -> None:
    talk = chosen(MONA, ALICE, BOB)
    number = next(iter(talk.state.consulting))
    talk.grant("mona", "bob")
    talk.apply(Consulted(number, Finding(choice="alice", model="m"), talk.now))
    assert talk.state.floor == "bob"


def test_nobody_moderating_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"coordination.kind: nobody may grant the floor"):
        moderated(ALICE, BOB)

"""The ladder: what is done when people don't answer."""

import pytest
from pydantic import ValidationError

from signals.notices import Waiting
from signals.participants import Participant, Permission
from tests.unit.conversation.talk import START, Talk, ai, person
from workflows.conversation.events import Tell, Told
from workflows.conversation.machine import awaiting, next_due

ALICE = person("alice", role="customer")
BOB = person("bob", role="agent")
LEAD = person("lead", role="lead")
LEA = person("lea", role="lead")
ROBOT = ai("robot")

REMIND = {"do": "remind", "after_seconds": 60}
LEADS = {"do": "bring_in", "after_seconds": 120, "role": "lead"}
CAROL = {"do": "bring_in", "after_seconds": 120, "participant": {"id": "carol", "kind": "human", "role": "lead"}}
END = {"do": "give_up", "after_seconds": 180, "outcome": "closed"}


def laddered(*rungs: object, people: tuple[Participant, ...] = (ALICE, BOB), **options: object) -> Talk:
    return Talk(*people, constraints={"ladder": rungs}, **options)


def told(talk: Talk) -> list[tuple[tuple[str, ...], int]]:
    """Who was told, with which reminder."""
    notices = [effect.waiting for effect in talk.effects if isinstance(effect, Tell)]
    return [(tuple(person.id for person in notice.people), notice.reminder) for notice in notices]


def test_who_is_waited_for_is_reminded_when_the_time_has_come_and_once() -> None:
    talk = laddered(REMIND)
    talk.wait(59)
    assert told(talk) == []
    talk.wait(1)
    talk.wait(1000)
    assert told(talk) == [(("alice",), 1)]


def test_a_wait_begins_anew_with_every_turn() -> None:
    talk = laddered(REMIND)
    talk.wait(59)
    talk.turn("alice")
    talk.wait(59)
    assert told(talk) == []
    talk.wait(1)
    assert told(talk) == [(("bob",), 1)]


def test_the_next_rung_is_what_the_timer_is_set_for() -> None:
    talk = laddered(REMIND, LEADS, people=(ALICE, BOB, LEAD))
    assert (next_due(talk.setup, talk.state, talk.now) - START).total_seconds() == 60
    talk.wait(60)
    assert (next_due(talk.setup, talk.state, talk.now) - START).total_seconds() == 120
    talk.wait(60)
    assert (next_due(talk.setup, talk.state, talk.now) - START).total_seconds() == 1800


def test_nobody_is_reminded_while_a_model_works() -> None:
    talk = laddered(REMIND, people=(ROBOT, ALICE))
    talk.wait(60)
    assert told(talk) == []
    talk.reply("robot", "hello")
    talk.wait(60)
    assert told(talk) == [(("alice",), 1)]


def test_the_people_of_a_role_are_brought_in_and_the_first_to_answer_takes_the_floor() -> None:
    talk = laddered(LEADS, people=(ALICE, BOB, LEAD, LEA))
    talk.wait(120)
    assert awaiting(talk.state) == ("alice", "lead", "lea")
    assert told(talk) == [(("alice", "lead", "lea"), 1)]
    assert talk.said[-1] == "alice did not answer; lead, lea may answer too"
    assert talk.turn("lea") == "recorded"
    assert talk.turn("lead") == "held"
    assert talk.turns == ["lea: hello"]


def test_somebody_new_is_brought_in() -> None:
    talk = laddered(CAROL)
    talk.wait(120)
    assert awaiting(talk.state) == ("alice", "carol")
    assert talk.turn("carol", "I can help") == "recorded"


def test_nobody_is_brought_in_beyond_the_limit() -> None:
    talk = Talk(ALICE, BOB, constraints={"ladder": [CAROL], "participant_limit": 2})
    talk.wait(120)
    assert awaiting(talk.state) == ("alice",)
    assert talk.said == ["carol can't be brought in: there are too many here already"]


def test_who_is_brought_in_does_not_put_the_next_rung_off() -> None:
    talk = laddered(LEADS, END, people=(ALICE, BOB, LEAD))
    talk.wait(120)
    talk.wait(60)
    assert talk.ended.stop == "fallback"


def test_the_last_rung_ends_it_with_the_outcome_to_fall_back_on() -> None:
    talk = laddered(REMIND, END)
    talk.wait(200)
    assert (talk.ended.stop, talk.ended.outcome, talk.ended.decided_by) == ("fallback", "closed", ())
    assert talk.ended.reason == "nobody answered for 200 s (alice)"
    assert told(talk) == [(("alice",), 1)], "a rung that was missed is climbed too"


def test_where_anybody_may_speak_everybody_is_waited_for_together() -> None:
    talk = laddered(REMIND, coordination={"kind": "free_form"})
    talk.wait(30)
    talk.turn("alice")
    talk.wait(59)
    assert told(talk) == []
    talk.wait(1)
    assert told(talk) == [(("alice", "bob"), 1)]


def test_a_reminder_shows_the_last_message_that_all_of_them_may_see() -> None:
    talk = laddered(REMIND, coordination={"kind": "free_form"}, routing={"kind": "addressed"})
    talk.turn("alice", "for all")
    talk.turn("alice", "for Bob alone", to=["bob"])
    talk.join(person("carol"))
    talk.state.messages.pop()  # that she joined
    talk.wait(60)
    [notice] = [effect.waiting for effect in talk.effects if isinstance(effect, Tell)]
    assert (notice.text, notice.message) == ("for all", 1)


def test_a_failure_to_tell_people_is_told_in_the_conversation() -> None:
    talk = laddered(REMIND)
    talk.wait(60)
    [waiting] = talk.state.telling
    assert isinstance(waiting, Waiting)
    talk.apply(Told(waiting, "no webhook took it", talk.now))
    assert talk.said == ["alice could not be told: no webhook took it"]
    assert talk.state.telling == []


@pytest.mark.parametrize(
    ("rungs", "reason"),
    [
        ((LEADS, REMIND), "in the order of their after_seconds"),
        ((END, {"do": "remind", "after_seconds": 999}), "nothing comes after 'give_up'"),
        (({"do": "bring_in", "after_seconds": 9},), "give either 'role' or 'participant'"),
        (({"do": "remind", "after_seconds": 0},), "ladder.0.remind.after_seconds"),
    ],
)
def test_a_ladder_that_can_not_be_climbed_is_refused(rungs: tuple[object, ...], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        laddered(*rungs)


def test_the_outcome_to_fall_back_on_must_fit() -> None:
    with pytest.raises(ValidationError, match=r"constraints.ladder.0.outcome: "):
        laddered(END, outcome={"type": "number"})


def test_who_may_decide_is_of_no_matter_to_the_ladder() -> None:
    talk = laddered(REMIND, people=(person("alice", Permission.SPEAK, Permission.DECIDE), BOB))
    talk.propose("bob", 1)
    talk.wait(60)
    assert told(talk) == [(("alice",), 1)]

import pytest
from pydantic import ValidationError

from signals.participants import Kind, Permission
from signals.settings import ConversationSettings
from signals.wire import one_line
from workflows.conversation.bounds import Constraints, OutOfTurn
from workflows.conversation.coordination import FreeForm, TurnBased
from workflows.conversation.emergence import Decision
from workflows.conversation.routing import Broadcast
from workflows.conversation.setup import ConversationSetup

HOST = {"id": "alice", "kind": "human", "role": "host", "can": ["speak", "decide"]}


def told(**options: object) -> str:
    """What a setup that doesn't fit is told."""
    with pytest.raises(ValidationError) as caught:
        ConversationSetup.model_validate({"topic": "Lunch", "participants": [HOST], **options})
    return one_line(caught.value)


def test_a_topic_and_somebody_who_decides_are_enough() -> None:
    setup = ConversationSetup.model_validate({"topic": "Lunch", "participants": [HOST]})
    assert (setup.coordination, setup.out_of_turn, setup.routing) == (TurnBased(), OutOfTurn.HOLD, Broadcast())
    assert setup.emergence == (Decision(),)
    assert setup.constraints.timeout_seconds == 1800
    assert setup.guests is not None
    assert (setup.guests.kinds, setup.guests.can) == ((Kind.HUMAN,), (Permission.SPEAK,))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"topic": " "}, "topic: String should have at least 1 character"),
        ({"topic": "x" * 20_000}, "topic: text has 20,000 bytes, at most 16,384 are allowed"),
        ({"participants": []}, "participants: Tuple should have at least 1 item"),
        ({"participants": [{"id": "alice"}]}, "participants.0.kind: Field required; participants.0.role: Field"),
        ({"coordination": {"kind": "chaos"}}, "coordination: 'kind' must be one of 'turn_based', 'free_form'"),
        ({"coordination": {"kind": "turn_based", "pace": 1}}, "coordination.pace: Extra inputs"),
        ({"out_of_turn": "shout"}, "out_of_turn: Input should be 'hold', 'accept' or 'refuse'"),
        ({"routing": {}}, "routing: "),
        ({"emergence": []}, "emergence: Tuple should have at least 1 item"),
        ({"emergence": [{"kind": "consensus"}] * 21}, "emergence: Tuple should have at most 20 items"),
        ({"emergence": [{"kind": "turns", "count": 0}]}, "emergence.0.count: Input should be greater"),
        ({"emergence": [{"kind": "silence"}]}, "emergence.0.seconds: Field required"),
        ({"emergence": [{"kind": "silence", "seconds": 0}]}, "emergence.0.seconds: Input should be greater"),
        ({"emergence": [{"kind": "deadline", "seconds": 1e10}]}, "emergence.0.seconds: Input should be less"),
        ({"outcome": "text"}, "outcome: Input should be a valid dictionary"),
        ({"facts": {"a": "x" * 70_000}}, "facts: JSON has 70,009 bytes, at most 65,536 are allowed"),
        ({"guidance": "../secrets"}, "guidance: String should match pattern"),
        ({"guests": {"kinds": ["dog"]}}, "guests.kinds.0: Input should be 'human' or 'ai'"),
        ({"constraints": {"timeout_seconds": "soon"}}, "constraints.timeout_seconds: Input should be a valid number"),
        ({"constraints": {"timeout_seconds": float("nan")}}, "constraints.timeout_seconds: Input should be"),
        ({"constraints": {"participant_limit": 201}}, "constraints.participant_limit: Input should be less"),
        ({"constraints": {"max_turns": 0}}, "constraints.max_turns: Input should be greater"),
        ({"fragments": ["a b"]}, "fragments.0.name: String should match pattern"),
        ({"fragments": [{"name": "Ping"}]}, "fragments.0.offer.context: Field required"),
        ({"fragments": ["Ping"] * 21}, "fragments: Tuple should have at most 20 items"),
        ({"window": 4}, "window: Input should be greater than or equal to 5"),
        ({"history_events": 1}, "history_events: Input should be greater than or equal to 50"),
        ({"colour": "red"}, "colour: Extra inputs are not permitted"),
    ],
)
def test_a_setup_that_does_not_fit_is_told_field_and_reason(options: dict[str, object], fault: str) -> None:
    assert told(**options).startswith(fault)


def test_nobody_is_named_twice() -> None:
    assert told(participants=[HOST, HOST]) == (
        "input: participants: 'alice' is named twice; give each an id of its own"
    )


def test_no_more_take_part_than_the_constraints_allow() -> None:
    others = [{**HOST, "id": f"p{number}"} for number in range(2)]
    assert told(participants=[HOST, *others], constraints={"participant_limit": 2}) == (
        "input: participants: 3 are more than constraints.participant_limit (2)"
    )


def test_somebody_may_speak() -> None:
    assert told(participants=[{**HOST, "can": []}], emergence=[{"kind": "consensus"}]) == (
        "input: participants: nobody may speak; give somebody the permission 'speak'"
    )


def test_somebody_may_decide_where_a_decision_ends_it() -> None:
    assert told(participants=[{**HOST, "can": ["speak"]}]) == (
        "input: emergence.0.kind: nobody may decide; "
        "give a participant the permissions 'speak' and 'decide', or choose another condition"
    )


def test_who_may_decide_may_speak_as_well() -> None:
    speaker = {**HOST, "id": "bob", "can": ["speak"]}
    assert "emergence.0.kind: nobody may decide" in told(participants=[{**HOST, "can": ["decide"]}, speaker])


def test_somebody_of_the_roles_that_decide_may_decide() -> None:
    guest = {"id": "bob", "kind": "human", "role": "guest"}
    emergence = [{"kind": "consensus"}, {"kind": "decision", "roles": ["guest"]}]
    assert "emergence.1.roles: nobody of the roles guest may decide" in told(
        participants=[HOST, guest], emergence=emergence
    )


WHO = {"type": "object", "properties": {"who": {"type": "string"}}}
PING = {"name": "Ping", "context": WHO}


@pytest.mark.parametrize(
    ("fragments", "fault"),
    [
        ([PING, "Pong", "Ping"], "fragments: 'Ping' is named twice"),
        ([{**PING, "context": {"type": "string"}}], "fragments.0.context: it must be of the type object, with"),
        (["Pong", {**PING, "context": {"type": 5}}], "fragments.1.context: "),
        ([{**PING, "bound": {"what": "fact"}}], "fragments.0.bound.what: the context has no such field"),
        (
            [{**PING, "name": f"P{n}", "context": {**WHO, "title": "x" * 15_000}} for n in range(5)],
            "fragments: they have 76,135 bytes of JSON together, at most 65,536 are allowed",
        ),
    ],
)
def test_fragments_can_be_run(fragments: list[object], fault: str) -> None:
    host = {**HOST, "can": ["speak", "decide", "invoke"]}
    assert told(participants=[host], fragments=fragments).removeprefix("input: ").startswith(fault)


def test_somebody_may_run_fragments_where_there_are_some() -> None:
    assert told(fragments=["Ping"]) == (
        "input: fragments: nobody may run one; give a participant the permission 'invoke'"
    )
    guests = {"can": ["speak", "invoke"]}
    setup = {"topic": "Lunch", "participants": [HOST], "fragments": ["Ping", PING | {"name": "Pong"}]}
    assert ConversationSetup.model_validate(setup | {"guests": guests}).named_fragments == {"fragments.0": "Ping"}


def test_a_setup_survives_being_written_and_read() -> None:
    setup = ConversationSetup.model_validate(
        {
            "topic": "Lunch",
            "participants": [HOST, {"id": "robot", "kind": "ai", "role": "assistant", "model": "local"}],
            "coordination": {"kind": "free_form"},
            "routing": {"kind": "addressed"},
            "emergence": [{"kind": "silence", "seconds": 1.5}, {"kind": "decision", "roles": ["host"]}],
            "outcome": {"type": "object", "properties": {"food": {"enum": ["pizza", None, 1.5]}}},
            "facts": {"hungry": True},
            "fragments": ["Ping", {"name": "Pong", "context": {"type": "object", "properties": {}}}],
            "guests": {"can": ["speak", "invoke"]},
            "constraints": {"max_turns": 3},
        }
    )
    assert ConversationSetup.model_validate_json(setup.model_dump_json()) == setup


# What is left to the settings

CONSTRAINTS = {"timeout_seconds": 1800, "participant_limit": 50}
GIVEN: dict[str, object] = {"coordination": {"kind": "turn_based"}, "constraints": CONSTRAINTS, "signed": False}


def plain(**options: object) -> ConversationSetup:
    return ConversationSetup.model_validate({"topic": "Lunch", "participants": [HOST], **options})


def test_what_a_setup_does_not_say_is_taken_from_the_settings() -> None:
    settings = ConversationSettings(default_coordination="free_form", participant_limit=3, timeout_minutes=5)
    setup = plain(constraints={"max_turns": 7}).settled(settings)
    assert setup.coordination == FreeForm()
    assert setup.constraints == Constraints(max_turns=7, participant_limit=3, timeout_seconds=300)


def test_what_a_setup_says_stands_though_it_is_what_holds_by_default() -> None:
    settings = ConversationSettings(default_coordination="free_form", participant_limit=3, timeout_minutes=5)
    setup = plain(**GIVEN)
    assert setup.is_settled
    assert setup.settled(settings) is setup


@pytest.mark.parametrize("without", ["coordination", "timeout_seconds", "participant_limit"])
def test_what_is_left_to_the_settings_is_still_so_when_it_has_crossed_the_wire(without: str) -> None:
    constraints = {name: value for name, value in CONSTRAINTS.items() if name != without}
    given = {name: value for name, value in GIVEN.items() if name != without}
    setup = plain(**{**given, "constraints": constraints})
    written = ConversationSetup.model_validate_json(setup.model_dump_json())
    assert written == setup
    assert not written.is_settled
    assert written.settled(ConversationSettings()).is_settled


def test_more_people_than_the_settings_allow_are_refused_and_no_sooner() -> None:
    people = [{**HOST, "id": f"p{number}"} for number in range(60)]
    setup = plain(participants=people)
    assert setup.settled(ConversationSettings(participant_limit=60)).constraints.participant_limit == 60
    with pytest.raises(ValidationError) as caught:
        setup.settled(ConversationSettings())
    assert one_line(caught.value) == "input: participants: 60 are more than constraints.participant_limit (50)"


def test_a_way_of_taking_turns_that_does_not_suit_who_is_there_is_refused() -> None:
    with pytest.raises(ValidationError) as caught:
        plain().settled(ConversationSettings(default_coordination="moderated"))
    assert one_line(caught.value).startswith("input: coordination.kind: nobody may grant the floor")

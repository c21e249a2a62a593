"""What holds for every conversation, whatever rules of adaptation it has and whatever conditions end it."""

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from signals.modes import Mode
from signals.participants import Kind, Participant, Permission
from tests.unit.conversation.drawn import NAMES, Pick, setups
from tests.unit.conversation.test_properties import PROFILE, happenings
from tests.unit.conversation.witness import Witness
from workflows.conversation.adaptation import (
    Action,
    AddParticipant,
    AskForSwitch,
    CallVote,
    DropParticipant,
    Nudge,
    Rule,
    Summarise,
    SwitchCoordination,
)
from workflows.conversation.bounds import OutOfTurn, Summaries
from workflows.conversation.combining import AllOf, AnyOf
from workflows.conversation.coordination import FreeForm, TurnBased
from workflows.conversation.emergence import Condition, EveryoneLeft, Fact, Judge, Quorum, Silence, Turns
from workflows.conversation.observations import (
    BudgetSpent,
    Circling,
    Disagreement,
    Dominates,
    Observation,
    Silent,
    Stalled,
)
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.speaker_selection import Coordination
from workflows.conversation.state import json_size

OBSERVED: tuple[Observation, ...] = (
    Stalled(seconds=3),
    Stalled(turns=2),
    Dominates(share=0.4, turns=3),
    Silent(turns=2),
    Circling(turns=2, similarity=0.1),
    Disagreement(votes=1, proposals=2),
    BudgetSpent(share=0.2),
)

DONE: tuple[Action, ...] = (
    SwitchCoordination(to=TurnBased()),
    SwitchCoordination(to=FreeForm()),
    Nudge(text="Well?"),
    AddParticipant(participant=Participant(id="zed", kind=Kind.AI, role="agent")),
    AddParticipant(participant=Participant(id="yan", kind=Kind.HUMAN, role="agent", can=tuple(Permission))),
    DropParticipant(),
    DropParticipant(id=NAMES[0]),
    CallVote(),
    Summarise(),
    AskForSwitch(to=Mode.WORKFLOW),
)

CONDITIONS: tuple[Condition, ...] = (
    Quorum(share=0.6, of="everybody"),
    Quorum(count=1, refusals=1),
    Fact(name="price"),
    EveryoneLeft(),
    Judge(question="Is it so?", every=2),
    AllOf(of=(Turns(count=8), AnyOf(of=(Silence(seconds=9), Judge(question="Or so?", every=3))))),
)

rules = st.builds(
    Rule,
    when=st.sampled_from(OBSERVED),
    then=st.sampled_from(DONE),
    most=st.integers(1, 3),
    pause=st.integers(1, 3),
)


@st.composite
def watched(draw: st.DrawFn, coordination: Coordination) -> ConversationSetup:
    """Any setup, with any rules that suit it."""
    drawn = draw(setups(coordination, OutOfTurn.HOLD))
    ends = draw(st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=3))
    changed = {
        "adaptation": draw(st.lists(rules, min_size=1, max_size=5)),
        "emergence": ends,
        "summary": draw(st.sampled_from([None, Summaries(every=10)])),
    }
    try:
        return ConversationSetup.model_validate({**dict(drawn), **changed})
    except ValidationError:
        reject()


@pytest.mark.parametrize("coordination", [TurnBased(), FreeForm()], ids=["turn based", "free form"])
def test_whatever_rules_there_are_a_conversation_keeps_its_promises(coordination: Coordination) -> None:
    @settings(PROFILE, max_examples=120)
    @given(setup=watched(coordination), events=happenings)
    def live_through(setup: ConversationSetup, events: list[tuple[str, Pick]]) -> None:
        witness = Witness(setup)
        for kind, pick in events:
            witness.happen(kind, pick)
            followed = {index: one.times for index, one in witness.state.adapted.items() if one.times}
            assert all(times <= setup.adaptation[index].most for index, times in followed.items())
            bare = witness.state.model_copy(update={"messages": [], "held": [], "seen": {}, "proposals": []})
            assert json_size(bare) < 20_000, "what is carried grows"
            if witness.state.ended is not None:
                break

    live_through()


@settings(PROFILE, max_examples=60)
@given(watched(TurnBased()))
def test_a_setup_with_rules_comes_back_from_json_as_it_was(setup: ConversationSetup) -> None:
    assert ConversationSetup.model_validate_json(setup.model_dump_json()) == setup

"""What holds for every conversation, whatever is sent, in whatever order, and whatever becomes of the replies."""

from collections.abc import Iterable
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from signals.messages import MESSAGES, Message
from signals.wire import one_line
from tests.unit.conversation.drawn import CONDITIONS, COORDINATIONS, DONE, OBSERVED, Pick, picks, setups
from tests.unit.conversation.lived import HAPPENINGS
from tests.unit.conversation.witness import Witness
from workflows.conversation.adaptation import Action
from workflows.conversation.bounds import OutOfTurn
from workflows.conversation.coordination import COORDINATION, CoordinationStrategy, FreeForm, TurnBased
from workflows.conversation.emergence import EMERGENCE
from workflows.conversation.observations import OBSERVATIONS
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.speaker_selection import Bidding, Coordination, Handoff, Moderated
from workflows.conversation.strategies import Family, Strategy

EXAMPLES = 40
"""How many conversations are lived through, for each way of taking turns."""

OFTEN = ("somebody speaks who can", "somebody speaks who is waited for", "a reply comes", "time passes")

RUNNING = [kind for kind in HAPPENINGS if "fragment" in kind]

happenings = st.lists(st.tuples(st.sampled_from([*HAPPENINGS, *OFTEN, *OFTEN]), picks), min_size=20, max_size=60)
runnings = st.lists(
    st.tuples(st.sampled_from([*HAPPENINGS, *OFTEN, *RUNNING, *RUNNING, *RUNNING]), picks), min_size=20, max_size=40
)


def test_conversations_are_drawn_from_everything_that_there_is() -> None:
    families: dict[Family[Any], Iterable[Strategy]] = {
        COORDINATION: COORDINATIONS,
        EMERGENCE: (*CONDITIONS, *(part for condition in CONDITIONS for part in condition.parts)),
        OBSERVATIONS: OBSERVED,
    }
    for family, drawn in families.items():
        own = {strategy for strategy in family.known if strategy.__module__.startswith("workflows.conversation.")}
        assert {type(one) for one in drawn} == own
    assert {type(action) for action in DONE} == {*get_args(get_args(Action)[0])}


@pytest.mark.parametrize(
    ("coordination", "out_of_turn"),
    [
        *((coordination, OutOfTurn.HOLD) for coordination in COORDINATIONS),
        (TurnBased(), OutOfTurn.ACCEPT),
        (TurnBased(), OutOfTurn.REFUSE),
        (Handoff(otherwise="back"), OutOfTurn.ACCEPT),
        (Bidding(), OutOfTurn.REFUSE),
    ],
    ids=lambda each: each.kind if isinstance(each, CoordinationStrategy) else each,
)
def test_whatever_happens_a_conversation_keeps_its_promises(coordination: Coordination, out_of_turn: OutOfTurn) -> None:
    settings(max_examples=EXAMPLES)(given(setups(coordination, out_of_turn), happenings)(live_through))()


@pytest.mark.parametrize("out_of_turn", [OutOfTurn.HOLD, OutOfTurn.ACCEPT])
@pytest.mark.parametrize("coordination", [TurnBased(), FreeForm(), Moderated()], ids=lambda each: each.kind)
def test_whatever_becomes_of_fragments_it_keeps_them_too(coordination: Coordination, out_of_turn: OutOfTurn) -> None:
    drawn = setups(coordination, out_of_turn, with_fragments=True)
    settings(max_examples=40)(given(drawn, runnings)(live_through))()


def live_through(setup: ConversationSetup, events: list[tuple[str, Pick]]) -> None:
    """Have all of it happen, and some of it after the end too."""
    witness = Witness(setup)
    after_the_end = 0
    for kind, pick in events:
        witness.happen(kind, pick)
        after_the_end += witness.state.ended is not None
        if after_the_end > 5:
            break


@settings(max_examples=100)
@given(setups(TurnBased(), OutOfTurn.HOLD))
def test_a_setup_comes_back_from_json_as_it_was(setup: ConversationSetup) -> None:
    assert ConversationSetup.model_validate_json(setup.model_dump_json()) == setup


SECRET = "hunter2"

FIELDS = ("speaker", "text", "to", "id", "in_reply_to", "participant", "kind", "role", "can", "proposal", "outcome")

junk = st.recursive(
    st.sampled_from([SECRET, f"{SECRET}\n\x1b", SECRET * 10_000, 10**400, -1, 1.5, float("nan"), True, None]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=6),
    max_leaves=8,
)


@settings(max_examples=200)
@given(model=st.sampled_from(MESSAGES), sent=junk)
def test_whatever_is_sent_a_misfit_is_told_on_one_short_line_that_does_not_show_it(
    model: type[Message], sent: object
) -> None:
    try:
        model.model_validate(sent)
    except ValidationError as error:
        told = one_line(error)
        assert SECRET not in told
        assert told.isprintable()
        assert 0 < len(told) < 2500

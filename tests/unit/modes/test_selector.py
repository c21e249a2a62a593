"""The selector: the seed's decision table, with what there is for the task, and with each setting."""

from itertools import product

import pytest

from signals.adaptive import Basis, Considered, Selection, SelectionRequest, Traits
from signals.errors import ErrorType, Refusal
from signals.modes import Mode, Paradigm
from signals.settings import HybridSettings, Settings
from workflows.modes.selector import select_paradigm

WORKFLOW, CONVERSATION, HYBRID, ADAPTIVE = Paradigm

CLEAR = "deterministic clear_steps structured_phases"


def traits(holding: str) -> Traits:
    """Those traits hold, the others don't."""
    return Traits.model_validate({name: name in holding.split() for name in Traits.model_fields})


def asked(
    holding: str = "",
    *,
    workflow: bool = True,
    people: bool = True,
    wanted: Paradigm | None = None,
    confidence: float = 1,
    default: Paradigm = ADAPTIVE,
    hybrid: HybridSettings | None = None,
) -> SelectionRequest:
    return SelectionRequest(
        goal="Do it",
        traits=traits(holding),
        confidence=confidence,
        workflow=workflow,
        people=people,
        wanted=wanted,
        settings=Settings(default_mode=default, hybrid=hybrid or HybridSettings()),
    )


def chosen(request: SelectionRequest) -> Selection:
    selection = select_paradigm(request)
    assert isinstance(selection, Selection)
    return selection


def refused(request: SelectionRequest) -> Refusal:
    refusal = select_paradigm(request)
    assert isinstance(refusal, Refusal)
    return refusal


CONVERSES = HybridSettings(prefer_workflow=False)

# The seed's "Decision Criteria", from the first question to the last.


@pytest.mark.parametrize(
    ("holding", "paradigm", "reason"),
    [
        (CLEAR, WORKFLOW, "it always asks for the same and its steps are clear and there is a workflow for it"),
        (f"{CLEAR} dynamic_participants flexible", WORKFLOW, "it always asks for the same"),
        ("dynamic_participants", CONVERSATION, "who takes part isn't known"),
        ("emergent", CONVERSATION, "what is wanted must emerge"),
        ("dynamic_participants emergent", CONVERSATION, "who takes part isn't known and what is wanted must emerge"),
        ("deterministic dynamic_participants", CONVERSATION, "who takes part isn't known"),
        ("emergent structured_phases flexible", CONVERSATION, "what is wanted must emerge"),
        ("structured_phases flexible", HYBRID, "it has structured phases and it needs flexibility"),
        ("clear_steps structured_phases flexible", HYBRID, "it has structured phases and it needs flexibility"),
        ("deterministic structured_phases flexible", HYBRID, "it has structured phases and it needs flexibility"),
        ("", ADAPTIVE, "nothing speaks for one paradigm alone"),
        ("deterministic", ADAPTIVE, "nothing speaks for one paradigm alone"),
        ("clear_steps structured_phases", ADAPTIVE, "nothing speaks for one paradigm alone"),
        ("structured_phases", ADAPTIVE, "nothing speaks for one paradigm alone"),
        ("flexible", ADAPTIVE, "nothing speaks for one paradigm alone"),
    ],
)
def test_the_seed_s_decision_table(holding: str, paradigm: Paradigm, reason: str) -> None:
    selection = chosen(asked(holding))
    assert selection.paradigm is paradigm
    assert selection.reasons[0].startswith(reason)


def by_the_table(request: SelectionRequest) -> Paradigm:
    """What the seed's table says, where what a paradigm needs is there; else the next row."""
    known = request.traits
    table = [
        (WORKFLOW, known.deterministic and known.clear_steps and request.workflow),
        (CONVERSATION, (known.dynamic_participants or known.emergent) and request.people),
        (HYBRID, known.structured_phases and known.flexible and request.workflow and request.people),
        (ADAPTIVE, True),
    ]
    if not request.settings.hybrid.prefer_workflow:
        table = [table[1], table[0], *table[2:]]
    return next(paradigm for paradigm, suits in table if suits)


@pytest.mark.parametrize("prefer_workflow", [True, False])
@pytest.mark.parametrize(("workflow", "people"), [(True, True), (True, False), (False, True)])
def test_each_combination_of_traits_is_gone_about_as_the_table_says(
    workflow: bool, people: bool, prefer_workflow: bool
) -> None:
    combinations = [
        " ".join(name for name, holds in zip(Traits.model_fields, holding, strict=True) if holds)
        for holding in product([True, False], repeat=len(Traits.model_fields))
        if not (holding[0] and holding[3]) and not (holding[1] and not holding[4])
    ]
    assert len(combinations) == 36
    for holding in combinations:
        request = asked(
            holding, workflow=workflow, people=people, hybrid=HybridSettings(prefer_workflow=prefer_workflow)
        )
        assert chosen(request).paradigm is by_the_table(request), holding


# What is chosen can be done


@pytest.mark.parametrize("paradigm", [None, *Paradigm])
def test_without_a_workflow_and_without_people_there_is_nothing_to_choose(paradigm: Paradigm | None) -> None:
    assert refused(asked(CLEAR, workflow=False, people=False, wanted=paradigm)) == Refusal(
        ErrorType.MISSING_CONTEXT,
        "task: neither a workflow nor participants can serve the goal; name one or the other",
    )


@pytest.mark.parametrize(
    ("holding", "workflow", "people", "start", "why"),
    [
        ("emergent", True, False, Mode.WORKFLOW, "there is nobody to talk to"),
        ("structured_phases flexible", True, False, Mode.WORKFLOW, "there is nobody to talk to"),
        (CLEAR, False, True, Mode.CONVERSATION, "there is no workflow for it"),
        ("", True, True, Mode.WORKFLOW, "workflows are preferred"),
    ],
)
def test_what_adapts_begins_with_what_there_is(
    holding: str, workflow: bool, people: bool, start: Mode, why: str
) -> None:
    selection = chosen(asked(holding, workflow=workflow, people=people))
    assert (selection.paradigm, selection.start) == (ADAPTIVE, start)
    assert selection.reasons[1:] == (
        f"it begins as {start}: {why}",
        "and switches when that no longer suits",
    )


def test_each_paradigm_says_in_which_mode_it_begins() -> None:
    assert {one.paradigm: one.start for one in map(chosen, map(asked, [CLEAR, "emergent"]))} == {
        WORKFLOW: Mode.WORKFLOW,
        CONVERSATION: Mode.CONVERSATION,
    }
    assert chosen(asked("structured_phases flexible")).start is Mode.WORKFLOW


def test_the_others_are_told_of_with_what_speaks_against_them() -> None:
    selection = chosen(asked("structured_phases flexible"))
    assert selection.considered == (
        Considered(
            paradigm=WORKFLOW,
            suits=False,
            reason="it isn't so that it always asks for the same and that its steps are clear",
        ),
        Considered(paradigm=CONVERSATION, suits=False, reason="neither who takes part nor what is wanted is open"),
    )


def test_another_paradigm_that_would_suit_too_is_told_of_as_that() -> None:
    selection = chosen(asked(f"{CLEAR} dynamic_participants flexible"))
    assert [(one.paradigm, one.suits) for one in selection.considered] == [(CONVERSATION, True), (HYBRID, True)]


def test_what_is_chosen_is_kept_with_what_the_task_was_like() -> None:
    selection = chosen(asked("emergent", confidence=0.8))
    assert (selection.traits, selection.confidence) == (traits("emergent"), 0.8)


# The settings


def test_where_workflow_and_conversation_suit_the_preferred_one_is_taken() -> None:
    both = f"{CLEAR} dynamic_participants"
    assert chosen(asked(both)).paradigm is WORKFLOW
    assert chosen(asked(both, hybrid=CONVERSES)).paradigm is CONVERSATION


def test_what_adapts_begins_with_the_preferred_one() -> None:
    assert chosen(asked("", hybrid=CONVERSES)).start is Mode.CONVERSATION
    assert chosen(asked("", hybrid=CONVERSES)).reasons[1] == "it begins as conversation: conversations are preferred"


@pytest.mark.parametrize("confidence", [0.0, 0.69])
def test_what_is_less_sure_than_the_threshold_people_say_first(confidence: float) -> None:
    selection = chosen(asked(CLEAR, confidence=confidence))
    assert (selection.paradigm, selection.start) == (CONVERSATION, Mode.CONVERSATION)
    assert selection.reasons == (f"what it is like is sure to {confidence:.2f} only, less than 0.7: people say first",)
    assert [(one.paradigm, one.suits) for one in selection.considered] == [(WORKFLOW, True), (HYBRID, False)]


def test_what_is_as_sure_as_the_threshold_is_sure() -> None:
    assert chosen(asked(CLEAR, confidence=0.7)).paradigm is WORKFLOW
    assert chosen(asked(CLEAR, confidence=0, hybrid=HybridSettings(conversation_threshold=0))).paradigm is WORKFLOW


def test_with_nobody_to_talk_to_an_unsure_task_is_gone_about_as_it_seems() -> None:
    assert chosen(asked(CLEAR, confidence=0.1, people=False)).paradigm is WORKFLOW


@pytest.mark.parametrize("default", [WORKFLOW, CONVERSATION, HYBRID])
def test_where_nothing_speaks_for_one_the_configured_default_is_taken(default: Paradigm) -> None:
    selection = chosen(asked("", default=default))
    assert selection.paradigm is default
    assert selection.reasons == (
        "nothing speaks for one paradigm alone",
        f"'{default}' is the configured default",
    )


@pytest.mark.parametrize("default", [WORKFLOW, CONVERSATION, HYBRID])
def test_the_default_does_not_hold_where_something_speaks_for_one(default: Paradigm) -> None:
    assert chosen(asked(CLEAR, default=default)).paradigm is WORKFLOW


@pytest.mark.parametrize(
    ("default", "workflow", "people"),
    [(WORKFLOW, False, True), (CONVERSATION, True, False), (HYBRID, True, False), (HYBRID, False, True)],
)
def test_a_default_that_can_t_be_done_is_passed_over(default: Paradigm, workflow: bool, people: bool) -> None:
    assert chosen(asked("", default=default, workflow=workflow, people=people)).paradigm is ADAPTIVE


@pytest.mark.parametrize(
    ("workflow", "people", "paradigm"),
    [(True, True, WORKFLOW), (False, True, CONVERSATION), (True, False, WORKFLOW)],
)
def test_where_runs_may_not_switch_by_themselves_what_would_adapt_is_the_best_guess(
    workflow: bool, people: bool, paradigm: Paradigm
) -> None:
    still = HybridSettings(auto_switch=False)
    selection = chosen(asked("", workflow=workflow, people=people, hybrid=still))
    assert selection.paradigm is paradigm
    assert selection.reasons[-1] == "runs may not switch by themselves"


# What was asked for


@pytest.mark.parametrize("wanted", [WORKFLOW, CONVERSATION, HYBRID])
def test_what_is_asked_for_is_taken_whatever_the_task_is_like(wanted: Paradigm) -> None:
    for holding in (CLEAR, "emergent", "structured_phases flexible", ""):
        selection = chosen(asked(holding, wanted=wanted, confidence=0.1))
        assert (selection.paradigm, selection.reasons) == (wanted, ("it was asked for",))


def test_what_is_asked_to_adapt_adapts() -> None:
    assert chosen(asked(CLEAR, wanted=ADAPTIVE)).paradigm is ADAPTIVE


@pytest.mark.parametrize(
    ("wanted", "workflow", "people", "lacking"),
    [
        (WORKFLOW, False, True, "there is no workflow for it"),
        (HYBRID, False, True, "there is no workflow for it"),
        (CONVERSATION, True, False, "there is nobody to talk to"),
    ],
)
def test_what_is_asked_for_and_can_t_be_done_is_refused(
    wanted: Paradigm, workflow: bool, people: bool, lacking: str
) -> None:
    assert refused(asked(CLEAR, wanted=wanted, workflow=workflow, people=people)) == Refusal(
        ErrorType.MISSING_CONTEXT, f"paradigm: it can't be '{wanted}': {lacking}"
    )


@pytest.mark.parametrize(
    ("request_", "basis"),
    [
        (asked(wanted=WORKFLOW), Basis.ASKED),
        (asked(wanted=ADAPTIVE), Basis.ASKED),
        (asked(CLEAR), Basis.TRAITS),
        (asked(CLEAR, confidence=0.1), Basis.UNSURE),
        (asked(default=HYBRID), Basis.DEFAULT),
        (asked(), Basis.PREFERENCE),
        (asked(hybrid=HybridSettings(auto_switch=False)), Basis.PREFERENCE),
    ],
)
def test_a_choice_says_what_it_was_made_by(request_: SelectionRequest, basis: Basis) -> None:
    assert chosen(request_).basis is basis

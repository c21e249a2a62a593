"""A review ends when enough people who may have approved the commit, and at once when somebody doesn't want it so."""

import pytest
from pydantic import JsonValue

from signals.conversation import Ended, StopReason
from signals.messages import Disposition, Leave, Propose, Vote
from signals.participants import Kind, Participant, Permission
from signals.project import Pipeline
from tests.unit.conversation.talk import Talk, person
from tests.unit.pipeline.records import APPROVE, CHANGES, HASH, REJECT, REPLACED
from workflows.pipeline.policy import Approvals, review_fault, reviewers

OTHER: JsonValue = {"verdict": "approve", "commit": "2" * 40}

SPEAK = (Permission.SPEAK,)


def talk(count: int = 1) -> Talk:
    """Ann wrote it; Dana, Ed and Flo review."""
    return Talk(
        person("ann", *SPEAK, role="author"),
        *(person(name, *SPEAK, role="reviewer") for name in ("dana", "ed", "flo")),
        person("gus", *SPEAK, role="guest"),
        Participant(id="bot", kind=Kind.AI, role="reviewer"),
        emergence=(Approvals(count=count, roles=("reviewer", "author"), commit=HASH),),
        coordination={"kind": "free_form"},
    )


def ended(conversation: Talk) -> Ended | None:
    return conversation.state.ended


def propose(conversation: Talk, speaker: str, outcome: JsonValue) -> None:
    assert conversation.send(Propose(speaker=speaker, outcome=outcome)) == Disposition.RECORDED


def test_enough_approvals_end_it_however_they_are_given() -> None:
    conversation = talk(count=3)
    propose(conversation, "dana", APPROVE)
    propose(conversation, "ed", APPROVE)
    assert ended(conversation) is None
    conversation.send(Vote(speaker="flo", proposal=1, approve=True))
    end = ended(conversation)
    assert end is not None
    assert (end.stop, end.outcome, set(end.decided_by)) == (StopReason.QUORUM, APPROVE, {"dana", "ed", "flo"})
    assert len(end.evidence) == 3


@pytest.mark.parametrize("speaker", ["ann", "gus"])
def test_the_author_and_who_doesn_t_review_can_t_approve(speaker: str) -> None:
    conversation = talk()
    propose(conversation, speaker, APPROVE)
    assert ended(conversation) is None
    conversation.send(Vote(speaker="ed", proposal=1, approve=True))
    end = ended(conversation)
    assert end is not None
    assert end.decided_by == ("ed",)


def test_one_reviewer_counts_once() -> None:
    conversation = talk(count=2)
    propose(conversation, "dana", APPROVE)
    propose(conversation, "dana", APPROVE)
    assert ended(conversation) is None


def test_an_approval_of_another_commit_counts_for_nothing() -> None:
    conversation = talk()
    propose(conversation, "dana", OTHER)
    assert ended(conversation) is None


def test_an_approval_goes_with_who_gave_it() -> None:
    conversation = talk(count=2)
    propose(conversation, "dana", APPROVE)
    conversation.send(Leave(speaker="dana"))
    propose(conversation, "ed", APPROVE)
    assert ended(conversation) is None


@pytest.mark.parametrize("outcome", [CHANGES, REJECT, REPLACED])
def test_one_reviewer_is_enough_to_turn_it_down(outcome: JsonValue) -> None:
    conversation = talk(count=3)
    propose(conversation, "dana", APPROVE)
    propose(conversation, "ed", outcome)
    end = ended(conversation)
    assert end is not None
    assert (end.stop, end.outcome, end.decided_by) == (StopReason.DECISION, outcome, ("ed",))


def test_the_author_may_bring_another_commit_but_not_ask_for_changes_or_reject() -> None:
    conversation = talk()
    propose(conversation, "ann", CHANGES)
    propose(conversation, "ann", REJECT)
    assert ended(conversation) is None
    propose(conversation, "ann", REPLACED)
    end = ended(conversation)
    assert end is not None
    assert end.outcome == REPLACED


def test_a_guest_can_t_turn_it_down() -> None:
    conversation = talk()
    for outcome in (CHANGES, REJECT, REPLACED):
        propose(conversation, "gus", outcome)
    assert ended(conversation) is None


def test_it_needs_enough_people_who_may_approve() -> None:
    with pytest.raises(ValueError, match="count: 4 are more than the 3 who may approve"):
        talk(count=4)


TESTED = {"test": {"command": ["true"]}}


def pipeline(**more: object) -> Pipeline:
    return Pipeline.model_validate({**TESTED, **more})


def test_the_lead_and_who_is_named_review_but_never_the_author() -> None:
    named = pipeline(lead="dana", review={"reviewers": ["ann", "ed"]})
    assert reviewers(named, "ann") == (("ed", "reviewer"), ("dana", "lead"))
    assert reviewers(pipeline(lead="ann"), "ann") == ()
    assert reviewers(pipeline(lead="dana", review={"roles": ["reviewer"], "reviewers": ["ed"]}), "ann") == (
        ("ed", "reviewer"),
    )


def test_a_review_that_nobody_can_give_is_known_before() -> None:
    assert review_fault(pipeline(lead="dana"), "ann", ()) is None
    assert review_fault(pipeline(review={"approvals": 0}), "ann", ()) is None
    assert review_fault(pipeline(), "ann", (person("flo", *SPEAK, role="reviewer"),)) is None
    fault = review_fault(pipeline(lead="ann"), "ann", (person("ann", *SPEAK, role="reviewer"),))
    assert fault is not None
    assert "of those who are named, beside the author, 0 may" in fault

import pytest

from signals.conversation import MessageKind, StopReason
from signals.errors import ErrorType
from signals.messages import Disposition, Vote
from signals.participants import Permission
from tests.unit.conversation.talk import Talk, ai, person
from workflows.conversation.bounds import Guests
from workflows.conversation.emergence import Consensus, Decision
from workflows.conversation.state import MAX_OPEN_PROPOSALS

ALICE, BOB, CAROL = person("alice"), person("bob"), person("carol")
JUDGE = person("judge", Permission.SPEAK, Permission.DECIDE, role="agent")


# Proposals and votes


def test_a_proposal_is_recorded_as_a_message_with_its_number() -> None:
    talk = Talk(ALICE, BOB)
    talk.propose("alice", {"food": "pizza"}, "everybody likes it")
    message = talk.state.messages[-1]
    assert (message.kind, message.proposal) == (MessageKind.PROPOSAL, 1)
    assert message.text == "proposes outcome 1: everybody likes it"


def test_a_proposal_without_a_comment_says_what_it_is() -> None:
    talk = Talk(ALICE, BOB)
    talk.propose("alice", "pizza")
    assert talk.said == ["alice: proposes outcome 1"]


def test_who_proposes_approves() -> None:
    talk = Talk(ALICE, BOB)
    talk.propose("alice", "pizza")
    assert talk.state.proposals[0].approved_by == {"alice": 1}


def test_proposals_are_numbered_and_all_stay_open() -> None:
    talk = Talk(ALICE, BOB)
    talk.propose("alice", "pizza")
    talk.propose("bob", "soup")
    assert [(proposal.number, proposal.outcome) for proposal in talk.state.proposals] == [(1, "pizza"), (2, "soup")]


def test_of_many_proposals_the_latest_stay_open() -> None:
    talk = Talk(ALICE, BOB)
    for number in range(MAX_OPEN_PROPOSALS + 2):
        talk.propose("alice", number)
    assert [proposal.number for proposal in talk.state.proposals] == list(range(3, MAX_OPEN_PROPOSALS + 3))
    assert talk.vote("bob", 2) is ErrorType.INVALID_INPUT


@pytest.mark.parametrize(
    ("approve", "text"), [(True, "approves proposal 1"), (False, "refuses proposal 1")], ids=["yes", "no"]
)
def test_a_vote_is_recorded_as_a_message(approve: bool, text: str) -> None:
    talk = Talk(ALICE, BOB, CAROL)
    talk.propose("alice", "pizza")
    assert talk.vote("bob", 1, approve) is Disposition.RECORDED
    message = talk.state.messages[-1]
    assert (message.kind, message.speaker, message.text, message.proposal) == (MessageKind.VOTE, "bob", text, 1)


def test_a_vote_with_a_comment_says_what_it_is_too() -> None:
    talk = Talk(ALICE, BOB, CAROL)
    talk.propose("alice", "pizza")
    talk.send(Vote(speaker="bob", proposal=1, approve=False, comment="too greasy"))
    assert talk.said[-1] == "bob: refuses proposal 1: too greasy"


def test_the_same_vote_again_is_a_duplicate_and_answers_the_first_ones_number() -> None:
    talk = Talk(ALICE, BOB, CAROL)
    talk.propose("alice", "pizza")
    talk.vote("bob", 1, approve=False)
    talk.vote("carol", 1, approve=False)
    assert talk.vote("bob", 1, approve=False) is Disposition.DUPLICATE
    assert talk.answer.seq == 2


def test_a_vote_may_be_changed() -> None:
    talk = Talk(ALICE, BOB, CAROL)
    talk.propose("alice", "pizza")
    talk.vote("bob", 1, approve=False)
    assert talk.vote("bob", 1) is Disposition.RECORDED
    assert talk.state.proposals[0].approved_by == {"alice": 1, "bob": 3}
    assert talk.state.proposals[0].refused_by == {}


def test_who_proposed_may_change_their_mind() -> None:
    talk = Talk(ALICE, BOB)
    talk.propose("alice", "pizza")
    talk.vote("alice", 1, approve=False)
    talk.vote("bob", 1)
    assert talk.state.ended is None


# Decision


def test_a_proposal_by_who_may_decide_is_a_decision() -> None:
    talk = Talk(ALICE, JUDGE, emergence=(Decision(),))
    talk.propose("judge", {"food": "pizza"})
    end = talk.ended
    assert (end.stop, end.outcome, end.decided_by) == (StopReason.DECISION, {"food": "pizza"}, ("judge",))
    assert (end.reason, end.evidence) == ("proposal 1 was decided (judge)", (1,))


def test_the_approval_of_who_may_decide_is_a_decision() -> None:
    talk = Talk(ALICE, JUDGE, emergence=(Decision(),))
    talk.propose("alice", "pizza")
    assert talk.state.ended is None
    talk.vote("judge", 1)
    assert (talk.ended.outcome, talk.ended.decided_by, talk.ended.evidence) == ("pizza", ("judge",), (1, 2))


def test_the_refusal_of_who_may_decide_decides_nothing() -> None:
    talk = Talk(ALICE, JUDGE, emergence=(Decision(),))
    talk.propose("alice", "pizza")
    talk.vote("judge", 1, approve=False)
    assert talk.state.ended is None


def test_only_the_roles_that_are_named_decide() -> None:
    boss = person("boss", Permission.SPEAK, Permission.DECIDE, role="manager")
    talk = Talk(boss, JUDGE, emergence=(Decision(roles=("agent",)),))
    talk.propose("boss", "pizza")
    assert talk.state.ended is None
    talk.vote("judge", 1)
    assert talk.ended.decided_by == ("judge",)


def test_the_role_alone_decides_nothing() -> None:
    talk = Talk(person("agent", role="agent"), JUDGE, emergence=(Decision(roles=("agent",)),))
    talk.propose("agent", "pizza")
    assert talk.state.ended is None


def test_nothing_may_be_decided_that_the_schema_refuses() -> None:
    talk = Talk(JUDGE, emergence=(Decision(),), outcome={"enum": ["pizza", "soup"]})
    assert talk.propose("judge", "cake") is ErrorType.OUTCOME_INVALID
    assert talk.state.ended is None
    assert talk.state.proposals == []


def test_null_can_be_decided() -> None:
    talk = Talk(JUDGE, emergence=(Decision(),))
    talk.propose("judge", None)
    assert (talk.ended.stop, talk.ended.outcome) == (StopReason.DECISION, None)


# Consensus


def test_a_proposal_that_all_the_people_approve_is_agreed() -> None:
    talk = Talk(ALICE, BOB, CAROL)
    talk.propose("alice", "pizza")
    talk.vote("bob", 1)
    assert talk.state.ended is None
    talk.vote("carol", 1)
    end = talk.ended
    assert (end.stop, end.outcome, end.decided_by) == (StopReason.CONSENSUS, "pizza", ("alice", "bob", "carol"))
    assert end.reason == "proposal 1 was agreed by all (alice, bob, carol)"
    assert end.evidence == (1, 2, 3)


def test_a_refusal_prevents_consensus() -> None:
    talk = Talk(ALICE, BOB)
    talk.propose("alice", "pizza")
    talk.vote("bob", 1, approve=False)
    assert talk.state.ended is None


def test_consensus_is_about_one_and_the_same_proposal() -> None:
    talk = Talk(ALICE, BOB)
    talk.propose("alice", "pizza")
    talk.propose("bob", "soup")
    assert talk.state.ended is None
    talk.vote("alice", 2)
    assert talk.ended.outcome == "soup"


def test_consensus_of_people_does_not_wait_for_ai_participants() -> None:
    talk = Talk(ALICE, ai("robot"))
    talk.propose("alice", "pizza")
    assert talk.ended.decided_by == ("alice",)


def test_consensus_of_everybody_waits_for_ai_participants() -> None:
    talk = Talk(ALICE, ai("robot"), emergence=(Consensus(of="everybody"),))
    talk.propose("alice", "pizza")
    assert talk.state.ended is None
    talk.vote("robot", 1)
    assert talk.ended.decided_by == ("alice", "robot")


def test_consensus_does_not_wait_for_who_may_not_speak() -> None:
    talk = Talk(ALICE, person("walter", Permission.MODERATE))
    talk.propose("alice", "pizza")
    assert talk.ended.stop is StopReason.CONSENSUS


def test_consensus_is_there_once_the_only_one_against_it_leaves() -> None:
    talk = Talk(ALICE, BOB)
    talk.propose("alice", "pizza")
    talk.leave("bob")
    assert talk.ended.stop is StopReason.CONSENSUS


def test_consensus_waits_for_who_joined_meanwhile() -> None:
    talk = Talk(ALICE, BOB)
    talk.propose("alice", "pizza")
    talk.join(CAROL)
    talk.vote("bob", 1)
    assert talk.state.ended is None
    talk.vote("carol", 1)
    assert talk.ended.stop is StopReason.CONSENSUS


def test_a_guest_who_may_decide_decides() -> None:
    guests = Guests(can=(Permission.SPEAK, Permission.DECIDE))
    talk = Talk(JUDGE, emergence=(Decision(),), guests=guests)
    talk.join(person("carol", Permission.SPEAK, Permission.DECIDE))
    talk.propose("carol", "pizza")
    assert talk.ended.decided_by == ("carol",)

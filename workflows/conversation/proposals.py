"""Outcomes put forward, and the votes on them."""

from signals.conversation import MessageKind, Proposal
from signals.errors import ErrorType, Refusal
from signals.messages import Answer, Disposition, Propose, Vote
from workflows.conversation.change import Change
from workflows.conversation.outcomes import outcome_fault
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import MAX_OPEN_PROPOSALS, ConversationState


def check_proposal(setup: ConversationSetup, state: ConversationState, message: Propose | Vote) -> Refusal | None:
    """Say why an outcome can't be proposed, or a vote not be given; nothing if it can."""
    if isinstance(message, Propose):
        if fault := outcome_fault(setup.outcome, message.outcome):
            return Refusal(ErrorType.OUTCOME_INVALID, f"{fault}; mend it and propose again")
    elif all(proposal.number != message.proposal for proposal in state.proposals):
        numbers = ", ".join(str(proposal.number) for proposal in state.proposals) or "none"
        return Refusal(ErrorType.INVALID_INPUT, f"there is no proposal {message.proposal}; open are: {numbers}")
    return None


def take(change: Change, message: Propose | Vote) -> Answer:
    """Put an outcome forward, or vote on one."""
    return _propose(change, message) if isinstance(message, Propose) else _vote(change, message)


def _propose(change: Change, message: Propose) -> Answer:
    """Put an outcome forward; whoever does approves it."""
    state = change.state
    state.proposal_count += 1
    state.proposed = state.turns
    number = state.proposal_count
    text = _with(f"proposes outcome {number}", message.comment)
    seq = change.record(MessageKind.PROPOSAL, text, message.speaker, proposal=number)
    proposal = Proposal(
        number=number, seq=seq, speaker=message.speaker, outcome=message.outcome, approved_by={message.speaker: seq}
    )
    state.proposals = [*state.proposals, proposal][-MAX_OPEN_PROPOSALS:]
    return Answer(disposition=Disposition.RECORDED, seq=seq)


def _vote(change: Change, message: Vote) -> Answer:
    """Approve or refuse a proposal; the same vote again changes nothing, another one takes its place."""
    proposals = change.state.proposals
    index = next(i for i, proposal in enumerate(proposals) if proposal.number == message.proposal)
    proposal, name = proposals[index], message.speaker
    same = proposal.approved_by if message.approve else proposal.refused_by
    if name in same:
        return Answer(disposition=Disposition.DUPLICATE, seq=same[name])
    text = _with(f"{'approves' if message.approve else 'refuses'} proposal {message.proposal}", message.comment)
    seq = change.record(MessageKind.VOTE, text, name, proposal=message.proposal)
    approved = {who: at for who, at in proposal.approved_by.items() if who != name}
    refused = {who: at for who, at in proposal.refused_by.items() if who != name}
    (approved if message.approve else refused)[name] = seq
    proposals[index] = proposal.model_copy(update={"approved_by": approved, "refused_by": refused})
    return Answer(disposition=Disposition.RECORDED, seq=seq)


def _with(what: str, comment: str | None) -> str:
    return f"{what}: {comment}" if comment else what

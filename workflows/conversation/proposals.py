"""Outcomes put forward, and the votes on them."""

from signals.conversation import MessageKind, Proposal
from signals.messages import Answer, Disposition, Propose, Vote
from workflows.conversation.change import Change
from workflows.conversation.state import MAX_OPEN_PROPOSALS


def take(change: Change, message: Propose | Vote) -> Answer:
    """Put an outcome forward, or vote on one."""
    return _propose(change, message) if isinstance(message, Propose) else _vote(change, message)


def _propose(change: Change, message: Propose) -> Answer:
    """Put an outcome forward; whoever does approves it."""
    state = change.state
    state.proposal_count += 1
    state.proposed = state.turns
    number = state.proposal_count
    text = message.comment or f"proposes outcome {number}"
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
    text = message.comment or ("approves" if message.approve else "refuses") + f" proposal {message.proposal}"
    seq = change.record(MessageKind.VOTE, text, name, proposal=message.proposal)
    approved = {who: at for who, at in proposal.approved_by.items() if who != name}
    refused = {who: at for who, at in proposal.refused_by.items() if who != name}
    (approved if message.approve else refused)[name] = seq
    proposals[index] = proposal.model_copy(update={"approved_by": approved, "refused_by": refused})
    return Answer(disposition=Disposition.RECORDED, seq=seq)

"""Who takes part: joining, leaving, and the topics that somebody is given."""

from signals.messages import Answer, Disposition, Join, Leave, Subscribe
from signals.participants import Participant
from workflows.conversation.change import Change
from workflows.conversation.gathering import take_answer
from workflows.conversation.invoked import under_way
from workflows.conversation.roster import MAX_ABSENT
from workflows.conversation.signatures import forget_signatures


def take(change: Change, message: Join | Leave | Subscribe) -> Answer:
    """Take a message about who takes part in what."""
    match message:
        case Join(participant=participant):
            return _join(change, participant)
        case Leave():
            return _leave(change, message)
        case Subscribe():
            return _subscribe(change, message)


def _join(change: Change, participant: Participant) -> Answer:
    members = change.state.members
    known = members.get(participant.id)
    if known is not None and known.present:
        return Answer(disposition=Disposition.DUPLICATE)
    if known is None and len(members) >= change.setup.constraints.participant_limit + MAX_ABSENT:
        asking = {one.speaker for one in under_way(change.state)}
        _forget(change, next(name for name, one in members.items() if not one.present and name not in asking))
    change.state.admit(participant)
    seq = change.say(f"{participant.label} ({participant.role}) joined")
    return Answer(disposition=Disposition.RECORDED, seq=seq)


def part_from(change: Change, name: str) -> None:
    """Have somebody take part no longer; what they said out of turn is recorded first, for it was accepted."""
    state = change.state
    held = [turn for turn in state.held if turn.speaker == name]
    state.held = [turn for turn in state.held if turn.speaker != name]
    for turn in held:
        change.record_turn(turn)
        take_answer(change, turn)
    state.dismiss(name)
    change.cancel_reply(name)


def _leave(change: Change, message: Leave) -> Answer:
    part_from(change, message.speaker)
    reason = f": {message.reason}" if message.reason else ""
    return Answer(disposition=Disposition.RECORDED, seq=change.say(f"{change.label(message.speaker)} left{reason}"))


def _subscribe(change: Change, message: Subscribe) -> Answer:
    name, topics = message.speaker, tuple(dict.fromkeys(message.topics))
    if change.state.subscriptions.get(name) == topics:
        return Answer(disposition=Disposition.DUPLICATE)
    change.state.subscriptions[name] = topics
    seq = change.say(f"{change.label(name)} follows {', '.join(topics) or 'no topics'}")
    return Answer(disposition=Disposition.RECORDED, seq=seq)


def _forget(change: Change, name: str) -> None:
    """Drop all that is known of somebody who left, so that a namesake has no part in it."""
    state = change.state
    forget_signatures(state, state.members[name], change.now)
    state.forget(name)
    state.subscriptions.pop(name, None)
    state.proposals = [
        proposal.model_copy(
            update={
                "approved_by": {who: seq for who, seq in proposal.approved_by.items() if who != name},
                "refused_by": {who: seq for who, seq in proposal.refused_by.items() if who != name},
            }
        )
        for proposal in state.proposals
    ]

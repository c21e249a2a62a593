"""Admission: whether a message is accepted. A pure look at the state; nothing is changed."""

from signals.errors import ErrorType, Refusal
from signals.messages import Close, Grant, Interrupt, Invoke, Join, Leave, Message, Propose, Subscribe, Turn, Vote
from signals.participants import Permission
from workflows.conversation.bounds import OutOfTurn
from workflows.conversation.floor import check_grant, must_wait
from workflows.conversation.invocations import check_invoke
from workflows.conversation.proposals import check_proposal
from workflows.conversation.roster import Member
from workflows.conversation.routing import ByTopic
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import MAX_HELD, MAX_HELD_BYTES, ConversationState, digest, json_size


def check(setup: ConversationSetup, state: ConversationState, message: Message) -> Refusal | None:
    """Say why a message can't be accepted now; nothing if it can."""
    if isinstance(message, Turn | Invoke) and digest(message) in state.seen:
        return None  # a duplicate changes nothing, even after the end
    if state.ended is not None:
        return Refusal(ErrorType.CONVERSATION_CLOSED, f"the conversation has ended: {state.ended.reason}")
    if isinstance(message, Join):
        return _check_join(setup, state, message)
    member = state.members.get(message.sender)
    if member is None or not member.present:
        what = "is not a participant" if member is None else "has left"
        return Refusal(ErrorType.NOT_A_PARTICIPANT, f"{message.sender!r} {what}; send 'join' first")
    return _check_permission(member, message) or _check_content(setup, state, message)


def _check_content(setup: ConversationSetup, state: ConversationState, message: Message) -> Refusal | None:
    match message:
        case Turn():
            return _check_turn(setup, state, message)
        case Interrupt():
            if not state.replying and state.busy is None:
                return Refusal(ErrorType.INVALID_INPUT, "no AI participant is replying now")
        case Invoke():
            return check_invoke(setup, state, message)
        case Grant():
            return check_grant(state, message)
        case Subscribe() if not isinstance(setup.routing, ByTopic):
            return Refusal(ErrorType.INVALID_INPUT, f"turns don't go by topic here, but by {setup.routing.kind!r}")
        case Propose() | Vote():
            return check_proposal(setup, state, message)
    return None


def _check_permission(member: Member, message: Message) -> Refusal | None:
    match message:
        case Interrupt() | Close() | Grant():
            needed = Permission.MODERATE
        case Invoke():
            needed = Permission.INVOKE
        case Leave() | Subscribe():
            return None
        case _:
            needed = Permission.SPEAK
    if member.participant.may(needed):
        return None
    return Refusal(
        ErrorType.NOT_PERMITTED, f"{message.sender!r} needs the permission '{needed}' to send '{message.signal}'"
    )


def _check_turn(setup: ConversationSetup, state: ConversationState, turn: Turn) -> Refusal | None:
    unknown = [name for name in turn.to if name not in state.members]
    if unknown:
        return Refusal(ErrorType.INVALID_INPUT, f"to: {unknown[0]!r} is not a participant")
    if turn.in_reply_to is not None and turn.in_reply_to > state.seq:
        return Refusal(ErrorType.INVALID_INPUT, f"in_reply_to: there is no message {turn.in_reply_to} yet")
    if not must_wait(setup, state, turn.speaker):
        return None
    floor = _whose_turn(state)
    if setup.out_of_turn is OutOfTurn.REFUSE:
        return Refusal(ErrorType.NOT_YOUR_TURN, f"{floor}; wait for yours")
    if len(state.held) >= MAX_HELD or sum(map(json_size, [*state.held, turn])) > MAX_HELD_BYTES:
        return Refusal(ErrorType.NOT_YOUR_TURN, f"{floor}, and too many turns are held already; send it again later")
    return None


def _whose_turn(state: ConversationState) -> str:
    if state.busy is not None:
        return f"the conversation waits for {state.busy.fragment}"
    names = [state.floor] if state.floor is not None else list(state.offered)
    if not names:
        return "nobody may speak now"
    return f"it is the turn of {' or '.join(map(repr, names))}" if len(names) > 1 else f"it is {names[0]!r}'s turn"


def _check_join(setup: ConversationSetup, state: ConversationState, message: Join) -> Refusal | None:
    participant = message.participant
    known = state.members.get(participant.id)
    if known is not None and known.present:
        if known.participant == participant:
            return None  # a duplicate
        return Refusal(ErrorType.INVALID_INPUT, f"{participant.id!r} takes part already; choose another id")
    if len(state.present) >= setup.constraints.participant_limit:
        limit = setup.constraints.participant_limit
        return Refusal(ErrorType.PARTICIPANT_LIMIT, f"{limit} participants, the most allowed, are here already")
    if known is not None:
        if known.participant == participant:
            return None  # back again, with what they could do before
        return Refusal(ErrorType.NOT_PERMITTED, f"{participant.id!r} was here before, as somebody else")
    return _check_guest(setup, message)


def _check_guest(setup: ConversationSetup, message: Join) -> Refusal | None:
    guests, participant = setup.guests, message.participant
    if guests is None:
        return Refusal(ErrorType.NOT_PERMITTED, "nobody may join uninvited (the setup's 'guests' is null)")
    if participant.kind not in guests.kinds:
        return Refusal(ErrorType.NOT_PERMITTED, f"guests of kind '{participant.kind}' may not join")
    too_much = [permission for permission in participant.can if permission not in guests.can]
    if too_much:
        return Refusal(ErrorType.NOT_PERMITTED, f"a guest may not have the permission '{too_much[0]}'")
    return None

"""What a fragment is given: what is missing is asked for in the conversation, and the answer goes on with it."""

from collections.abc import Mapping

from pydantic import JsonValue

from signals.conversation import Invocation, InvocationStatus, MessageKind
from signals.fragments import Bound, FragmentOffer
from signals.messages import InvocationMode, Turn
from signals.names import fragment_id
from signals.participants import Permission
from workflows.conversation.change import Change
from workflows.conversation.context import misfit, read, told, whole_misfit
from workflows.conversation.events import RunFragment
from workflows.conversation.invoked import (
    MAX_ARGUMENTS_BYTES,
    asking,
    call_back,
    give_up,
    let_go,
    size_of,
    tell,
    under_way,
    update,
)
from workflows.conversation.offers import Gathered, bound_fault, gather, known_to, offered
from workflows.conversation.roster import Member
from workflows.conversation.state import ConversationState


def go_on(change: Change, offer: FragmentOffer, invocation: Invocation, given: Mapping[str, JsonValue]) -> None:
    """Run a fragment if all is known that it needs, or ask for what isn't.

    Args:
        change: What is happening.
        offer: The fragment.
        invocation: What was asked for.
        given: What was given for it so far; it fits.
    """
    state, before = change.state, invocation.missing
    gathered = _gathered(change, offer, invocation, given)
    invocation = update(state, invocation, arguments=gathered.arguments, missing=gathered.missing)
    if gathered.missing:
        got = ", ".join(name for name in before if name not in gathered.missing)
        _ask(change, offer, invocation, f"{offer.name} has {got}; it still" if got else offer.name)
    elif fault := gathered.lacking or whole_misfit(offer.context, gathered.arguments):
        give_up(change, invocation, fault)
    else:
        if before:
            tell(change, invocation, f"{offer.name} has all that it needs")
        _run(change, offer, invocation)


def _run(change: Change, offer: FragmentOffer, invocation: Invocation) -> None:
    state = change.state
    where = fragment_id(state.conversation, offer.name, invocation.number)
    invocation = update(state, invocation, status=InvocationStatus.RUNNING, workflow_id=where)
    change.effects.append(RunFragment(invocation, offer))
    match invocation.mode:
        case InvocationMode.SYNCHRONOUS:
            call_back(state, *state.requests[invocation.number].by)  # so that it keeps the floor meanwhile
            # Who replies now would not know what it gives; they are asked again when it is done.
            for name in list(state.replying):
                change.cancel_reply(name)
                state.members[name].unheard = True
        case InvocationMode.DETACHED:
            let_go(state, invocation, InvocationStatus.DETACHED)


def _gathered(change: Change, offer: FragmentOffer, invocation: Invocation, given: Mapping[str, JsonValue]) -> Gathered:
    asker = invocation.speaker
    known = known_to(change.setup, change.state, asker)
    return gather(offer, known, change.state.members[asker].participant, given)


def given_of(offer: FragmentOffer, invocation: Invocation) -> dict[str, JsonValue]:
    """What is known for an invocation that isn't bound."""
    return {name: value for name, value in invocation.arguments.items() if name not in offer.bound}


# Answers


def take_answer(change: Change, turn: Turn) -> None:
    """Take what a turn says for what a fragment still needs, where it answers that question."""
    state = change.state
    invocation = _asked_in(state, turn.in_reply_to) if turn.in_reply_to is not None else None
    offer = offered(change.setup, state).get(invocation.fragment) if invocation else None
    if invocation is None or offer is None:
        return
    asker = state.members[invocation.speaker]
    if not _may_answer(offer, asker, state.members[turn.speaker]):
        tell(change, invocation, f"Only {change.label(invocation.speaker)} can answer for {offer.name}")
        return
    said = read(offer.context, turn.text, invocation.missing)
    if fault := _fault(state, offer, invocation, turn, said):
        _say_misfit(change, invocation, turn, fault)
    else:
        go_on(change, offer, invocation, given_of(offer, invocation) | said)


def _fault(
    state: ConversationState, offer: FragmentOffer, invocation: Invocation, turn: Turn, said: Mapping[str, JsonValue]
) -> str | None:
    """Say why an answer can't be taken; nothing where it can."""
    more = next((name for name in said if name not in invocation.missing), None)
    if more is not None and turn.speaker != invocation.speaker:
        return f"{more}: only who asked for {offer.name} can change it"
    if size_of(said, *(one.arguments for one in under_way(state))) > MAX_ARGUMENTS_BYTES:
        return "it is too large"
    return bound_fault(offer, said) or misfit(offer.context, said)


def _asked_in(state: ConversationState, seq: int) -> Invocation | None:
    """The invocation that a message is about, if something is asked for it."""
    number = next((message.fragment for message in state.messages if message.seq == seq), None)
    return next((one for one in asking(state) if seq == one.seq or number == one.number), None)


def _ask(change: Change, offer: FragmentOffer, invocation: Invocation, who: str) -> None:
    missing = ", ".join(told(offer.context, name) for name in invocation.missing)
    several = "" if len(invocation.missing) == 1 else " (the first in plain text, or several as lines 'name: value')"
    text = f"{who} needs {missing}; please answer message {change.state.seq + 1}{several}"
    update(change.state, invocation, seq=tell(change, invocation, text))


def _say_misfit(change: Change, invocation: Invocation, turn: Turn, fault: str) -> None:
    # It shows what was said, so it goes to nobody else.
    given = next(message.to for message in reversed(change.state.messages) if message.speaker == turn.speaker)
    text = f"{fault}; {invocation.fragment} needs {', '.join(invocation.missing)}, please answer again"
    if not given:
        update(change.state, invocation, seq=tell(change, invocation, text))
    else:
        to = tuple(dict.fromkeys((turn.speaker, *given)))
        change.record(MessageKind.FRAGMENT, text, fragment=invocation.number, to=to)


# Who may answer


def look(change: Change) -> None:
    """Give up asking for what nobody who is here may answer any more."""
    for invocation in asking(change.state):
        offer = offered(change.setup, change.state).get(invocation.fragment)
        if offer is None or not can_be_answered(change.state, offer, change.state.members[invocation.speaker]):
            give_up(change, invocation, f"it needs {', '.join(invocation.missing)}, and nobody here may answer")


def look_again(change: Change) -> None:
    """Go on with what was asked for and has become known."""
    state = change.state
    for invocation in asking(state):
        offer = offered(change.setup, state).get(invocation.fragment)
        if offer is None:
            continue
        given = given_of(offer, invocation)
        if _gathered(change, offer, invocation, given).missing != invocation.missing:
            go_on(change, offer, invocation, given)


def can_be_answered(state: ConversationState, offer: FragmentOffer, asker: Member) -> bool:
    """Tell whether somebody is here who may say what is missing for a fragment."""
    return any(member.is_person and _can_answer(offer, asker, member) for member in state.present)


def _can_answer(offer: FragmentOffer, asker: Member, member: Member) -> bool:
    if member is asker and member.participant.may(Permission.INVOKE):
        return True  # by asking for it again
    return member.may_speak and _may_answer(offer, asker, member)


def _may_answer(offer: FragmentOffer, asker: Member, member: Member) -> bool:
    # What is done in a person's name, they alone say the particulars of.
    in_their_name = asker.is_person and Bound.PERSON in offer.bound.values()
    return member is asker or not in_their_name

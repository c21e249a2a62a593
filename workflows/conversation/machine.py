"""The conversation as a state machine: every decision, and nothing but decisions.

`open_conversation` makes a state, `apply` moves it on by one event and says what is to be done, `check`
tells beforehand whether a message would be accepted. All are synchronous functions of their arguments,
so the same events always give the same state, on a replay as in a test.

The loop is the seed's: update participants, select the next speaker, receive, route, check for emergence.
"""

from datetime import datetime, timedelta

from signals.conversation import Ended, MessageKind, Proposal, Recorded, Rejection, StopReason
from signals.errors import ErrorType, Refusal
from signals.messages import Answer, Close, Disposition, Interrupt, Join, Leave, Message, Propose, Turn, Vote
from signals.participants import Participant
from signals.wire import MAX_TEXT_BYTES
from workflows.conversation.admission import check
from workflows.conversation.emergence import emerged
from workflows.conversation.events import (
    Ask,
    CancelReply,
    Effect,
    Event,
    Misfit,
    Reaction,
    Received,
    Replied,
    ReplyFailed,
    TimePassed,
)
from workflows.conversation.routing import visible
from workflows.conversation.setup import ConversationSetup, OutOfTurn
from workflows.conversation.state import (
    HELD,
    MAX_ABSENT,
    MAX_OPEN_PROPOSALS,
    ConversationState,
    Member,
    digest,
)


def open_conversation(setup: ConversationSetup, conversation: str, at: datetime) -> tuple[ConversationState, Reaction]:
    """Begin a conversation."""
    state = ConversationState(
        conversation=conversation,
        started=at,
        last_activity=at,
        members={p.id: Member(participant=p) for p in setup.participants},
    )
    machine = _Machine(setup, state, at)
    machine.pass_floor(after=None)
    return state, machine.reaction()


def resume(state: ConversationState) -> Reaction:
    """Take up a conversation in a continued run: the replies that were under way are asked for again."""
    return Reaction(effects=tuple(Ask(speaker, ask) for speaker, ask in state.replying.items()))


def apply(setup: ConversationSetup, state: ConversationState, event: Event) -> Reaction:
    """Move a conversation on by one event.

    Args:
        setup: How it was set up.
        state: Where it stands; changed in place.
        event: What happened.

    Returns:
        What is to be done, and what became of the message if the event was one.
    """
    machine = _Machine(setup, state, event.at)
    match event:
        case Received(message=message):
            return machine.receive(message)
        case Misfit(signal=signal, speaker=speaker, reason=reason):
            return machine.reject(signal, speaker, Refusal(ErrorType.INVALID_INPUT, reason))
        case Replied() | ReplyFailed():
            machine.take_reply(event)
        case TimePassed():
            machine.settle()
    return machine.reaction()


def next_due(setup: ConversationSetup, state: ConversationState) -> datetime:
    """When the conversation ends by time alone, if nothing happens before."""
    times = [time for condition in setup.emergence if (time := condition.due(state)) is not None]
    return min([*times, state.started + timedelta(seconds=setup.constraints.timeout_seconds)])


def awaiting(state: ConversationState) -> tuple[str, ...]:
    """The people that the conversation waits for."""
    if state.ended:
        return ()
    names = state.speakers if state.floor is None else [state.floor]
    return tuple(name for name in names if state.members[name].is_person)


class _Machine:
    """One event being applied: the state, the time, and the effects so far."""

    def __init__(self, setup: ConversationSetup, state: ConversationState, now: datetime) -> None:
        self.setup = setup
        self.state = state
        self.now = now
        self.effects: list[Effect] = []

    def reaction(self, answer: Answer | None = None) -> Reaction:
        return Reaction(effects=tuple(self.effects), answer=answer)

    # Messages

    def receive(self, message: Message) -> Reaction:
        if refusal := check(self.setup, self.state, message):
            return self.reject(message.signal, message.sender, refusal)
        return self.reaction(self.accept(message))

    def reject(self, signal: str, speaker: str | None, refusal: Refusal) -> Reaction:
        rejection = Rejection(at=self.now, signal=signal, speaker=speaker, type=refusal.type, reason=refusal.reason)
        self.state.rejections = self.state.rejections.adding(rejection)
        return Reaction(rejection=rejection)

    def accept(self, message: Message) -> Answer:
        match message:
            case Turn():
                return self.take_turn(message)
            case Join(participant=participant):
                return self.join(participant)
            case Leave():
                return self.leave(message)
            case Propose():
                return self.propose(message)
            case Vote():
                return self.vote(message)
            case Interrupt(speaker=speaker):
                return self.interrupt(speaker)
            case Close(speaker=speaker, reason=reason):
                seq = self.say(f"{self.label(speaker)} closed the conversation" + (f": {reason}" if reason else ""))
                why = reason or f"closed by {speaker}"
                self.end(Ended(stop=StopReason.CLOSED, at=self.now, reason=why, decided_by=(speaker,), evidence=(seq,)))
                return Answer(disposition=Disposition.RECORDED, seq=seq)

    def take_turn(self, turn: Turn) -> Answer:
        key = digest(turn)
        if key is not None and key in self.state.seen:
            return Answer(disposition=Disposition.DUPLICATE, seq=self.state.seen[key] or None)
        if self.must_wait(turn.speaker):
            self.state.held.append(turn)
            if key is not None:
                self.state.seen[key] = HELD
            return Answer(disposition=Disposition.HELD)
        seq = self.record_turn(turn)
        self.settle(spoke=turn.speaker)
        return Answer(disposition=Disposition.RECORDED, seq=seq)

    def must_wait(self, speaker: str) -> bool:
        if self.setup.out_of_turn is OutOfTurn.ACCEPT:
            return False
        return not self.setup.coordination.may_speak(self.state, speaker)

    def join(self, participant: Participant) -> Answer:
        members = self.state.members
        if participant.id in members and members[participant.id].present:
            return Answer(disposition=Disposition.DUPLICATE)
        if participant.id not in members and len(members) >= self.setup.constraints.participant_limit + MAX_ABSENT:
            self.forget(next(name for name, member in members.items() if not member.present))
        if participant.id in members:
            members[participant.id].present = True
        else:
            members[participant.id] = Member(participant=participant)
        seq = self.say(f"{participant.label} ({participant.role}) joined")
        self.settle()
        return Answer(disposition=Disposition.RECORDED, seq=seq)

    def forget(self, name: str) -> None:
        """Drop all that is known of somebody who left, so that a namesake has no part in it."""
        state = self.state
        del state.members[name]
        state.proposals = [
            proposal.model_copy(
                update={
                    "approved_by": {who: seq for who, seq in proposal.approved_by.items() if who != name},
                    "refused_by": {who: seq for who, seq in proposal.refused_by.items() if who != name},
                }
            )
            for proposal in state.proposals
        ]

    def leave(self, message: Leave) -> Answer:
        name = message.speaker
        seq = self.say(f"{self.label(name)} left" + (f": {message.reason}" if message.reason else ""))
        self.state.members[name].present = False
        self.cancel_reply(name)
        self.settle()
        return Answer(disposition=Disposition.RECORDED, seq=seq)

    def propose(self, message: Propose) -> Answer:
        self.state.proposal_count += 1
        number = self.state.proposal_count
        seq = self.record(
            MessageKind.PROPOSAL, message.comment or f"proposes outcome {number}", message.speaker, proposal=number
        )
        proposal = Proposal(
            number=number, seq=seq, speaker=message.speaker, outcome=message.outcome, approved_by={message.speaker: seq}
        )
        self.state.proposals = [*self.state.proposals, proposal][-MAX_OPEN_PROPOSALS:]
        self.settle()
        return Answer(disposition=Disposition.RECORDED, seq=seq)

    def vote(self, message: Vote) -> Answer:
        proposals = self.state.proposals
        index = next(i for i, proposal in enumerate(proposals) if proposal.number == message.proposal)
        proposal, name = proposals[index], message.speaker
        same = proposal.approved_by if message.approve else proposal.refused_by
        if name in same:
            return Answer(disposition=Disposition.DUPLICATE, seq=same[name])
        text = message.comment or ("approves" if message.approve else "refuses") + f" proposal {message.proposal}"
        seq = self.record(MessageKind.VOTE, text, name, proposal=message.proposal)
        approved = {who: at for who, at in proposal.approved_by.items() if who != name}
        refused = {who: at for who, at in proposal.refused_by.items() if who != name}
        (approved if message.approve else refused)[name] = seq
        proposals[index] = proposal.model_copy(update={"approved_by": approved, "refused_by": refused})
        self.settle()
        return Answer(disposition=Disposition.RECORDED, seq=seq)

    def interrupt(self, speaker: str) -> Answer:
        stopped = list(self.state.replying)
        seq = self.say(f"{self.label(speaker)} interrupted {', '.join(self.label(name) for name in stopped)}")
        for name in stopped:
            self.cancel_reply(name)
            self.state.passes += 1
        self.settle(spoke=next(iter(stopped)))
        return Answer(disposition=Disposition.RECORDED, seq=seq)

    # Replies

    def take_reply(self, event: Replied | ReplyFailed) -> None:
        state, name = self.state, event.speaker
        if state.replying.get(name) != event.ask:
            return  # cancelled meanwhile
        del state.replying[name]
        member = state.members[name]
        if isinstance(event, Replied):
            state.tokens = state.tokens + event.reply.tokens
            member.failures = 0
            text = event.reply.text.strip().encode()[:MAX_TEXT_BYTES].decode(errors="ignore")
        else:
            member.failures += 1
            text = ""
            self.say(f"{self.label(name)} can't reply: {event.reason}")
        if text:
            self.record_turn(Turn(speaker=name, text=text))
        else:
            state.passes += 1
        self.settle(spoke=name)

    def cancel_reply(self, name: str) -> None:
        ask = self.state.replying.pop(name, None)
        if ask is not None:
            self.effects.append(CancelReply(name, ask))

    # Recording

    def record(
        self,
        kind: MessageKind,
        text: str,
        speaker: str | None = None,
        *,
        turn: Turn | None = None,
        proposal: int | None = None,
    ) -> int:
        state = self.state
        state.seq += 1
        if kind is not MessageKind.SYSTEM:
            state.last_activity = self.now
        message = Recorded(
            seq=state.seq,
            at=self.now,
            kind=kind,
            speaker=speaker,
            text=text,
            to=self.setup.routing.recipients(turn) if turn else (),
            in_reply_to=turn.in_reply_to if turn else None,
            id=turn.id if turn else None,
            proposal=proposal,
        )
        state.messages.append(message)
        del state.messages[: -self.setup.window]
        if speaker is not None and state.members[speaker].is_person:
            self.make_heard(message)
        return state.seq

    def record_turn(self, turn: Turn) -> int:
        state = self.state
        self.cancel_reply(turn.speaker)  # somebody else speaks for the AI participant: there is nothing left to reply
        seq = self.record(MessageKind.TURN, turn.text, turn.speaker, turn=turn)
        state.turns += 1
        member = state.members[turn.speaker]
        member.turns += 1
        state.passes = 0
        if (key := digest(turn)) is not None:
            state.seen.pop(key, None)  # to the end: the latest are remembered longest
            state.seen[key] = seq
        return seq

    def make_heard(self, message: Recorded) -> None:
        for name, member in self.state.members.items():
            if member.present and not member.is_person and visible(message, name):
                member.unheard = True

    def say(self, text: str) -> int:
        return self.record(MessageKind.SYSTEM, text)

    def label(self, name: str) -> str:
        return self.state.members[name].participant.label

    # What follows

    def settle(self, spoke: str | None = None) -> None:
        """Bring the conversation to rest: has it ended, whose turn is it, who was waiting for it, who is asked?

        Args:
            spoke: Who has just spoken, or declined to; nobody where only something else changed.
        """
        state = self.state
        while not self.has_ended():
            if state.floor is None or state.floor == spoke or not state.members[state.floor].can_speak:
                self.pass_floor(after=spoke or state.floor)
            held = next((turn for turn in state.held if self.can_be_recorded(turn)), None)
            if held is None:
                return
            state.held.remove(held)
            self.record_turn(held)
            spoke = held.speaker

    def can_be_recorded(self, held: Turn) -> bool:
        # What was accepted is not lost: the held turns of somebody who left are recorded as they leave.
        return not self.state.members[held.speaker].present or not self.must_wait(held.speaker)

    def pass_floor(self, after: str | None) -> None:
        state, coordination = self.state, self.setup.coordination
        state.floor = coordination.next_floor(state, after)
        for name in coordination.to_ask(state):
            member = state.members[name]
            if name not in state.replying and member.can_speak:
                member.unheard = False
                member.asks += 1
                state.replying[name] = member.asks
                self.effects.append(Ask(name, member.asks))

    def has_ended(self) -> bool:
        state, constraints = self.state, self.setup.constraints
        if state.ended is not None:
            return True
        end = emerged(self.setup.emergence, state, self.now)
        if end is None and self.is_deserted():
            end = self.stopped(StopReason.EVERYONE_LEFT, "everyone has left")
        if end is None and constraints.max_turns is not None and state.turns >= constraints.max_turns:
            end = self.stopped(StopReason.TURNS, f"{constraints.max_turns} turns, the most allowed, were taken")
        if end is None and self.now >= state.started + timedelta(seconds=constraints.timeout_seconds):
            end = self.stopped(StopReason.TIMEOUT, f"the time ({constraints.timeout_seconds:g} s) is up")
        if end is not None:
            self.end(end)
        return end is not None

    def is_deserted(self) -> bool:
        # AI participants don't go on among themselves once the people have left.
        people = [member for member in self.state.members.values() if member.is_person]
        return not any(member.present for member in people or self.state.members.values())

    def stopped(self, stop: StopReason, reason: str) -> Ended:
        return Ended(stop=stop, at=self.now, reason=reason, evidence=(self.state.seq,) if self.state.seq else ())

    def end(self, end: Ended) -> None:
        state = self.state
        for name in list(state.replying):
            self.cancel_reply(name)
        for turn in state.held:
            self.record_turn(turn)
        state.held = []
        state.floor = None
        state.ended = end
        self.say(f"The conversation ended: {end.reason}")

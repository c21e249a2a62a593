"""One event being applied: the state, the time, what is to be done about it, and how a message is recorded."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from signals.assistant import Purpose
from signals.conversation import Ended, MessageKind, Recorded, StopReason
from signals.messages import Turn
from signals.notices import Waiting
from signals.participants import Speaks
from workflows.conversation.coordination import CoordinationStrategy
from workflows.conversation.events import Ask, CancelReply, Consult, Effect, Tell
from workflows.conversation.routing import visible
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import Consulting, ConversationState, digest

MENTION: Final = re.compile(r"(?<![\w@])@([A-Za-z0-9][A-Za-z0-9._+-]*)")


@dataclass(slots=True)
class Change:
    """One event being applied."""

    setup: ConversationSetup
    state: ConversationState
    now: datetime
    effects: list[Effect] = field(default_factory=list)
    recorded: list[Recorded] = field(default_factory=list)
    spoke: str | None = None
    """Who has just spoken, or declined to, and so had their turn."""

    @property
    def coordination(self) -> CoordinationStrategy:
        """The way of taking turns that holds now."""
        return self.setup.coordination_in(self.state)

    def label(self, name: str) -> str:
        """The name that people read."""
        member = self.state.members.get(name)
        return member.participant.label if member else name

    # Recording

    def say(self, text: str) -> int:
        """Record a message of the conversation's own; answers its number."""
        return self.record(MessageKind.SYSTEM, text)

    def record(
        self,
        kind: MessageKind,
        text: str,
        speaker: str | None = None,
        *,
        turn: Turn | None = None,
        proposal: int | None = None,
        fragment: int | None = None,
        to: tuple[str, ...] = (),
    ) -> int:
        """Record a message; answers its number. Who is given a turn is for the routing to say, of others `to`."""
        state = self.state
        state.seq += 1
        if speaker is not None:
            state.last_activity = self.now
        message = Recorded(
            seq=state.seq,
            at=self.now,
            kind=kind,
            speaker=speaker,
            text=text,
            to=self.setup.routing.recipients(state, turn) if turn else to,
            in_reply_to=turn.in_reply_to if turn else None,
            id=turn.id if turn else None,
            proposal=proposal,
            fragment=fragment,
            topic=turn.topic if turn else None,
        )
        state.messages.append(message)
        del state.messages[: -self.setup.window]
        self.recorded.append(message)
        if speaker is not None and kind is not MessageKind.FRAGMENT:
            addressed = _addressed(state, turn) if turn else frozenset()
            if turn:
                state.called_on = tuple(name for name in state.members if name in addressed) if addressed else ()
            self._make_heard(message, addressed)
        return state.seq

    def record_turn(self, turn: Turn) -> int:
        """Record a turn; answers its number."""
        state = self.state
        member = state.members[turn.speaker]
        if turn.speaker in state.replying:
            self.cancel_reply(turn.speaker)  # somebody else speaks for the AI participant: nothing is left to reply
        if member.is_person:
            state.ai_row = 0
            state.resting = False
        seq = self.record(MessageKind.TURN, turn.text, turn.speaker, turn=turn)
        state.turns += 1
        state.passes = 0
        if state.last_speaker != turn.speaker:
            state.speaker_before, state.last_speaker = state.last_speaker, turn.speaker
        member.turns += 1
        member.last_turn = state.turns
        self.remember(digest(turn), seq)
        self.spoke = turn.speaker
        return seq

    def remember(self, key: str | None, seq: int) -> None:
        """Remember a sender's own id, so that a second message with it is known for a duplicate."""
        if key is not None:
            self.state.seen.pop(key, None)  # to the end: the latest are remembered longest
            self.state.seen[key] = seq

    def _make_heard(self, message: Recorded, addressed: frozenset[str]) -> None:
        """Have AI participants that are to react to a message do so when they are next asked."""
        state = self.state
        by_person = message.speaker is not None and state.members[message.speaker].is_person
        if not by_person and (not addressed or state.resting):
            return
        for name in state.roster.ais:
            member = state.members[name]
            if name == message.speaker or not visible(message, name):
                continue
            if name in addressed and member.participant.speaks is not Speaks.ASKED:
                member.called, member.stood_down = True, False
            if (by_person or name in addressed) and member.has_reason:
                member.unheard = True

    # AI participants

    def ask(self, name: str) -> None:
        """Have an AI participant reply, unless it is at it."""
        state = self.state
        member = state.members[name]
        if name not in state.replying and state.is_able(name):
            member.unheard = False
            member.asks += 1
            state.replying[name] = member.asks
            self.effects.append(Ask(name, member.asks))

    def cancel_reply(self, name: str) -> None:
        """Stop the reply that an AI participant is working on, if it is."""
        ask = self.state.replying.pop(name, None)
        if ask is not None:
            self.effects.append(CancelReply(name, ask))

    def consult(
        self,
        purpose: Purpose,
        question: str,
        model: str | None = None,
        candidates: tuple[str, ...] = (),
        attempts: int = 1,
    ) -> None:
        """Ask a language model something about the conversation."""
        state = self.state
        state.consultations[purpose] = state.consultations.get(purpose, 0) + 1
        number = sum(state.consultations.values())
        state.consulting[number] = Consulting(
            purpose=purpose,
            number=state.consultations[purpose],
            question=question,
            candidates=candidates,
            upto=state.seq,
            turns=state.turns,
            model=model,
            attempts=attempts,
        )
        self.effects.append(Consult(number))

    # People

    def tell(self, waiting: Waiting) -> None:
        """Tell people, outside the conversation, that they are waited for."""
        self.state.telling.append(waiting)
        self.effects.append(Tell(waiting))

    # The end

    def stopped(self, stop: StopReason, reason: str) -> Ended:
        """An end without an outcome, that the last message shows."""
        return Ended(stop=stop, at=self.now, reason=reason, evidence=(self.state.seq,) if self.state.seq else ())

    def end(self, end: Ended) -> None:
        """End the conversation."""
        state = self.state
        for name in list(state.replying):
            self.cancel_reply(name)
        for turn in state.held:
            self.record_turn(turn)
        state.held = []
        state.consulting = {}
        state.floor, state.offered, state.everybody = None, (), False
        state.wait = None
        state.ended = end
        self.say(f"The conversation ended: {end.reason}")


def _addressed(state: ConversationState, turn: Turn) -> frozenset[str]:
    """Whom a turn is meant for: named in `to`, mentioned in it (`@id`), or whoever said what it answers."""
    names = set(turn.to)
    if "@" in turn.text:
        names.update(name.rstrip(".") for name in MENTION.findall(turn.text))
    if turn.in_reply_to is not None:
        names.update(m.speaker for m in state.messages if m.seq == turn.in_reply_to and m.speaker)
    return frozenset(names)

"""A conversation in the hands of a test: say what happens, then look at what became of it."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue

from signals.assistant import Reply
from signals.conversation import Ended, Tokens
from signals.errors import ErrorType
from signals.fragments import FragmentOffer
from signals.messages import (
    Answer,
    Close,
    Disposition,
    Grant,
    Interrupt,
    InvocationMode,
    Invoke,
    Join,
    Leave,
    Message,
    Propose,
    Turn,
    Vote,
)
from signals.participants import Kind, Participant, Permission, Speaks
from workflows.conversation.emergence import Consensus
from workflows.conversation.events import (
    Ask,
    Effect,
    Event,
    FragmentDone,
    FragmentFailed,
    Reaction,
    Received,
    Replied,
    ReplyFailed,
    RunFragment,
    TimePassed,
)
from workflows.conversation.machine import apply, open_conversation
from workflows.conversation.setup import ConversationSetup

START = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)

ANYTHING = tuple(Permission)


def person(name: str, *can: Permission, role: str = "guest") -> Participant:
    """A person; one who may only speak where nothing is said."""
    return Participant(id=name, kind=Kind.HUMAN, role=role, can=can or (Permission.SPEAK,))


def ai(name: str, *can: Permission, speaks: Speaks = Speaks.ALWAYS) -> Participant:
    """An AI participant; one who may only speak where nothing is said."""
    return Participant(id=name, kind=Kind.AI, role="assistant", can=can or (Permission.SPEAK,), speaks=speaks)


def offer(name: str, needs: Mapping[str, JsonValue] | None = None, **options: object) -> FragmentOffer:
    """A fragment that needs fields, by their schemas."""
    fields = dict(needs or {})
    context: dict[str, JsonValue] = {
        "type": "object",
        "properties": {**fields, "note": {"type": "string", "default": ""}},
        "required": [*fields],
        "additionalProperties": False,
    }
    return FragmentOffer.model_validate({"context": context, **options, "name": name})


class Talk:
    """A conversation; it ends by nothing but consensus or time where no `emergence` is given."""

    def __init__(self, *participants: Participant, **options: object) -> None:
        among_people = any(one.kind is Kind.HUMAN for one in participants)
        ends = Consensus() if among_people else Consensus(of="everybody")
        self.setup = ConversationSetup.model_validate(
            {"topic": "Lunch", "participants": participants, "emergence": (ends,), **options}
        )
        self.now = START
        self.state, self.reaction = open_conversation(self.setup, "talk-1", START)
        self.effects: list[Effect] = list(self.reaction.effects)

    # What happens

    def apply(self, event: Event) -> Reaction:
        self.reaction = apply(self.setup, self.state, event)
        self.effects += self.reaction.effects
        return self.reaction

    def send(self, message: Message) -> Disposition | ErrorType:
        """Send a message; answers what became of it."""
        reaction = self.apply(Received(message, self.now))
        if reaction.rejection is not None:
            return reaction.rejection.type
        return self.answer.disposition

    def turn(
        self,
        speaker: str,
        text: str = "hello",
        *,
        to: Iterable[str] = (),
        mark: str | None = None,
        in_reply_to: int | None = None,
    ) -> Disposition | ErrorType:
        return self.send(Turn(speaker=speaker, text=text, to=tuple(to), id=mark, in_reply_to=in_reply_to))

    def join(self, participant: Participant) -> Disposition | ErrorType:
        return self.send(Join(participant=participant))

    def leave(self, speaker: str, reason: str | None = None) -> Disposition | ErrorType:
        return self.send(Leave(speaker=speaker, reason=reason))

    def propose(self, speaker: str, outcome: JsonValue, comment: str | None = None) -> Disposition | ErrorType:
        return self.send(Propose(speaker=speaker, outcome=outcome, comment=comment))

    def vote(self, speaker: str, proposal: int, approve: bool = True) -> Disposition | ErrorType:
        return self.send(Vote(speaker=speaker, proposal=proposal, approve=approve))

    def interrupt(self, speaker: str) -> Disposition | ErrorType:
        return self.send(Interrupt(speaker=speaker))

    def close(self, speaker: str, reason: str | None = None) -> Disposition | ErrorType:
        return self.send(Close(speaker=speaker, reason=reason))

    def grant(self, speaker: str, to: str) -> Disposition | ErrorType:
        return self.send(Grant(speaker=speaker, to=to))

    def reply(
        self, speaker: str, text: str, *, ask: int | None = None, tokens: Tokens | None = None, **wants: object
    ) -> None:
        """Have an AI participant's reply come: the one it was asked for last, or an earlier one."""
        reply = Reply.model_validate({"text": text, "model": "script", "tokens": tokens or Tokens(), **wants})
        self.apply(Replied(speaker, ask or self.state.members[speaker].asks, reply, self.now))

    def fail(self, speaker: str, reason: str = "no model") -> None:
        """Have an AI participant's reply fail."""
        self.apply(ReplyFailed(speaker, self.state.members[speaker].asks, reason, self.now))

    def invoke(
        self,
        speaker: str,
        fragment: str,
        *,
        mode: InvocationMode | None = None,
        mark: str | None = None,
        **arguments: JsonValue,
    ) -> Disposition | ErrorType:
        return self.send(Invoke(speaker=speaker, fragment=fragment, arguments=arguments, mode=mode, id=mark))

    def done(self, number: int, result: JsonValue = None) -> None:
        """Have a fragment come to its end."""
        self.apply(FragmentDone(number, result, self.now))

    def broken(self, number: int, reason: str = "no room") -> None:
        """Have a fragment fail."""
        self.apply(FragmentFailed(number, "SoldOut", reason, self.now))

    def wait(self, seconds: float) -> None:
        """Let time pass, and the conversation be told of it."""
        self.now += timedelta(seconds=seconds)
        self.apply(TimePassed(self.now))

    # What became of it

    @property
    def answer(self) -> Answer:
        """The answer to the last message, which was accepted."""
        assert self.reaction.answer is not None
        return self.reaction.answer

    @property
    def reason(self) -> str:
        """Why the last message was rejected."""
        assert self.reaction.rejection is not None
        return self.reaction.rejection.reason

    @property
    def said(self) -> list[str]:
        """The transcript, a line a message."""
        return [f"{m.speaker}: {m.text}" if m.speaker else m.text for m in self.state.messages]

    @property
    def turns(self) -> list[str]:
        """What was said in turns."""
        return [f"{m.speaker}: {m.text}" for m in self.state.messages if m.kind == "turn"]

    @property
    def asked(self) -> list[str]:
        """Who was asked to reply, so far."""
        return [effect.speaker for effect in self.effects if isinstance(effect, Ask)]

    @property
    def started(self) -> list[tuple[str, dict[str, JsonValue]]]:
        """The fragments that were run so far, with what each was given."""
        runs = [effect.invocation for effect in self.effects if isinstance(effect, RunFragment)]
        return [(run.fragment, run.arguments) for run in runs]

    @property
    def invocations(self) -> list[tuple[int, str]]:
        """The fragments that were asked for, with what became of each."""
        return [(one.number, one.status) for one in self.state.invocations]

    @property
    def told(self) -> list[str]:
        """What was said about fragments."""
        return [f"{m.speaker}: {m.text}" if m.speaker else m.text for m in self.state.messages if m.kind == "fragment"]

    @property
    def ended(self) -> Ended:
        """How it ended."""
        assert self.state.ended is not None
        return self.state.ended

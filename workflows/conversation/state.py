"""What a conversation is at a moment: all that survives continue-as-new, in one model.

Nothing in it grows with the number of turns: the messages are a window, duplicates are remembered by
short digests, and everything else is bounded by the number of participants.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from itertools import accumulate
from typing import Final

from pydantic import BaseModel, ConfigDict, JsonValue

from signals.assistant import Purpose
from signals.conversation import (
    Ended,
    Invocation,
    InvocationStatus,
    MessageKind,
    Proposal,
    Recorded,
    Rejections,
    Tokens,
)
from signals.fragments import FragmentOffer
from signals.messages import InvocationMode, Invoke, Turn
from signals.notices import Waiting
from signals.participants import Participant
from workflows.conversation.roster import Member, Roster

MAX_HELD: Final = 64
"""Turns that may wait for their speaker to have the floor, of all speakers together."""

MAX_HELD_BYTES: Final = 128 * 1024
"""What those turns may have together, in bytes of JSON."""

MAX_WINDOW_BYTES: Final = 256 * 1024
"""Messages that a continued run takes along, in bytes of JSON: the older ones are left behind first."""

MAX_CARRIED_BYTES: Final = 1200 * 1024
"""All that a continued run takes along, in bytes of JSON; what isn't messages has bounds that keep it below."""

MAX_OPEN_PROPOSALS: Final = 10

MAX_SUMMARY: Final = 8000
"""The longest summary, in characters: it is taken along, and into every prompt."""

REMEMBERED_IDS: Final = 500
"""Turn ids remembered over continue-as-new: the latest ones. Within a run all of them are."""

HELD: Final = 0
"""Stands for a message's number while a turn is held."""


class Consulting(BaseModel):
    """A question to a language model that isn't answered yet."""

    model_config = ConfigDict(extra="forbid")

    purpose: Purpose
    number: int = 1
    """Counts the questions of this purpose."""

    question: str
    candidates: tuple[str, ...] = ()
    upto: int
    """The number of the last message that it is about."""

    turns: int = 0
    """How many turns had been taken."""

    model: str | None = None
    attempts: int = 1
    """How often it is asked, if the answer won't do."""


class Verdict(BaseModel):
    """What a language model found about a question."""

    model_config = ConfigDict(extra="forbid")

    holds: bool
    reason: str
    seq: int
    """The number of the last message that it knew."""

    turns: int = 0
    """How many turns had been taken by then."""


class Adapted(BaseModel):
    """How often a rule of adaptation was followed."""

    model_config = ConfigDict(extra="forbid")

    times: int = 0
    turns: int = 0
    """How many turns had been taken when it was followed last."""

    looked: int = 0
    """How many turns had been taken when what it is about was last looked for."""


class Wait(BaseModel):
    """People are waited for."""

    model_config = ConfigDict(extra="forbid")

    people: tuple[str, ...]
    since: datetime
    rungs: int = 0
    """How many rungs of the ladder were climbed."""


class Request(BaseModel):
    """Who asked for a fragment that is under way, and what tells the same request apart from others."""

    model_config = ConfigDict(extra="forbid")

    keys: tuple[str, ...]
    by: tuple[str, ...]
    """Who is told what came of it: AI participants are asked again."""


class ConversationState(BaseModel):
    """The state of a conversation; `machine` changes it, everybody else reads it."""

    model_config = ConfigDict(extra="forbid")

    conversation: str
    """The workflow id."""

    started: datetime
    last_activity: datetime
    """When somebody last said, proposed or voted something."""

    members: dict[str, Member] = {}
    """By id, in the order in which they joined; those who left stay, marked."""

    messages: list[Recorded] = []
    """The window: the latest messages."""

    seq: int = 0
    """The number of the latest message."""

    turns: int = 0
    last_speaker: str | None = None
    speaker_before: str | None = None
    """Whoever spoke before the last speaker did."""

    called_on: tuple[str, ...] = ()
    """Whom the last turn is meant for."""

    floor: str | None = None
    offered: tuple[str, ...] = ()
    """Who may take the floor, the first to speak, where nobody has it."""

    everybody: bool = False
    """Whether anybody may speak: the floor is nobody's."""

    coordination: int | None = None
    """The rule of adaptation whose way of taking turns holds; the setup's where there is none."""

    held: list[Turn] = []
    replying: dict[str, int] = {}
    """AI participants at work, with the number of the ask."""

    passes: int = 0
    """Asks in a row that gave no turn."""

    ai_row: int = 0
    """Replies in a row since a person last said something."""

    resting: bool = False
    """Whether AI participants have talked among themselves for as long as they may."""

    muted: bool = False
    """Whether AI participants have used up their budget."""

    proposals: list[Proposal] = []
    proposal_count: int = 0
    proposed: int = 0
    """How many turns had been taken when somebody last proposed something."""

    seen: dict[str, int] = {}
    """Digests of turn ids, with the message's number, or `HELD`."""

    rejections: Rejections = Rejections()
    tokens: Tokens = Tokens()
    cost: float = 0
    """What language models cost, in US dollars."""

    budgets: int = 1
    """How many budgets were granted."""

    facts: dict[str, JsonValue] = {}
    """What is known, by name."""

    found_for: dict[str, str] = {}
    """Of the facts that a fragment gave, who asked for it: they are known to those who are told of it."""

    signed: int = 0
    """The greatest number of a message that was signed by somebody who is forgotten; 0 where there is none."""

    subscriptions: dict[str, tuple[str, ...]] = {}
    """The topics that participants chose, by id."""

    summary: str | None = None
    summarised: int = 0
    """The number of the last message that is in the summary."""

    consulting: dict[int, Consulting] = {}
    """Questions to language models under way, by number."""

    consultations: dict[Purpose, int] = {}
    """How many questions were asked, by purpose."""

    misses: int = 0
    """Answers in a row that named nobody who may speak, to the question who is next."""

    verdicts: dict[str, Verdict] = {}
    """What language models found, by question."""

    invocations: list[Invocation] = []
    """The fragments that were asked for: those under way, and the latest of those that are done."""

    invocation_count: int = 0
    requests: dict[int, Request] = {}
    """Of the invocations under way, by number."""

    offers: dict[str, FragmentOffer] = {}
    """The fragments that the setup names, as they were when the conversation began."""

    adapted: dict[int, Adapted] = {}
    """By rule."""

    wait: Wait | None = None
    """Who is waited for, where there is a ladder."""

    telling: list[Waiting] = []
    """What people are being told."""
    ended: Ended | None = None

    @cached_property
    def roster(self) -> Roster:
        """Who is here; worked out anew each time that somebody comes or goes."""
        return Roster.of(self.members)

    def admit(self, participant: Participant) -> Member:
        """Have somebody take part, with the standing that they left with if they were here before."""
        member = self.members.setdefault(participant.id, Member(participant=participant))
        member.present, member.arrived = True, self.turns
        self._note_who_is_here()
        return member

    def dismiss(self, name: str) -> None:
        """Have somebody take part no longer."""
        self.members[name].present = False
        self._note_who_is_here()

    def forget(self, name: str) -> None:
        """Drop somebody who left."""
        del self.members[name]
        self._note_who_is_here()

    def _note_who_is_here(self) -> None:
        self.__dict__.pop("roster", None)  # where it wasn't asked for yet, there is nothing to forget

    @property
    def present(self) -> list[Member]:
        """Who is here, in the order in which they joined."""
        return [member for member in self.members.values() if member.present]

    @property
    def speakers(self) -> tuple[str, ...]:
        """The ids of those who can speak now, in the order in which they joined."""
        roster = self.roster
        unable = {name for name in roster.ais if not self.is_able(name)}
        return tuple(name for name in roster.speakers if name not in unable) if unable else roster.speakers

    def is_able(self, name: str) -> bool:
        """Whether somebody who is known can speak now."""
        member = self.members[name]
        return member.can_speak and (member.is_person or not self.muted)

    @property
    def candidates(self) -> tuple[str, ...]:
        """The ids of those who may be given the floor, in the order in which they joined.

        AI participants that all have passed since somebody last spoke are left out, and so are those that have
        talked among themselves for long enough: they can't go on for ever with nothing to say.
        """
        speakers = self.speakers
        if not self.passes and not self.resting:
            return speakers
        ais = sum(not self.members[name].is_person for name in speakers)
        if self.resting or self.passes >= max(1, ais):
            return tuple(name for name in speakers if self.members[name].is_person)
        return speakers

    @property
    def busy(self) -> Invocation | None:
        """The fragment that the conversation waits for, if it does."""
        return next(
            (
                one
                for one in self.invocations
                if one.status is InvocationStatus.RUNNING and one.mode is InvocationMode.SYNCHRONOUS
            ),
            None,
        )

    @property
    def working(self) -> bool:
        """Whether something is under way that a conversation goes on with by itself: a reply, a choice, a fragment."""
        return bool(self.replying) or self.choosing or self.busy is not None

    @property
    def last_text(self) -> str:
        """What the last turn says that is at hand; blank where there is none."""
        return next((m.text for m in reversed(self.messages) if m.kind is MessageKind.TURN), "")

    @property
    def choosing(self) -> bool:
        """Whether a language model is choosing the next speaker."""
        return any(one.purpose is Purpose.CHOOSE for one in self.consulting.values())

    @property
    def omitted(self) -> int:
        """How many messages are older than the window."""
        return self.seq - len(self.messages)

    def carried(self) -> "ConversationState":
        """The state as a continued run takes it up: at most `MAX_CARRIED_BYTES`, whatever was said."""
        latest = set(list(self.seen)[-REMEMBERED_IDS:])
        seen = {key: seq for key, seq in self.seen.items() if key in latest or seq == HELD}
        bare = self.model_copy(update={"messages": [], "seen": seen})
        room = min(MAX_WINDOW_BYTES, MAX_CARRIED_BYTES - json_size(bare))
        kept = self.messages[len(self.messages) - count_latest(self.messages, room) :]
        return bare.model_copy(update={"messages": kept})


def json_size(model: BaseModel) -> int:
    """How much room a model takes where it is written, in bytes of JSON: text may take six times its own."""
    return len(model.model_dump_json().encode())


def count_latest(messages: Sequence[Recorded], most: int) -> int:
    """Count how many of the latest messages have at most so many bytes of JSON together."""
    sizes = accumulate(json_size(message) + len(",") for message in reversed(messages))
    return sum(size <= most for size in sizes)


def digest(message: Turn | Invoke) -> str | None:
    """Shorten a message's id to 64 bits, so that remembering it costs the same whatever its length.

    Ids are the sender's own, so two speakers may use the same one. Two ids of the 500 remembered ones share
    a digest once in 10^16 messages.
    """
    if message.id is None:
        return None
    kind = b"" if isinstance(message, Turn) else b"invoke"
    return blake2b(f"{message.speaker}\n{message.id}".encode(), digest_size=8, person=kind).hexdigest()

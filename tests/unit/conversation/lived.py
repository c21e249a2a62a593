"""Has anything happen to a conversation that may, with whoever is in it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue

from signals.assistant import Action, Finding, Reply
from signals.conversation import Invocation, Recorded, Tokens
from signals.messages import (
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
    Subscribe,
    Turn,
    Vote,
)
from signals.notices import Waiting
from tests.unit.conversation.drawn import FRAGMENTS, TOPICS, Pick, participant
from tests.unit.conversation.talk import START, offer
from workflows.conversation.admission import check
from workflows.conversation.context import whole_misfit
from workflows.conversation.events import (
    Ask,
    CancelReply,
    Consult,
    Consulted,
    ConsultFailed,
    Effect,
    Event,
    FragmentDone,
    FragmentFailed,
    Misfit,
    Received,
    Replied,
    ReplyFailed,
    RunFragment,
    Tell,
    TimePassed,
    Told,
)
from workflows.conversation.invoked import asking
from workflows.conversation.machine import apply, awaiting, open_conversation
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import MAX_CARRIED_BYTES, ConversationState

STRANGER = "zoe"

NONSENSE = ("", "\x01", "\u202e", "👩‍🔬", "|", "\n", '"', "\\")

MARKS = (None, None, None, "m-1", "m-2", "m-3")


def copy_of(state: ConversationState) -> ConversationState:
    """A copy that shares nothing; much faster than a deep one."""
    return ConversationState.model_validate_json(state.model_dump_json())


class Lived:
    """A conversation that things happen to, and a twin that lives through the same but is never written and read."""

    def __init__(self, setup: ConversationSetup) -> None:
        self.setup = setup
        self.now: datetime = START
        self.state, reaction = open_conversation(setup, "talk-1", START)
        self.twin, _ = open_conversation(setup, "talk-1", START)
        self.recorded: list[Recorded] = []
        self.accepted: list[Turn] = []
        self.asks: list[Ask] = []
        self.under_way: set[tuple[str, int]] = set()
        self.consulted: set[int] = set()
        self.telling: list[Waiting] = []
        self.runs: list[Invocation] = []
        self.note(reaction.effects)

    def note(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Ask):
                assert (effect.speaker, effect.ask) not in self.under_way, "asked twice under one number"
                self.asks.append(effect)
                self.under_way.add((effect.speaker, effect.ask))
            elif isinstance(effect, CancelReply):
                self.under_way.remove((effect.speaker, effect.ask))
            elif isinstance(effect, Consult):
                self.consulted.add(effect.number)
            elif isinstance(effect, RunFragment):
                assert all(effect.invocation.number != run.number for run in self.runs), "run twice under one number"
                assert whole_misfit(effect.offer.context, effect.invocation.arguments) is None
                self.runs.append(effect.invocation)
            elif isinstance(effect, Tell):
                self.telling.append(effect.waiting)

    def feed(self, event: Event) -> Disposition | None:
        """Apply an event to both; answers what became of the message, if it was one that is accepted."""
        before = copy_of(self.state)
        refusal = check(self.setup, self.state, event.message) if isinstance(event, Received) else None
        assert self.state == before, "a check changed the state"
        reaction = apply(self.setup, self.state, event)
        assert apply(self.setup, self.twin, event) == reaction, "the same event had another effect"
        if reaction.rejection is not None or before.ended is not None:
            # Of a fragment that isn't run all are told; else nothing has changed.
            if before.ended is not None or not (isinstance(event, Received) and isinstance(event.message, Invoke)):
                assert self.state == before.model_copy(update={"rejections": self.state.rejections})
            assert reaction.effects == ()
        if isinstance(event, Received):
            assert (refusal is None) == (reaction.rejection is None) == (reaction.answer is not None)
        if refusal is not None and reaction.rejection is not None:
            assert (refusal.type, refusal.reason) == (reaction.rejection.type, reaction.rejection.reason)
        self.note(reaction.effects)
        self.recorded += [message for message in self.state.messages if message.seq > before.seq]
        return reaction.answer.disposition if reaction.answer else None

    def send(self, message: Message) -> Disposition | None:
        return self.feed(Received(message, self.now))

    # What may happen

    def anybody(self, pick: int) -> str:
        """Somebody's id: mostly of a member, present or not, sometimes of a stranger."""
        members = list(self.state.members)
        return members[pick % len(members)] if pick else STRANGER

    def say(
        self,
        speaker: str,
        mark: str | None = None,
        to: Iterable[str] = (),
        reply_to: int | None = None,
        topic: str | None = None,
    ) -> None:
        text = f"{len(self.accepted)}{NONSENSE[len(self.recorded) % len(NONSENSE)]}"
        turn = Turn(speaker=speaker, text=text, to=tuple(to), id=mark, in_reply_to=reply_to, topic=topic)
        if self.send(turn) in (Disposition.RECORDED, Disposition.HELD):
            self.accepted.append(turn)

    def anybody_speaks(self, pick: Pick) -> None:
        who, to, more = pick
        whom = [self.anybody(each) for each in (to, more)][: more % 3]
        self.say(self.anybody(who), MARKS[to % len(MARKS)], whom, more or None, (None, *TOPICS)[who % 3])

    def somebody_speaks_who_can(self, pick: Pick) -> None:
        who, mark, to = pick
        if speakers := self.state.speakers:
            whom = [speakers[to % len(speakers)]][: to % 2]
            self.say(speakers[who % len(speakers)], MARKS[mark % len(MARKS)], whom)

    def somebody_speaks_who_is_waited_for(self, pick: Pick) -> None:
        if people := awaiting(self.state):
            self.say(people[pick[0] % len(people)])

    def somebody_joins(self, pick: Pick) -> None:
        self.send(Join(participant=participant(pick)))

    def somebody_comes_back(self, pick: Pick) -> None:
        absent = [member.participant for member in self.state.members.values() if not member.present]
        if absent:
            self.send(Join(participant=absent[pick[0] % len(absent)]))

    def somebody_leaves(self, pick: Pick) -> None:
        who, sure, floor = pick
        if sure % 3 == 0:
            self.send(Leave(speaker=self.state.floor or self.anybody(who) if floor % 2 else self.anybody(who)))

    def somebody_proposes(self, pick: Pick) -> None:
        self.send(Propose(speaker=self.anybody(pick[0]), outcome=pick[1] or "nonsense"))

    def somebody_votes(self, pick: Pick) -> None:
        who, proposal, approve = pick
        number = 1 + proposal % (self.state.proposal_count + 1)
        self.send(Vote(speaker=self.anybody(who), proposal=number, approve=approve % 4 > 0))

    def somebody_interrupts(self, pick: Pick) -> None:
        self.send(Interrupt(speaker=self.anybody(pick[0])))

    def somebody_closes(self, pick: Pick) -> None:
        if pick[1] == 0:
            self.send(Close(speaker=self.anybody(pick[0])))

    def somebody_asks_for_a_fragment(self, pick: Pick) -> None:
        self.send(self.request(self.anybody(pick[0]), pick))

    def request(self, speaker: str, pick: Pick) -> Invoke:
        which, given, mark = pick
        fragments = [*FRAGMENTS, offer("Gone")]
        modes = (None, None, *InvocationMode)
        some: dict[str, JsonValue] = {"place": "Rome", "nights": 1 + given % 2, "sum": given, "note": "x", "odd": 1}
        return Invoke(
            speaker=speaker,
            fragment=fragments[which % len(fragments)].name,
            arguments=dict(list(some.items())[given % 4 : given % 4 + mark % 3]),
            mode=modes[given % len(modes)],
            id=MARKS[mark % len(MARKS)],
        )

    def what_a_fragment_needs_is_answered(self, pick: Pick) -> None:
        who, which, _ = pick
        if asked := asking(self.state):
            self.say(self.anybody(who), reply_to=asked[which % len(asked)].seq)

    def a_fragment_comes_to_its_end(self, pick: Pick) -> None:
        if self.runs:
            self.feed(FragmentDone(self.runs[pick[0] % len(self.runs)].number, f"{pick[1]}" * pick[2], self.now))

    def a_fragment_fails(self, pick: Pick) -> None:
        if self.runs:
            self.feed(FragmentFailed(self.runs[pick[0] % len(self.runs)].number, "Broken", "it broke", self.now))

    def somebody_is_granted_the_floor(self, pick: Pick) -> None:
        self.send(Grant(speaker=self.anybody(pick[0]), to=self.anybody(pick[1])))

    def somebody_follows_topics(self, pick: Pick) -> None:
        self.send(Subscribe(speaker=self.anybody(pick[0]), topics=TOPICS[: pick[1] % 3]))

    def a_question_is_answered(self, pick: Pick) -> None:
        choice, number, verdict = pick
        if asked := sorted(self.consulted):
            asked_number = asked[number % len(asked)]
            self.consulted.discard(asked_number)
            finding = Finding(choice=self.anybody(choice), verdict=verdict % 4 == 0, text="so it is", model="script")
            self.feed(Consulted(asked_number, finding, self.now))

    def a_question_is_not_answered(self, pick: Pick) -> None:
        if asked := sorted(self.consulted):
            number = asked[pick[1] % len(asked)]
            self.consulted.discard(number)
            self.feed(ConsultFailed(number, "no model", self.now))

    def people_are_told_or_not(self, pick: Pick) -> None:
        if self.telling:
            self.feed(Told(self.telling.pop(0), "nobody took it" if pick[0] % 2 else None, self.now))

    def something_strange_comes(self, pick: Pick) -> None:
        self.feed(Misfit("strange", self.anybody(pick[0]), "there is no signal of this name", self.now))

    def a_reply_comes(self, pick: Pick) -> None:
        back, text, used = pick
        if ask := self.answered(back):
            acts: list[Action] = [
                Vote(speaker=ask.speaker, proposal=1, approve=True),
                Propose(speaker=ask.speaker, outcome=text),
                Grant(speaker=ask.speaker, to=self.anybody(back)),
                self.request(ask.speaker, pick),
            ]
            reply = Reply(
                text=NONSENSE[text % len(NONSENSE)] * 2,
                to=(self.anybody(text),) if used % 3 == 0 else (),
                hand_off=self.anybody(back) if used % 7 == 3 else None,
                model="script",
                tokens=Tokens(input=used),
                actions=tuple(acts[used % 6 : used % 6 + 1]),
            )
            self.feed(Replied(ask.speaker, ask.ask, reply, self.now))

    def a_reply_fails(self, pick: Pick) -> None:
        if ask := self.answered(pick[0]):
            self.feed(ReplyFailed(ask.speaker, ask.ask, "no model", self.now))

    def answered(self, back: int) -> Ask | None:
        """An ask that is answered now: mostly one that is under way, sometimes one that was long ago."""
        asked = self.asks if back < 3 else [ask for ask in self.asks if (ask.speaker, ask.ask) in self.under_way]
        ask = asked[back % len(asked)] if asked else None
        if ask is not None:
            self.under_way.discard((ask.speaker, ask.ask))
        return ask

    def time_passes(self, pick: Pick) -> None:
        seconds, noticed, _ = pick
        self.now += timedelta(seconds=seconds / 4)
        if noticed % 2:
            self.feed(TimePassed(self.now))

    def the_run_continues_as_new(self, pick: Pick) -> None:
        written = self.state.carried().model_dump_json()
        assert len(written.encode()) <= MAX_CARRIED_BYTES
        self.state = ConversationState.model_validate_json(written)


HAPPENINGS: Final = {
    "anybody speaks": Lived.anybody_speaks,
    "somebody speaks who can": Lived.somebody_speaks_who_can,
    "somebody speaks who is waited for": Lived.somebody_speaks_who_is_waited_for,
    "somebody joins": Lived.somebody_joins,
    "somebody comes back": Lived.somebody_comes_back,
    "somebody leaves": Lived.somebody_leaves,
    "somebody proposes": Lived.somebody_proposes,
    "somebody votes": Lived.somebody_votes,
    "somebody interrupts": Lived.somebody_interrupts,
    "somebody closes": Lived.somebody_closes,
    "somebody asks for a fragment": Lived.somebody_asks_for_a_fragment,
    "what a fragment needs is answered": Lived.what_a_fragment_needs_is_answered,
    "a fragment comes to its end": Lived.a_fragment_comes_to_its_end,
    "a fragment fails": Lived.a_fragment_fails,
    "somebody is granted the floor": Lived.somebody_is_granted_the_floor,
    "somebody follows topics": Lived.somebody_follows_topics,
    "a question is answered": Lived.a_question_is_answered,
    "a question is not answered": Lived.a_question_is_not_answered,
    "people are told, or not": Lived.people_are_told_or_not,
    "something strange comes": Lived.something_strange_comes,
    "a reply comes": Lived.a_reply_comes,
    "a reply fails": Lived.a_reply_fails,
    "time passes": Lived.time_passes,
    "the run continues as new": Lived.the_run_continues_as_new,
}
"""All that may happen, by name."""

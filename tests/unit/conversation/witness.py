"""Lives through a conversation and holds it, after everything that happens, to what must always be so."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from pydantic import JsonValue

from signals.assistant import Action, Finding, Reply
from signals.conversation import Invocation, InvocationStatus, MessageKind, Recorded, Tokens
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
from workflows.conversation import views
from workflows.conversation.admission import check
from workflows.conversation.context import whole_misfit
from workflows.conversation.coordination import FreeForm
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
from workflows.conversation.gathering import can_be_answered
from workflows.conversation.invoked import MAX_UNDER_WAY, asking, under_way
from workflows.conversation.machine import apply, awaiting, next_due, open_conversation
from workflows.conversation.routing import Addressed, ByRole
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import MAX_CARRIED_BYTES, ConversationState, json_size

STRANGER = "zoe"

NONSENSE = ("", "\x01", "\u202e", "👩‍🔬", "|", "\n", '"', "\\")

MARKS = (None, None, None, "m-1", "m-2", "m-3")


def copy_of(state: ConversationState) -> ConversationState:
    """A copy that shares nothing; much faster than a deep one."""
    return ConversationState.model_validate_json(state.model_dump_json())


class Witness:
    """A conversation, and a twin of it that lives through the same but is never written and read."""

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
        self.look()

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

    def happen(self, kind: str, pick: Pick) -> None:
        """Have something happen; the pick chooses the particulars."""
        HAPPENINGS[kind](self, pick)
        self.look()

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

    # What always holds

    def look(self) -> None:
        self.the_state_is_that_of_the_twin_that_was_never_written_and_read()
        self.messages_are_numbered_without_gaps_and_counted()
        self.each_accepted_turn_is_recorded_once_in_its_speakers_order_or_still_held()
        self.there_is_one_message_for_each_id_of_a_speaker()
        self.the_floor_is_somebodys_who_may_have_it_or_nobodys()
        self.every_ask_is_answered_or_cancelled_or_under_way()
        self.fragments_are_run_once_and_waited_for_until_they_end()
        self.what_is_asked_for_somebody_may_answer()
        self.only_of_those_who_are_here_are_replies_or_turns_outstanding()
        self.it_waits_for_somebody_named_or_for_something_under_way_or_for_a_time()
        self.nobody_is_given_what_is_for_others()
        self.an_open_conversation_ends_when_its_time_is_up()
        self.when_all_fragments_have_ended_nothing_is_held_for_them()
        self.the_timer_never_runs_hot()
        self.ai_participants_that_only_pass_come_to_rest()
        self.rules_are_followed_as_often_as_they_may_be()
        self.what_is_carried_does_not_grow()

    def the_state_is_that_of_the_twin_that_was_never_written_and_read(self) -> None:
        assert self.state == self.twin

    def messages_are_numbered_without_gaps_and_counted(self) -> None:
        assert [message.seq for message in self.recorded] == list(range(1, self.state.seq + 1))
        assert self.recorded == self.state.messages
        assert self.state.turns == sum(message.kind is MessageKind.TURN for message in self.recorded)

    def each_accepted_turn_is_recorded_once_in_its_speakers_order_or_still_held(self) -> None:
        texts = {turn.text for turn in self.accepted}
        for speaker in {turn.speaker for turn in self.accepted}:
            kept = [message.text for message in self.recorded if message.speaker == speaker and message.text in texts]
            kept += [turn.text for turn in self.state.held if turn.speaker == speaker]
            assert kept == [turn.text for turn in self.accepted if turn.speaker == speaker]
        assert not (self.state.ended and self.state.held)

    def there_is_one_message_for_each_id_of_a_speaker(self) -> None:
        ids = [(message.speaker, message.id) for message in self.recorded if message.id is not None]
        assert len(ids) == len(set(ids))

    def the_floor_is_somebodys_who_may_have_it_or_nobodys(self) -> None:
        floor = self.state.floor
        if floor is not None:
            assert self.state.ended is None
            assert not isinstance(self.setup.coordination_in(self.state), FreeForm)
            assert self.state.members[floor].can_speak

    def every_ask_is_answered_or_cancelled_or_under_way(self) -> None:
        assert self.under_way == set(self.state.replying.items())

    def fragments_are_run_once_and_waited_for_until_they_end(self) -> None:
        known = {one.number: one for one in self.state.invocations}
        assert len(known) == len(self.state.invocations)
        assert len(under_way(self.state)) <= MAX_UNDER_WAY
        assert set(self.state.requests) == {one.number for one in under_way(self.state)}
        running = {one.number for one in known.values() if one.status is InvocationStatus.RUNNING}
        assert running <= {run.number for run in self.runs}

    def what_is_asked_for_somebody_may_answer(self) -> None:
        if self.state.ended is None:
            offers = {one.name: one for one in FRAGMENTS}
            for one in asking(self.state):
                assert can_be_answered(self.state, offers[one.fragment], self.state.members[one.speaker])

    def when_all_fragments_have_ended_nothing_is_held_for_them(self) -> None:
        ahead = copy_of(self.state)
        for one in under_way(ahead) if ahead.ended is None else ():
            apply(self.setup, ahead, FragmentFailed(one.number, "Broken", "it broke", self.now))
        assert ahead.busy is None or ahead.ended

    def only_of_those_who_are_here_are_replies_or_turns_outstanding(self) -> None:
        outstanding = {*self.state.replying, *(turn.speaker for turn in self.state.held)}
        assert all(self.state.members[name].present for name in outstanding)

    def it_waits_for_somebody_named_or_for_something_under_way_or_for_a_time(self) -> None:
        state = self.state
        if state.ended is None:
            people_can_speak = any(state.members[name].is_person for name in state.speakers)
            if people_can_speak:
                assert awaiting(state) or state.working, "people could speak, and nobody waits for them"
            assert next_due(self.setup, state, self.now) <= state.started + timedelta(
                seconds=self.setup.constraints.timeout_seconds
            )
        assert all(state.members[name].can_speak for name in awaiting(state))

    def nobody_is_given_what_is_for_others(self) -> None:
        for name in self.state.members:
            withheld = {turn.text for turn in self.accepted if self.is_for_others(turn, name)}
            if not withheld:
                continue
            given = views.transcript(self.state, name).messages
            prompt = views.reply_request(self.setup, self.state, name).messages
            assert not withheld & {message.text for message in (*given, *prompt) if message.kind is MessageKind.TURN}

    def is_for_others(self, turn: Turn, name: str) -> bool:
        """Whether somebody must not be given a turn; said here anew for each routing, not taken from it."""
        if name == turn.speaker:
            return False
        match self.setup.routing:
            case Addressed():
                return bool(turn.to) and name not in turn.to
            case ByRole(hears=hears):
                role, speakers = (self.state.members[one].participant.role for one in (name, turn.speaker))
                return role != speakers and role in hears and speakers not in hears[role]
            case _:
                return False

    def an_open_conversation_ends_when_its_time_is_up(self) -> None:
        if self.state.ended is None:
            ahead = copy_of(self.state)
            end = self.state.started + timedelta(seconds=self.setup.constraints.timeout_seconds)
            apply(self.setup, ahead, TimePassed(max(self.now, end)))
            assert ahead.ended is not None
            assert ahead.held == []

    def the_timer_never_runs_hot(self) -> None:
        """Each time that it fires there is less to wait for: it can't be set for what is past again and again."""
        ahead, now = copy_of(self.state), self.now
        for _ in range(30):
            if ahead.ended is not None:
                return
            due = next_due(self.setup, ahead, now)
            now = max(due, now + timedelta(seconds=1))
            apply(self.setup, ahead, TimePassed(now))
        assert now >= self.now + timedelta(seconds=60), "the timer fires and fires"

    def ai_participants_that_only_pass_come_to_rest(self) -> None:
        ahead = copy_of(self.state)
        # Each may pass once, and once more after each held turn that gets recorded meanwhile.
        for _ in range(len(ahead.members) * (len(ahead.held) + 2)):
            for speaker, ask in list(ahead.replying.items()):
                apply(self.setup, ahead, Replied(speaker, ask, Reply(text="", model="script"), self.now))
        assert ahead.replying == {}

    def rules_are_followed_as_often_as_they_may_be(self) -> None:
        for index, one in self.state.adapted.items():
            assert one.times <= self.setup.adaptation[index].most

    def what_is_carried_does_not_grow(self) -> None:
        bare = self.state.model_copy(update={"messages": [], "held": [], "seen": {}, "proposals": []})
        assert json_size(bare) < 20_000


HAPPENINGS: Final = {
    "anybody speaks": Witness.anybody_speaks,
    "somebody speaks who can": Witness.somebody_speaks_who_can,
    "somebody speaks who is waited for": Witness.somebody_speaks_who_is_waited_for,
    "somebody joins": Witness.somebody_joins,
    "somebody comes back": Witness.somebody_comes_back,
    "somebody leaves": Witness.somebody_leaves,
    "somebody proposes": Witness.somebody_proposes,
    "somebody votes": Witness.somebody_votes,
    "somebody interrupts": Witness.somebody_interrupts,
    "somebody closes": Witness.somebody_closes,
    "somebody asks for a fragment": Witness.somebody_asks_for_a_fragment,
    "what a fragment needs is answered": Witness.what_a_fragment_needs_is_answered,
    "a fragment comes to its end": Witness.a_fragment_comes_to_its_end,
    "a fragment fails": Witness.a_fragment_fails,
    "somebody is granted the floor": Witness.somebody_is_granted_the_floor,
    "somebody follows topics": Witness.somebody_follows_topics,
    "a question is answered": Witness.a_question_is_answered,
    "a question is not answered": Witness.a_question_is_not_answered,
    "people are told, or not": Witness.people_are_told_or_not,
    "something strange comes": Witness.something_strange_comes,
    "a reply comes": Witness.a_reply_comes,
    "a reply fails": Witness.a_reply_fails,
    "time passes": Witness.time_passes,
    "the run continues as new": Witness.the_run_continues_as_new,
}
"""All that may happen, by name."""

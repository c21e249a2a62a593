"""Lives through a conversation and holds it, after everything that happens, to what must always be so."""

from datetime import timedelta

from signals.assistant import Reply
from signals.conversation import InvocationStatus, MessageKind
from signals.messages import Turn
from tests.unit.conversation.drawn import FRAGMENTS, Pick
from tests.unit.conversation.lived import HAPPENINGS, Lived, copy_of
from workflows.conversation import views
from workflows.conversation.coordination import FreeForm
from workflows.conversation.events import FragmentFailed, Replied, TimePassed
from workflows.conversation.gathering import can_be_answered
from workflows.conversation.invoked import MAX_UNDER_WAY, asking, under_way
from workflows.conversation.machine import apply, awaiting, next_due
from workflows.conversation.routing import Addressed, ByRole
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.state import json_size


class Witness(Lived):
    """Looks at a conversation after everything that happens to it."""

    def __init__(self, setup: ConversationSetup) -> None:
        super().__init__(setup)
        self.look()

    def happen(self, kind: str, pick: Pick) -> None:
        """Have something happen; the pick chooses the particulars."""
        HAPPENINGS[kind](self, pick)
        self.look()

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

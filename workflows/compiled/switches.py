"""How a run is moved from one mode to another: by request, by rule, or since a conversation says so.

Going to conversation, the steps under way finish (or are cancelled, or go on beside it); people then talk about the
run as a whole, and what they decide is what it goes on with. From the seed's "Seamless Transitions".
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from pydantic import ValidationError
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from signals.conversation import ConversationResult, StopReason
from signals.errors import ErrorType, Refusal
from signals.messages import SwitchMode
from signals.modes import Handler, Mode, TransitionRule, Trigger
from signals.run import RunDecision
from signals.wire import one_line
from workflows.compiled.directives import GoOn
from workflows.compiled.outcomes import decision_schema
from workflows.compiled.point_checks import SWITCH
from workflows.compiled.record import Move
from workflows.compiled.running import Running
from workflows.compiled.settlement import NoOutcome, Settled
from workflows.compiled.talks import STALLS, Talks
from workflows.conversation.setup import ConversationSetup
from workflows.hybrid import ConversationPoint, Fail, OnDemand
from workflows.modes.rules import check_request, find_rule
from workflows.modes.talking import about_run, who_talks

MOST_MISFITS: Final = 3
"""How often people are asked again whose decision doesn't fit; then the run goes on without one."""


class Switches:
    """Moves a run between modes.

    Args:
        run: The run.
        talks: Its conversations.
        withdraw: Cancels steps that are under way; they begin anew later.
    """

    def __init__(self, run: Running, talks: Talks, withdraw: Callable[[Sequence[str]], None]) -> None:
        self._run = run
        self._talks = talks
        self._withdraw = withdraw
        self.moving: Move | None = None
        """The move under way; others are refused meanwhile."""

        self.talking = False
        """Whether people talk about the run as a whole, or are about to."""

    # Which rule

    def check(self, message: SwitchMode) -> TransitionRule | Refusal:
        """The rule that allows a request, or why it is refused; nothing is changed."""
        run = self._run
        if self.moving is not None:
            reason = f"the run is being moved to '{self.moving.target}'; ask again when that is done"
            return Refusal(ErrorType.TRANSITION_NOT_ALLOWED, reason)
        if run.record.done:
            return Refusal(ErrorType.TRANSITION_NOT_ALLOWED, "the run is done")
        rule = check_request(
            run.rules, run.record.transitions, source=run.mode, to=message.to, by=run.roles_of(message.requested_by)
        )
        if isinstance(rule, TransitionRule) and rule.to is not Mode.WORKFLOW and (refusal := self._nobody_signs()):
            return refusal
        if isinstance(rule, TransitionRule) and rule.to is Mode.WORKFLOW and (stuck := self._stuck()):
            reason = f"step '{stuck}' can't go on without what its conversation decides; decide it, or end the run"
            return Refusal(ErrorType.TRANSITION_NOT_ALLOWED, reason)
        return rule

    def by_rule(self, trigger: Trigger, to: Mode | None = None) -> TransitionRule | None:
        """The rule that moves the run by itself, where one does and nothing else moves it."""
        if self.moving is not None:
            return None
        run = self._run
        return find_rule(run.rules, run.record.transitions, source=run.mode, trigger=trigger, to=to)

    def _stuck(self) -> str | None:
        """A step whose open conversation must give an outcome."""
        for record in self._run.record.open_conversations:
            if record.step is None:
                continue
            points = self._run.options(record.step).points
            point = next((point for point in points if point.name == record.point), None)
            if point is not None and isinstance(point.constraints.fallback, Fail):
                return record.step
        return None

    # Moving

    async def move(self, move: Move, handler: Handler) -> GoOn | None:
        """Move the run, and give what people decided, if the move has them talk."""
        self.moving = move = replace(move, handler=handler, begun=workflow.now())
        try:
            match handler:
                case Handler.RESUME | Handler.RESTART:
                    await self._back(move)
                    return self._resumed(None, handler)
                case Handler.BESIDE:
                    return await self._beside(move)
                case Handler.FINISH | Handler.CANCEL:
                    return await self._to_conversation(move)
        finally:
            self.moving = None

    async def _back(self, move: Move) -> None:
        """Break the conversations off; the steps go on."""
        seconds = self._run.settings.transitions.transition_timeout_seconds
        try:
            await asyncio.wait_for(self._talks.dismiss(move), seconds)
        except TimeoutError:
            self._run.reject(SWITCH, move.requested_by, _slow(move, seconds))
        finally:
            self._talks.dismissing = None

    async def _beside(self, move: Move) -> GoOn | None:
        run = self._run
        run.paused = False
        if run.record.open_conversations:
            run.record.switched(move, workflow.now())
            return None
        return await self._talk(move)

    async def _to_conversation(self, move: Move) -> GoOn | None:
        run = self._run
        run.paused = True
        target = await self._quiet(move)
        if target is Mode.WORKFLOW:
            run.paused = False
            return None
        if target is not move.target:
            return await self._beside(replace(move, target=target, trigger=Trigger.FALLBACK))
        if run.record.open_conversations:
            run.record.switched(move, workflow.now())
            return None
        return await self._talk(move)

    async def _quiet(self, move: Move) -> Mode:
        """Wait until no step is under way; the mode that the run then goes to."""
        run = self._run
        if move.handler is Handler.FINISH and run.under_way:
            seconds = run.settings.transitions.transition_timeout_seconds
            try:
                await workflow.wait_condition(
                    lambda: not run.under_way,
                    timeout=timedelta(seconds=seconds),
                    timeout_summary=f"until '{move.target}' may begin",
                )
            except TimeoutError:
                fallback = run.settings.transitions.fallback_mode
                if fallback is not move.target:
                    run.reject(SWITCH, move.requested_by, _slow(move, seconds))
                    return fallback
        self._withdraw(run.under_way)
        return move.target

    async def _talk(self, move: Move) -> GoOn | None:
        """Have people talk about the run as a whole, and give what they decided."""
        self.talking = True
        try:
            return await self._talked(move)
        finally:
            self.talking = False

    async def _talked(self, move: Move) -> GoOn | None:
        run = self._run
        if refusal := self._nobody_signs():
            run.reject(SWITCH, move.requested_by, refusal)
            run.paused = False
            return None
        for _ in range(MOST_MISFITS):
            setup = await self._setup(move)
            conversation = await self._talks.begin(None, SWITCH, setup, move)
            self.moving = None  # it is made; the run may be asked to go on otherwise
            ended = await self._talks.ended(conversation)
            decision, fault = self._decided(ended)
            back = self._talks.dismissing or self._back_by_rule(ended, decision)
            settled: Settled | NoOutcome = NoOutcome(fault or "nothing was decided")
            if decision is not None and isinstance(ended, ConversationResult):
                settled = Settled(decision, ended.outcome, fallback=False)
            self._talks.finish(conversation, ended, settled, back)
            if fault is None:
                return self._resumed(decision, back.handler if back else None)
            run.reject(SWITCH, None, Refusal(ErrorType.OUTCOME_INVALID, fault))
            move = replace(move, reason=f"what was decided doesn't fit: {fault}", begun=None)
            run.paused = move.target is Mode.CONVERSATION
        return None

    def _resumed(self, decision: GoOn | None, handler: Handler | None) -> GoOn | None:
        """How the steps go on: where they were, or from the beginning."""
        if handler is Handler.RESTART or not self._run.settings.transitions.preserve_state:
            return replace(decision or GoOn(), afresh=True)
        return decision

    def _own_point(self) -> ConversationPoint | None:
        """The run's own point for whoever asks for a conversation, once it can be set up."""
        run = self._run
        point = next((point for point in run.points.values() if isinstance(point.trigger, OnDemand)), None)
        return point if point is not None and run.record.are_done(run.plan.point(point.name).needs) else None

    def _nobody_signs(self) -> Refusal | None:
        """Why there is nobody to talk about the run, where people must sign."""
        must_sign, people = self._run.settings.conversation.signed, self._run.people
        if not must_sign or any(who.can_sign for who in people) or self._own_point() is not None:
            return None
        reason = "people must sign here, and nobody who is known to the run has a key"
        return Refusal(ErrorType.TRANSITION_NOT_ALLOWED, reason)

    async def _setup(self, move: Move) -> ConversationSetup:
        run = self._run
        if (point := self._own_point()) is not None:
            planned = run.plan.point(point.name)
            setup = run.ask(f"setup of point '{point.name}'", point.setup, run.arguments(planned.setup, {}))
            setup = setup.model_copy(update={"outcome": decision_schema(run.hints, run.hints)})
        else:
            settings = run.settings.conversation
            told: dict[str, object] = {
                "context": run.context(),
                "reason": move.reason,
                "people": who_talks(run.people, move.requested_by, settings.participant_limit, signed=settings.signed),
                "outcome": decision_schema(run.hints, run.hints),
            }
            setup = run.ask("conversation about the run", about_run, told)
        return run.settled(SWITCH, setup)

    def _decided(self, ended: ConversationResult | str) -> tuple[GoOn | None, str | None]:
        """What people decided, or how it doesn't fit; neither where they decided nothing."""
        if isinstance(ended, str) or not ended.decided_by:
            return None, None
        try:
            decision = RunDecision.model_validate(ended.outcome)
            if decision.resume_at is not None and decision.resume_at not in self._run.hints:
                return None, f"resume_at: there is no step '{decision.resume_at}'"
            return GoOn(self._run.typed(decision.results), decision.resume_at), None
        except ValidationError as error:
            return None, one_line(error)
        except ApplicationError as error:
            return None, error.message

    def _back_by_rule(self, ended: ConversationResult | str, decision: GoOn | None) -> Move | None:
        """How the run goes on after people have talked: by the rule that is there for how it ended, if one is."""
        if isinstance(ended, str):
            return None
        trigger = _trigger_of(ended, decision)
        rule = find_rule(
            self._run.rules,
            self._run.record.transitions,
            source=self._run.mode,
            trigger=trigger,
            to=Mode.WORKFLOW,
        )
        if rule is None:
            return None
        return Move(Mode.WORKFLOW, trigger, ended.reason, cause=ended.stop, handler=rule.how)


def _trigger_of(ended: ConversationResult, decision: GoOn | None) -> Trigger:
    if decision is not None:
        return Trigger.OUTCOME
    match ended.stop:
        case StopReason.BUDGET:
            return Trigger.BUDGET
        case StopReason.SWITCH:
            return Trigger.ASKED
        case stop if stop in STALLS:
            return Trigger.STALLED
        case _:
            return Trigger.CLOSED


def _slow(move: Move, seconds: float) -> Refusal:
    reason = f"what was under way did not end within {seconds:g} s, so the run did not go to '{move.target}'"
    return Refusal(ErrorType.TRANSITION_NOT_ALLOWED, reason)

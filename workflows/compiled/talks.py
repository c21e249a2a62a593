"""The conversations of a run: opened at its points, or about the run as a whole; held to their end; settled."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final, cast

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from signals.conversation import ConversationResult, StopReason
from signals.messages import Dismiss, RequestConversation
from signals.modes import Mode, Trigger
from signals.names import conversation_id
from signals.participants import Kind
from signals.run import ConversationRecord, HeldFor
from workflows.compiled.directives import Directive, End, GoOn, Talk
from workflows.compiled.outcomes import outcome_type
from workflows.compiled.plan import PointPlan, StepPlan
from workflows.compiled.record import Move, usual_end
from workflows.compiled.running import Running
from workflows.compiled.settlement import NoOutcome, Settled, settle
from workflows.compiled.talk import Held, begin, end
from workflows.conversation.setup import ConversationSetup
from workflows.conversation.workflow import Conversation
from workflows.hybrid import (
    Conditional,
    ConversationPoint,
    EndRun,
    Fail,
    GoOnAt,
    Integration,
    Merge,
    OnException,
    StepError,
    Switch,
)
from workflows.modes.talking import with_guests

STALLS: Final = frozenset(
    {
        StopReason.TIMEOUT,
        StopReason.SILENCE,
        StopReason.DEADLINE,
        StopReason.FALLBACK,
        StopReason.TURNS,
        StopReason.EVERYONE_LEFT,
    }
)
"""How conversations end that come to nothing."""


class Talks:
    """Holds the conversations of a run.

    Args:
        run: The run.
        have: Sees to it that steps are done, also those that only a conversation needs.
    """

    def __init__(self, run: Running, have: Callable[[tuple[str, ...]], Awaitable[None]]) -> None:
        self._run = run
        self._have = have
        self._spent: set[str] = set()
        """Points that have given their fallback for want of further conversations."""

        self.demands: dict[str, RequestConversation] = {}
        """Conversations that were asked for and have not begun, by point."""

        self.open: dict[str, Held] = {}
        """The conversations that have not ended, by workflow id."""

        self.dismissing: Move | None = None
        """Why conversations are being broken off, where they are."""

    # Which points

    def point_for(self, points: tuple[ConversationPoint, ...], error: StepError) -> ConversationPoint | None:
        """The first point that is there for an error and has something left to try."""
        return next(
            (
                point
                for point in points
                if isinstance(point.trigger, OnException)
                and error.type in point.trigger.types
                and point.name not in self._spent
                and self.is_left(point)
            ),
            None,
        )

    def is_left(self, point: ConversationPoint) -> bool:
        """Whether a point may hold another conversation, or has a fallback for want of one."""
        return not self.is_used_up(point) or not isinstance(point.constraints.fallback, Fail)

    def is_used_up(self, point: ConversationPoint) -> bool:
        """Whether a point has held all the conversations that it may."""
        return self._held(point.name) >= point.constraints.most

    def _held(self, point: str) -> int:
        """How many conversations of a point this run has opened."""
        record = self._run.record
        return sum(one.point == point and one.id.startswith(f"{record.run}/") for one in record.conversations)

    # Holding them

    async def hold(
        self, step: StepPlan | None, point: ConversationPoint, trigger: Trigger, error: StepError | None = None
    ) -> Settled | Directive:
        """Hold the conversation of a point, and give what it came to.

        Args:
            step: The step that it is about; none for the run as a whole.
            point: The point.
            trigger: What opened it.
            error: Why the step failed, if it did.

        Returns:
            What the step takes back; or what the run is to do, where the point says so.

        Raises:
            ApplicationError: `NoOutcome` or `BudgetExhausted`: there is none, and no fallback.
        """
        run, fallback = self._run, point.constraints.fallback
        name = step.name if step else None
        hint = outcome_type(run.hints, name, run.plan.result, point)
        if self.is_used_up(point):
            self._spent.add(point.name)
            settled = settle(f"{point.constraints.most} conversations were held", hint, fallback)
        else:
            planned = step.point(point.name) if step else run.plan.point(point.name)
            if step:
                run.record.waits(step.name)
            setup, because = await self._set_up(step, point, planned, error)
            move = Move(run.record.beside, trigger, because, cause=error.type if error else point.name)
            conversation = await self.begin(name, point.name, setup, move)
            ended = await self.ended(conversation)
            settled = settle(ended, hint, fallback)
            self.finish(conversation, ended, settled)
        if isinstance(settled, NoOutcome):
            return self._without(name, point, settled)
        return directive_of(point.integration, settled, name) or settled

    async def begin(self, step: str | None, point: str, setup: ConversationSetup, move: Move) -> Held:
        """Open a conversation.

        Args:
            step: The step that it is about; none for the run as a whole.
            point: The point that its workflow id is made of.
            setup: How it is set up.
            move: The change of mode that it makes.
        """
        run = self._run
        number = self._held(point) + 1
        about = f"of step '{step}'" if step else "of the run"
        summary = f"conversation {number} at point '{point}' {about}"
        name = conversation_id(run.record.run, point, number)
        conversation = await begin(name, setup, HeldFor(workflow=run.plan.name, step=step, point=point), summary)
        # Only now is it open: what would be passed on to it before it has started would be lost.
        record = ConversationRecord(
            id=conversation.id,
            step=step,
            point=point,
            opened=workflow.now(),
            because=move.reason,
            people=tuple(who.id for who in setup.participants if who.kind is Kind.HUMAN),
        )
        self.open[name] = conversation
        run.talk_opened(name, setup)
        run.record.opened(record, replace(move, conversation=name))
        run.publish()
        return conversation

    async def ended(self, conversation: Held) -> ConversationResult | str:
        """Wait for the end of a conversation; one that is broken off with its step is noted as that."""
        try:
            return await end(conversation)
        except FailureError:
            if conversation.id in self.open:
                self.finish(conversation, "it was broken off", NoOutcome("it was broken off"))
            raise

    def finish(
        self,
        conversation: Held,
        ended: ConversationResult | str,
        settled: Settled | NoOutcome,
        move: Move | None = None,
    ) -> None:
        """Note that a conversation has ended.

        Args:
            conversation: The conversation.
            ended: What it came to; what happened, where it failed.
            settled: What the run takes back.
            move: The change of mode that follows, if it was the last one; the usual one where it isn't given.
        """
        run = self._run
        del self.open[conversation.id]
        if isinstance(ended, ConversationResult):
            run.talk_closed(conversation.id, ended)
        move = move or self.dismissing or usual_end(ended)
        run.record.closed(conversation.id, workflow.now(), ended, settled, replace(move, conversation=conversation.id))
        if not self.open:
            run.paused = False
        run.publish()

    async def dismiss(self, move: Move) -> None:
        """Break off all conversations; what was said stays, and is what they come to."""
        self.dismissing = move
        for conversation in list(self.open.values()):
            await conversation.signal(Conversation.dismiss, Dismiss(reason=move.reason))
        await workflow.wait_condition(lambda: not self.open)

    async def _set_up(
        self, step: StepPlan | None, point: ConversationPoint, planned: PointPlan, error: StepError | None
    ) -> tuple[ConversationSetup, str]:
        """Make a point's setup, and say why it is opened."""
        run = self._run
        what = f"setup of point '{point.name}'"
        where = f"{step.name}: {what}" if step else what
        await self._have(planned.needs)
        setup = run.ask(where, point.setup, run.arguments(planned.setup, {}, error))
        with_settings = run.settled(where, setup)
        if with_settings.outcome is None:
            with_settings = with_settings.model_copy(update={"outcome": planned.outcome})
        demand = self.demands.pop(point.name, None)
        if demand is None:
            return with_settings, error.message if error else because(step, point)
        asked, refused = with_guests(with_settings, demand, run.people)
        for refusal in refused:
            run.reject(demand.signal, demand.requestor, refusal)
        return asked, demand.reason or f"{demand.requestor} asks for it"

    def _without(self, step: str | None, point: ConversationPoint, settled: NoOutcome) -> Directive:
        fallback = point.constraints.fallback
        if not isinstance(fallback, Switch):
            reason = f"conversation point '{point.name}' gave no outcome: {settled.reason}"
            raise ApplicationError(reason, type=settled.type, non_retryable=True)
        if fallback.to is Mode.WORKFLOW:
            return GoOn()
        return Talk(fallback.to, settled.reason, point.name, step)


def because(step: StepPlan | None, point: ConversationPoint) -> str:
    """Why a conversation is opened that no error and nobody asked for."""
    if isinstance(point.trigger, Conditional):
        return f"it is so: {point.trigger.condition.__name__.replace('_', ' ')}"
    return "the step calls for it" if step else "the workflow calls for it"


def directive_of(integration: Integration, settled: Settled, step: str | None) -> Directive | None:
    """What the run is to do with an outcome, beside giving it to the step; nothing where that is all."""
    match integration:
        case Merge():
            return GoOn(_decided(settled))
        case GoOnAt(step=target):
            return GoOn(_decided(settled), target, leaving=step)
        case EndRun():
            return End(settled.value)
        case _:
            return None


def _decided(settled: Settled) -> dict[str, object]:
    return cast(dict[str, object], settled.value)  # of a TypedDict, made of the steps' names

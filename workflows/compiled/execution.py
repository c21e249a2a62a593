"""The execution of a compiled workflow: each step starts as soon as what it needs is there.

Steps, conversations about the run as a whole and changes of its mode are tasks side by side; one loop looks at what
has come to an end, in order, and decides what that means for the run.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NoReturn

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError, is_cancelled_exception

from signals.context import CoreState, UniversalContext
from signals.errors import ErrorType, Refusal
from signals.messages import RequestConversation, SwitchMode
from signals.modes import HANDLERS, Handler, Mode, Trigger
from signals.run import StepStatus
from signals.settings import Settings
from workflows.compiled.demands import point_asked_for
from workflows.compiled.directives import Directive, End, GoOn, Talk
from workflows.compiled.plan import Plan
from workflows.compiled.point_checks import SWITCH
from workflows.compiled.post import Post
from workflows.compiled.record import Move
from workflows.compiled.running import Running, as_json
from workflows.compiled.settlement import Settled
from workflows.compiled.steps import Steps
from workflows.compiled.stubs import fetch
from workflows.compiled.switches import Switches
from workflows.compiled.talk import step_error, unbroken
from workflows.compiled.talks import Talks
from workflows.hybrid import Conditional, ConversationPoint, Explicit, StepError
from workflows.modes.context import variables

Task = asyncio.Task[Directive | None]

LONG: Final = 2_000
"""At how many events of history a run continues as new, so that a cold worker is quick."""

_POINT: Final = "point "
"""What tasks of the run's own points are called, before their names: no step has a blank in its name."""


class Execution:
    """Runs a compiled workflow to its end.

    Args:
        flow: What has the steps as its methods.
        plan: The plan of its class.
        points: The conversation points of the run as a whole.
        settings: What the run is bound to.
        core: What is so in every mode.
        renew: Continues the workflow as new, from a context.
    """

    def __init__(
        self,
        flow: object,
        plan: Plan,
        points: tuple[ConversationPoint, ...],
        settings: Settings,
        core: CoreState,
        renew: Callable[[UniversalContext], NoReturn],
    ) -> None:
        self._renew = renew
        self.run = Running(flow, plan, points, settings, core)
        self.post = Post(self.run)
        self._talks = Talks(self.run, self._have)
        self._steps = Steps(self.run, self._talks, self._merge)
        self._switches = Switches(self.run, self._talks, self._withdraw)
        self._tasks: dict[str, Task] = {}
        self._failures: dict[str, FailureError] = {}
        """Steps that failed, and are talked about."""

        self._ending: dict[str, Task] = {}
        """Steps that were cancelled and have not ended yet."""

        self._switched = 0
        self._end: End | None = None
        self.begun = False
        """Whether the run knows what it is bound to, and whom it may talk to."""

    async def execute(self, request: object, context: UniversalContext | None = None) -> object:
        """Run the steps; the result is what the result step returned, or what people decided.

        Args:
            request: The workflow's input.
            context: What another run knew, to go on from.
        """
        run = self.run
        run.request = request
        run.core = run.core.model_copy(update={"request": as_json(request)})
        posting = asyncio.create_task(self.post.pass_signals_on())
        try:
            await self._begin(context)
            while True:
                await self._renew_if_long()
                if not self._start():
                    break
                await workflow.wait_condition(self._is_something_done)
                for name in [name for name, task in self._tasks.items() if task.done()]:
                    if name in self._tasks:  # what came before it may have cancelled it
                        await self._look_at(name, self._tasks.pop(name))
        except (FailureError, asyncio.CancelledError):
            await unbroken(self._break_off())
            raise
        await self._stop_all()
        await workflow.wait_condition(lambda: self.post.is_empty and workflow.all_handlers_finished())
        posting.cancel()
        run.record.completed()
        run.publish()
        run.leave()
        if self._end is not None:
            return self._end.value
        if run.plan.result not in run.results:
            reason = f"{run.plan.name} came to its end without a result"
            raise ApplicationError(reason, type=ErrorType.NO_OUTCOME, non_retryable=True)
        return run.results[run.plan.result]

    async def _renew_if_long(self) -> None:
        """Continue as new between two steps, where the history is long and nothing is under way."""
        info = workflow.info()
        if info.get_current_history_length() < LONG and not info.is_continue_as_new_suggested():
            return
        await workflow.wait_condition(workflow.all_handlers_finished)
        run = self.run
        is_quiet = not (self._tasks or self._ending or self._talks.demands) and self.post.is_empty
        if is_quiet and self._end is None and run.mode is Mode.WORKFLOW and run.record.ready():
            run.leave()
            self._renew(run.context().model_copy(update={"settings": run.settings}))

    def _is_something_done(self) -> bool:
        return any(task.done() for tasks in (self._tasks, self._ending) for task in tasks.values())

    # Requests

    def check(self, message: RequestConversation | SwitchMode) -> Refusal | None:
        """Say why a request isn't allowed now; nothing if it is."""
        found = self._switches.check(message) if isinstance(message, SwitchMode) else self._asked_for(message)
        return found if isinstance(found, Refusal) else None

    def take_switch(self, message: SwitchMode) -> Refusal | None:
        """Move the run as it is asked to; why not, where it isn't allowed."""
        rule = self._switches.check(message)
        if isinstance(rule, Refusal):
            return rule
        reason = message.reason or f"{message.requested_by} asks for it"
        self._switch(Move(rule.to, Trigger.REQUEST, reason, requested_by=message.requested_by), rule.how)
        return None

    def take_demand(self, message: RequestConversation) -> Refusal | None:
        """Open a conversation that is asked for, once its step's body isn't under way; why not, where it can't be."""
        found = self._asked_for(message)
        if isinstance(found, Refusal):
            return found
        self._talks.demands[found.name] = message
        if found.name in self.run.points:
            self._open(found, Trigger.REQUEST)
        return None

    def _asked_for(self, message: RequestConversation) -> ConversationPoint | Refusal:
        """The first point that somebody may ask for now, or why there is none."""
        run = self.run
        steps = [step.name for step in run.plan.steps if not run.record.are_done([step.name])]
        of_steps = (point for name in steps for point in run.options(name).points)
        points = (*run.points.values(), *of_steps)
        return point_asked_for(message, points, run.roles_of(message.requestor), self._is_taken)

    def _is_taken(self, point: ConversationPoint) -> bool:
        waiting = point.name in self._talks.demands or f"{_POINT}{point.name}" in self._tasks
        is_open = any(record.point == point.name for record in self.run.record.open_conversations)
        return waiting or is_open or self._talks.is_used_up(point)

    # Beginning

    async def _begin(self, context: UniversalContext | None) -> None:
        run = self.run
        if context is not None:
            await self._take_up(context)
        self.begun = True
        for point in run.points.values():
            if isinstance(point.trigger, Explicit):
                run.paused = True
                self._open(point, Trigger.POINT)

    async def _take_up(self, context: UniversalContext) -> None:
        """Go on from what another run knew: its results, where they are of this workflow, and in its mode."""
        run = self.run
        run.know(context)
        if context.core_state.workflow in (None, run.plan.name):
            found = {name: value for name, value in variables(context).items() if name in run.hints}
            for artefact in context.core_state.artefacts:
                if artefact.name in run.hints:
                    found[artefact.name] = await fetch(artefact)
            run.results |= run.typed(found)
        run.take_up(context)
        if context.mode is not Mode.WORKFLOW:
            move = Move(context.mode, Trigger.SELECTED, "it begins so")
            self._switch(move, HANDLERS[context.mode][0])

    # The loop

    def _start(self) -> bool:
        """Start what can start; tell whether anything is under way."""
        run = self.run
        if self._end is not None:
            return False
        self._open_conditional()
        self._ending = {name: task for name, task in self._ending.items() if not task.done()}
        if not run.paused:
            ready = [name for name in run.record.ready() if name not in self._ending]
            if not run.settings.workflow.optimization:
                ready = [] if run.under_way else ready[:1]
            for name in ready:
                run.record.begun(name, workflow.now())
                self._tasks[name] = asyncio.create_task(self._steps.run(run.plan.step(name)))
        run.publish()
        return bool(self._tasks or self._ending)

    def _open_conditional(self) -> None:
        run = self.run
        for point in run.points.values():
            held = any(record.point == point.name for record in run.record.conversations)
            if not isinstance(point.trigger, Conditional) or held or f"{_POINT}{point.name}" in self._tasks:
                continue
            planned = run.plan.point(point.name)
            if run.record.are_done(planned.asks):
                asked = run.arguments(planned.condition, {})
                if run.ask(f"condition of point '{point.name}'", point.trigger.condition, asked):
                    self._open(point, Trigger.POINT)

    async def _look_at(self, name: str, task: Task) -> None:
        """See what has come to an end, and what that means for the run."""
        try:
            directive = await task
        except FailureError as error:
            if is_cancelled_exception(error):
                raise
            self._failed(name, error)
        else:
            await self._follow(directive)
            if directive is None and name in self.run.results:
                self._doubt(name)
        if self._end is None and not self._is_talked_about:
            failed = [name for name in self._failures if self.run.record.steps[name].status is StepStatus.FAILED]
            if failed:
                raise self._failures[failed[0]]
            self._failures.clear()

    @property
    def _is_talked_about(self) -> bool:
        """Whether people talk about the run as a whole, or are about to: a failed step may yet be mended."""
        return any(" " in name for name in self._tasks)

    def _failed(self, name: str, error: FailureError) -> None:
        """A step, or a conversation about the run, has failed: people may mend it, or the run fails."""
        run, cause = self.run, step_error(error)
        if name not in run.hints:
            raise next(iter(self._failures.values()), error)
        self._failures[name] = error
        point = self._talks.point_for(tuple(run.points.values()), cause)
        if point is not None and f"{_POINT}{point.name}" not in self._tasks:
            self._open(point, Trigger.POINT, cause)
        elif not self._is_talked_about and run.may_talk and (rule := self._switches.by_rule(Trigger.STEP_FAILED)):
            reason = f"step '{name}' failed: {cause.message}"
            self._switch(Move(rule.to, Trigger.STEP_FAILED, reason, cause=cause.type), rule.how)

    def _doubt(self, step: str) -> None:
        """Have people talk where a step's result says that it isn't sure enough."""
        run = self.run
        confidence = getattr(run.results[step], "confidence", None)
        threshold = run.settings.hybrid.conversation_threshold
        if not isinstance(confidence, float) or confidence >= threshold or not run.may_talk:
            return
        if rule := self._switches.by_rule(Trigger.LOW_CONFIDENCE):
            reason = f"step '{step}' is sure to {confidence:.2f} only, less than {threshold:g}"
            self._switch(Move(rule.to, Trigger.LOW_CONFIDENCE, reason, cause=step), rule.how)

    async def _follow(self, directive: Directive | None) -> None:
        match directive:
            case GoOn():
                await self._go_on(directive)
            case End():
                self._end = directive
            case Talk():
                self._fall_back(directive)

    async def _go_on(self, going_on: GoOn) -> None:
        """Take what was decided; what is to be run anew is taken back first, the latest first."""
        run, record = self.run, self.run.record
        again, skipped = run.again(going_on), run.skipped(going_on)
        self._withdraw([*again, *skipped, *going_on.values])
        for name in record.to_compensate():
            if name in again:
                await self._steps.take_back(run.plan.step(name))
        for name in again:
            run.results.pop(name, None)
        run.results |= {**going_on.values, **dict.fromkeys(skipped)}
        record.rewound(again, set(going_on.values), skipped, workflow.now())

    def _merge(self, values: Mapping[str, object]) -> None:
        """Take results that were decided while their steps may be under way."""
        self._withdraw(list(values))
        self.run.results |= values
        self.run.record.rewound(set(), set(values), set(), workflow.now())

    def _fall_back(self, talk: Talk) -> None:
        """Go on in the mode that a point falls back on.

        Raises:
            ApplicationError: `NoOutcome`: no rule leads there.
        """
        if talk.leaving is not None:
            self.run.record.withdrawn(talk.leaving)
        rule = self._switches.by_rule(Trigger.FALLBACK, talk.to)
        if rule is None:
            reason = (
                f"conversation point '{talk.cause}' gave no outcome, and no rule leads to '{talk.to}': {talk.reason}"
            )
            raise ApplicationError(reason, type=ErrorType.NO_OUTCOME, non_retryable=True)
        self._switch(Move(rule.to, Trigger.FALLBACK, talk.reason, cause=talk.cause), rule.how)

    # Tasks

    def _switch(self, move: Move, handler: Handler) -> None:
        if move.target is Mode.CONVERSATION:
            self.run.paused = True  # from now on, not only when its task begins
        self._switched += 1
        self._tasks[f"{SWITCH} {self._switched}"] = asyncio.create_task(self._switches.move(move, handler))

    def _open(self, point: ConversationPoint, trigger: Trigger, error: StepError | None = None) -> None:
        async def held() -> Directive | None:
            try:
                taken = await self._talks.hold(None, point, trigger, error)
            finally:
                if isinstance(point.trigger, Explicit):
                    self.run.paused = False
            return None if isinstance(taken, Settled) else taken

        self._tasks[f"{_POINT}{point.name}"] = asyncio.create_task(held())

    def _withdraw(self, names: Sequence[str]) -> None:
        """Cancel steps that are under way or wait for a conversation; they may begin anew when they have ended."""
        for name in names:
            if (task := self._tasks.pop(name, None)) is not None and not task.done():
                task.cancel()
                task.add_done_callback(_heed)
                self._ending[name] = task
                self.run.record.withdrawn(name)

    async def _have(self, names: tuple[str, ...]) -> None:
        """See to it that steps are done, also those that only a conversation needs."""
        record = self.run.record
        for name in names:
            step = self.run.plan.step(name)
            if step.on_demand and record.is_pending(name):
                record.begun(name, workflow.now())
                await self._have(step.needs)
                await self._follow(await self._steps.run(step))
        await workflow.wait_condition(lambda: record.are_done(names))

    # Ends

    async def _stop_all(self) -> None:
        """Stop what is still under way when the run has its result."""
        left = [*self._tasks.values(), *self._ending.values()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        self._tasks.clear()
        if left:
            self.run.record.broken_off(workflow.now())

    async def _break_off(self) -> None:
        """Stop what is under way, then run the compensations of what was done, the latest first."""
        await self._stop_all()
        self.run.record.broken_off(workflow.now())
        for name in self.run.record.to_compensate():
            await self._steps.take_back(self.run.plan.step(name))
        self.run.publish()
        self.run.leave()


def _heed(task: Task) -> None:
    """Look at how a task ended that nobody waits for; a mistake in it must be seen."""
    if not task.cancelled() and (fault := task.exception()) and not isinstance(fault, FailureError):
        raise fault

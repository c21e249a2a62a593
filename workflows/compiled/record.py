"""A run's record: which step stands where, the conversations held, the changes of mode. Pure data and rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel, PrivateAttr

from signals.context import UniversalContext
from signals.conversation import ConversationResult
from signals.modes import Handler, Mode, Trigger
from signals.run import Checkpoint, ConversationRecord, Progress, RunSoFar, StepProgress, StepStatus, Transition
from workflows.compiled.plan import Plan
from workflows.compiled.settlement import NoOutcome, Settled
from workflows.modes.context import to_workflow


@dataclass(frozen=True)
class Move:
    """A change of mode that is to be made."""

    target: Mode
    trigger: Trigger
    reason: str
    cause: str | None = None
    """What set it off, where the trigger alone doesn't say."""

    requested_by: str | None = None
    handler: Handler | None = None
    begun: datetime | None = None
    """When it was set off, where it takes time."""

    conversation: str | None = None

    def made(self, source: Mode, at: datetime) -> Transition:
        """The transition, once it is made."""
        return Transition(
            source=source,
            target=self.target,
            trigger=self.trigger,
            reason=self.reason,
            at=at,
            cause=self.cause,
            requested_by=self.requested_by,
            handler=self.handler,
            seconds=(at - self.begun).total_seconds() if self.begun else 0,
            conversation=self.conversation,
        )


def usual_end(ended: ConversationResult | str) -> Move:
    """The change of mode that follows the last open conversation, where nothing else says how the run goes on.

    Args:
        ended: What the conversation came to; what happened, where it failed.
    """
    if isinstance(ended, str):
        return Move(Mode.WORKFLOW, Trigger.CLOSED, ended, cause="failed")
    return Move(Mode.WORKFLOW, Trigger.CLOSED, ended.reason, cause=ended.stop)


class RunRecord(BaseModel):
    """What has happened in a run so far; the shell changes it, pages and queries read it."""

    run: str
    """The workflow id."""

    plan: Plan
    steps: dict[str, StepProgress]
    conversations: list[ConversationRecord] = []
    transitions: list[Transition] = []
    checkpoints: list[Checkpoint] = []
    finishing: list[str] = []
    """The steps in the order in which they were done."""

    mode: Mode = Mode.WORKFLOW
    done: bool = False

    _lacking: dict[str, int] = PrivateAttr(default_factory=dict)
    """For each step, how many that it needs are not done: so a long plan isn't gone through after each step."""

    _startable: list[str] = PrivateAttr(default_factory=list)

    @classmethod
    def begin(cls, run: str, plan: Plan) -> "RunRecord":
        """The record of a run in which nothing has happened yet."""
        record = cls(
            run=run,
            plan=plan,
            steps={step.name: StepProgress(step=step.name, status=StepStatus.PENDING) for step in plan.steps},
        )
        record._count_anew()
        return record

    def taken_up(self, context: UniversalContext, done: Iterable[str]) -> None:
        """Go on from where another run stood.

        Args:
            context: What that run knew.
            done: The steps whose results are there.
        """
        was = {progress.step: progress for progress in to_workflow(context).steps}
        for name in done:
            known = was.get(name, self.steps[name])
            # What was left out has a result too, and nothing that could be taken back.
            status = StepStatus.SKIPPED if known.status is StepStatus.SKIPPED else StepStatus.DONE
            self.steps[name] = known.model_copy(update={"status": status})
        self.finishing = [name for name, progress in self.steps.items() if progress.status is StepStatus.DONE]
        self.conversations = [one for one in context.conversations if one.closed is not None]
        self.transitions = list(context.transitions)
        self._count_anew()

    def ready(self) -> list[str]:
        """The steps that can start now: not begun, and all that they need is done."""
        self._startable = sorted(filter(self.is_pending, self._startable), key=self.plan.position.__getitem__)
        return list(self._startable)

    def is_pending(self, step: str) -> bool:
        """Tell whether a step has not begun."""
        return self.steps[step].status is StepStatus.PENDING

    def are_done(self, names: Iterable[str]) -> bool:
        """Tell whether steps have results; a skipped one's is None."""
        return all(self.steps[name].status in (StepStatus.DONE, StepStatus.SKIPPED) for name in names)

    def begun(self, step: str, at: datetime) -> None:
        """A step starts."""
        self._set(step, status=StepStatus.RUNNING, started=at)

    def tried(self, step: str) -> None:
        """A step's body is run, for the first time or again."""
        self._set(step, status=StepStatus.RUNNING, attempts=self.steps[step].attempts + 1)

    def waits(self, step: str) -> None:
        """A step waits for a conversation."""
        self._set(step, status=StepStatus.WAITING)

    def finished(self, step: str, at: datetime) -> None:
        """A step has its result."""
        self.finishing.append(step)
        self._set(step, status=StepStatus.DONE, ended=at)
        self._let_go(step)

    def skipped(self, step: str) -> None:
        """A step's condition doesn't hold."""
        self._set(step, status=StepStatus.SKIPPED)
        self._let_go(step)

    def _let_go(self, step: str) -> None:
        """Let those start that waited for a step alone."""
        for name in self.plan.needed_by[step]:
            self._lacking[name] -= 1
            if not self._lacking[name] and not self.plan.step(name).on_demand:
                self._startable.append(name)

    def checkpoint(self, step: str, at: datetime, event: int) -> None:
        """The run can be taken back to this moment, when a step was done."""
        self.checkpoints.append(Checkpoint(step=step, at=at, event=event))

    def failed(self, step: str, at: datetime, error: str) -> None:
        """A step has failed for good."""
        self._set(step, status=StepStatus.FAILED, ended=at, error=error)

    def broken_off(self, at: datetime) -> None:
        """What was still under way was cancelled, the conversations too."""
        for name, progress in self.steps.items():
            if progress.status in (StepStatus.RUNNING, StepStatus.WAITING):
                self._set(name, status=StepStatus.CANCELLED, ended=at)
        self.conversations = [
            record.model_copy(update={"closed": record.closed or at}) for record in self.conversations
        ]

    def withdrawn(self, step: str) -> None:
        """A step that was under way begins anew later."""
        self._set(step, status=StepStatus.PENDING, started=None, ended=None)
        if step not in self._startable and not self._lacking[step]:
            self._startable.append(step)

    def rewound(self, again: set[str], decided: set[str], skipped: set[str], at: datetime) -> None:
        """Some steps are to be run anew, the results of others were decided, others are left out."""
        for name in decided:
            if self.steps[name].status is not StepStatus.DONE:
                self.finishing.append(name)
            self._set(name, status=StepStatus.DONE, ended=at, error=None)
        for name in skipped:
            self._set(name, status=StepStatus.SKIPPED, error=None)
        for name in again:
            self._set(name, status=StepStatus.PENDING, started=None, ended=None, error=None)
        self.finishing = [name for name in dict.fromkeys(reversed(self.finishing)) if name not in again][::-1]
        self.done = False
        self._count_anew()

    def _count_anew(self) -> None:
        """Find out what each step lacks: what was done may be so no longer."""
        steps = self.plan.steps
        self._lacking = {step.name: sum(not self.are_done([name]) for name in step.needs) for step in steps}
        self._startable = [step.name for step in steps if not self._lacking[step.name] and not step.on_demand]

    def completed(self) -> None:
        """The run has its result; what was not needed for it was skipped."""
        self.done = True
        for name in self.steps:
            if self.is_pending(name):
                self._set(name, status=StepStatus.SKIPPED)

    def to_compensate(self) -> list[str]:
        """The steps that were done, the latest first."""
        done = [name for name, progress in self.steps.items() if progress.status is StepStatus.DONE]
        return [name for name in reversed(self.finishing) if name in done]

    def compensated(self, step: str, error: str | None = None) -> None:
        """What a step did was taken back; or that failed."""
        self._set(step, **({"status": StepStatus.COMPENSATED} if error is None else {"error": error}))

    def _set(self, step: str, **changes: object) -> None:
        self.steps[step] = self.steps[step].model_copy(update=changes)

    def opened(self, conversation: ConversationRecord, move: Move) -> None:
        """A conversation is open: the run is in conversation, or hybrid where other steps go on."""
        self.conversations.append(conversation)
        self.switched(move, conversation.opened)

    @property
    def beside(self) -> Mode:
        """The mode of a run that opens a conversation now: hybrid where steps are under way."""
        others = any(progress.status is StepStatus.RUNNING for progress in self.steps.values())
        return Mode.HYBRID if others else Mode.CONVERSATION

    def closed(
        self, conversation: str, at: datetime, ended: ConversationResult | str, settled: Settled | NoOutcome, move: Move
    ) -> None:
        """A conversation has ended; with the last open one the run is a workflow again."""
        index = next(i for i, record in enumerate(self.conversations) if record.id == conversation)
        changes: dict[str, object] = {"closed": at}
        if isinstance(ended, ConversationResult):
            changes |= {name: getattr(ended, name) for name in ("stop", "decided_by", "evidence", "turns")}
        if isinstance(settled, Settled):
            changes |= {"outcome": settled.outcome, "fallback": settled.fallback}
        self.conversations[index] = self.conversations[index].model_copy(update=changes)
        if not self.open_conversations:
            self.switched(move, at)

    def switched(self, move: Move, at: datetime) -> None:
        """The run goes on in another mode; nothing changes where it is in that mode already."""
        if move.target is not self.mode:
            self.transitions.append(move.made(self.mode, at))
            self.mode = move.target

    @property
    def open_conversations(self) -> list[ConversationRecord]:
        """The conversations that have not ended."""
        return [record for record in self.conversations if record.closed is None]

    def so_far(self) -> RunSoFar:
        """What a step is given that asks for `run`."""
        return RunSoFar(
            id=self.run,
            mode=self.mode,
            conversations=tuple(self.conversations),
            transitions=tuple(self.transitions),
        )

    def progress(self) -> Progress:
        """What the query answers."""
        return Progress(
            run=self.run,
            workflow=self.plan.name,
            mode=self.mode,
            steps=tuple(self.steps.values()),
            conversations=tuple(self.conversations),
            transitions=tuple(self.transitions),
            done=self.done,
        )

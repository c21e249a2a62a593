"""What a run of a compiled workflow knows while it goes on.

It is shared by those who run its steps, hold its conversations and change its mode.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TypeVar, cast, get_type_hints

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import to_jsonable_python
from temporalio import workflow

from signals.adaptive import Selection
from signals.context import (
    ConversationSession,
    ConversationState,
    CoreState,
    HybridState,
    ParticipantState,
    TurnState,
    UniversalContext,
    WorkflowState,
)
from signals.conversation import ConversationResult, Rejection, Rejections
from signals.errors import Refusal
from signals.modes import Mode, Paradigm, Rules
from signals.names import SAID
from signals.participants import Participant
from signals.run import StepStatus, Transition
from signals.settings import Settings
from signals.wire import MAX_FACTS_BYTES, at_most, one_line
from workflows import search, spans
from workflows.compiled.directives import GoOn
from workflows.compiled.page import page
from workflows.compiled.plan import Argument, Plan, Source
from workflows.compiled.record import RunRecord
from workflows.compiled.step import StepOptions, options_of
from workflows.compiled.types import from_json
from workflows.conversation.setup import ConversationSetup
from workflows.counts import RUNS, Count, moves, stay
from workflows.hybrid import ConversationPoint, StepError
from workflows.metrics import emit
from workflows.modes.context import adapt_for_mode, bounded, to_hybrid
from workflows.modes.rules import DEFAULT_RULES
from workflows.receiving import invalid

T = TypeVar("T")

KEPT_SESSIONS: Final = 5
"""How many of the latest conversations a context has; the others are in their own histories."""


class Running:
    """A run while it goes on.

    Args:
        flow: What has the steps as its methods.
        plan: The plan of its class.
        points: The conversation points of the run as a whole.
        settings: What the run is bound to.
        core: What is so in every mode.
    """

    def __init__(
        self, flow: object, plan: Plan, points: tuple[ConversationPoint, ...], settings: Settings, core: CoreState
    ) -> None:
        self.flow = flow
        self.plan = plan
        self.points = {point.name: point for point in points}
        self.settings = settings
        self.core = core
        self.record = RunRecord.begin(workflow.info().workflow_id, plan)
        self.results: dict[str, object] = {}
        self.request: object = None
        self.rejections = Rejections()
        self.selection: Selection | None = None
        """How the run is gone about, where that was chosen."""

        self.own_rules: Rules | None = None
        """The transition rules that it was started with."""

        self.paused = False
        """Whether no step may start, since people talk about the run as a whole."""

        self.sessions: dict[str, ConversationState] = {}
        """What is known of the latest conversations, by workflow id."""

        self._told: dict[str, dict[str, JsonValue]] = {}
        """What the open conversations were told, so that it is not taken for news."""

        self._logged = 0
        """How many changes of mode were logged and counted."""

        self._hints: dict[str, dict[str, object]] | None = None
        self._mode_since = workflow.now()

    # Types

    @property
    def hints(self) -> dict[str, dict[str, object]]:
        """The annotations of every step, read when they are first asked for."""
        if self._hints is None:
            cls = type(self.flow)
            names = [step.name for step in self.plan.steps]
            self._hints = {name: get_type_hints(getattr(cls, name), include_extras=True) for name in names}
        return self._hints

    def typed(self, results: Mapping[str, JsonValue]) -> dict[str, object]:
        """Results as the types that their steps give.

        Raises:
            ApplicationError: `InvalidInput`: one doesn't fit, or there is no such step.
        """
        values = {}
        for name, value in results.items():
            if name not in self.hints:
                raise invalid(f"results.{name}: there is no such step; there are: {', '.join(self.hints)}")
            with fitting(f"results.{name}"):
                values[name] = from_json(self.hints[name]["return"], value)
        return values

    def options(self, step: str) -> StepOptions:
        """What `@step` was told of a step."""
        return options_of(getattr(type(self.flow), step)) or StepOptions()

    # Arguments

    def arguments(
        self, arguments: Iterable[Argument], values: Mapping[str, object], error: StepError | None = None
    ) -> dict[str, object]:
        """Fill arguments by name; `values` go first: what conversations gave, and what a loop's last turn gave."""
        filled: dict[str, object] = {}
        for argument in arguments:
            match argument.source:
                case _ if argument.name in values:
                    filled[argument.name] = values[argument.name]
                case Source.REQUEST:
                    filled[argument.name] = self.request
                case Source.RUN:
                    filled[argument.name] = self.record.so_far()
                case Source.CONTEXT:
                    filled[argument.name] = self.context()
                case Source.SETTINGS:
                    filled[argument.name] = self.settings
                case Source.STEP:
                    filled[argument.name] = self.results[argument.name]
                case Source.ERROR:
                    filled[argument.name] = error
                case Source.OUTCOME | Source.PREVIOUS:
                    pass  # not there yet: the parameter's default stands
        return filled

    def ask(self, where: str, function: Callable[..., T], arguments: Mapping[str, object]) -> T:
        """Ask one of the functions that the run is decided with."""
        with fitting(f"{self.plan.name}.{where}"):
            return function(**arguments)

    def settled(self, where: str, setup: ConversationSetup) -> ConversationSetup:
        """A setup with what it leaves to the settings."""
        with fitting(f"{self.plan.name}.{where}"):
            return setup.settled(self.settings.conversation)

    # Who takes part, and what is known

    def roles_of(self, name: str) -> set[str]:
        """Somebody's id, and the roles that they have in the run."""
        return {name, *(person.role for person in self.people if person.id == name)}

    @property
    def people(self) -> tuple[Participant, ...]:
        """Everybody who is known to the run: who may be talked to, and who has taken part."""
        known = {person.id: person for person in self.core.participants}
        for session in self.sessions.values():
            for name, state in session.participants.items():
                known.setdefault(name, state.participant)
        return tuple(known.values())

    def talk_opened(self, conversation: str, setup: ConversationSetup) -> None:
        """Note who takes part in a conversation, and what it is told."""
        people = {person.id: ParticipantState(participant=person) for person in setup.participants}
        self._told[conversation] = setup.facts
        self.sessions[conversation] = ConversationState(
            participants=people, turn_state=TurnState(conversation=conversation)
        )
        for old in list(self.sessions)[:-KEPT_SESSIONS]:
            del self.sessions[old]

    def talk_closed(self, conversation: str, ended: ConversationResult) -> None:
        """Note what a conversation came to, and what became known in it."""
        session = self.sessions.get(conversation, ConversationState())
        said = [message.speaker for message in ended.last_messages if message.speaker]
        self.sessions[conversation] = session.model_copy(
            update={
                "message_history": ended.last_messages,
                "turn_state": TurnState(
                    conversation=conversation,
                    turns=ended.turns,
                    messages=ended.messages,
                    last_speaker=said[-1] if said else None,
                ),
            }
        )
        told = self._told.pop(conversation, {})
        learnt = {name: value for name, value in ended.facts.items() if name not in told or told[name] != value}
        facts = {**self.core.facts, **learnt}
        try:
            at_most(MAX_FACTS_BYTES)(facts)
        except ValueError as error:
            workflow.logger.warning("What became known in %s is not kept: %s", conversation, error)
        else:
            self.core = self.core.model_copy(update={"facts": facts})

    # The context

    def know(self, context: UniversalContext) -> None:
        """Take over what another run knew of people and facts."""
        core = context.core_state
        facts = {**self.core.facts, **core.facts}
        known = {person.id: person for person in (*self.core.participants, *core.participants)}
        self.core = self.core.model_copy(update={"facts": facts, "participants": tuple(known.values())})
        self.own_rules = self.own_rules or context.rules
        for session in to_hybrid(context).conversation_sessions:
            if name := session.state.turn_state.conversation:
                self.sessions[name] = session.state

    def take_up(self, context: UniversalContext) -> None:
        """Go on from where another run stood; its changes of mode are no news."""
        self.record.taken_up(context, self.results)
        self._logged = len(self.record.transitions)

    def context(self) -> UniversalContext:
        """All that the run knows, kept to a size."""
        record = self.record
        done = [name for name in self.results if record.are_done([name])]
        progress = WorkflowState(
            step_index=len(record.finishing),
            variables={name: as_json(self.results[name]) for name in done},
            steps=tuple(record.steps.values()),
            checkpoints=tuple(record.checkpoints),
        )
        held = {one.id: one for one in record.conversations}
        sessions = tuple(
            ConversationSession(record=held.get(name), state=state) for name, state in self.sessions.items()
        )
        whole = UniversalContext(
            core_state=self.core,
            mode_state=HybridState(workflow_progress=progress, conversation_sessions=sessions),
            transitions=tuple(record.transitions),
            conversations=tuple(record.conversations),
            rules=self.own_rules,
            selection=self.selection,
        )
        adapted = adapt_for_mode(whole, record.mode, preserve=self.settings.transitions.preserve_state)
        info = workflow.info()
        return bounded(adapted, info.workflow_id, info.run_id)

    # What is to be done with what was decided

    def again(self, going_on: GoOn) -> set[str]:
        """The steps that are run anew, but for those whose results were decided."""
        if going_on.afresh:
            again = {step.name for step in self.plan.steps}
        else:
            again = self.plan.after(going_on.resume_at) if going_on.resume_at else set()
        return again - going_on.values.keys()

    def skipped(self, going_on: GoOn) -> set[str]:
        """The steps that are left out, since the run leaves them behind."""
        leaving, target = going_on.leaving, going_on.resume_at
        if leaving is None or target is None or leaving in (again := self.plan.after(target)):
            return set()
        return self.plan.after(leaving) - again - going_on.values.keys()

    # What people see

    def reject(self, signal: str, speaker: str | None, refusal: Refusal) -> None:
        """Keep what isn't accepted where people see it."""
        self.rejections = self.rejections.adding(
            Rejection(at=workflow.now(), signal=signal, speaker=speaker, type=refusal.type, reason=refusal.reason)
        )
        self.publish()

    def publish(self) -> None:
        """Show where the run stands, and log and count how its mode has changed."""
        new = self.record.transitions[self._logged :]
        for transition in new:
            self._log(transition)
        emit(moves(new, self._mode_since))
        spans.moved(new, self._mode_since)
        self._logged += len(new)
        self._mode_since = new[-1].at if new else self._mode_since
        search.publish(mode=self.record.mode, trigger=new[-1].trigger if new else None)
        signers = {person.id for person in self.people if person.key is not None}
        workflow.set_current_details(page(self.record, self.rejections, self.selection, signers))

    def leave(self) -> None:
        """Tell how long the run was in its last mode: it ends, or goes on as another."""
        until = workflow.now()
        emit([stay(self.record.mode, self._mode_since, until)])
        spans.stayed(self.record.mode, self._mode_since, until)
        self._mode_since = until

    def ended(self, status: str) -> None:
        """Count the run; what is written for one paradigm alone has none that was chosen."""
        usual = Paradigm.HYBRID if self.points or any(step.points for step in self.plan.steps) else Paradigm.WORKFLOW
        paradigm = self.selection.paradigm if self.selection else usual
        emit([Count(RUNS, labels={"paradigm": paradigm, "mode": self.record.mode, "status": status})])

    def _log(self, transition: Transition) -> None:
        """Log a change of mode with all that is known."""
        record = self.record
        workflow.logger.info(
            "Mode: %s to %s (%s)",
            transition.source,
            transition.target,
            transition.trigger,
            extra={
                "transition": transition.model_dump(mode="json", exclude={"reason"}, exclude_none=True),
                "steps": {name: str(progress.status) for name, progress in record.steps.items()},
                "conversations": [one.id for one in record.open_conversations],
                "participants": [person.id for person in self.people],
                "facts": sorted(self.core.facts),
                "results": sorted(self.results),
                SAID: {"reason": transition.reason},
            },
        )

    @property
    def under_way(self) -> list[str]:
        """The steps whose bodies are being run."""
        return [name for name, progress in self.record.steps.items() if progress.status is StepStatus.RUNNING]

    @property
    def may_talk(self) -> bool:
        """Whether the run may open a conversation by itself: it is set to, and there is somebody to talk to."""
        by_steps_alone = self.selection is not None and self.selection.paradigm is Paradigm.WORKFLOW
        signed = self.settings.conversation.signed
        somebody = any(who.can_sign or not signed for who in self.core.participants)
        return self.settings.hybrid.auto_switch and somebody and not by_steps_alone

    @property
    def rules(self) -> Rules:
        """The transition rules that hold."""
        return self.own_rules or self.settings.transitions.rules or DEFAULT_RULES

    @property
    def mode(self) -> Mode:
        """The mode that the run is in."""
        return self.record.mode


def as_json(value: object) -> JsonValue:
    """A result as JSON; bytes are in base64."""
    if isinstance(value, BaseModel):
        return cast(JsonValue, value.model_dump(mode="json"))
    return cast(JsonValue, to_jsonable_python(value, bytes_mode="base64"))


@contextmanager
def fitting(where: str) -> Iterator[None]:
    """Say in one line that a value doesn't fit: that is the input's fault, not a bug to wait for a new release with.

    Raises:
        ApplicationError: `InvalidInput`.
    """
    try:
        yield
    except ValidationError as error:
        raise invalid(f"{where}: {one_line(error)}") from None

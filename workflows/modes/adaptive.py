"""The workflow `Adaptive`: chooses how a task is gone about, does it, and switches when that no longer suits.

It hosts what it chose, so that it is a run like any other: its steps, conversations and changes of mode are its own.
"""

from collections.abc import Callable, Mapping
from typing import Final, NoReturn, cast, get_type_hints

from pydantic import JsonValue
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from signals.adaptive import SURE, AdaptiveRequest, AdaptiveResult, Selection, SelectionRequest
from signals.context import CoreState, UniversalContext
from signals.errors import ErrorType
from signals.modes import Mode, Trigger
from signals.names import WorkflowType
from signals.participants import keys_fault, models_of
from signals.settings import Settings
from workflows.compiled.execution import Execution
from workflows.compiled.run import CompiledRun, Run, held_to
from workflows.compiled.running import as_json, fitting
from workflows.compiled.source import REQUEST
from workflows.compiled.stubs import fetch
from workflows.compiled.types import from_json
from workflows.composition.registry import REGISTRY, known
from workflows.modes.discussion import Discussion, going_on, setup_of
from workflows.modes.rules import find_rule
from workflows.modes.stubs import Assessing, select
from workflows.options import ASSESS
from workflows.receiving import invalid

MOST_WORKFLOWS: Final = 5
"""How many workflows a task may go on with, one after the other."""


@workflow.defn(name=WorkflowType.ADAPTIVE)
class Adaptive(Run):
    """Do a task by workflow, by conversation, or by both, as suits it."""

    def __init__(self) -> None:
        super().__init__()
        self._request: AdaptiveRequest | None = None
        self._settings = Settings()
        self._selection: Selection | None = None

    @workflow.run
    async def run(self, request: AdaptiveRequest, context: UniversalContext | None = None) -> AdaptiveResult:
        """Choose, do it, and say what came of it.

        Args:
            request: The task, and who may be talked to.
            context: What another run knew, to go on from.
        """
        with self.counted():
            return await self._do(request, context)

    async def _do(self, request: AdaptiveRequest, context: UniversalContext | None) -> AdaptiveResult:
        self._request = request
        self._settings = await held_to(context, models_of(request.participants))
        if self._settings.conversation.signed and (fault := keys_fault(request.participants)):
            raise invalid(fault)
        flows = _flows(request)
        renewed = context if context is not None and context.settings is not None else None
        selection = self._selection = (renewed and renewed.selection) or await self._select(request)
        inputs = {name: _input_of(flow) for name, flow in flows.items()}
        if renewed is not None and (flow := flows.get(renewed.core_state.workflow or "")):
            outcome = as_json(await self._host(request, flow, await _input_again(flow, renewed), renewed))
        elif selection.start is Mode.CONVERSATION or request.task.workflow is None:
            with fitting("setup"):
                setup = setup_of(request, selection, inputs)
            outcome = as_json(await self._host(request, Discussion, setup, context))
        else:
            flow = flows[request.task.workflow]
            outcome = as_json(await self._host(request, flow, _typed(flow, request.task.input), context))
        for _ in range(MOST_WORKFLOWS):
            chosen = going_on(outcome, inputs)
            if chosen is None or not self._may_go_on(chosen[0]):
                break
            flow = flows[chosen[0]]
            carried = self.execution.run.context()
            outcome = as_json(await self._host(request, flow, _typed(flow, chosen[1]), carried))
        return self._result(outcome, selection)

    @workflow.query(description="Which paradigm was chosen, why, and what else was considered.")
    def selection(self) -> Selection | None:
        """What was chosen; nothing before it was."""
        return self._selection

    async def _select(self, request: AdaptiveRequest) -> Selection:
        """Choose a paradigm; what the task is like is found out where nobody says."""
        task = request.task
        traits, confidence = task.traits, SURE
        if traits.missing and request.paradigm is None:
            assessed = await workflow.execute_activity_method(
                Assessing.assess, task, summary="what is the task like?", **ASSESS
            )
            traits, confidence = traits.completed(assessed.traits), assessed.confidence
        return await select(
            SelectionRequest(
                goal=task.goal,
                traits=traits,
                confidence=confidence,
                workflow=task.workflow is not None,
                people=bool(request.participants),
                wanted=request.paradigm,
                settings=self._settings,
            )
        )

    async def _host(
        self, request: AdaptiveRequest, flow: type, given: object, context: UniversalContext | None
    ) -> object:
        """Execute a compiled workflow as this run."""
        cls = cast(type[CompiledRun], flow)
        core = CoreState(
            goal=request.task.goal,
            workflow=cls.plan.name,
            facts=request.task.facts,
            participants=request.participants,
        )
        execution = Execution(object.__new__(cls), cls.plan, cls.points, self._settings, core, self._renew)
        execution.run.selection = self._selection
        execution.run.own_rules = request.rules
        self.host(execution)
        return await execution.execute(given, context)

    def _renew(self, context: UniversalContext) -> NoReturn:
        workflow.continue_as_new(args=[self._request, context])

    def _may_go_on(self, flow: str) -> bool:
        """Whether a rule lets the conversation's outcome name a workflow; if so, that is why the mode has changed."""
        run = self.execution.run
        rule = find_rule(
            run.rules,
            run.record.transitions,
            source=Mode.CONVERSATION,
            trigger=Trigger.OUTCOME,
            to=Mode.WORKFLOW,
        )
        if rule is None or not run.record.transitions:
            return False
        *before, last = run.record.transitions
        became = last.model_copy(update={"trigger": Trigger.OUTCOME, "cause": flow, "handler": rule.how})
        run.record.transitions = [*before, became]
        return True

    def _result(self, outcome: JsonValue, selection: Selection) -> AdaptiveResult:
        run = self.execution.run
        return AdaptiveResult(
            outcome=outcome,
            paradigm=selection.paradigm,
            reasons=selection.reasons,
            mode=run.mode,
            workflow=None if run.plan.name == Discussion.__name__ else run.plan.name,
            conversations=tuple(run.record.conversations),
            transitions=tuple(run.record.transitions),
        )


def _flows(request: AdaptiveRequest) -> Mapping[str, type]:
    """The compiled workflows that a task names.

    Raises:
        ApplicationError: `WorkflowNotAvailable`: there is none of that name, or it isn't compiled.
    """
    task = request.task
    named = {"task.workflow": task.workflow} if task.workflow else {}
    named |= {f"task.workflows.{index}": name for index, name in enumerate(task.workflows)}
    found: dict[str, type] = {}
    for field, name in named.items():
        flow = REGISTRY.classes.get(name)
        if flow is None or not issubclass(flow, CompiledRun):
            compiled = [other for other, cls in REGISTRY.classes.items() if issubclass(cls, CompiledRun)]
            reason = f"{field}: there is no compiled workflow '{name}'; {known(compiled, name)}"
            raise ApplicationError(reason, type=ErrorType.WORKFLOW_NOT_AVAILABLE, non_retryable=True)
        found[name] = flow
    return found


def _input_of(flow: type) -> object:
    """The annotation of what a compiled workflow takes."""
    cls = cast(type[CompiledRun], flow)
    hints = get_type_hints(cast(Callable[..., object], getattr(cls, cls.plan.request_step)), include_extras=True)
    return hints[REQUEST]


async def _input_again(flow: type, context: UniversalContext) -> object:
    """What a workflow was given before its run continued as new."""
    large = next((one for one in context.core_state.artefacts if one.name == REQUEST), None)
    return _typed(flow, await fetch(large) if large else context.core_state.request)


def _typed(flow: type, value: JsonValue) -> object:
    if value is None:
        raise invalid(f"task.input: {flow.__name__} needs an input")
    with fitting("task.input"):
        return from_json(_input_of(flow), value)

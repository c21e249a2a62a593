"""Example 1: a support system that solves what it knows by workflow, and talks about everything else.

From the seed's "Customer Support System": a known issue runs its workflow; one that policy refuses, or that
fails, becomes a conversation and comes back; an unknown or complex one is a conversation.
"""

from pydantic import JsonValue
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from signals.adaptive import Selection
from signals.errors import ErrorType
from signals.modes import Paradigm
from signals.names import child_run_id
from signals.run import RunSoFar
from signals.settings import Settings
from signals.support import (
    Account,
    Agent,
    Classification,
    Decision,
    Handled,
    Resolution,
    ResolutionStatus,
    SolvedBy,
    SupportRequest,
)
from workflows.compiled import compiled, step
from workflows.hybrid import Conditional, ConversationPoint, Default, OnException, PointConstraints, RetryWith
from workflows.modes.stubs import select
from workflows.options import CHILD_TASK_TIMEOUT, QUICK
from workflows.support import talks
from workflows.support.errors import SupportError
from workflows.support.issues import asked, decided_by, known_issue, missing, said
from workflows.support.stubs import Books, Classifier


def people_say_first(selection: Selection) -> bool:
    """Whether a conversation was chosen."""
    return selection.paradigm is Paradigm.CONVERSATION


_NOT_DECIDED: JsonValue = {"action": "none", "solved": False, "note": "nobody decided in time"}

_UNKNOWN = ConversationPoint(
    name="unknown",
    trigger=Conditional(people_say_first),
    setup=talks.unknown,
    constraints=PointConstraints(fallback=Default(_NOT_DECIDED)),
)

_REFUSED = ConversationPoint(
    name="refused",
    trigger=OnException(SupportError.REFUSED_BY_POLICY, SupportError.NOT_FOUND, ErrorType.INVALID_INPUT),
    setup=talks.refused,
    integration=RetryWith("decision"),
    constraints=PointConstraints(fallback=Default(_NOT_DECIDED)),
)


@compiled
class CustomerSupport:
    """Handle a support request: by workflow where one is made for it, by conversation where not."""

    @step
    async def account(self, request: SupportRequest) -> Account:
        """Look the customer up."""
        return await workflow.execute_activity_method(
            Books.account, request.customer, summary="look the customer up", **QUICK
        )

    @step
    async def classification(self, request: SupportRequest) -> Classification:
        """Tell what the request is about."""
        return await workflow.execute_activity_method(Classifier.classify, request, summary="classify", **QUICK)

    @step
    async def agent(self, request: SupportRequest) -> Agent:
        """Have somebody at hand in case people must talk."""
        return await workflow.execute_activity_method(Books.agent_on_duty, summary="who is on duty?", **QUICK)

    @step
    async def selection(self, request: SupportRequest, classification: Classification, settings: Settings) -> Selection:
        """Choose how to go about it."""
        return await select(asked(request, classification, settings))

    @step(talk=_UNKNOWN)
    def decision(self, request: SupportRequest, classification: Classification, selection: Selection) -> Decision:
        """Decide what to do: what a workflow is made for, or what people say."""
        return decided_by(request, classification)

    @step(talk=_REFUSED)
    async def handled(self, account: Account, decision: Decision, run: RunSoFar) -> Handled:
        """Do it: run the known issue's workflow."""
        if lacking := missing(decision):
            raise ApplicationError(
                f"the decision does not say {lacking}", type=ErrorType.INVALID_INPUT, non_retryable=True
            )
        deciders = run.conversations[-1].decided_by if run.conversations else ()
        issue = known_issue(decision, account, approved_by=next(iter(deciders), None))
        if issue is None:
            return Handled(action=decision.action, solved=decision.solved, text=decision.note)
        result = await workflow.execute_child_workflow(
            issue.workflow,
            issue.request,
            id=child_run_id(run.id, decision.action, len(run.conversations) + 1),
            result_type=issue.result,
            task_timeout=CHILD_TASK_TIMEOUT,
            static_summary=f"{decision.action}, as decided" if deciders else f"{decision.action}, by policy",
        )
        return Handled(action=decision.action, solved=True, text=said(result), details=result.model_dump(mode="json"))

    @step(result=True)
    def resolution(
        self, classification: Classification, selection: Selection, handled: Handled, run: RunSoFar
    ) -> Resolution:
        """Sum up."""
        points = {conversation.point for conversation in run.conversations}
        if not points:
            mode = SolvedBy.WORKFLOW
        else:
            mode = SolvedBy.HYBRID if _REFUSED.name in points else SolvedBy.CONVERSATION
        return Resolution(
            status=ResolutionStatus.RESOLVED if handled.solved else ResolutionStatus.UNRESOLVED,
            mode=mode,
            issue=classification.issue,
            confidence=classification.confidence,
            reasons=selection.reasons,
            result=handled,
            conversations=run.conversations,
            transitions=run.transitions,
        )

"""The workflow `Composite`: runs a plan that is given to it."""

from temporalio import workflow

from signals.composition import CompositeResult
from signals.names import WorkflowType
from workflows.composition import views
from workflows.composition.check import check
from workflows.composition.entry import misfits
from workflows.composition.layout import Part
from workflows.composition.plan import CompositeRequest
from workflows.composition.registry import REGISTRY
from workflows.composition.run import CompositeRun
from workflows.receiving import invalid

_REFUSED = "plan-refused"
"""Marks the history of a run whose plan was refused.

What a plan may name is the worker's, and changes with its release. A run whose plan was accepted must not be
refused when it is replayed by a later one, and a refused one must stay so.
"""

_TOLD = 20


@workflow.defn(name=WorkflowType.COMPOSITE)
class Composite(CompositeRun):
    """Run whole workflows by a plan: in sequence, in parallel, by choice, in loops."""

    @workflow.run
    async def run(self, request: CompositeRequest) -> CompositeResult:
        """Check the plan and its input, and carry it out.

        Args:
            request: The plan, and what its first workflow is given.
        """
        part = _checked(request)
        value = await self.carry_out(part, request.input)
        return views.result(self.machine, value, workflow.info().workflow_id)


def _checked(request: CompositeRequest) -> Part:
    checked = check(request.plan, REGISTRY)
    findings = checked.findings
    if checked.part is not None and not findings:
        findings = misfits(checked.part, request.input, REGISTRY, WorkflowType.COMPOSITE)
    if checked.part is None or (findings and workflow.patched(_REFUSED)):
        lines = [finding.told for finding in findings[:_TOLD]]
        if len(findings) > _TOLD:
            lines.append(f"and {len(findings) - _TOLD} more")
        raise invalid("\n".join(lines))
    return checked.part

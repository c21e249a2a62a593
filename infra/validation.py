"""What the settings refuse when a worker is built, once everything that extensions bring is known."""

from collections.abc import Sequence

from infra.config import DEFAULT_COORDINATION
from infra.errors import SetupError
from signals.settings import Settings, ValidationLevel
from workflows.compiled.plan import plan_of
from workflows.conversation.speaker_selection import default_fault


def hold_to(settings: Settings, workflows: Sequence[type]) -> None:
    """Hold workflows, and the settings themselves, to the settings.

    Args:
        settings: The settings.
        workflows: The workflow classes.

    Raises:
        SetupError: It doesn't fit.
    """
    if fault := default_fault(settings.conversation.default_coordination):
        raise SetupError(f"[{'.'.join(DEFAULT_COORDINATION[:-1])}] {DEFAULT_COORDINATION[-1]}: {fault}")
    plans = [plan for flow in workflows if (plan := plan_of(flow))]
    found = [str(finding) for plan in plans for finding in plan.findings]
    if found and settings.workflow.validation_level is ValidationLevel.STRICT:
        told = 'workflows with warnings are refused; mend them, or make it "standard"'
        raise SetupError("\n".join([f"[execution.workflow] validation_level: {told}:", *found]))

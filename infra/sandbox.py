from typing import Final

from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

PASSED_THROUGH: Final = (
    # Loaded once for all runs: the wire, and the framework, whose plans are made once in a process.
    "signals",
    "workflows.compiled",
    "workflows.composition",
    "workflows.conversation",
    "workflows.counts",
    "workflows.exclusive",
    "workflows.extensions",
    "workflows.failures",
    "workflows.hybrid",
    "workflows.markdown",
    "workflows.metrics",
    "workflows.modes",
    "workflows.options",
    "workflows.pinning",
    "workflows.receiving",
    "workflows.search",
    "workflows.spans",
    # What the examples' workflow modules share; they themselves are loaded anew.
    "workflows.pipeline.errors",
    "workflows.pipeline.failures",
    "workflows.pipeline.fragments",
    "workflows.pipeline.narrowing",
    "workflows.pipeline.policy",
    "workflows.pipeline.standing",
    "workflows.pipeline.stubs",
    "workflows.pipeline.talks",
    "workflows.support.errors",
    "workflows.support.fragments",
    "workflows.support.issues",
    "workflows.support.stubs",
    "workflows.support.talks",
    # Libraries that only compute.
    "cryptography",
    "jsonschema_rs",
    "rfc8785",
)


def workflow_runner(sandbox: bool, *, strict: bool = False) -> WorkflowRunner:
    """Choose how workflow code is run.

    Args:
        sandbox: Load an application's workflow modules anew for each run, without access to what is not
            deterministic.
        strict: Refuse a module that is loaded anew though no workflow is defined in it: our own are all meant to be
            passed through. An application's may be loaded anew; it costs memory, no more.
    """
    if not sandbox:
        return UnsandboxedWorkflowRunner()
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    if strict:
        policy = SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
        restrictions = restrictions.with_import_notification_policy(policy)
    return SandboxedWorkflowRunner(restrictions)

from typing import Final

from temporalio.worker import UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import SandboxImportNotificationPolicy

PASSED_THROUGH: Final = (
    # Loaded once for all runs: the wire, and the framework, whose plans are made once in a process.
    "signals",
    "workflows.compiled",
    "workflows.conversation",
    "workflows.hybrid",
    "workflows.markdown",
    "workflows.options",
    "workflows.receiving",
    "workflows.search",
    # What the example's workflow modules share; they themselves are loaded anew.
    "workflows.support.errors",
    "workflows.support.issues",
    "workflows.support.stubs",
    "workflows.support.talks",
    # Libraries that only compute.
    "attr",
    "attrs",
    "jsonschema",
    "jsonschema_specifications",
    "referencing",
    "rpds",
)


def workflow_runner(sandbox: bool) -> WorkflowRunner:
    """Choose how workflow code is run.

    Args:
        sandbox: Load an application's workflow modules anew for each run, without access to what is not
            deterministic, and refuse a module that is neither passed through here nor by the one that imports it.
    """
    if not sandbox:
        return UnsandboxedWorkflowRunner()
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    strict = (
        SandboxImportNotificationPolicy.WARN_ON_DYNAMIC_IMPORT
        | SandboxImportNotificationPolicy.RAISE_ON_UNINTENTIONAL_PASSTHROUGH
    )
    return SandboxedWorkflowRunner(restrictions.with_import_notification_policy(strict))

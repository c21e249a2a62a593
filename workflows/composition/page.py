"""A composite's page in the Web UI: where each branch stands. Pure."""

from typing import Final

from signals.composition import BranchProgress, BranchState, CompositeProgress
from workflows.markdown import commands, escape, table, took

_MARKS: Final = {
    BranchState.PENDING: "·",
    BranchState.RUNNING: "▶",
    BranchState.CANCELLING: "⊘",
    BranchState.SUCCEEDED: "✓",
    BranchState.FAILED: "✗",
    BranchState.CANCELLED: "⊘",
    BranchState.SKIPPED: "-",
}

ROWS: Final = 100
"""How many branches are shown."""


def page(name: str, progress: CompositeProgress) -> str:
    """Draw the page, as Markdown. Everything that people wrote is escaped.

    Args:
        name: The composite's workflow type.
        progress: Where it stands.
    """
    succeeded = sum(branch.state is BranchState.SUCCEEDED for branch in progress.branches)
    state = "Done" if progress.done else "Running"
    parts = [
        f"# {escape(name)}",
        f"{state} · {succeeded} of {len(progress.branches) + progress.omitted} branches succeeded"
        if not progress.omitted
        else state,
        table(["", "branch", "state", "took", "child"], [_row(branch) for branch in progress.branches]),
        f"and {progress.omitted} more" if progress.omitted else "",
        commands([["temporal", "workflow", "query", "--workflow-id", progress.run, "--type", "progress"]]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _row(branch: BranchProgress) -> list[str]:
    time = took((branch.ended - branch.started).total_seconds()) if branch.started and branch.ended else ""
    state = f"{branch.state}: **{escape(branch.error.message)}**" if branch.error else branch.state
    path = branch.path if branch.number == 1 else f"{branch.path} ({branch.number})"
    return [_MARKS[branch.state], escape(path), state, time, escape(branch.id or "", 1000)]

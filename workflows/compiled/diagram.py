"""The graph of a compiled workflow as a Mermaid flowchart; of a run, with the state of each step.

Nodes are not called what the steps are: `end` or `style` would be words of Mermaid's own.
"""

import html
from collections.abc import Mapping
from typing import Final

from signals.run import StepStatus
from workflows.compiled.plan import Plan, StepPlan

_STYLES: Final = {
    StepStatus.DONE: "fill:#d3f9d8,stroke:#2b8a3e,color:#000",
    StepStatus.RUNNING: "fill:#d0ebff,stroke:#1864ab,color:#000",
    StepStatus.WAITING: "fill:#fff3bf,stroke:#e67700,color:#000",
    StepStatus.FAILED: "fill:#ffe3e3,stroke:#c92a2a,color:#000",
    StepStatus.CANCELLED: "fill:#f1f3f5,stroke:#868e96,color:#000",
    StepStatus.SKIPPED: "fill:#fff,stroke:#adb5bd,stroke-dasharray:4,color:#868e96",
    StepStatus.COMPENSATED: "fill:#e5dbff,stroke:#5f3dc4,color:#000",
}


def mermaid(plan: Plan, states: Mapping[str, StepStatus] | None = None) -> str:
    """Draw a plan.

    Args:
        plan: The plan.
        states: Where each step of a run stands; none for the definition alone.
    """
    lines = ["flowchart TD", "    request([request])"]
    for step in plan.steps:
        lines += _step(step)
    lines += [f"    {_node(plan.result)} --> result([result])"]
    for status, style in _STYLES.items():
        nodes = [_node(name) for name, state in (states or {}).items() if state is status]
        if nodes:
            lines += [f"    classDef {status} {style}", f"    class {','.join(nodes)} {status}"]
    return "\n".join(lines) + "\n"


def _step(step: StepPlan) -> list[str]:
    node = _node(step.name)
    sources = [_node(need) for need in step.needs] or ["request"]
    lines = [f'    {node}["{_label(step)}"]', *(f"    {source} --> {node}" for source in sources)]
    for number, point in enumerate(step.points, 1):
        talk = f"talk_{step.name}_{number}"
        lines += [f'    {talk}{{{{"{_shown(point.name)}"}}}}', f"    {node} <-.-> {talk}"]
        lines += [f"    {_node(need)} -.-> {talk}" for need in point.needs if need not in step.needs]
    return lines


def _node(step: str) -> str:
    return f"step_{step}"


def _label(step: StepPlan) -> str:
    about = step.about.rstrip(".")
    return f"{step.name}<br/><small>{_shown(about)}</small>" if about else step.name


def _shown(text: str) -> str:
    # Mermaid shows labels as HTML, after it has read entities of its own, `#name;`.
    return html.escape(text.replace("#", "#35;"), quote=False).replace('"', "&quot;")

"""The graph of a compiled workflow as a Mermaid flowchart; of a run, with the state of each step."""

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
    lines += [f"    {plan.result} --> result([result])"]
    for status, style in _STYLES.items():
        names = [name for name, state in (states or {}).items() if state is status]
        if names:
            lines += [f"    classDef {status} {style}", f"    class {','.join(names)} {status}"]
    return "\n".join(lines) + "\n"


def _step(step: StepPlan) -> list[str]:
    sources = step.needs or ("request",)
    lines = [f'    {step.name}["{_label(step)}"]', *(f"    {source} --> {step.name}" for source in sources)]
    for point in step.points:
        node = f"{step.name}_{point.name}"
        lines += [f"    {node}{{{{{point.name}}}}}", f"    {step.name} <-.-> {node}"]
        lines += [f"    {need} -.-> {node}" for need in point.needs if need not in step.needs]
    return lines


def _label(step: StepPlan) -> str:
    about = step.about.replace('"', "'").rstrip(".")
    return f"{step.name}<br/><small>{about}</small>" if about else step.name

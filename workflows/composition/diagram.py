"""A plan as a Mermaid flowchart; of a run, with the state of each branch. Pure."""

from collections.abc import Mapping
from typing import Final

from signals.composition import BranchState
from workflows.composition.layout import Part
from workflows.composition.plan import Call, Conditional, Dynamic, ForEach, Loop, Parallel, Sequential

_STYLES: Final = {
    BranchState.SUCCEEDED: "fill:#d3f9d8,stroke:#2b8a3e,color:#000",
    BranchState.RUNNING: "fill:#d0ebff,stroke:#1864ab,color:#000",
    BranchState.CANCELLING: "fill:#fff3bf,stroke:#e67700,color:#000",
    BranchState.FAILED: "fill:#ffe3e3,stroke:#c92a2a,color:#000",
    BranchState.CANCELLED: "fill:#f1f3f5,stroke:#868e96,color:#000",
    BranchState.SKIPPED: "fill:#fff,stroke:#adb5bd,stroke-dasharray:4,color:#868e96",
}


def mermaid(part: Part, states: Mapping[int, BranchState] | None = None) -> str:
    """Draw a plan.

    Args:
        part: The plan.
        states: Where each of its branches stands in a run, by number; none for the definition alone.
    """
    drawing = _Drawing()
    ends = drawing.part(part, [("input", "")])
    drawing.join(ends, "result")
    lines = ["flowchart TD", "    input([input])", *drawing.lines, "    result([result])"]
    for status, style in _STYLES.items():
        nodes = [f"n{index}" for index, state in (states or {}).items() if state is status and index in drawing.nodes]
        if nodes:
            lines += [f"    classDef {status} {style}", f"    class {','.join(nodes)} {status}"]
    return "\n".join(lines) + "\n"


_Ends = list[tuple[str, str]]
"""Nodes that lead on to what comes next, each with what is written on its arrow."""


class _Drawing:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.nodes: set[int] = set()

    def node(self, part: Part, shape: str, label: str) -> str:
        name = f"n{part.index}"
        self.nodes.add(part.index)
        left, right = shape.split("_")
        self.lines.append(f'    {name}{left}"{label}"{right}')
        return name

    def join(self, ends: _Ends, target: str) -> None:
        for source, text in ends:
            self.lines.append(f"    {source} -->" + (f'|"{text}"| ' if text else " ") + target)

    def part(self, part: Part, before: _Ends) -> _Ends:
        """Draw a part after what leads to it; tell what leads on from it."""
        match part.plan:
            case Call() as call:
                other = f"<br/><small>{_safe(call.workflow)}</small>" if call.name else ""
                node = self.node(part, "[_]", _safe(part.segment or "") + other)
                self.join(before, node)
                return [(node, "")]
            case Sequential():
                for inner in part.parts:
                    before = self.part(inner, before)
                return before
            case Parallel() as parallel:
                fork = self.node(part, "{{_}}", _titled(part, "at the same time"))
                self.join(before, fork)
                ends = [end for inner in part.parts for end in self.part(inner, [(fork, "")])]
                return [(self.joined(part, ends, parallel.join.told), "")]
            case ForEach() as each:
                fork = self.node(part, "{{_}}", _titled(part, f"for each of {each.items or 'the list'}"))
                self.join(before, fork)
                ends = self.part(part.parts[0], [(fork, "each")])
                return [(self.joined(part, ends, each.join.told), "")]
            case _:
                return self.choice(part, before)

    def choice(self, part: Part, before: _Ends) -> _Ends:
        match part.plan:
            case Conditional() as conditional:
                node = self.node(part, "{_}", _titled(part, f"{conditional.when.told}?"))
                self.join(before, node)
                ends = self.part(part.parts[0], [(node, "yes")])
                return ends + (self.part(part.parts[1], [(node, "no")]) if part.parts[1:] else [(node, "no")])
            case Dynamic() as dynamic:
                node = self.node(part, "{_}", _titled(part, dynamic.selector))
                self.join(before, node)
                return [end for inner in part.parts for end in self.part(inner, [(node, _safe(inner.segment or ""))])]
            case Loop() as loop:
                node = self.node(part, "{{_}}", _titled(part, f"at most {loop.most} rounds"))
                self.join(before, node)
                until = f"n{part.index}_until"
                self.lines.append(f'    {until}{{"{_safe(loop.until.told)}?"}}')
                self.join(self.part(part.parts[0], [(node, "")]), until)
                self.join([(until, "no")], node)
                return [(until, "yes")]
        raise TypeError(part.plan)

    def joined(self, part: Part, ends: _Ends, told: str) -> str:
        node = f"n{part.index}_join"
        self.lines.append(f'    {node}{{{{"{_safe(told)}"}}}}')
        self.join(ends, node)
        return node


def _titled(part: Part, text: str) -> str:
    return _safe(f"{part.plan.name}: {text}" if part.plan.name else text)


def _safe(text: str) -> str:
    """Make any text show as itself: Mermaid takes the number of a character for it."""
    shown = text if len(text) <= 80 else f"{text[:79]}…"
    return "".join(char if char.isalnum() or char in " .,_-?…" else f"#{ord(char)};" for char in shown)

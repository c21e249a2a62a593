"""What speaks for and against each trait of a task, and what that comes to. Pure."""

import math
import re
from collections.abc import Mapping
from typing import Final

from signals.adaptive import SURE, Assessed, Task, Traits

TRAITS: Final = tuple(Traits.model_fields)

Chances = Mapping[str, float]
"""For each trait, how likely it is to hold: from 0 to 1."""

Weights = Mapping[str, float]
"""For some traits, what speaks for them (or against, below 0), in log-odds."""

CUES: Final[tuple[tuple[re.Pattern[str], Weights], ...]] = tuple(
    (re.compile(pattern), weights)
    for pattern, weights in (
        (
            r"\b(brainstorm|invent|imagine|explore|rethink|figure out|find out why|come up with|think (up|about)"
            r"|strategy|vision|ideas?|compromise|mediate|negotiate|diagnose|debug|conflict)\b",
            {"emergent": 1.5, "deterministic": -2, "clear_steps": -1},
        ),
        (r"\b(decide|choose|agree|discuss|settle)\b", {"emergent": 0.7, "deterministic": -1}),
        (
            r"\b(who(m)?ever|any(one|body)|some(one|body) who|volunteers?|as needed|turns? (up|out)|interested)\b",
            {"dynamic_participants": 1.5, "deterministic": -1},
        ),
        (
            r"\b(in (\w+ )?(stages|phases|rounds|waves|sprints)|step by step|from .{1,80} to|first .{1,80} then)\b"
            r"|:[^,]{1,80},[^,]{1,80},",
            {"structured_phases": 1.5},
        ),
        (
            r"\b(if|when|where|depending|whatever|unless|adjust|adapt|exceptions?|unusual|react|learn(ing)?)\b",
            {"flexible": 1, "deterministic": -0.5},
        ),
    )
)
"""Words of a goal that say something by themselves, whatever else is in it.

They are looked for in a bounded way: a goal may be long, and of any making.
"""

READY: Final[Weights] = {
    "clear_steps": 2,
    "structured_phases": 2,
    "deterministic": 1,
    "emergent": -2,
    "dynamic_participants": -1,
}
"""There is a workflow, and its input is known: nothing is open but its run."""

PLANNED: Final[Weights] = {"clear_steps": 1, "structured_phases": 1, "emergent": -1}
"""There is a workflow; what it is to be given must be found out."""

UNPLANNED: Final[Weights] = {"clear_steps": -0.5, "deterministic": -0.5}
"""Nobody has made a workflow for it."""

SHAPED: Final[Weights] = {"emergent": -0.5}
"""It is known what an outcome looks like."""

SEVERAL: Final[Weights] = {"flexible": 1}
"""It may be gone on with in one way or another."""


def evidence(task: Task) -> Weights:
    """What a task names, and how it is worded: for each trait what speaks for it."""
    found: list[Weights] = [weights for pattern, weights in CUES if pattern.search(task.goal.lower())]
    found.append(UNPLANNED if task.workflow is None else PLANNED if task.input is None else READY)
    if task.outcome is not None:
        found.append(SHAPED)
    if task.workflows:
        found.append(SEVERAL)
    return {trait: sum(weights.get(trait, 0) for weights in found) for trait in TRAITS}


def weighed(chances: Chances, evidence: Weights) -> Chances:
    """Chances with further evidence."""
    return {trait: 1 / (1 + (1 / chance - 1) * math.exp(-evidence[trait])) for trait, chance in chances.items()}


def assessed(task: Task, chances: Chances, by: str) -> Assessed:
    """Say what a task is like: as it says itself, and else as it is likelier to be, without contradictions.

    Args:
        task: The task.
        chances: The chances of the traits.
        by: Who found them.

    Returns:
        All traits; the confidence is the share of those that were found that can be expected to be right.
    """
    given = {trait: float(value) for trait, value in task.traits if value is not None}
    chances = {**chances, **given}
    holding = {trait: chances[trait] > 0.5 for trait in TRAITS}
    if holding["deterministic"] and holding["emergent"]:
        holding["emergent"] = chances["emergent"] > chances["deterministic"]
        holding["deterministic"] = not holding["emergent"]
    if holding["clear_steps"] and not holding["structured_phases"]:
        clear = chances["clear_steps"] > 1 - chances["structured_phases"]
        holding["clear_steps"] = holding["structured_phases"] = clear
    right = [chances[trait] if holding[trait] else 1 - chances[trait] for trait in task.traits.missing]
    return Assessed(traits=Traits(**holding), confidence=sum(right) / len(right) if right else SURE, by=by)

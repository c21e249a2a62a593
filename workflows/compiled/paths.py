"""What waits for what in a plan: steps that can run at the same time, and the chain that takes longest."""

from workflows.compiled.plan import Plan, StepPlan


def waves(plan: Plan) -> tuple[tuple[StepPlan, ...], ...]:
    """Group the steps that every run takes by how many others come before each, one after the other.

    A run doesn't go from wave to wave: each step starts as soon as its own inputs are there.
    """
    chains = _chains(plan)
    most = max(map(len, chains.values()), default=0)
    return tuple(tuple(plan.step(name) for name in chains if len(chains[name]) == number + 1) for number in range(most))


def critical_path(plan: Plan) -> tuple[str, ...]:
    """The longest chain of steps that wait for each other, by their number: a plan doesn't know how long each takes."""
    return max(_chains(plan).values(), key=len, default=())


def _chains(plan: Plan) -> dict[str, tuple[str, ...]]:
    """The longest chain of steps that leads to each step, itself included."""
    found: dict[str, tuple[str, ...]] = {}
    for step in plan.steps:
        if not step.on_demand:
            found[step.name] = (*max((found[need] for need in step.needs), key=len, default=()), step.name)
    return found

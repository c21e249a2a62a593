"""A plan laid out: every plan inside it numbered, with its place and what it adds to the paths of branches. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from workflows.composition.plan import MAX_DEPTH, MAX_SIZE, Call, Dynamic, ForEach, Parallel, Plan


@dataclass(frozen=True)
class Part:
    """A plan in its place inside the whole."""

    plan: Plan
    index: int
    """Its number in the whole, in the order of writing, from 0."""

    place: str
    """Where it is written, such as `plan.steps.1.branches.0`."""

    segment: str | None
    """What it adds to the path of its branches; nothing if it is not a branch and has no name."""

    parts: tuple["Part", ...]

    def walk(self) -> Iterator["Part"]:
        """It, and all parts inside it, in order."""
        yield self
        for part in self.parts:
            yield from part.walk()


class TooLargeError(ValueError):
    """A plan has too many parts, or too many inside each other."""


def lay_out(plan: Plan) -> Part:
    """Lay a plan out.

    Raises:
        TooLargeError: It has more than `MAX_SIZE` parts, or more than `MAX_DEPTH` inside each other.
    """
    return _Layout().part(plan, "plan", None, 1)


class _Layout:
    def __init__(self) -> None:
        self.count = 0

    def part(self, plan: Plan, place: str, branch: str | None, depth: int) -> Part:
        index = self.count
        self.count += 1
        if self.count > MAX_SIZE:
            raise TooLargeError(f"too large: at most {MAX_SIZE} plans in all are allowed")
        if depth > MAX_DEPTH:
            raise TooLargeError(f"nested too deep: at most {MAX_DEPTH} plans inside each other are allowed")
        parts = tuple(
            self.part(inner.plan, f"{place}.{inner.place}", _as_branch(plan, number), depth + 1)
            for number, inner in enumerate(plan.inner(), 1)
        )
        return Part(plan, index, place, _segment(plan, branch), parts)


def _as_branch(plan: Plan, number: int) -> str | None:
    """What a plan inside another one is called if it has no name, where the other one needs it to have one."""
    return str(number) if isinstance(plan, Parallel | Dynamic) else None


def _segment(plan: Plan, branch: str | None) -> str | None:
    match plan:
        case Plan(name=str() as name):
            return name
        case Call():
            return plan.workflow
        case ForEach() if branch is None:
            return "each"
        case _:
            return branch

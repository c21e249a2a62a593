"""Join strategies: what parallel branches must come to, and when that is decided. Pure.

A join looks at the branches that have ended, in the order in which they did, and says whether it is reached,
can't be reached any more, or must wait. Once it has said so, nothing that ends later changes it.

From the seed's "Workflow Composition Patterns" (`JoinStrategy`).
"""

from collections.abc import Sequence
from typing import Annotated, Literal, NamedTuple, Union

from pydantic import BeforeValidator, Field

from signals.composition import BranchState
from signals.wire import Wire


class Ended(NamedTuple):
    """A branch that has ended."""

    branch: int
    """Its number among the branches, from 0."""

    state: BranchState
    """Succeeded, failed, cancelled or skipped."""


class Reached(NamedTuple):
    """The join is reached."""

    winners: tuple[int, ...]
    """The branches whose results are taken, in the order of the plan."""


class Unreachable(NamedTuple):
    """The join can't be reached any more."""


Verdict = Reached | Unreachable | None
"""What a join says; nothing while it must wait."""


class Join(Wire):
    """What all join strategies have in common."""

    cancel: bool = False
    """Whether the branches that are not needed any more are cancelled, or run on."""


class JoinAll(Join):
    """Every branch must succeed; those that are skipped are not waited for. Gives the list of their results."""

    kind: Literal["all"] = "all"

    def verdict(self, branches: int, ended: Sequence[Ended]) -> Verdict:
        """Decide."""
        if any(one.state in (BranchState.FAILED, BranchState.CANCELLED) for one in ended):
            return Unreachable()
        return Reached(_succeeded(ended)) if len(ended) == branches else None

    @property
    def told(self) -> str:
        """What it needs, as people read it."""
        return "all must succeed"


class JoinAny(Join):
    """The first branch to succeed decides. Gives its result."""

    kind: Literal["any"] = "any"

    def verdict(self, branches: int, ended: Sequence[Ended]) -> Verdict:
        """Decide."""
        return _at_least(1, branches, ended)

    @property
    def told(self) -> str:
        """What it needs, as people read it."""
        return "one must succeed"


class JoinNOfM(Join):
    """The first `n` branches to succeed decide. Gives the list of their results, in the order of the plan."""

    kind: Literal["n_of_m"] = "n_of_m"
    n: int = Field(ge=1)

    def verdict(self, branches: int, ended: Sequence[Ended]) -> Verdict:
        """Decide."""
        return _at_least(self.n, branches, ended)

    @property
    def told(self) -> str:
        """What it needs, as people read it."""
        return f"{self.n} must succeed"


class JoinFirst(Join):
    """The first branch to finish decides, for good or ill: gives its result, or fails with it."""

    kind: Literal["first"] = "first"

    def verdict(self, branches: int, ended: Sequence[Ended]) -> Verdict:
        """Decide."""
        first = next((one for one in ended if one.state is not BranchState.SKIPPED), None)
        if first is None:
            return Unreachable() if len(ended) == branches else None
        return Reached((first.branch,)) if first.state is BranchState.SUCCEEDED else Unreachable()

    @property
    def told(self) -> str:
        """What it needs, as people read it."""
        return "the first to finish must succeed"


def _written_out(join: object) -> object:
    return {"kind": join} if isinstance(join, str) else join


_Written = Annotated[Union[JoinAll, JoinAny, JoinNOfM, JoinFirst], Field(discriminator="kind")]  # noqa: UP007

AnyJoin = Annotated[
    _Written, BeforeValidator(_written_out, json_schema_input_type=Literal["all", "any", "first"] | _Written)
]
"""A join as it is written in JSON; a bare kind will do where nothing else is said."""


def _succeeded(ended: Sequence[Ended]) -> tuple[int, ...]:
    return tuple(sorted(one.branch for one in ended if one.state is BranchState.SUCCEEDED))


def _at_least(count: int, branches: int, ended: Sequence[Ended]) -> Verdict:
    winners = [one.branch for one in ended if one.state is BranchState.SUCCEEDED][:count]
    if len(winners) == count:
        return Reached(tuple(sorted(winners)))
    return Unreachable() if len(winners) + branches - len(ended) < count else None

"""Join strategies: what parallel branches must come to, and when that is decided. Pure.

A join looks at the branches that have ended, and says whether it is reached, can't be reached any more, or must
wait. Once it has said so, nothing that ends later changes it.

From the seed's "Workflow Composition Patterns" (`JoinStrategy`).
"""

from dataclasses import dataclass, field
from typing import Annotated, Literal, NamedTuple, Union

from pydantic import BeforeValidator, Field

from signals.composition import BranchState
from signals.wire import Wire


@dataclass
class Tally:
    """The branches that have ended, as joins need to know of them."""

    branches: int
    """How many there are in all."""

    succeeded: list[int] = field(default_factory=list)
    """Those that succeeded, by their numbers from 0, in the order in which they did."""

    lost: int = 0
    """How many failed or were cancelled."""

    skipped: int = 0
    first: int | None = None
    """The first one that ended and was not skipped."""

    def add(self, branch: int, state: BranchState) -> None:
        """Count one more end: succeeded, failed, cancelled or skipped."""
        match state:
            case BranchState.SKIPPED:
                self.skipped += 1
                return
            case BranchState.SUCCEEDED:
                self.succeeded.append(branch)
            case _:
                self.lost += 1
        if self.first is None:
            self.first = branch

    @property
    def left(self) -> int:
        """How many have not ended."""
        return self.branches - len(self.succeeded) - self.lost - self.skipped


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

    def verdict(self, tally: Tally) -> Verdict:
        """Decide."""
        if tally.lost:
            return Unreachable()
        return None if tally.left else Reached(tuple(sorted(tally.succeeded)))

    @property
    def told(self) -> str:
        """What it needs, as people read it."""
        return "all must succeed"


class JoinAny(Join):
    """The first branch to succeed decides. Gives its result."""

    kind: Literal["any"] = "any"

    def verdict(self, tally: Tally) -> Verdict:
        """Decide."""
        return _at_least(1, tally)

    @property
    def told(self) -> str:
        """What it needs, as people read it."""
        return "one must succeed"


class JoinNOfM(Join):
    """The first `n` branches to succeed decide. Gives the list of their results, in the order of the plan."""

    kind: Literal["n_of_m"] = "n_of_m"
    n: int = Field(ge=1)

    def verdict(self, tally: Tally) -> Verdict:
        """Decide."""
        return _at_least(self.n, tally)

    @property
    def told(self) -> str:
        """What it needs, as people read it."""
        return f"{self.n} must succeed"


class JoinFirst(Join):
    """The first branch to finish decides, for good or ill: gives its result, or fails with it."""

    kind: Literal["first"] = "first"

    def verdict(self, tally: Tally) -> Verdict:
        """Decide."""
        if tally.first is None:
            return None if tally.left else Unreachable()
        return Reached((tally.first,)) if tally.first in tally.succeeded[:1] else Unreachable()

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


def _at_least(count: int, tally: Tally) -> Verdict:
    if len(tally.succeeded) >= count:
        return Reached(tuple(sorted(tally.succeeded[:count])))
    return Unreachable() if len(tally.succeeded) + tally.left < count else None

"""Searching for the first bad commit among many, by halves. Pure."""

from signals.pipeline import StageResult, StageState
from signals.wire import Wire


class Narrowing(Wire):
    """How far the search is: the first bad commit is after `good`, up to `bad`, by their numbers in the range."""

    good: int
    bad: int
    untestable: tuple[int, ...] = ()
    """Those between that can't be tested."""

    tested: int = 0

    @property
    def done(self) -> bool:
        """Whether there is nothing left to test."""
        return self.next is None

    @property
    def next(self) -> int | None:
        """The one to test next: of those that are left, the one in the middle; none where none is left."""
        left = [number for number in range(self.good + 1, self.bad) if number not in self.untestable]
        return left[len(left) // 2] if left else None

    def after(self, number: int, result: StageResult) -> "Narrowing":
        """How far it is when one more was tested.

        Args:
            number: The commit's number.
            result: What came of it. Tests that can't even be run say nothing of the commit.
        """
        tested = self.tested + 1
        if result.state is StageState.PASSED:
            return self.model_copy(update={"good": number, "tested": tested})
        if result.failed or result.exit == 1:
            return self.model_copy(update={"bad": number, "tested": tested})
        return self.model_copy(update={"untestable": (*self.untestable, number), "tested": tested})

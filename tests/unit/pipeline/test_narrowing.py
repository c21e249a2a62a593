"""The search for the first bad commit finds it by testing few, and says so where it can't tell."""

from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signals.pipeline import Stage, StageResult, StageState
from workflows.pipeline.narrowing import Narrowing


def found(number: int, first_bad: int, untestable: frozenset[int] = frozenset()) -> StageResult:
    if number in untestable:
        return StageResult(stage=Stage.TEST, state=StageState.FAILED, exit=4)
    if number < first_bad:
        return StageResult(stage=Stage.TEST, state=StageState.PASSED, exit=0)
    return StageResult(stage=Stage.TEST, state=StageState.FAILED, exit=1, failed=1)


def searched(bad: int, first_bad: int, untestable: frozenset[int] = frozenset()) -> Narrowing:
    now = Narrowing(good=0, bad=bad)
    while (number := now.next) is not None:
        now = now.after(number, found(number, first_bad, untestable))
    return now


@given(data=st.data(), bad=st.integers(1, 5000))
def test_the_first_bad_commit_is_found_by_halves(data: st.DataObject, bad: int) -> None:
    first_bad = data.draw(st.integers(1, bad))
    now = searched(bad, first_bad)
    assert (now.good, now.bad) == (first_bad - 1, first_bad)
    assert now.tested <= log2(bad) + 1


@given(data=st.data(), bad=st.integers(1, 60))
def test_where_some_can_t_be_tested_the_first_bad_one_is_among_what_is_left(data: st.DataObject, bad: int) -> None:
    first_bad = data.draw(st.integers(1, bad))
    untestable = data.draw(st.frozensets(st.integers(1, max(1, bad - 1))))
    now = searched(bad, first_bad, untestable)
    assert now.good < first_bad <= now.bad
    assert set(range(now.good + 1, now.bad)) <= untestable


@pytest.mark.parametrize(("exit", "failed", "says"), [(1, 0, True), (2, 3, True), (2, 0, False), (None, 0, False)])
def test_tests_that_could_not_be_run_say_nothing_of_the_commit(exit: int | None, failed: int, says: bool) -> None:
    result = StageResult(stage=Stage.TEST, state=StageState.FAILED, exit=exit, failed=failed)
    now = Narrowing(good=0, bad=8).after(4, result)
    assert (now.bad == 4, now.untestable == (4,)) == (says, not says)

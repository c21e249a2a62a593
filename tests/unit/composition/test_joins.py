"""A join decides by its definition, whatever order branches end in, and once."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from signals.composition import BranchState
from workflows.composition.joins import (
    AnyJoin,
    JoinAll,
    JoinAny,
    JoinFirst,
    JoinNOfM,
    Reached,
    Tally,
    Unreachable,
    Verdict,
)

SUCCEEDED, FAILED = BranchState.SUCCEEDED, BranchState.FAILED
CANCELLED, SKIPPED = BranchState.CANCELLED, BranchState.SKIPPED

ENDS = st.lists(st.sampled_from([SUCCEEDED, FAILED, CANCELLED, SKIPPED]), min_size=1, max_size=6)
JOINS = st.one_of(
    st.just(JoinAll()), st.just(JoinAny()), st.just(JoinFirst()), st.integers(1, 6).map(lambda n: JoinNOfM(n=n))
)


class Ended(NamedTuple):
    """A branch that has ended."""

    branch: int
    state: BranchState


def orders(states: list[BranchState]) -> st.SearchStrategy[list[Ended]]:
    return st.permutations([Ended(number, state) for number, state in enumerate(states)])


ALL_ENDED = ENDS.flatmap(orders)


def decisions(join: AnyJoin, ended: Sequence[Ended]) -> list[Verdict]:
    """What the join says after each end, from none on."""
    tally = Tally(len(ended))
    said = [join.verdict(tally)]
    for one in ended:
        tally.add(*one)
        said.append(join.verdict(tally))
    return said


def decision(join: AnyJoin, ended: Sequence[Ended]) -> Verdict:
    """The first thing that the join says."""
    return next((verdict for verdict in decisions(join, ended) if verdict is not None), None)


@given(JOINS, ALL_ENDED)
def test_a_join_decides_at_the_latest_with_the_last_end(join: AnyJoin, ended: list[Ended]) -> None:
    assert decisions(join, ended)[-1] is not None


@given(JOINS, ALL_ENDED)
def test_what_ends_later_never_changes_a_decision(join: AnyJoin, ended: list[Ended]) -> None:
    said = [verdict for verdict in decisions(join, ended) if verdict is not None]
    assert all(verdict == said[0] for verdict in said)


@given(JOINS, ALL_ENDED)
def test_only_branches_that_succeeded_win(join: AnyJoin, ended: list[Ended]) -> None:
    verdict = decision(join, ended)
    if isinstance(verdict, Reached):
        assert {Ended(number, SUCCEEDED) for number in verdict.winners} <= set(ended)


@given(ALL_ENDED)
def test_all_is_reached_if_and_only_if_nothing_failed_or_was_cancelled(ended: list[Ended]) -> None:
    bad = any(one.state in (FAILED, CANCELLED) for one in ended)
    succeeded = tuple(sorted(one.branch for one in ended if one.state is SUCCEEDED))
    assert decision(JoinAll(), ended) == (Unreachable() if bad else Reached(succeeded))


@given(ALL_ENDED)
def test_all_gives_up_with_the_first_failure(ended: list[Ended]) -> None:
    waits = [verdict is None for verdict in decisions(JoinAll(), ended)]
    good = next((n for n, one in enumerate(ended) if one.state in (FAILED, CANCELLED)), len(ended) - 1)
    assert waits.index(False) == good + 1


@given(st.integers(1, 6), ALL_ENDED)
def test_n_of_m_takes_the_first_n_that_succeed_as_soon_as_they_have(n: int, ended: list[Ended]) -> None:
    at = [count for count, one in enumerate(ended, 1) if one.state is SUCCEEDED]
    verdict = decision(JoinNOfM(n=n), ended)
    if len(at) >= n:
        winners = tuple(sorted(one.branch for one in ended[: at[n - 1]] if one.state is SUCCEEDED))
        assert verdict == Reached(winners)
        assert decisions(JoinNOfM(n=n), ended)[at[n - 1] - 1] is None
    else:
        assert verdict == Unreachable()


@given(st.integers(1, 6), ALL_ENDED)
def test_n_of_m_gives_up_as_soon_as_too_few_are_left(n: int, ended: list[Ended]) -> None:
    for count, verdict in enumerate(decisions(JoinNOfM(n=n), ended)):
        lost = sum(one.state is not SUCCEEDED for one in ended[:count])
        assert (verdict == Unreachable()) is (len(ended) - lost < n)


@given(ALL_ENDED)
def test_any_is_one_of_m(ended: list[Ended]) -> None:
    assert decisions(JoinAny(), ended) == decisions(JoinNOfM(n=1), ended)


@given(ALL_ENDED)
def test_first_goes_with_what_finished_first_for_good_or_ill(ended: list[Ended]) -> None:
    first = next((one for one in ended if one.state is not SKIPPED), None)
    reached = first is not None and first.state is SUCCEEDED
    assert decision(JoinFirst(), ended) == (Reached((first.branch,)) if reached and first else Unreachable())


def test_all_of_nothing_is_reached() -> None:
    assert JoinAll().verdict(Tally(0)) == Reached(())


@pytest.mark.parametrize("join", [JoinAny(), JoinFirst(), JoinNOfM(n=1)])
def test_one_of_nothing_is_out_of_reach(join: AnyJoin) -> None:
    assert join.verdict(Tally(0)) == Unreachable()


@pytest.mark.parametrize("kind", ["all", "any", "first"])
def test_a_join_is_written_by_its_kind_alone(kind: str) -> None:
    adapter: TypeAdapter[AnyJoin] = TypeAdapter(AnyJoin)
    assert adapter.validate_python(kind) == adapter.validate_python({"kind": kind})


def test_n_of_m_needs_to_be_told_how_many() -> None:
    with pytest.raises(ValidationError, match="Field required"):
        TypeAdapter(AnyJoin).validate_python("n_of_m")
